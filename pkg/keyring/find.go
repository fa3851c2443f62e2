package keyring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// Find returns the friend or followed person that a word of the command line
// means: a pet name in any case, a fingerprint as gpg prints it or as a URI, or
// the unique beginning of one, of at least eight digits. ErrUnknown, and
// ErrAmbiguous if it is more than one.
func (k *Keyring) Find(who string) (Person, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	people, err := k.known()
	if err != nil {
		return Person{}, err
	}
	return choose(who, people)
}

// Person returns who has a key, friend or followed; the others are not looked at.
// ErrUnknown if he is neither.
func (k *Keyring) Person(fpr pgp.Fingerprint) (Person, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	dir, err := k.where(fpr)
	if err != nil {
		return Person{}, err
	}
	return k.person(dir, fpr, k.surroundings()), nil
}

// FindAny is Find, and also finds who is only blocked or only a member of a
// group, by fingerprint or by the name in the key.
func (k *Keyring) FindAny(who string) (Person, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	people, err := k.known()
	if err != nil {
		return Person{}, err
	}
	if p, err := choose(who, people); err == nil {
		return p, nil // a pet name goes before a stranger's own name
	}
	dirs := []string{blockedDir}
	groups, _, err := k.groupNames()
	if err != nil {
		return Person{}, err
	}
	for _, group := range groups {
		dirs = append(dirs, groupsDir+"/"+group)
	}
	around := k.surroundings()
	for _, dir := range dirs {
		f, err := k.look(dir)
		if err != nil {
			return Person{}, err
		}
		for _, fpr := range f.keys {
			if !slices.ContainsFunc(people, func(p Person) bool { return p.Fingerprint == fpr }) {
				people = append(people, k.outsider(dir, fpr, around))
			}
		}
	}
	return choose(who, people)
}

// known returns friends and follows.
func (k *Keyring) known() ([]Person, error) {
	friends, err := k.people(friendsDir)
	if err != nil {
		return nil, err
	}
	follows, err := k.people(followsDir)
	return append(friends, follows...), err
}

// outsider shows who is neither friend nor followed, by the key that is there.
func (k *Keyring) outsider(dir string, fpr pgp.Fingerprint, around surroundings) Person {
	p := Person{Fingerprint: fpr, Name: short(fpr), Trust: TrustUnknown, Groups: around.groups[fpr], Blocked: around.blocked(fpr)}
	if cert, err := k.keyOf(dir, fpr); err == nil {
		p.Name = keyName(cert)
	}
	return p
}

func choose(who string, people []Person) (Person, error) {
	match := func(p Person) bool { return fold(p.Name) == fold(who) }
	if digits, ok := beginning(who); ok {
		match = func(p Person) bool { return strings.HasPrefix(string(p.Fingerprint), digits) }
	}
	var found []Person
	for _, p := range people {
		if match(p) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return Person{}, fmt.Errorf("%q: %w", text.Clean(who), ErrUnknown)
	case 1:
		return found[0], nil
	}
	var list []string
	for _, p := range found {
		list = append(list, p.Name+" "+short(p.Fingerprint))
	}
	return Person{}, fmt.Errorf("%q: %w: %s", text.Clean(who), ErrAmbiguous, strings.Join(list, ", "))
}

// beginning returns the digits of a fingerprint or of its beginning.
func beginning(who string) (digits string, ok bool) {
	if !text.IsHex(who) {
		return "", false
	}
	who = strings.ToUpper(strings.ReplaceAll(who, " ", ""))
	return strings.TrimPrefix(who, "OPENPGP4FPR:"), true
}

// short is the beginning of a fingerprint that is shown where there is no name,
// long enough that nobody makes a second key with it for fun.
func short(fpr pgp.Fingerprint) string {
	return string(fpr[:min(16, len(fpr))])
}
