package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// A Group is a directory of keys.
type Group struct {
	Name    string
	Members []Member // by fingerprint
}

// A Member is a key in a group.
type Member struct {
	Fingerprint pgp.Fingerprint
	Since       time.Time // when the key was noticed; zero if unknown
	History     string    // "all" or a stamp; "" if unknown: nothing is shown
	Friend      bool      // who is not sees nothing, group or not
}

// groupNames lists the directories in groups/ by name: those that can be
// groups, and the others. A key put beside the groups is in none.
func (k *Keyring) groupNames() (groups, strange []string, err error) {
	entries, err := k.root.ReadDir(groupsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, entry := range entries {
		switch {
		case strings.HasPrefix(entry.Name, "."):
		case entry.Dir && post.IsGroupName(entry.Name):
			groups = append(groups, entry.Name)
		default:
			strange = append(strange, entry.Name)
		}
	}
	return groups, strange, err
}

// Groups returns all groups, by name. One that cannot be listed has no members.
// Like everything that lists people it notices who is new, and makes his record.
func (k *Keyring) Groups() ([]Group, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	names, _, err := k.groupNames()
	if err != nil {
		return nil, err
	}
	if _, err := k.look(friendsDir); err != nil {
		return nil, err
	}
	var list []Group
	for _, name := range names {
		list = append(list, Group{name, k.members(name)})
	}
	return list, nil
}

func (k *Keyring) members(group string) (list []Member) {
	dir := groupsDir + "/" + group
	f, err := k.look(dir)
	if err != nil {
		k.log.Warn("cannot list a group", "path", k.root.Path(dir), "error", err)
		return nil
	}
	for _, fpr := range f.keys {
		m := Member{Fingerprint: fpr}
		if r, err := k.record(dir, fpr); err == nil {
			m.Since, m.History = r.since(), r.History
		}
		m.Friend, _ = k.holds(friendsDir, fpr)
		list = append(list, m)
	}
	return list
}

// CreateGroup makes a group. Errors: ErrName, ErrExists.
func (k *Keyring) CreateGroup(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.checkNewGroup(name); err != nil {
		return err
	}
	return k.root.Mkdir(groupsDir + "/" + name)
}

// RenameGroup gives a group another name. What posts say of it is not touched.
// Errors: ErrUnknown, ErrName, ErrExists.
func (k *Keyring) RenameGroup(from, to string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.isThere(from); err != nil {
		return err
	}
	if err := k.checkNewGroup(to); err != nil {
		return err
	}
	return k.root.Rename(groupsDir+"/"+from, groupsDir+"/"+to)
}

// DeleteGroup removes a group with its keys. ErrUnknown if there is none.
func (k *Keyring) DeleteGroup(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.isThere(name); err != nil {
		return err
	}
	return k.root.RemoveAll(groupsDir + "/" + name)
}

func (k *Keyring) checkNewGroup(name string) error {
	if err := CheckGroupName(name); err != nil {
		return err
	}
	there, err := k.root.Exists(groupsDir + "/" + name)
	if err == nil && (there || k.taken("")[fold(name)]) {
		err = fmt.Errorf("the name %q: %w", name, ErrExists)
	}
	return err
}

// isThere returns ErrUnknown unless there is a group of that name.
func (k *Keyring) isThere(name string) error {
	if !post.IsGroupName(name) {
		return fmt.Errorf("group %q: %w", text.Clean(name), ErrUnknown)
	}
	info, err := k.root.Lstat(groupsDir + "/" + name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return fmt.Errorf("group %q: %w", name, ErrUnknown)
	}
	return err
}

// AddMember puts a friend into a group. history is "all", "none" or a stamp;
// "" is "none", or for who is a member already what he has. Errors: ErrUnknown
// of the group, or of somebody who is not a friend, ErrHistory.
func (k *Keyring) AddMember(group string, fpr pgp.Fingerprint, history string) (already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.isThere(group); err != nil {
		return false, err
	}
	home, err := k.where(fpr)
	if err != nil {
		return false, err
	}
	if home != friendsDir {
		return false, fmt.Errorf("%s: %w: followed, but not a friend", short(fpr), ErrUnknown)
	}
	dir := groupsDir + "/" + group
	if _, err := k.look(dir); err != nil {
		return false, err
	}
	already, err = k.holds(dir, fpr)
	if err != nil {
		return false, err
	}
	r, _, err := k.readRecord(dir, fpr)
	if err != nil {
		r = record{}
	}
	r.Since = post.FormatTime(k.now())
	if already {
		if r, err = k.record(dir, fpr); err != nil || history == "" {
			return true, err
		}
	}
	if history == "" {
		history = none
	}
	if r.History, err = k.history(history); err != nil {
		return already, err
	}
	if err := k.writeRecord(dir, fpr, r); err != nil || already {
		return already, err
	}
	cert, err := k.keyOf(friendsDir, fpr)
	if err != nil {
		return false, err
	}
	return false, k.root.WriteFile(keyPath(dir, fpr), cert.Armor(), filePerm)
}

// RemoveMember takes a key out of a group. ErrUnknown if there is no such group.
func (k *Keyring) RemoveMember(group string, fpr pgp.Fingerprint) (was bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.isThere(group); err != nil {
		return false, err
	}
	return k.removeFrom(groupsDir+"/"+group, fpr)
}
