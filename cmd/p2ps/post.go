package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newPost(e *env) *cobra.Command {
	var (
		t          texts
		a          attachments
		k          kindFlags
		expires, f string
	)
	cmd := &cobra.Command{
		Use:   "post",
		Short: "Write a post",
		Long: `Write a post: sign it and put it into your feed. The text comes from -m, from a
file, from a pipe, else from your editor; it is never an argument, so that a
mistyped command is not published.

It goes to whom --to says, or else the setting "to" (at first: friends). What is
public is only ever so because you said it. Without a name for anybody it is
yours alone: --to me. The id of the new post is the only output.

It is a text unless a flag says otherwise: a link, an article, an event, what
you do, where you are. With these a text can be left out; if it is not, it comes
from -m or -F (-F - is stdin). Times without a zone are where you are; the zone
is kept with an event. p2ps question asks with options; p2ps rsvp answers an
event.

With --attach files go with it, copied beside your posts and given only to who
may see the post; then a text is taken from -m and -F alone, and may be missing.
What a JPEG, PNG, WebP or GIF tells beside its pixels (EXIF, GPS position, XMP,
thumbnails, comments, texts) is left out of the copy, and stderr says what it
was; of other kinds of files it says that this cannot be done.`,
		Example: `  p2ps post -m 'Sunday lunch at ours' --to family
  date | p2ps post --to me
  id=$(p2ps post -q -m hi --to public)
  p2ps post --link https://example.org/ -m 'worth reading'
  p2ps post --attach canal.jpg --alt 'The canal at dawn, no wind' --to family
  p2ps post --event 'Sunday lunch' --start 2026-11-29T13:00 --end 3h --where 'our garden' --to family
  p2ps post --activity listen -m 'Kind of Blue, the second side'
  p2ps post --place 52.52,13.405,Berlin
  p2ps post --json-in posts.jsonl --to friends`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f != "" {
				if t.given() || a.given() || k.given() || expires != "" {
					return usage("give --json-in alone, with --to at most", "--json-in brings whole posts: no other text goes with it")
				}
				return e.postObjects(cmd, f)
			}
			shared, err := e.look(a)
			defer func() { closeAll(shared) }()
			if err != nil {
				return err
			}
			d, err := e.compose(cmd, t, k, a)
			if err != nil {
				return err
			}
			if err := e.setExpires(d, expires); err != nil {
				return err
			}
			s, err := e.settings()
			if err != nil {
				return err
			}
			return e.publishWith(cmd, d, s.To, shared, a.keepMetadata)
		},
	}
	t.register(cmd.Flags())
	a.register(cmd.Flags())
	addSettingFlag(cmd.Flags(), "to", "")
	k.register(cmd)
	cmd.Flags().StringVar(&expires, "expires", "", "no longer give or show it after `TIME` from now (2w), or at a date")
	cmd.Flags().StringVar(&f, "json-in", "", "take ActivityStreams objects from `FILE`, one a line (- is stdin)")
	completeFlag(cmd, "to", e.completeAudience)
	return cmd
}

// setText says what kind of text it is: without that it would be HTML
// (Activity Vocabulary, content).
func setText(d *post.Draft, s, mediaType string) {
	d.Set("content", s)
	d.Set("mediaType", mediaType)
}

func (e *env) setExpires(d *post.Draft, expires string) error {
	return e.setFuture(d, "expires", "--expires", expires)
}

// setFuture gives a member a time that is still to come: of a flag a duration
// goes forward here.
func (e *env) setFuture(d *post.Draft, member, flag, s string) error {
	if s == "" {
		return nil
	}
	now := e.now()
	at, err := text.ParseTime(s, now)
	if err != nil {
		return err
	}
	if at.Before(now) && !strings.Contains(s, "-") {
		at = now.Add(now.Sub(at))
	}
	if !at.After(now) {
		return usage("see p2ps help time", "%s %s is in the past", flag, text.Clean(s))
	}
	d.Set(member, post.FormatTime(at))
	return nil
}

// publish signs a draft for the people whom the words name, and tells to whom
// and to how many.
func (e *env) publish(cmd *cobra.Command, d *post.Draft, words []string) error {
	return e.publishWith(cmd, d, words, nil, false)
}

// publishWith is publish with files, which are copied before.
func (e *env) publishWith(cmd *cobra.Command, d *post.Draft, words []string, list []shared, keep bool) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	if len(words) == 0 {
		words = []string{"me"}
	}
	a, _, err := h.People().Resolve(words)
	if err != nil {
		return err
	}
	if err := e.attach(h, d, list, keep); err != nil {
		return err
	}
	return e.publishTo(cmd, h, d, a)
}

func (e *env) publishTo(cmd *cobra.Command, h *home.Home, d *post.Draft, a post.Audience) error {
	if e.dryRun {
		return e.wouldPost(h, a)
	}
	p, err := h.Post(cmd.Context(), d, a)
	if err != nil {
		return err
	}
	return e.posted(h, p, "posted")
}

// wouldPost tells of a post that is not made, to whom it would go.
func (e *env) wouldPost(h *home.Home, a post.Audience) error {
	c := change{What: "post", To: h.People().Names(a)}
	readers, err := h.ReadersOf(a)
	if err != nil {
		return err
	}
	to := strings.Join(c.To, ", ")
	switch {
	case a.Public:
		return e.wouldBe(c, "it would be posted to everybody (%s)", to)
	case len(readers) > 0:
		return e.wouldBe(c, "it would be posted to %s (%s)", to, people(len(readers)))
	case to != "me":
		return e.wouldBe(c, "it would be posted to %s: nobody could see it yet", to)
	}
	return e.wouldBe(c, "it would be posted for you alone")
}

// posted prints a post of mine that was just signed.
func (e *env) posted(h *home.Home, p *post.Post, verb string) error {
	en := home.Entry{Post: p, Name: "me", Mine: true, Received: e.now(), Path: h.PathOf(p.ID()), To: h.AudienceWords(p)}
	readers, err := h.Readers(p)
	if err != nil {
		return err
	}
	to := strings.Join(en.To, ", ")
	switch {
	case p.Public():
		e.say("%s to everybody (%s)", verb, to)
	case len(readers) == 0 && to != "me":
		e.say("%s to %s: nobody can see it yet", verb, to)
	case len(readers) == 0:
		e.say("%s, for you alone", strings.TrimSuffix(verb, "; it goes"))
	default:
		e.say("%s to %s (%s)", verb, to, people(len(readers)))
	}
	return e.emit(lineOf(en), p.ID().String())
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// postObjects posts what another program made: an object a line. Whom each is
// for stands in its own to, in the words of --to, or else in the setting.
func (e *env) postObjects(cmd *cobra.Command, name string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	return e.eachLine(name, func(line []byte) error {
		d, err := post.ParseDraft(line)
		if err != nil {
			return err
		}
		words, err := d.Words()
		if err != nil {
			return err
		}
		if words == nil {
			words = s.To
		}
		a, _, err := h.People().Resolve(words)
		if err != nil {
			return err
		}
		d.Remove("to")
		d.SayMediaType()
		return e.publishTo(cmd, h, d, a)
	})
}
