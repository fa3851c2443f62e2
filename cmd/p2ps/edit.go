package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
)

func newEdit(e *env) *cobra.Command {
	var t texts
	var closes string
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Change the text of a post of yours",
		Long: `Change the text of a post of yours. It keeps its id and its readers; the text
before is kept as history, here and with who pulled it. Without -m, -F or a pipe
your editor opens with the text as it is. (The file itself can be edited as
well: p2ps sign then signs it.)

With --closes a question closes at another time, or at once: what was answered
until then counts.`,
		Example: `  p2ps edit m4f7da
  p2ps edit m4f7da --closes now
  p2ps edit m4f7da -m 'Lunch at one, not at two'`,
		Args:              arguments(1, 1, "the id of a post of yours"),
		ValidArgsFunction: e.completePosts(home.MyPosts, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			if !target.Mine {
				return fail(exitUsage, "an answer to it: p2ps reply "+short(target.Post.ID()), "%w: %s", home.ErrNotMine, target.Post.ID())
			}
			if err := hasText(target.Post); err != nil {
				return err
			}
			end, err := e.closing(target.Post, closes)
			if err != nil {
				return err
			}
			s := target.Post.Content()
			if end == "" || t.given() {
				if s, err = e.text(cmd.Context(), t, s); err != nil {
					return err
				}
			}
			if s == target.Post.Content() && end == "" {
				e.say("the text is the same: nothing was changed")
				return e.emit(lineOf(target), target.Post.ID().String())
			}
			if e.dryRun {
				return e.wouldBe(change{What: "post.edit", ID: target.Post.ID().String()}, "%s would be changed", target.Post.ID())
			}
			c, err := h.Edit(cmd.Context(), target.Post.ID(), func(d *post.Draft) error {
				d.Set("content", s)
				if end != "" {
					d.Set("endTime", end)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return e.posted(h, c.Now, "changed; it goes")
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().StringVar(&closes, "closes", "", "of a question: count no answer after `TIME` from now (2d), a date or time, or now")
	completeFlag(cmd, "closes", cobra.FixedCompletions([]string{"now"}, only))
	return cmd
}

// closing is the endTime that --closes gives a question; "" if it is not given.
func (e *env) closing(p *post.Post, closes string) (end string, err error) {
	switch {
	case closes == "":
		return "", nil
	case p.Type() != "Question":
		return "", usage("p2ps edit "+short(p.ID()), "only a question closes, and %s is %s", p.ID(), withArticle(p.Type()))
	case closes == "now":
		return post.FormatTime(e.now()), nil
	}
	d := post.NewDraft("Question")
	err = e.setFuture(d, "endTime", "--closes", closes)
	return d.Text("endTime"), err
}

// hasText refuses what is not text: changing that would make something else
// of it.
func hasText(p *post.Post) error {
	switch p.Type() {
	case "Like", "Announce":
		return usage("p2ps delete "+short(p.ID())+" takes it back", "%s has no text to change", withArticle(p.Type()))
	case "Accept", "TentativeAccept", "Reject":
		return usage("p2ps rsvp "+ending(p.About())+" yes, no or maybe answers anew", "an answer to an event has no text to change")
	case "Person":
		return usage("p2ps profile --name NAME --note WORDS", "a profile is no post with a text")
	}
	return nil
}

func newDelete(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID...",
		Short: "Take back posts of yours",
		Long: `Take back posts of yours. The text goes to the trash, and a signed Tombstone
takes its place, so that every friend who has a copy is told with his next pull
and puts it into his trash. p2ps restore brings it back. What somebody has read,
or copied elsewhere, nobody can take back.`,
		Example:           `  p2ps delete m4f7da`,
		Args:              arguments(1, -1, "the id of a post of yours"),
		ValidArgsFunction: e.completePosts(home.MyPosts, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.eachPost(cmd, args, func(h *home.Home, id post.ID) error {
				if e.dryRun {
					return e.wouldDelete(cmd, h, id)
				}
				c, err := h.Delete(cmd.Context(), id)
				if err != nil {
					return err
				}
				if c.Was == c.Now {
					return e.changed(change{What: "post.delete", ID: id.String(), Already: true}, "%s was deleted before", id)
				}
				return e.changed(change{What: "post.delete", ID: id.String()}, "deleted; p2ps restore %s brings it back", short(id))
			})
		},
	}
}

// wouldDelete tells of a deletion that is not made, or that is refused as the
// real one would be.
func (e *env) wouldDelete(cmd *cobra.Command, h *home.Home, id post.ID) error {
	me, err := h.Me()
	if err != nil {
		return err
	}
	en, err := h.Show(cmd.Context(), id)
	c := change{What: "post.delete", ID: id.String()}
	switch {
	case id.Author != me.Fingerprint():
		return fmt.Errorf("%w: it is by %s", home.ErrNotMine, id.Author)
	case err != nil && !errors.Is(err, home.ErrNoPost): // a removed file is taken back from its readers
		return err
	case err == nil && en.Post.Tombstone():
		c.Already = true
		return e.wouldBe(c, "%s was deleted before", id)
	}
	return e.wouldBe(c, "%s would be deleted", id)
}

// wouldRestore is wouldDelete for what is to be brought back.
func (e *env) wouldRestore(cmd *cobra.Command, h *home.Home, id post.ID) error {
	c := change{What: "post.restore", ID: id.String()}
	en, err := h.Show(cmd.Context(), id)
	switch {
	case err != nil && !errors.Is(err, home.ErrNoPost): // one whose file is gone may be in the trash
		return err
	case err == nil && !en.Mine:
		return fmt.Errorf("%w: it is by %s", home.ErrNotMine, id.Author)
	case err == nil && !en.Post.Tombstone():
		c.Already = true
		return e.wouldBe(c, "%s is there: nothing would be changed", id)
	}
	return e.wouldBe(c, "%s would be brought back", id)
}

func newRestore(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "restore ID...",
		Short: "Bring back deleted posts of yours",
		Long: `Bring back posts of yours that were deleted: the text from the trash is signed
anew, under its id, for whom it was before.`,
		Example:           `  p2ps restore m4f7da`,
		Args:              arguments(1, -1, "the id of a deleted post of yours"),
		ValidArgsFunction: e.completePosts(home.MyDeleted, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.eachPost(cmd, args, func(h *home.Home, id post.ID) error {
				if e.dryRun {
					return e.wouldRestore(cmd, h, id)
				}
				c, err := h.Restore(cmd.Context(), id)
				if err != nil {
					return err
				}
				if c.Was == c.Now {
					return e.changed(change{What: "post.restore", ID: id.String(), Already: true}, "%s is there: nothing was changed", id)
				}
				return e.posted(h, c.Now, "restored; it goes")
			})
		},
	}
}

// eachPost does something with posts that are named by their ids.
func (e *env) eachPost(cmd *cobra.Command, args []string, do func(*home.Home, post.ID) error) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	var ids []post.ID
	for _, arg := range args { // all are found before anything is done to the first
		id, err := h.Find(cmd.Context(), arg)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		if err := do(h, id); err != nil {
			return err
		}
	}
	return nil
}
