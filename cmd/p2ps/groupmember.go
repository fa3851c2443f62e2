package main

import (
	"cmp"
	"context"
	"maps"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/post"
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
	was, already := memberOf(g, p.Fingerprint)
	c.Already = already
	r := reach{name: p.Name, was: was.History, again: "p2ps group add " + g.Name + " " + typed(p.Name), members: []string{g.Name}}
	var err error
	if r.before, err = h.People().Grants(p.Fingerprint); err != nil {
		return err
	}
	if e.dryRun {
		r.after = joined(r.before, g.Name, history, already)
	} else {
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
		if r.after, err = h.People().Grants(p.Fingerprint); err != nil {
			return err
		}
	}
	said := "%s is in %s now"
	if already {
		said = "%s is in %s already"
	}
	if err := e.changed(c, said, p.Name, g.Name); err != nil {
		return err
	}
	if p.Blocked {
		e.say("note: %s is blocked, and sees nothing until p2ps block remove %s", p.Name, typed(p.Name))
		return nil
	}
	e.tellReach(ctx, h, r)
	return nil
}

// joined are the rights of a friend as they will be once he is in a group.
func joined(g post.Grants, group, history string, already bool) post.Grants {
	if already && history == "" || !g.Friend {
		return g
	}
	g.Groups = maps.Clone(g.Groups)
	g.Groups[group] = opening(cmp.Or(history, "none"))
	return g
}

func memberHistory(h *home.Home, group string, p keyring.Person) (string, error) {
	g, err := groupNamed(h, group)
	m, _ := memberOf(g, p.Fingerprint) // he may have been taken out by hand meanwhile
	return historyTime(m.History), err
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
		_, is := memberOf(g, p.Fingerprint)
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
