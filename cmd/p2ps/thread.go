package main

import (
	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
)

func newThread(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "thread ID",
		Short: "Show a post with all that answers it",
		Long: `Show the thread that a post belongs to, whichever of its posts is named: what
began it, and under each post its answers, the oldest first. It is made of the
posts that you hold: of each, only the answers, likes and reposts that came to
you are counted. What began it may be missing, which is said; posts of people
whom you muted or blocked are left out, and what others answered them stays.

The id may be given by its end, four characters or more. With --json each post
is a line with its depth, answers, likes and reposts.`,
		Example: `  p2ps thread m4f7da
  p2ps thread m4f7da --json | jq -r '"\(.depth) \(.name): \(.post.content)"'`,
		Args:              arguments(1, 1, "the id of a post"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			id, err := h.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			r := e.reader()
			r.threads, r.counts = true, true
			t, err := h.Thread(cmd.Context(), id, r.branch)
			if err != nil {
				return err
			}
			if err := r.handOn(); err != nil {
				return err
			}
			if t.Missing != "" {
				e.say("the post %s, which they answer, is not here", t.Missing)
			}
			switch t.Hidden {
			case 0:
			case 1:
				e.say("a post is left out: you muted its author")
			default:
				e.say("%d posts are left out: you muted their authors", t.Hidden)
			}
			return nil
		},
	}
}
