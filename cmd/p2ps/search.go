package main

import (
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/text"
)

func newSearch(e *env) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Find posts by their words",
		Long: `Find posts by their words, newest first: your own and those that were pulled.
A post is found if it has all of these:

    walk            the word, in any case, with or without accents
    walk*           a word that begins so
    "long walk"     the words one after the other
    from:alice      its author; from:me is you (several: any of them)
    since:1d        from this time on; until:2026-11-01 before it
    type:Article    its ActivityStreams type

and none of those with - before it (-rain, -"heavy rain"). Chinese, Japanese,
Korean, Thai and other text without spaces is found by any part of it, an emoji
by itself. Other signs do not count. Texts that an edit replaced, deleted
and expired posts, and those of the muted and the blocked are not found; from:
finds the muted.

Quote the QUERY for the shell; after -- it may begin with a minus.`,
		Example: `  p2ps search 'lake "early morning" -rain'
  p2ps search 'from:alice since:30d type:Note 湖' -n 10
  p2ps search --json coffee | jq -r .post.content`,
		Args: arguments(1, -1, "what to look for"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("limit") && limit < 1 {
				return usage("without --limit all are shown in a pipe, and the newest 50 on a terminal", "--limit %d is not a number from 1", limit)
			}
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			q, view, err := e.query(h, strings.Join(args, " "))
			if err != nil {
				return err
			}
			if view.Limit = limit; limit == 0 && e.out && !e.json.on {
				s, err := e.settings()
				if err != nil {
					return err
				}
				view.Limit = s.TimelineLimit
			}
			if q == nil {
				e.say("there is no word in it to look for")
				return nil
			}
			p := e.progress("Reading new posts")
			r := e.reader()
			err = h.Search(cmd.Context(), *q, view, p.set, func(en home.Entry) error {
				p.end()
				return r.entry(en)
			})
			p.end()
			if err != nil {
				return err
			}
			if r.n == 0 {
				e.say("nothing is found")
			}
			return r.handOn()
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "at most `NUMBER` posts")
	return cmd
}

// query reads what is looked for. It is nil if there is nothing in it to be
// found by: only signs.
func (e *env) query(h *home.Home, s string) (*index.Query, home.View, error) {
	var (
		q    index.Query
		view home.View
		some bool
		from []string
		list = terms(s)
	)
	if strings.TrimSpace(s) == "" {
		return nil, view, usage("see p2ps search --help", "search: what to look for is missing")
	}
	for _, t := range list {
		var err error
		name, value, filter := strings.Cut(t.text, ":")
		switch {
		case t.quoted || !filter || value == "" || t.not:
			filter = false
		case name == "from":
			from = append(from, value)
		case name == "since":
			view.Since, err = e.moment(value)
		case name == "until":
			view.Until, err = e.moment(value)
		case name == "type":
			view.Type = typeNamed(value)
		default:
			filter = false
		}
		if err != nil {
			return nil, view, err
		}
		if filter {
			some = true
			continue
		}
		words, begins := text.AsQuery(t.text)
		if words == "" {
			continue
		}
		p := index.Phrase{Words: words, Begins: begins || !t.quoted && strings.HasSuffix(t.text, "*")}
		if t.not {
			q.Not = append(q.Not, p)
		} else {
			q.Want = append(q.Want, p)
		}
		some = true
	}
	var err error
	if view.From, err = e.authors(h, from); err != nil || !some {
		return nil, view, err
	}
	return &q, view, nil
}

// A sought is one word or phrase of a query.
type sought struct {
	text        string
	quoted, not bool
}

// terms takes a query apart at spaces, but not within quotes; one that is left
// open ends with the query.
func terms(s string) (list []sought) {
	for s != "" {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		var t sought
		if rest, not := strings.CutPrefix(s, "-"); not && rest != "" && !unicode.IsSpace([]rune(rest)[0]) {
			t.not, s = true, rest
		}
		if rest, quoted := strings.CutPrefix(s, `"`); quoted {
			t.quoted = true
			t.text, s, _ = strings.Cut(rest, `"`)
		} else {
			end := strings.IndexFunc(s, unicode.IsSpace)
			if end < 0 {
				end = len(s)
			}
			t.text, s = s[:end], s[end:]
		}
		if t.text != "" {
			list = append(list, t)
		}
	}
	return list
}
