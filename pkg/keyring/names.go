package keyring

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// The words that are neither people nor groups.
const (
	wordMe      = "me"
	wordFriends = "friends"
	wordPublic  = "public"
)

var errGroupName = errors.New("a group's name is 1 to 32 of a-z, 0-9 and -, and does not begin with -")

// CheckName says whether a friend or followed feed can have a name: one path
// component in NFC of at most 64 characters; no control, invisible or broken
// ones, no slash or backslash, only single spaces inside; no leading ".", "-"
// or "@"; not eight or more hexadecimal digits, which mean a fingerprint; not
// me, friends or public in any case. The error is ErrName.
func CheckName(name string) error {
	if safe := text.PetName(name); safe != name || name == "" {
		if safe == "" {
			return fmt.Errorf("%q: %w", text.Clean(name), ErrName)
		}
		return fmt.Errorf("%q: %w: try %q", text.Clean(name), ErrName, safe)
	}
	switch fold(name) {
	case wordMe, wordFriends, wordPublic:
		return fmt.Errorf("%q: %w: it is reserved", name, ErrExists)
	}
	return nil
}

// CheckGroupName is CheckName for groups: ^[a-z0-9][a-z0-9-]{0,31}$ besides.
func CheckGroupName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if !post.IsGroupName(name) {
		return fmt.Errorf("%q: %w: %w", name, ErrName, errGroupName)
	}
	return nil
}

// fold makes names equal that are told apart only by case or composition.
func fold(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// taken returns the folded names in use, but for that of one person.
func (k *Keyring) taken(but pgp.Fingerprint) map[string]bool {
	names := map[string]bool{wordMe: true, wordFriends: true, wordPublic: true}
	for _, dir := range []string{friendsDir, followsDir} {
		f, err := k.look(dir)
		if err != nil {
			continue // then nothing can be written there either
		}
		for _, fpr := range f.keys {
			if r, _, err := k.readRecord(dir, fpr); err == nil && fpr != but {
				names[fold(r.Name)] = true
			}
		}
	}
	groups, _, _ := k.groupNames()
	for _, group := range groups {
		names[group] = true
	}
	return names
}

// checkFree is CheckName, and ErrExists if somebody else has the name.
func (k *Keyring) checkFree(name string, but pgp.Fingerprint) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if k.taken(but)[fold(name)] {
		return fmt.Errorf("the name %q: %w", name, ErrExists)
	}
	return nil
}

// named gives a record that has no usable name one made of its key's: safe, and
// unique among those in use.
func (k *Keyring) named(dir string, fpr pgp.Fingerprint, r record) record {
	if isGroup(dir) {
		return r
	}
	switch r.Trust {
	case TrustUnknown, TrustPinned, TrustVerified:
	default:
		r.Trust = TrustUnknown
	}
	if CheckName(r.Name) == nil {
		return r
	}
	wish := text.PetName(r.Name)
	if wish == "" {
		if cert, err := k.keyOf(dir, fpr); err == nil {
			wish = keyName(cert)
		}
	}
	r.Name = k.freeName(wish, fpr)
	return r
}

// keyName is a safe name made of what a key says of its owner.
func keyName(cert *pgp.Certificate) string {
	for _, name := range []string{cert.Name(), cert.Email(), cert.UserID()} {
		if name := text.PetName(name); name != "" {
			return name
		}
	}
	return "friend " + string(cert.Fingerprint()[:8])
}

// freeName returns the wish, or with the first number that makes it unique:
// "Alice", "Alice-2".
func (k *Keyring) freeName(wish string, fpr pgp.Fingerprint) string {
	if wish == "" {
		wish = "friend " + string(fpr[:8])
	}
	taken := k.taken(fpr)
	name := wish
	for n := 2; taken[fold(name)]; n++ {
		suffix := "-" + strconv.Itoa(n)
		stem := wish
		for utf8.RuneCountInString(stem) > text.MaxName-len(suffix) {
			_, size := utf8.DecodeLastRuneInString(stem)
			stem = stem[:len(stem)-size]
		}
		name = stem + suffix
	}
	return name
}
