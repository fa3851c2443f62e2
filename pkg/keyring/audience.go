package keyring

import (
	"errors"
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// Resolve reads the words of --to: me, friends, public, a group, a friend by
// name or fingerprint. It also returns them as they are shown, without
// repetition. "me" adds nobody: alone it is the zero Audience. ErrUnknown names
// the first word that is nobody; ErrAmbiguous one that is a group and a friend.
func (k *Keyring) Resolve(words []string) (post.Audience, []string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var (
		a     post.Audience
		shown []string
	)
	friends, err := k.people(friendsDir)
	if err != nil {
		return a, nil, err
	}
	groups, _, err := k.groupNames()
	if err != nil {
		return a, nil, err
	}
	for _, word := range words {
		if slices.Contains(groups, word) {
			k.members(word) // whose histories begin before the post that is to be written
		}
		name, err := resolve(&a, word, groups, friends)
		if err != nil {
			return post.Audience{}, nil, err
		}
		if !slices.Contains(shown, name) {
			shown = append(shown, name)
		}
	}
	return a, shown, nil
}

func resolve(a *post.Audience, word string, groups []string, friends []Person) (name string, err error) {
	switch word {
	case wordMe:
		return word, nil
	case wordFriends:
		a.Friends = true
		return word, nil
	case wordPublic:
		a.Public = true
		return word, nil
	}
	friend, err := choose(word, friends)
	if slices.Contains(groups, word) {
		if !errors.Is(err, ErrUnknown) { // made so by hand
			return "", fmt.Errorf("%q: %w: a group and a friend", text.Clean(word), ErrAmbiguous)
		}
		if !slices.Contains(a.Groups, word) {
			a.Groups = append(a.Groups, word)
		}
		return word, nil
	}
	if err != nil {
		return "", err
	}
	if !slices.Contains(a.Readers, friend.Fingerprint) {
		a.Readers = append(a.Readers, friend.Fingerprint)
	}
	return friend.Name, nil
}

// Names is the way back, for showing: public, friends, groups, pet names, and
// the beginning of a fingerprint for who is known no more. Nobody is "me".
func (k *Keyring) Names(a post.Audience) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	if a.Public {
		names = append(names, wordPublic)
	}
	if a.Friends {
		names = append(names, wordFriends)
	}
	names = append(names, a.Groups...)
	for _, fpr := range a.Readers {
		names = append(names, k.nameOf(fpr))
	}
	if names == nil {
		return []string{wordMe}
	}
	return names
}

// nameOf reads one record instead of everybody's, and makes none.
func (k *Keyring) nameOf(fpr pgp.Fingerprint) string {
	dir, err := k.where(fpr)
	if err != nil {
		return short(fpr)
	}
	r, _, err := k.readRecord(dir, fpr)
	if err != nil || CheckName(r.Name) != nil {
		return short(fpr)
	}
	return r.Name
}
