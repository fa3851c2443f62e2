package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// timelineFlags are what timeline was asked for.
type timelineFlags struct {
	since, until, group, kind, as    string
	from                             []string
	limit                            int
	reverse, unread, follow, threads bool
}

func newTimeline(e *env) *cobra.Command {
	var f timelineFlags
	cmd := &cobra.Command{
		Use:     "timeline",
		Aliases: []string{"tl"},
		Short:   "Read your posts and your friends', newest first",
		Long: `Read your own posts and those that were pulled, newest first; no network is
needed. On a terminal it shows the newest 50 (the setting timeline-limit), in a
pipe all, one a line: id, date, name, type, text, with tabs between them.
Posts of the blocked and the muted are left out; --from shows the muted.

--unread shows what others wrote and you have not marked as read on this
machine, however old it is: what comes late is unread. --mark-read marks what it
shows, once all of it is written; nothing else does, unless the setting
mark-read is on.

--follow shows the oldest first, goes on with each post as it becomes known, by
a pull, a post of yours or a copied file, and ends with Ctrl-C.

--threads puts each answer under what it answers, if that is shown too.

--as FRIEND shows what this friend would get from you now, found out by the code
that answers him; --as public is what everybody gets.`,
		Example: `  p2ps timeline --since 1d --from alice
  p2ps timeline --unread --mark-read
  p2ps timeline --json | jq -r 'select(.post.type=="Note") | .post.content'
  p2ps timeline --follow --json -n 1 | while read -r line; do notify "$line"; done
  p2ps tl -n 5 --group family`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return e.timeline(cmd, f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.since, "since", "", "posts from `TIME` on: a date, or how long ago (1d)")
	fs.StringVar(&f.until, "until", "", "posts before `TIME`")
	fs.StringArrayVar(&f.from, "from", nil, "posts by `WHO`; me is you (repeatable)")
	fs.StringVar(&f.group, "group", "", "posts by the members of `GROUP`, and yours for it")
	fs.StringVar(&f.kind, "type", "", "posts of this `TYPE` only, such as Note")
	fs.BoolVar(&f.unread, "unread", false, "posts by others that you have not marked as read")
	fs.IntVarP(&f.limit, "limit", "n", 0, "at most `NUMBER` posts")
	fs.BoolVar(&f.reverse, "reverse", false, "oldest first")
	fs.BoolVar(&f.follow, "follow", false, "go on with each post as it becomes known")
	fs.BoolVar(&f.threads, "threads", false, "answers under what they answer")
	fs.StringVar(&f.as, "as", "", "what `FRIEND` would get from you; public is everybody")
	addSettingFlag(fs, "mark-read", "")
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

func (e *env) timeline(cmd *cobra.Command, f timelineFlags) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	view, err := e.view(h, f)
	if err != nil {
		return err
	}
	if view.Limit == 0 && e.out && !e.json.on {
		view.Limit = s.TimelineLimit
	}
	ctx, r := cmd.Context(), e.reader()
	r.threads, r.live = f.threads, f.follow
	if s.MarkRead && f.as == "" {
		r.mark = func(ids []post.ID) error { return h.MarkRead(context.WithoutCancel(ctx), ids) }
	}
	switch {
	case f.as != "":
		err = e.timelineAs(ctx, h, f.as, view, r)
	case f.follow:
		err = h.Follow(ctx, view, r.entry, r.handOn)
	case f.threads:
		err = h.ReadThreads(ctx, view, r.branch)
	default:
		err = h.Read(ctx, view, r.entry)
	}
	if err != nil {
		return err
	}
	if r.n == 0 && e.out {
		e.say("nothing here yet: p2ps post writes, p2ps pull fetches")
	}
	return r.handOn()
}

// check refuses what does not go together.
func (f timelineFlags) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("limit") && f.limit < 1 {
		return usage("without --limit all are shown in a pipe, and the newest 50 on a terminal", "--limit %d is not a number from 1", f.limit)
	}
	for _, flag := range []string{"since", "until", "group", "type", "as"} {
		if f := cmd.Flag(flag); f.Changed && f.Value.String() == "" {
			return usage("give it a value, or leave it out", "--%s is empty", flag)
		}
	}
	given := func(names ...string) string {
		for _, name := range names {
			if cmd.Flags().Changed(name) {
				return name
			}
		}
		return ""
	}
	if other := given("from", "group", "unread", "follow", "threads", "mark-read"); f.as != "" && other != "" {
		return usage("leave it out, or leave out --as", "--as shows what somebody else would get: --%s does not go with it", other)
	}
	if other := given("threads", "until"); f.follow && other != "" {
		return usage("leave it out, or leave out --follow", "--follow goes on for ever: --%s does not go with it", other)
	}
	return nil
}

func (e *env) view(h *home.Home, f timelineFlags) (view home.View, err error) {
	view = home.View{Group: f.group, Type: typeNamed(f.kind), Limit: f.limit, Oldest: f.reverse, Unread: f.unread, Counted: f.as == "" && !f.follow}
	if view.Since, err = e.moment(f.since); err != nil {
		return view, err
	}
	if view.Until, err = e.moment(f.until); err != nil {
		return view, err
	}
	view.From, err = e.authors(h, f.from)
	return view, err
}

func (e *env) timelineAs(ctx context.Context, h *home.Home, who string, view home.View, r *reader) error {
	switch who {
	case "public":
		return h.As(ctx, "", view, r.entry)
	case "me":
		return usage("p2ps timeline --from me shows your own posts", "--as me: you get nothing from yourself")
	}
	p, err := h.People().FindAny(who)
	if err != nil {
		return err
	}
	return h.As(ctx, p.Fingerprint, view, r.entry)
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
