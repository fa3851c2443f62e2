package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newTimeline(e *env) *cobra.Command {
	var (
		since, until, group, kind string
		from                      []string
		limit                     int
		reverse                   bool
	)
	cmd := &cobra.Command{
		Use:     "timeline",
		Aliases: []string{"tl"},
		Short:   "Read your posts and your friends', newest first",
		Long: `Read your own posts and those that were pulled, newest first; no network is
needed. On a terminal it shows the newest 50 (the setting timeline-limit), in a
pipe all, one a line: id, date, name, type, text, with tabs between them.
Posts of the blocked and the muted are left out; --from shows the muted.`,
		Example: `  p2ps timeline --since 1d --from alice
  p2ps timeline --json | jq -r 'select(.post.type=="Note") | .post.content'
  p2ps tl -n 5 --group family`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			for _, flag := range []string{"since", "until", "group", "type"} {
				if f := cmd.Flag(flag); f.Changed && f.Value.String() == "" {
					return usage("give it a value, or leave it out", "--%s is empty", flag)
				}
			}
			view := home.View{Group: group, Type: typeNamed(kind), Limit: limit, Oldest: reverse}
			if view.Since, err = e.moment(since); err != nil {
				return err
			}
			if view.Until, err = e.moment(until); err != nil {
				return err
			}
			if view.From, err = e.authors(h, from); err != nil {
				return err
			}
			if cmd.Flags().Changed("limit") && limit < 1 {
				return usage("without --limit all are shown in a pipe, and the newest 50 on a terminal", "--limit %d is not a number from 1", limit)
			}
			if limit == 0 && e.out && !e.json.on {
				s, err := e.settings()
				if err != nil {
					return err
				}
				view.Limit = s.TimelineLimit
			}
			entries, err := h.Timeline(cmd.Context(), view)
			if err != nil {
				return err
			}
			if len(entries) == 0 && e.out {
				e.say("nothing here yet: p2ps post writes, p2ps pull fetches")
			}
			return e.show(entries)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&since, "since", "", "posts from `TIME` on: a date, or how long ago (1d)")
	fs.StringVar(&until, "until", "", "posts before `TIME`")
	fs.StringArrayVar(&from, "from", nil, "posts by `WHO`; me is you (repeatable)")
	fs.StringVar(&group, "group", "", "posts by the members of `GROUP`, and yours for it")
	fs.StringVar(&kind, "type", "", "posts of this `TYPE` only, such as Note")
	fs.IntVarP(&limit, "limit", "n", 0, "at most `NUMBER` posts")
	fs.BoolVar(&reverse, "reverse", false, "oldest first")
	completeFlag(cmd, "from", e.completeAuthors)
	completeFlag(cmd, "group", e.complete(groupsNow))
	completeFlag(cmd, "type", completeTypes)
	for _, flag := range []string{"since", "until", "limit"} {
		completeFlag(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

// typeNamed is a type as it is written, whose name may be typed in any case if it
// is one that p2ps makes.
func typeNamed(typed string) string {
	for _, t := range madeTypes() {
		if strings.EqualFold(t, typed) {
			return t
		}
	}
	return typed
}

func (e *env) moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return text.ParseTime(s, e.now())
}

func (e *env) authors(h *home.Home, names []string) ([]pgp.Fingerprint, error) {
	var out []pgp.Fingerprint
	for _, name := range names {
		if name == "me" {
			me, err := h.Me()
			if err != nil {
				return nil, err
			}
			out = append(out, me.Fingerprint())
			continue
		}
		p, err := h.People().Find(name)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Fingerprint)
	}
	return out, nil
}

// show prints posts: as JSON Lines, as lines in a pipe, or for a person.
func (e *env) show(entries []home.Entry) error { return e.showEntries(entries, false) }

// showEntries is show; with history each line also says which revision it is, and
// when that was written.
func (e *env) showEntries(entries []home.Entry, history bool) error {
	if !e.out || e.json.on {
		out := e.list()
		for _, en := range entries {
			row := columns(en)
			if history {
				row = append(row, strconv.FormatInt(en.Post.Revision(), 10), post.FormatTime(changedAt(en.Post)))
			}
			if err := out.add(lineOf(en), row...); err != nil {
				return err
			}
		}
		return out.end()
	}
	if err := e.page(); err != nil {
		return err
	}
	now := e.now()
	for i, en := range entries {
		gap := "\n"
		if i == 0 {
			gap = ""
		}
		if _, err := fmt.Fprint(e.stdout, gap, e.block(en, now, history)); err != nil {
			return err
		}
	}
	return e.stdout.Flush()
}
