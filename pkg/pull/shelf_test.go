package pull_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
)

const alice = "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// id is that of post n, in one of three months.
func id(n int) post.ID {
	return post.ID{Author: alice, Position: post.Position(fmt.Sprintf("2026%02d01-%09d-aaaaaaaaaaaaa", 8+n/10, n))}
}

// text is a post without proof: here only its id, revision and bytes matter. One
// that says "bad" does not verify.
func text(n, revision int, words string) ijson.Value {
	return ijson.Value(fmt.Sprintf(`{"content":%q,"id":%q,"revision":%d}`, words, id(n), revision))
}

func versionOf(item ijson.Value) post.Version {
	var p struct {
		ID       string `json:"id"`
		Revision int64  `json:"revision"`
	}
	_ = ijson.UnmarshalTrusted(item, &p)
	id, _ := post.ParseID(p.ID)
	return post.Version{ID: id, Revision: p.Revision, Hash: sha256.Sum256(item)}
}

// A shelf is a Keeper in memory, as simple as can be.
type shelf struct {
	held    map[post.ID]post.Version
	line    map[post.ID]post.Version // last offered, of what is held, refused or beaten
	marked  map[post.ID]int          // when it was last asked about
	trash   []post.ID
	kept    [][]post.ID // by call
	failing error
}

func newShelf(items ...ijson.Value) *shelf {
	s := &shelf{held: map[post.ID]post.Version{}, line: map[post.ID]post.Version{}, marked: map[post.ID]int{}}
	for _, item := range items {
		v := versionOf(item)
		s.held[v.ID], s.line[v.ID] = v, v
	}
	return s
}

func (s *shelf) Newest(context.Context) (newest post.Position, err error) {
	for id := range s.line {
		if id.Position < pull.Horizon(now) {
			newest = max(newest, id.Position)
		}
	}
	return newest, s.failing
}

func (s *shelf) Marked(_ context.Context, n int) ([]post.ID, error) {
	ids := slices.SortedFunc(maps.Keys(s.marked), func(a, b post.ID) int {
		return cmp.Or(s.marked[a]-s.marked[b], strings.Compare(a.String(), b.String()))
	})
	ids = ids[:min(n, len(ids))]
	for _, id := range ids {
		s.marked[id]++
	}
	return ids, nil
}

func (s *shelf) Keep(_ context.Context, items []ijson.Value, offered map[post.ID]post.Version) error {
	var kept []post.ID
	for _, item := range items {
		v := versionOf(item)
		if v.ID.Author != alice {
			continue
		}
		if !strings.Contains(string(item), "bad") && v.Revision >= s.held[v.ID].Revision {
			s.held[v.ID] = v
		}
		if o, ok := offered[v.ID]; ok {
			v = o
		}
		s.line[v.ID] = v
		delete(s.marked, v.ID)
		kept = append(kept, v.ID)
	}
	s.kept = append(s.kept, kept)
	return s.failing
}

func (s *shelf) Note(_ context.Context, offered []post.Version) error {
	for _, v := range offered {
		s.line[v.ID] = v
		delete(s.marked, v.ID)
	}
	return nil
}

func (s *shelf) Withdraw(_ context.Context, ids []post.ID) error {
	for _, id := range ids {
		s.trash = append(s.trash, id)
		delete(s.held, id)
		delete(s.line, id)
		delete(s.marked, id)
	}
	return nil
}

func (s *shelf) Unoffered(_ context.Context, ids []post.ID) error {
	for _, id := range ids {
		if _, ok := s.held[id]; ok {
			s.marked[id] = 1
		} else {
			delete(s.line, id)
		}
	}
	return nil
}

func (s *shelf) versions() []post.Version {
	var out []post.Version
	for id, v := range s.line {
		if _, marked := s.marked[id]; !marked {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b post.Version) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func (s *shelf) Months(context.Context, time.Time) (wire.Months, error) {
	return wire.SumMonths(slices.Values(s.versions())), nil
}

func (s *shelf) Lines(_ context.Context, months []string, _ time.Time) ([]pull.Line, error) {
	var lines []pull.Line
	for id, v := range s.line {
		if slices.Contains(months, id.Position.Month()) {
			_, marked := s.marked[id]
			lines = append(lines, pull.Line{Version: v, Counted: !marked, Held: s.held[id].Revision, Same: s.held[id] == v})
		}
	}
	slices.SortFunc(lines, func(a, b pull.Line) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return lines, nil
}

// An owner answers by the rules, but for what spoil does to an answer.
type owner struct {
	posts []ijson.Value
	gone  []post.ID
	page  int // items or lines of one answer
	spoil func(q wire.Question, a *wire.Answer)
	asked []wire.Question
}

func (o *owner) answer(q wire.Question) wire.Answer {
	o.asked = append(o.asked, q)
	a := wire.Answer{Kind: q.Kind, Time: now}
	for _, id := range q.Have {
		if slices.Contains(o.gone, id) {
			a.Gone = append(a.Gone, id)
		}
	}
	all := slices.Clone(o.posts)
	slices.SortFunc(all, func(a, b ijson.Value) int { return strings.Compare(versionOf(a).String(), versionOf(b).String()) })
	var versions []post.Version
	for _, item := range all {
		versions = append(versions, versionOf(item))
	}
	months := wire.SumMonths(slices.Values(versions))
	switch q.Kind {
	case wire.KindPosts, wire.KindIDs:
		for i, item := range all {
			wanted := string(versions[i].ID.Position) > q.After
			if q.Kind == wire.KindIDs {
				wanted = slices.Contains(q.Want, versions[i].ID)
			}
			if wanted {
				a.Items = append(a.Items, item)
			}
		}
		if a.More = len(a.Items) > o.page; a.More {
			a.Items = a.Items[:o.page]
		} else {
			count, digest := months.Digest()
			a.Count, a.Digest = &count, digest
		}
	case wire.KindManifest:
		for _, m := range months {
			if q.Months == nil && m.String() > q.After {
				a.Lines = append(a.Lines, m.String())
			}
		}
		for _, v := range versions {
			if slices.Contains(q.Months, v.ID.Position.Month()) && v.String() > q.After {
				a.Lines = append(a.Lines, v.String())
			}
		}
		if a.More = len(a.Lines) > o.page; a.More {
			a.Lines = a.Lines[:o.page]
		}
	}
	if o.spoil != nil {
		o.spoil(q, &a)
	}
	return a
}

// walk drives one pull to its end.
func walk(t *testing.T, s *shelf, o *owner, opt pull.Options) (pull.Outcome, error) {
	t.Helper()
	opt.Author, opt.Heal = alice, true
	if o.page == 0 {
		o.page = 500
	}
	w := pull.New(s, opt)
	q, err := w.Step(t.Context(), nil)
	for n := 0; err == nil && q != nil; n++ {
		if n == 1000 {
			t.Fatal("the walk does not end")
		}
		a := o.answer(*q)
		q, err = w.Step(t.Context(), &a)
	}
	if q != nil && err != nil {
		t.Error("a question beside an error")
	}
	return w.Outcome, err
}

var errDisk = errors.New("disk full")
