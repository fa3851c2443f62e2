package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
)

func newBlockRemove(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "remove WHO...",
		Aliases: []string{"rm"},
		Short:   "End a block",
		Long: `End a block. Friends and groups are as they were before it: who was a friend
sees again what is for him, also what was posted meanwhile.`,
		Example:           `  p2ps block remove mallory`,
		Args:              arguments(1, -1, "WHO"),
		ValidArgsFunction: e.complete(blockedNow),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.unblockAll(cmd.Context(), args) },
	}
}

func (e *env) unblockAll(ctx context.Context, names []string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	people, err := findEach(names, func(who string) (keyring.Person, error) { return findBlocked(h, who) })
	if err != nil {
		return err
	}
	for _, p := range people {
		c := change{What: "block.remove", Who: string(p.Fingerprint), Name: p.Name, Already: !p.Blocked}
		if !p.Blocked {
			if err := e.changed(c, "%s is not blocked", p.Name); err != nil {
				return err
			}
			continue
		}
		if !e.dryRun {
			err := h.Locked(ctx, func(k *keyring.Keyring) error {
				_, err := k.Unblock(p.Fingerprint)
				return err
			})
			if err != nil {
				return err
			}
		}
		if err := e.changed(c, "%s is no longer blocked", p.Name); err != nil {
			return err
		}
	}
	return nil
}

// findBlocked looks among the blocked first: a friend may have the same name.
func findBlocked(h *home.Home, who string) (keyring.Person, error) {
	blocked, err := blockedPeople(h)
	if err != nil {
		return keyring.Person{}, err
	}
	var found []keyring.Person
	for _, p := range blocked {
		if strings.EqualFold(p.Name, who) {
			found = append(found, p)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return h.People().FindAny(who)
}

func blockedPeople(h *home.Home) ([]keyring.Person, error) {
	blocked, err := h.People().Blocked()
	if err != nil {
		return nil, err
	}
	return findEach(blocked, func(fpr pgp.Fingerprint) (keyring.Person, error) {
		p, err := h.People().FindAny(string(fpr))
		if errors.Is(err, keyring.ErrUnknown) { // unblocked by somebody else meanwhile
			p, err = keyring.Person{Fingerprint: fpr, Name: string(fpr[:16])}, nil
		}
		return p, err
	})
}

func blockedNow(h *home.Home) []cobra.Completion {
	people, _ := blockedPeople(h) // nothing to offer then
	return namesOf(people)
}
