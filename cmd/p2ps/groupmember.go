package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
)

func newGroupAdd(e *env) *cobra.Command {
	var history string
	cmd := &cobra.Command{
		Use:   "add NAME FRIEND...",
		Short: "Put friends into a group",
		Long: `Put friends into a group. They see what is posted to it from now on; --history
says otherwise, also of who is a member already: all shows everything that was
ever posted to it, since:TIME what was posted from then on.`,
		Example: `  p2ps group add family bob carol
  p2ps group add family bob --history all
  p2ps group add family bob --history since:2026-01-01`,
		Args:              arguments(2, -1, "NAME FRIEND..."),
		ValidArgsFunction: e.complete(groupsNow, friendsNow),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.addMembers(cmd.Context(), args[0], args[1:], history)
		},
	}
	addHistory(cmd, &history, "none")
	return cmd
}

func (e *env) addMembers(ctx context.Context, group string, names []string, given string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	history, err := e.history(given)
	if err != nil {
		return err
	}
	g, err := groupNamed(h, group)
	if err != nil {
		return err
	}
	people, err := findEach(names, func(who string) (keyring.Person, error) {
		p, err := h.People().Find(who)
		if err == nil && p.Follow {
			err = fail(exitNotFound, "p2ps friend add makes a friend", "%s is followed, but not a friend", p.Name)
		}
		return p, err
	})
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := e.addMember(ctx, h, g, p, history); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) addMember(ctx context.Context, h *home.Home, g keyring.Group, p keyring.Person, history string) error {
	c := change{What: "group.add", Who: string(p.Fingerprint), Name: p.Name, Group: g.Name}
	c.Already = slices.ContainsFunc(g.Members, func(m keyring.Member) bool { return m.Fingerprint == p.Fingerprint })
	if !e.dryRun {
		err := h.Locked(ctx, func(k *keyring.Keyring) error {
			_, err := k.AddMember(g.Name, p.Fingerprint, history)
			return err
		})
		if err != nil {
			return err
		}
		if c.History, err = memberHistory(h, g.Name, p); err != nil {
			return err
		}
	}
	again := "p2ps group add " + g.Name + " " + typed(p.Name)
	switch {
	case !c.Already && history == "":
		history = "none"
		fallthrough
	case !c.Already:
		if err := e.changed(c, "%s is in %s now", p.Name, g.Name); err != nil {
			return err
		}
	default:
		if err := e.changed(c, "%s is in %s already", p.Name, g.Name); err != nil || history == "" {
			return err
		}
	}
	e.tellHistory(ctx, h, p.Name, history, again, g.Name)
	return nil
}

func memberHistory(h *home.Home, group string, p keyring.Person) (string, error) {
	g, err := groupNamed(h, group)
	if err != nil {
		return "", err
	}
	for _, m := range g.Members {
		if m.Fingerprint == p.Fingerprint {
			return historyTime(m.History), nil
		}
	}
	return "", nil // taken out by hand meanwhile
}

func newGroupRemove(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME FRIEND...",
		Aliases: []string{"rm"},
		Short:   "Take people out of a group",
		Long: `Take people out of a group. They stay friends, see no more of what is for the
group, and their copies of it go to their trash with the next pull.`,
		Example:           `  p2ps group remove family bob`,
		Args:              arguments(2, -1, "NAME FRIEND..."),
		ValidArgsFunction: e.complete(groupsNow, friendsNow),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.removeMembers(cmd.Context(), args[0], args[1:])
		},
	}
}

func (e *env) removeMembers(ctx context.Context, group string, names []string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	g, err := groupNamed(h, group)
	if err != nil {
		return err
	}
	people, err := findEach(names, h.People().FindAny)
	if err != nil {
		return err
	}
	for _, p := range people {
		is := slices.ContainsFunc(g.Members, func(m keyring.Member) bool { return m.Fingerprint == p.Fingerprint })
		c := change{What: "group.remove", Who: string(p.Fingerprint), Name: p.Name, Group: group, Already: !is}
		if !is {
			if err := e.changed(c, "%s is not in %s", p.Name, group); err != nil {
				return err
			}
			continue
		}
		if !e.dryRun {
			err := h.Locked(ctx, func(k *keyring.Keyring) error {
				_, err := k.RemoveMember(group, p.Fingerprint)
				return err
			})
			if err != nil {
				return err
			}
		}
		if err := e.changed(c, "%s is no longer in %s", p.Name, group); err != nil {
			return err
		}
	}
	return nil
}
