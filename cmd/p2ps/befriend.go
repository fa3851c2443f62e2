package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// checkFree says early, before anything is done or asked, that a name is taken by
// somebody else.
func checkFree(h *home.Home, name string, by pgp.Fingerprint) error {
	if err := keyring.CheckName(name); err != nil {
		return err
	}
	if p, err := h.People().Find(name); err == nil && p.Fingerprint != by {
		return fmt.Errorf("the name %q: %w, by %s", name, keyring.ErrExists, p.Fingerprint)
	}
	groups, err := h.People().Groups()
	if slices.ContainsFunc(groups, func(g keyring.Group) bool { return strings.EqualFold(g.Name, name) }) {
		err = fmt.Errorf("the name %q: %w, by a group", name, keyring.ErrExists)
	}
	return err
}

// checkGroupName says what a group can be called, and offers the nearest name
// that it can.
func checkGroupName(name string) error {
	err := keyring.CheckGroupName(name)
	if !errors.Is(err, keyring.ErrName) {
		return err
	}
	hint := "such as family, or book-club"
	if close := groupNameLike(name); close != "" {
		hint = "did you mean " + close + "?"
	}
	return fail(exitUsage, hint, "%q: %w for a group, whose name is 1 to 32 of a-z, 0-9 and -, and does not begin with -", text.Clean(name), keyring.ErrName)
}

// groupNameLike makes a group's name of what was typed; "" if nothing is left.
func groupNameLike(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text.PetName(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	close := strings.TrimRight(b.String()[:min(b.Len(), 32)], "-")
	if keyring.CheckGroupName(close) != nil {
		return ""
	}
	return close
}

// checkGroups says which of the groups is not there.
func checkGroups(h *home.Home, names []string) error {
	groups, err := h.People().Groups()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(groups, func(g keyring.Group) bool { return g.Name == name }) {
			return fail(exitNotFound, "p2ps group create "+typed(cmp.Or(groupNameLike(name), "NAME"))+" makes it; p2ps group list shows those there are", "group %q: %w", text.Clean(name), keyring.ErrUnknown)
		}
	}
	return nil
}

// befriend makes the change, under the home's lock. A key that the person took
// himself is pinned: it is the one that is kept.
func befriend(ctx context.Context, h *home.Home, n newcomer, a adding) (p keyring.Person, err error) {
	err = h.Locked(ctx, func(k *keyring.Keyring) error {
		opt := keyring.AddOptions{Name: a.name, Addresses: a.addresses, Trust: keyring.TrustPinned, History: a.history}
		p, _, err = k.Befriend(n.cert, opt, "", a.groups)
		return err
	})
	return p, err
}
