package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
)

// A personChange is one thing to change of a friend or followed person.
type personChange struct {
	change
	check         func(keyring.Person) error // before anything is done; nil: nothing
	is            func(keyring.Person) bool  // it is so already
	make          func(*keyring.Keyring, keyring.Person) error
	done, already string // what is said of him then
}

// changePerson makes a change under the home's lock, unless it is so already, and
// tells it.
func (e *env) changePerson(ctx context.Context, who string, c personChange) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	p, err := h.People().Find(who)
	if err != nil {
		return err
	}
	c.Who, c.Already = string(p.Fingerprint), c.is(p)
	if c.Name == "" {
		c.Name = p.Name
	}
	if c.check != nil {
		if err := c.check(p); err != nil {
			return err
		}
	}
	if c.Already {
		return e.changed(c.change, "%s %s", p.Name, c.already)
	}
	if !e.dryRun {
		if err := h.Locked(ctx, func(k *keyring.Keyring) error { return c.make(k, p) }); err != nil {
			return err
		}
	}
	return e.changed(c.change, "%s %s", p.Name, c.done)
}

func newFriendRename(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "rename WHO NAME",
		Short: "Call a friend otherwise",
		Long: `Give a friend, or somebody you follow, another name. It is your name for him;
nobody else learns it. Names are unique among friends, followed people and
groups.`,
		Example:           `  p2ps friend rename Bob bobby`,
		Args:              arguments(2, 2, "WHO NAME"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[1]
			if err := keyring.CheckName(name); err != nil {
				return err
			}
			return e.changePerson(cmd.Context(), args[0], personChange{
				change: change{What: "friend.rename", Name: name},
				check: func(p keyring.Person) error {
					h, err := e.home()
					if err != nil {
						return err
					}
					return checkFree(h, name, p.Fingerprint)
				},
				is:   func(p keyring.Person) bool { return p.Name == name },
				make: func(k *keyring.Keyring, p keyring.Person) error { return k.RenamePerson(p.Fingerprint, name) },
				done: "is called " + name + " now", already: "is called so already",
			})
		},
	}
}

func newFriendMute(e *env, mute bool) *cobra.Command {
	use, short := "mute", "Leave a friend out of the timeline"
	long := `Leave the posts of a friend, or of somebody you follow, out of the timeline.
They are still pulled and kept, and he does not learn of it.`
	c := personChange{done: "is muted", already: "is muted already"}
	if !mute {
		use, short = "unmute", "Show a muted friend in the timeline again"
		long = `Show the posts of a muted friend in the timeline again, with all that came in
meanwhile.`
		c = personChange{done: "is no longer muted", already: "is not muted"}
	}
	c.What = "friend." + use
	c.is = func(p keyring.Person) bool { return p.Muted == mute }
	c.make = func(k *keyring.Keyring, p keyring.Person) error { return k.SetMuted(p.Fingerprint, mute) }
	return &cobra.Command{
		Use: use + " WHO", Short: short, Long: long,
		Example:           "  p2ps friend " + use + " bob",
		Args:              arguments(1, 1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.changePerson(cmd.Context(), args[0], c)
		},
	}
}
