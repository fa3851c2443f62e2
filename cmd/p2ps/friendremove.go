package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
)

func newFriendRemove(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "remove WHO",
		Aliases: []string{"rm"},
		Short:   "End a friendship",
		Long: `Make a friend a stranger: he leaves every group, sees from now on what is
public, and is not told. What he pulled before is his; what you pulled from him
stays in feeds/, and is shown no more.`,
		Example:           `  p2ps friend remove bob`,
		Args:              arguments(1, 1, "WHO"),
		ValidArgsFunction: e.complete(friendsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.removeFriend(cmd.Context(), args[0]) },
	}
}

func (e *env) removeFriend(ctx context.Context, who string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	p, err := h.People().FindAny(who)
	if err != nil {
		return err
	}
	cert, err := certificateOf(h, p)
	if err != nil {
		return err
	}
	was := cert != nil && !p.Follow
	c := change{What: "friend.remove", Who: string(p.Fingerprint), Name: p.Name, Already: !was}
	if !was && len(p.Groups) == 0 {
		return e.changed(c, "%s is not a friend", p.Name)
	}
	if !e.dryRun {
		err := h.Locked(ctx, func(k *keyring.Keyring) error {
			_, err := k.RemoveFriend(p.Fingerprint)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := e.changed(c, "%s is no friend any more", p.Name); err != nil || e.dryRun {
		return err
	}
	e.say("to undo: p2ps friend add KEYFILE%s", undone(p))
	return nil
}

// undone are the flags that bring back what was known of a person.
func undone(p keyring.Person) string {
	flags := " --name " + typed(p.Name)
	for _, a := range p.Addresses {
		flags += " --address " + typed(a)
	}
	for _, g := range p.Groups {
		flags += " --group " + g
	}
	return flags
}
