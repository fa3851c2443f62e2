package index

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A planned is a querier that notes how each query would be carried out.
type planned struct {
	querier
	t     *testing.T
	steps []string
}

func (p *planned) note(ctx context.Context, query string, args []any) {
	err := p.querier.each(ctx, "EXPLAIN QUERY PLAN "+query, args, func(rows *sql.Rows) error {
		var id, parent, unused int
		var step string
		err := rows.Scan(&id, &parent, &unused, &step)
		p.steps = append(p.steps, step)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *planned) each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error {
	p.note(ctx, query, args)
	return p.querier.each(ctx, query, args, row)
}

func (p *planned) one(ctx context.Context, query string, args []any, into ...any) error {
	p.note(ctx, query, args)
	return p.querier.one(ctx, query, args, into...)
}

func (p *planned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.note(ctx, query, args)
	return p.querier.QueryContext(ctx, query, args...)
}

// What every pull and every request asks costs the same however many posts an
// author has: it is found by more than his name.
func TestPlans(t *testing.T) {
	r, _ := root(t, nil)
	x := begin(t, r, true)
	id := post.ID{Author: bob, Position: "20261122-000000000-aaaaaaaaaaaaa"}
	if err := x.Update(t.Context(), func(tx *Tx) error {
		return tx.Put(Row{Version: post.Version{ID: id, Revision: 1}, Type: "Note", Public: true, Audience: post.Audience{Public: true}, Received: noon})
	}); err != nil {
		t.Fatal(err)
	}
	for name, look := range map[string]func(*View) error{
		"the files that are wanted":  func(v *View) error { _, err := v.Wanting(bob); return err },
		"who names a file":           func(v *View) error { _, err := v.Naming(bob, strings.Repeat("0", 64)); return err },
		"a post":                     func(v *View) error { _, _, err := v.Row(id); return err },
		"what is offered":            func(v *View) error { _, err := v.Offer(id); return err },
		"the newest":                 func(v *View) error { _, err := v.Newest(bob, "2"); return err },
		"how the last pull went":     func(v *View) error { _, err := v.Peer(bob); return err },
		"the lines of the months":    func(v *View) error { _, err := v.MonthLines(bob); return err },
		"what changed in the months": func(v *View) error { _, _, err := v.MonthChanges(bob, post.Grants{}); return err },
		"what changed for a reader":  func(v *View) error { _, err := v.Changes(post.Grants{}); return err },
		"what expires next":          func(v *View) error { _, err := v.NextExpiry(bob, post.Grants{}, noon); return err },
		"when the public changed":    func(v *View) error { _, err := v.Changed(bob, noon); return err },
		"whether the text lags":      func(v *View) error { _, err := v.Lags(); return err },
		"a page":                     func(v *View) error { _, err := v.Page(bob, post.Grants{}, "", 10, noon); return err },
		"the lines of a month": func(v *View) error {
			var failed error
			for range v.Versions(bob, post.Grants{}, "2026", "2027", noon, &failed) {
			}
			return failed
		},
		"what answers a post": func(v *View) error {
			_, err := v.AnswersTo(slices.Repeat([]post.ID{id}, 50), []pgp.Fingerprint{bob}, noon)
			return err
		},
		"what is odd": func(v *View) error { _, err := v.Odd(bob); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := x.View(t.Context(), func(v *View) error {
				p := &planned{querier: v.q, t: t}
				v.q = p
				if err := look(v); err != nil {
					return err
				}
				if len(p.steps) == 0 {
					t.Error("it asked nothing")
				}
				if i := slices.IndexFunc(p.steps, ofAll); i >= 0 {
					t.Errorf("it goes through all posts: %s", p.steps[i])
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// ofAll tells whether a step of a plan grows with the posts of an author.
func ofAll(step string) bool {
	of := strings.Fields(step)
	if len(of) < 2 || of[1] != "p" && of[1] != "post" {
		return false
	}
	partial := strings.Contains(step, "post_odd") || strings.Contains(step, "post_expires") || strings.Contains(step, "post_state")
	return of[0] == "SCAN" || strings.HasSuffix(step, "(author=?)") && !partial || strings.Contains(step, "PRIMARY KEY (author=? AND position>?")
}
