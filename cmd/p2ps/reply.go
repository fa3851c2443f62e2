package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newReply(e *env) *cobra.Command {
	var (
		t  texts
		to []string
	)
	cmd := &cobra.Command{
		Use:   "reply ID",
		Short: "Answer a post",
		Long: `Answer a post. The answer is a post of yours: it goes to the author of the post
answered, and to everybody if that is public; an answer to a post of your own
goes to whom that went. --to replaces it. The text is given as for post.`,
		Example: `  p2ps reply m4f7da -m 'I bring the salad'
  p2ps reply m4f7da --to family -m 'Who brings the salad?'`,
		Args:              arguments(1, 1, "the id of a post"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			s, err := e.text(cmd.Context(), t, "")
			if err != nil {
				return err
			}
			d := post.NewDraft("Note")
			setText(d, s, "text/plain")
			d.Set("inReplyTo", target.Post.ID().String())
			d.Set("context", threadOf(target.Post))
			return e.answer(cmd, h, d, target, to)
		},
	}
	t.register(cmd.Flags())
	e.addTo(cmd, &to, "the author")
	return cmd
}

func newLike(e *env) *cobra.Command {
	var to []string
	cmd := &cobra.Command{
		Use:   "like ID [EMOJI]",
		Short: "Like a post, or react to it with one emoji",
		Long: `Like a post, or react to it with one emoji. It goes to the author of the post,
and to everybody if that is public; --to replaces it. p2ps delete takes it back.`,
		Example: `  p2ps like m4f7da
  p2ps like m4f7da 🎉`,
		Args:              arguments(1, 2, "the id of a post, and at most one emoji"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			d := post.NewDraft("Like")
			d.Set("object", target.Post.ID().String())
			if len(args) == 2 {
				if emoji := args[1]; emoji == "" || len(emoji) > 64 || text.Width(emoji) > 2 || text.Clean(emoji) != emoji || strings.IndexFunc(emoji, pictorial) < 0 {
					return usage("an answer in words: p2ps reply", "%q is not one emoji", args[1])
				}
				d.Set("content", args[1])
			}
			return e.answer(cmd, h, d, target, to)
		},
	}
	e.addTo(cmd, &to, "the author")
	return cmd
}

func newRepost(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repost ID",
		Short: "Pass on a public post",
		Long: `Pass on a public post of somebody, signed by him as it is, to your own readers.
A post that is not public cannot be passed on: its author chose its readers.
It goes to whom the setting "to" or --to says.`,
		Example:           `  p2ps repost m4f7da --to friends`,
		Args:              arguments(1, 1, "the id of a post"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			original := target.Post.Wire()
			if target.Post.Type() == "Announce" {
				original = target.Post.Object() // the post itself, not that somebody passed it on
			}
			if !target.Post.Public() && target.Post.Type() != "Announce" {
				return fail(exitError, "write it in your own words: p2ps post", "%s is for its readers alone, and is not passed on", target.Post.ID())
			}
			d := post.NewDraft("Announce")
			d.SetValue("object", original)
			s, err := e.settings()
			if err != nil {
				return err
			}
			return e.publish(cmd, d, s.To)
		},
	}
	addSettingFlag(cmd.Flags(), "to", "")
	completeFlag(cmd, "to", e.completeAudience)
	return cmd
}

// threadOf is the first post of the thread of p.
func threadOf(p *post.Post) string {
	if thread := p.Context(); thread != "" {
		return thread
	}
	return p.ID().String()
}

// pictorial tells that a letter may be of an emoji: all of these lie above the
// alphabets, and even a digit in a box ends in such.
func pictorial(r rune) bool { return r >= 0x2000 && (r < 0x2E80 || r >= 0x1F000) }

// target is the post that a command is about.
func (e *env) target(cmd *cobra.Command, id string) (*home.Home, home.Entry, error) {
	h, _, err := e.identity()
	if err != nil {
		return nil, home.Entry{}, err
	}
	found, err := h.Find(cmd.Context(), id)
	if err != nil {
		return nil, home.Entry{}, err
	}
	entry, err := h.Show(cmd.Context(), found)
	if err == nil && entry.Post.Tombstone() {
		return nil, home.Entry{}, fail(exitNotFound, "p2ps restore "+short(found)+" brings it back", "%w: %s was deleted", home.ErrNoPost, found)
	}
	return h, entry, err
}

// answer posts what answers a post: to its author, and to everybody if it is
// public, or to whom --to says.
func (e *env) answer(cmd *cobra.Command, h *home.Home, d *post.Draft, target home.Entry, to []string) error {
	if to != nil {
		return e.publish(cmd, d, to)
	}
	var a post.Audience
	switch author := target.Post.ID().Author; {
	case target.Mine:
		var err error
		if a, err = target.Post.Audience(); err != nil {
			return err
		}
	case target.Post.Public():
		a.Public = true
	default:
		a.Readers = append(a.Readers, author)
	}
	return e.publishTo(cmd, h, d, a)
}
