package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/text"
)

func newGC(e *env) *cobra.Command {
	var age string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Empty the trash",
		Long: `Empty the trash: remove the texts for good that were deleted, or taken back by
their authors, and have lain there for some time. p2ps restore cannot bring back
what is gone from the trash. Posts, history and everything else are left alone.`,
		Example: `  p2ps gc --dry-run
  p2ps gc --older-than 1w`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			before, err := text.ParseTime(age, e.now())
			if err != nil {
				return err
			}
			out := e.list("Post", "File")
			var n int
			var size int64
			err = h.EmptyTrash(cmd.Context(), before, e.dryRun, func(t home.Trashed) error {
				n++
				size += t.Size
				return out.add(change{header: kind("change"), What: "trash.remove", ID: t.ID.String(), Path: t.Path, DryRun: e.dryRun}, t.ID.String(), t.Path)
			})
			if err := errors.Join(err, out.end()); err != nil {
				return err
			}
			switch {
			case n == 0:
				e.say("nothing in the trash is older than that")
			case e.dryRun:
				e.say("would be removed for good: %s, %s", counted(n, "text"), text.Size(size))
			default:
				e.say("removed for good: %s, %s", counted(n, "text"), text.Size(size))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&age, "older-than", "30d", "what has lain there for `TIME`, or since before a date")
	completeFlag(cmd, "older-than", cobra.NoFileCompletions)
	return cmd
}
