package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newGroupRename(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give a group another name, also in your posts",
		Long: `Give a group another name, and in every post of yours that is for it. Members
see what they saw, and learn of nothing. If it is broken off, the same command
again finishes it. A name that older posts bear, from a group that is no more,
is refused: the members of today would see those.`,
		Example:           `  p2ps group rename work office`,
		Args:              arguments(2, 2, "OLD NEW"),
		ValidArgsFunction: e.complete(groupsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.renameGroup(cmd.Context(), args[0], args[1]) },
	}
}

func (e *env) renameGroup(ctx context.Context, from, to string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	c := change{What: "group.rename", Group: from, Name: to, Already: from == to}
	if from == to || e.dryRun {
		if _, err := groupNamed(h, from); err != nil {
			return err
		}
	}
	if from == to {
		return e.changed(c, "the group is called %s already", to)
	}
	if err := checkGroupName(to); err != nil {
		return err
	}
	if e.dryRun {
		if err := checkFree(h, to, ""); err != nil {
			return err
		}
		return e.changed(c, "the group %s is called %s", from, to)
	}
	done, err := h.RenameGroup(ctx, from, to)
	if err != nil {
		return err
	}
	if err := e.changed(c, "the group %s is called %s now, also in %s", from, to, counted(done.Posts, "post")); err != nil {
		return err
	}
	for _, path := range done.Waiting {
		e.warn("note: %s was changed by hand and still says %s: change it there before p2ps sign", path, from)
	}
	return nil
}
