package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
)

func newGroupCreate(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "create NAME",
		Short: "Make a group",
		Long: `Make a group without members. NAME is 1 to 32 of a-z, 0-9 and -, and no friend
or followed person may be called so. Of posts that still bear the name of an
earlier group, new members see none unless they are added with --history.`,
		Example:           `  p2ps group create family`,
		Args:              arguments(1, 1, "NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return e.createGroup(cmd.Context(), args[0]) },
	}
}

func (e *env) createGroup(ctx context.Context, name string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	if err := checkGroupName(name); err != nil {
		return err
	}
	if e.dryRun {
		err = checkFree(h, name, "")
	} else {
		err = h.Locked(ctx, func(k *keyring.Keyring) error { return k.CreateGroup(name) })
	}
	if err != nil {
		return err
	}
	if err := e.changed(change{What: "group.create", Group: name}, "the group %s is made", name); err != nil {
		return err
	}
	posts, err := h.Counts(ctx)
	switch {
	case err != nil: // the group is made
		e.log.Warn("posts could not be counted", "error", err)
	case posts[name] > 0:
		e.say("%s already for %s, from an earlier group of that name: new members see them only if they are added with --history", areOlder(posts[name]), name)
	}
	return nil
}

func areOlder(n int) string {
	if n == 1 {
		return "1 older post is"
	}
	return older(n) + " are"
}

func newGroupDelete(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a group; its members stay friends, its posts stay",
		Long: `Delete a group. Its members stay friends, and the posts that are for it stay,
but nobody sees them by it any more. A group of the same name, with members
added by --history all, shows them again.`,
		Example:           `  p2ps group delete work`,
		Args:              arguments(1, 1, "NAME"),
		ValidArgsFunction: e.complete(groupsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.deleteGroup(cmd.Context(), args[0]) },
	}
}

func (e *env) deleteGroup(ctx context.Context, name string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	g, err := groupNamed(h, name)
	if err != nil {
		return err
	}
	again, all := "", " --history all"
	for _, m := range g.Members {
		p, err := anyPerson(h, string(m.Fingerprint))
		if err != nil {
			return err
		}
		again += " " + typed(p.Name)
		if m.History != "all" {
			all = "" // else he would see more than before
		}
	}
	if !e.dryRun {
		if err := h.Locked(ctx, func(k *keyring.Keyring) error { return k.DeleteGroup(name) }); err != nil {
			return err
		}
	}
	if err := e.changed(change{What: "group.delete", Group: name}, "the group %s is deleted", name); err != nil || e.dryRun {
		return err
	}
	posts, err := h.Counts(ctx)
	if err != nil { // the group is deleted
		e.log.Warn("posts could not be counted", "error", err)
	} else if posts[name] > 0 {
		e.say("%s for it: nobody sees them by it any more", areStill(posts[name]))
	}
	e.say("to undo: p2ps group create %s", name)
	if again != "" {
		e.say("         p2ps group add %s%s%s", name, again, all)
	}
	return nil
}

func areStill(n int) string {
	if n == 1 {
		return "1 post is still"
	}
	return counted(n, "post") + " are still"
}
