package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// Trust says how I know that a key is whose it says.
type Trust string

// The kinds of trust (protocol §6).
const (
	TrustUnknown  Trust = "unknown"
	TrustPinned   Trust = "pinned"   // by me: from a file, an address, an invite
	TrustVerified Trust = "verified" // in person, or fingerprints compared
)

// A Person is a friend or somebody I follow.
type Person struct {
	Fingerprint pgp.Fingerprint
	Name        string // pet name; safe to show
	Addresses   []string
	Trust       Trust
	Since       time.Time // when the key was noticed; zero if unknown
	History     string    // "all" or a stamp; "" for who is only followed
	Muted       bool
	Alarm       string // the key that answered in the place of his; "" if none did, or it is settled
	Follow      bool   // from follows/, not a friend
	Groups      []string
	Blocked     bool
}

// Friends returns the people in friends/, by name.
func (k *Keyring) Friends() ([]Person, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.saveProved()
	return k.people(friendsDir)
}

// Follows returns the people in follows/ who are not friends as well, by name.
func (k *Keyring) Follows() ([]Person, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.saveProved()
	return k.people(followsDir)
}

// Known returns the friends, and then the people in follows/.
func (k *Keyring) Known() ([]Person, error) {
	friends, err := k.Friends()
	if err != nil {
		return nil, err
	}
	follows, err := k.Follows()
	return append(friends, follows...), err
}

func (k *Keyring) people(dir string) ([]Person, error) {
	f, err := k.look(dir)
	if err != nil {
		return nil, err
	}
	around := k.surroundings()
	var list []Person
	for _, fpr := range f.keys {
		if dir == followsDir {
			friend, err := k.holds(friendsDir, fpr)
			if err != nil {
				return nil, err
			}
			if friend {
				continue
			}
		}
		list = append(list, k.person(dir, fpr, around))
	}
	slices.SortFunc(list, func(a, b Person) int {
		if c := strings.Compare(fold(a.Name), fold(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(string(a.Fingerprint), string(b.Fingerprint))
	})
	return list, nil
}

// person shows who dir holds. It gives no rights, so a record that cannot be
// read or written only leaves out what it would say.
func (k *Keyring) person(dir string, fpr pgp.Fingerprint, around surroundings) Person {
	r, err := k.record(dir, fpr)
	if err != nil {
		k.log.Warn("cannot read or write what is known of a person", "path", k.root.Path(recordPath(dir, fpr)), "error", err)
	}
	p := Person{
		Fingerprint: fpr,
		Name:        r.Name,
		Addresses:   r.Addresses,
		Trust:       r.Trust,
		Since:       r.since(),
		History:     r.History,
		Muted:       r.Muted,
		Alarm:       r.Alarm,
		Follow:      dir == followsDir,
	}
	if p.Follow {
		p.History = ""
	} else {
		p.Groups = around.groups[fpr]
	}
	p.Blocked = around.blocked(fpr)
	return p
}

// surroundings are the groups and blocks, looked at once for many people and
// for showing only.
type surroundings struct {
	groups  map[pgp.Fingerprint][]string
	blocked func(pgp.Fingerprint) bool
}

func (k *Keyring) surroundings() surroundings {
	s := surroundings{map[pgp.Fingerprint][]string{}, func(pgp.Fingerprint) bool { return true }}
	if f, err := k.look(blockedDir); err == nil && f.unread == nil {
		blocked := map[pgp.Fingerprint]bool{}
		for _, fpr := range f.keys {
			blocked[fpr] = true
		}
		s.blocked = func(fpr pgp.Fingerprint) bool { return blocked[fpr] }
	}
	groups, _, _ := k.groupNames()
	for _, group := range groups {
		f, err := k.look(groupsDir + "/" + group)
		if err != nil {
			continue
		}
		for _, fpr := range f.keys {
			s.groups[fpr] = append(s.groups[fpr], group)
		}
	}
	return s
}

// where returns the directory that holds a person: friends/ before follows/.
func (k *Keyring) where(fpr pgp.Fingerprint) (string, error) {
	var broken error
	for _, dir := range []string{friendsDir, followsDir} {
		if _, err := k.look(dir); err != nil {
			return "", err
		}
		err := k.checkKey(dir, fpr)
		switch {
		case err == nil:
			return dir, nil
		case errors.Is(err, errNoKey):
			broken = err
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	if broken != nil {
		return "", fmt.Errorf("%s: %w: %w", fpr, ErrUnknown, broken)
	}
	return "", fmt.Errorf("%s: %w", fpr, ErrUnknown)
}

// Certificate returns the certificate of a friend or of somebody I follow.
// ErrUnknown of anybody else, also if the key file there is not his.
func (k *Keyring) Certificate(fpr pgp.Fingerprint) (*pgp.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	dir, err := k.where(fpr)
	if err != nil {
		return nil, err
	}
	return k.keyOf(dir, fpr)
}

// Merge takes over what is new in the certificate of a friend or of somebody I
// follow, durably, and returns both together. changed says whether there was
// anything. Errors: ErrUnknown, pgp.ErrOtherKey.
func (k *Keyring) Merge(cert *pgp.Certificate) (merged *pgp.Certificate, changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	dir, err := k.where(cert.Fingerprint())
	if err != nil {
		return nil, false, err
	}
	return k.merge(dir, cert)
}

func (k *Keyring) merge(dir string, cert *pgp.Certificate) (*pgp.Certificate, bool, error) {
	held, err := k.keyOf(dir, cert.Fingerprint())
	if err != nil {
		return nil, false, err
	}
	merged, err := held.Merge(cert)
	if err != nil {
		return nil, false, fmt.Errorf("certificate of %s: %w", cert.Fingerprint(), err)
	}
	if merged == held {
		return held, false, nil
	}
	if err := k.root.WriteFile(keyPath(dir, cert.Fingerprint()), merged.Armor(), filePerm); err != nil {
		return nil, false, err
	}
	return merged, true, nil
}
