package keyring

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// never is a stamp that no position reaches: nothing is shown by it.
const never = post.Position("99991231-235959999")

// Grants reads what a person may see, from the files, afresh at every call:
// blocked/, friends/ and each group are looked at for his key. A stranger,
// somebody removed and somebody blocked have the same: none.
//
// It fails closed. A membership whose record cannot be read, or not be written
// where it is missing, shows nothing; if it cannot be told whether he is
// blocked or a friend, the error is ErrUnsure.
func (k *Keyring) Grants(reader pgp.Fingerprint) (post.Grants, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	grants := post.Grants{Reader: reader}
	blocked, err := k.isBlocked(reader)
	if err != nil || blocked {
		return grants, err
	}
	if _, err := k.look(friendsDir); err != nil {
		return grants, unsure(err)
	}
	friend, err := k.holds(friendsDir, reader)
	if err != nil {
		return grants, unsure(err)
	}
	if !friend {
		return grants, nil
	}
	grants.Friend = true
	if grants.Since, err = k.from(friendsDir, reader); err != nil {
		if isPassing(err) {
			return post.Grants{Reader: reader}, unsure(err)
		}
		grants.Since = never
	}
	grants.Groups, err = k.memberships(reader)
	if err != nil {
		return post.Grants{Reader: reader}, unsure(err)
	}
	return grants, nil
}

// memberships returns the groups that show a reader anything, and from where.
// The error is of the passing kind.
func (k *Keyring) memberships(reader pgp.Fingerprint) (map[string]post.Position, error) {
	groups, _, err := k.groupNames()
	if err != nil {
		if isPassing(err) {
			return nil, err
		}
		k.log.Error("cannot list the groups: nothing is shown by them", "error", err)
	}
	from := map[string]post.Position{}
	for _, group := range groups {
		dir := groupsDir + "/" + group
		position, member, err := k.membership(dir, reader)
		switch {
		case err != nil && isPassing(err):
			return nil, err
		case err != nil:
			k.log.Error("cannot read a membership: nothing is shown by it", "path", k.root.Path(dir), "error", err)
		case member:
			from[group] = position
		}
	}
	return from, nil
}

func (k *Keyring) membership(dir string, reader pgp.Fingerprint) (from post.Position, member bool, err error) {
	if _, err := k.look(dir); err != nil {
		return "", false, err
	}
	if member, err = k.holds(dir, reader); err != nil || !member {
		return "", false, err
	}
	from, err = k.from(dir, reader)
	return from, err == nil, err
}

// from returns the position from which a key in dir shows posts; "" is all.
func (k *Keyring) from(dir string, reader pgp.Fingerprint) (post.Position, error) {
	r, err := k.record(dir, reader)
	switch {
	case err != nil:
		k.log.Error("cannot read a record: nothing is shown by it", "path", k.root.Path(recordPath(dir, reader)), "error", err)
		return never, err
	case r.History == all:
		return "", nil
	case r.History == "":
		return never, nil // read again after another process wrote it: cannot be
	}
	return post.Position(r.History), nil
}

// isPassing says that an error is of this process and this moment, not of the
// files: to answer by it would show a friend less than he may see.
func isPassing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// MayBeMember is asked before somebody is told that a post is gone, which must
// be sure. known: the group is a directory that can be listed. maybe: it holds
// a file of him, even a broken one, or a key of which nobody knows whose it is.
func (k *Keyring) MayBeMember(fpr pgp.Fingerprint, group string) (known, maybe bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err = k.isThere(group)
	if errors.Is(err, ErrUnknown) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	dir := groupsDir + "/" + group
	f, err := k.look(dir)
	if err != nil {
		return false, false, err
	}
	entries, err := k.root.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(strings.ToUpper(entry.Name), string(fpr)+".") {
			return true, true, nil
		}
	}
	return true, f.stray || f.maybe[fpr], nil
}
