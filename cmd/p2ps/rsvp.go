package main

import (
	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newRsvp(e *env) *cobra.Command {
	var (
		t  texts
		to []string
	)
	cmd := &cobra.Command{
		Use:   "rsvp ID yes|no|maybe",
		Short: "Say whether you come to an event",
		Long: `Say whether you come to an event. The answer goes to whoever announced it, and
to everybody if it is public; --to replaces it. Answer again to change your
mind: the last one counts. With -m or -F some words go with it.

p2ps show of an event says who comes, of whom you have the answer.`,
		Example: `  p2ps rsvp m4f7da yes
  p2ps rsvp m4f7da maybe -m 'if the train runs'`,
		Args: arguments(2, 2, "the id of an event, and yes, no or maybe"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []string{"yes", "no", "maybe"}, only
			}
			return e.completePosts(home.AnyPost, 1)(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := ""
			for _, r := range post.Responses() {
				if r.Word == args[1] {
					kind = r.Type
				}
			}
			if kind == "" {
				return usage("say yes, no or maybe", "%q is no answer to an event", text.Clean(args[1]))
			}
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			if target.Post.Type() != "Event" {
				return usage("an answer in words: p2ps reply "+short(target.Post.ID()), "%s is %s, not an event", target.Post.ID(), withArticle(target.Post.Type()))
			}
			d := post.NewDraft(kind)
			d.Set("object", target.Post.ID().String())
			if !t.given() {
				d.Set("summary", deed(kind, "", "", "", "", ""))
				return e.answer(cmd, h, d, target, to)
			}
			s, err := e.text(cmd.Context(), t, "")
			if err != nil {
				return err
			}
			setText(d, s, "text/plain")
			return e.answer(cmd, h, d, target, to)
		},
	}
	t.register(cmd.Flags())
	e.addTo(cmd, &to, "the author")
	return cmd
}
