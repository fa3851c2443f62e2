package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/text"
)

func newGC(e *env) *cobra.Command {
	var age string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Empty the trash, and remove files that no post names",
		Long: `Empty the trash: remove the texts for good that were deleted, or taken back by
their authors, and have lain there for some time. p2ps restore cannot bring back
what is gone from the trash.

Then the files beside the posts go that no text names any more: no post of yours
or of others, signed or not, nothing in history, nothing that stays in the
trash. Where posts are missing that nobody took back, no file is removed: they
may come back.

What a program that was killed left of half-written files goes too, once it is
an hour old. Posts, history and everything else are left alone. Of several
machines of yours that share their attachments, pull on this one first.`,
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
			out := e.list("Post or file", "Path")
			var texts, files int
			var size int64
			remove := func(what, name string, bytes int64, c change) error {
				size += bytes
				c.header, c.What, c.DryRun = kind("change"), what, e.dryRun
				return out.add(c, name, c.Path)
			}
			err = h.EmptyTrash(cmd.Context(), before, e.dryRun, func(t home.Trashed) error {
				texts++
				return remove("trash.remove", t.ID.String(), t.Size, change{ID: t.ID.String(), Path: t.Path})
			})
			var lost int
			if err == nil {
				lost, err = h.RemoveUnnamed(cmd.Context(), before, e.dryRun, func(u home.Unnamed) error {
					files++
					return remove("file.remove", "sha256:"+u.SHA256, u.Size, change{Name: u.SHA256, Path: u.Path})
				})
			}
			if err == nil && !e.dryRun {
				err = h.Sweep()
			}
			if err := errors.Join(err, out.end()); err != nil {
				return err
			}
			if lost > 0 {
				e.say("no file was looked for: %s missing that nobody took back; p2ps status names those of yours, p2ps pull fetches others", counted(lost, "post"))
			}
			e.sayRemoved(texts, files, size)
			return nil
		},
	}
	cmd.Flags().StringVar(&age, "older-than", "30d", "what has lain there for `TIME`, or since before a date")
	completeFlag(cmd, "older-than", cobra.NoFileCompletions)
	return cmd
}

func (e *env) sayRemoved(texts, files int, size int64) {
	var what []string
	if texts > 0 {
		what = append(what, counted(texts, "text"))
	}
	if files > 0 {
		what = append(what, counted(files, "file"))
	}
	switch list := strings.Join(what, " and "); {
	case texts+files == 0:
		e.say("nothing in the trash is older than that")
	case e.dryRun:
		e.say("would be removed for good: %s, %s", list, text.Size(size))
	default:
		e.say("removed for good: %s, %s", list, text.Size(size))
	}
}
