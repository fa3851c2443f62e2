package pull_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
	"github.com/p2ps/p2ps/testdata/vectors"
)

func TestVectorsBegin(t *testing.T) {
	vectors.Run(t, "begin", func(t *testing.T, c vectors.Case) string {
		var in struct {
			Now  string          `json:"now"`
			Held []post.Position `json:"held"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		if at, err := post.ParseTime(in.Now); err != nil || !at.Equal(now) {
			t.Fatalf("the shelf's clock is not %s", in.Now)
		}
		s := newShelf()
		for _, p := range in.Held {
			s.line[post.ID{Author: alice, Position: p}] = post.Version{}
		}
		q, err := pull.New(s, pull.Options{}).Step(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if q.After == "" {
			return "beginning"
		}
		return q.After
	})
}

func texts(numbers ...int) []ijson.Value {
	var out []ijson.Value
	for _, n := range numbers {
		out = append(out, text(n, 1, "good"))
	}
	return out
}

func kinds(o *owner) string {
	var out []string
	for _, q := range o.asked {
		kind := q.Kind
		if q.Months != nil {
			kind = "lines"
		}
		out = append(out, kind)
	}
	return strings.Join(out, " ")
}

// What may differ between the two sides, and what mends it.
//
// spec: W14, W26, W27, W28, W30
func TestWalk(t *testing.T) {
	for _, c := range []struct {
		name   string
		shelf  *shelf
		owner  *owner
		opt    pull.Options
		asked  string
		kept   []int // held in the end
		marked []int
		trash  []int
	}{
		{name: "from nothing", shelf: newShelf(), owner: &owner{posts: texts(1, 2, 3)}, asked: "posts", kept: []int{1, 2, 3}},
		{name: "nothing new", shelf: newShelf(texts(1, 2)...), owner: &owner{posts: texts(1, 2)}, asked: "posts", kept: []int{1, 2}},
		{name: "nothing at all", shelf: newShelf(), owner: &owner{}, asked: "posts"},
		{name: "in pages", shelf: newShelf(), owner: &owner{posts: texts(1, 2, 3, 4, 5), page: 2}, asked: "posts posts posts", kept: []int{1, 2, 3, 4, 5}},
		{name: "pages that come out even", shelf: newShelf(), owner: &owner{posts: texts(1, 2, 3, 4), page: 2}, asked: "posts posts", kept: []int{1, 2, 3, 4}},
		{name: "one lost", shelf: newShelf(texts(1, 3)...), owner: &owner{posts: texts(1, 2, 3)}, asked: "posts manifest lines ids", kept: []int{1, 2, 3}},
		{name: "one edited", shelf: newShelf(texts(1, 2)...), owner: &owner{posts: []ijson.Value{text(1, 2, "new"), text(2, 1, "good")}},
			asked: "posts manifest lines ids", kept: []int{1, 2}},
		{name: "same revision, another text", shelf: newShelf(texts(1, 2)...), owner: &owner{posts: []ijson.Value{text(1, 1, "other"), text(2, 1, "good")}},
			asked: "posts manifest lines ids", kept: []int{1, 2}},
		{name: "one of ours is newer: his backup", shelf: newShelf(text(1, 7, "new"), text(2, 1, "good")), owner: &owner{posts: texts(1, 2)},
			asked: "posts manifest lines", kept: []int{1, 2}},
		{name: "one taken back", shelf: newShelf(texts(1, 2)...), owner: &owner{posts: texts(2), gone: []post.ID{id(1)}},
			asked: "posts manifest lines ids", kept: []int{2}, trash: []int{1}},
		{name: "one taken back, a month of its own", shelf: newShelf(texts(1, 12)...), owner: &owner{posts: texts(12), gone: []post.ID{id(1)}},
			asked: "posts manifest ids", kept: []int{12}, trash: []int{1}},
		{name: "one not offered any more", shelf: newShelf(texts(1, 2)...), owner: &owner{posts: texts(2)},
			asked: "posts manifest lines ids", kept: []int{1, 2}, marked: []int{1}},
		{name: "half of the feed lost", shelf: newShelf(texts(1, 2, 11, 12)...), owner: &owner{posts: texts(1, 12)},
			asked: "posts manifest lines ids", kept: []int{1, 2, 11, 12}, marked: []int{2, 11}},
		{name: "one that does not verify", shelf: newShelf(), owner: &owner{posts: []ijson.Value{text(1, 1, "bad"), text(2, 1, "good")}},
			asked: "posts", kept: []int{2}},
		{name: "everything, from the beginning", shelf: newShelf(texts(2)...), owner: &owner{posts: texts(1, 2, 3)}, opt: pull.Options{Full: true},
			asked: "posts", kept: []int{1, 2, 3}},
		{name: "many lost, two ids a question", shelf: newShelf(texts(5, 6, 7)...), owner: &owner{posts: texts(1, 2, 3, 4, 5)}, opt: pull.Options{IDs: 2},
			asked: "posts manifest lines ids ids ids", kept: []int{1, 2, 3, 4, 5, 6, 7}, marked: []int{6, 7}},
		{name: "many lost, in pages of everything", shelf: newShelf(texts(24)...), owner: &owner{posts: texts(1, 2, 3, 11, 12, 24), page: 2},
			asked: "posts manifest manifest lines lines lines ids ids ids", kept: []int{1, 2, 3, 11, 12, 24}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := walk(t, c.shelf, c.owner, c.opt)
			if err != nil || !got.Complete || got.Count != len(c.owner.posts) || len(got.Differ) > 0 {
				t.Fatalf("%+v, %v", got, err)
			}
			if k := kinds(c.owner); k != c.asked {
				t.Errorf("asked %s, want %s", k, c.asked)
			}
			check := func(what string, got func(post.ID) bool, want []int) {
				for n := range 30 {
					if got(id(n)) != slices.Contains(want, n) {
						t.Errorf("post %d: %s is %v", n, what, got(id(n)))
					}
				}
			}
			check("held", func(id post.ID) bool { _, ok := c.shelf.held[id]; return ok }, c.kept)
			check("marked", func(id post.ID) bool { _, ok := c.shelf.marked[id]; return ok }, c.marked)
			check("in the trash", func(id post.ID) bool { return slices.Contains(c.shelf.trash, id) }, c.trash)
			c.owner.asked = nil // and then all is well, with one request
			if got, err := walk(t, c.shelf, c.owner, pull.Options{}); err != nil || !got.Complete || kinds(c.owner) != "posts" {
				t.Errorf("the pull after it: %+v, %v, asked %s", got, err, kinds(c.owner))
			}
		})
	}
}

// What the owner says against the rules, and that it ends the walk.
//
// spec: W13, W23
func TestHostileOwner(t *testing.T) {
	broken := func(kind string, page func(*wire.Answer)) func(wire.Question, *wire.Answer) {
		return func(q wire.Question, a *wire.Answer) {
			if k := q.Kind; k == kind || q.Months != nil && kind == "lines" {
				page(a)
			}
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(wire.Question, *wire.Answer)
		kept  int // posts of the first page that stay
	}{
		{"not ascending", broken("posts", func(a *wire.Answer) { a.Items = texts(11, 13, 12) }), 2},
		{"one twice", broken("posts", func(a *wire.Answer) { a.Items = texts(11, 11) }), 1},
		{"not after what was asked", broken("posts", func(a *wire.Answer) { a.Items = texts(5) }), 0},
		{"no post although there is more", broken("posts", func(a *wire.Answer) { a.Items, a.More = nil, true }), 0},
		{"only malformed ids although there is more", broken("posts", func(a *wire.Answer) {
			a.Items, a.More = []ijson.Value{ijson.Value(`{"id":"p2ps:x"}`)}, true
		}), 0},
		{"only posts of others although there is more", broken("posts", func(a *wire.Answer) {
			a.Items, a.More = []ijson.Value{ijson.Value(strings.ReplaceAll(string(text(29, 1, "x")), alice, strings.Repeat("F", 40)))}, true
		}), 0},
		{"the same page for ever", broken("posts", func(a *wire.Answer) { a.Items, a.More = texts(11), true }), 1},
		{"no figures", broken("posts", func(a *wire.Answer) { a.Count, a.Digest = nil, "" }), 0},
		{"no count", broken("posts", func(a *wire.Answer) { a.Count = nil }), 0},
		{"no digest", broken("posts", func(a *wire.Answer) { a.Digest = "" }), 0},
		{"months out of order", broken("manifest", func(a *wire.Answer) { slices.Reverse(a.Lines) }), 0},
		{"a month twice", broken("manifest", func(a *wire.Answer) { a.Lines = append(a.Lines, a.Lines[len(a.Lines)-1]) }), 0},
		{"a malformed month", broken("manifest", func(a *wire.Answer) { a.Lines[0] = "202613 1 x" }), 0},
		{"endless months", broken("manifest", func(a *wire.Answer) { a.More = true }), 0},
		{"more months, and none", broken("manifest", func(a *wire.Answer) { a.Lines, a.More = nil, true }), 0},
		{"lines out of order", broken("lines", func(a *wire.Answer) { slices.Reverse(a.Lines) }), 0},
		{"a malformed line", broken("lines", func(a *wire.Answer) { a.Lines[0] += "0" }), 0},
		{"lines of a month not asked for", broken("lines", func(a *wire.Answer) {
			a.Lines = append(a.Lines, versionOf(text(29, 1, "x")).String())
		}), 0},
		{"endless lines", broken("lines", func(a *wire.Answer) { a.More = true }), 0},
		{"no wanted post although there is more", broken("ids", func(a *wire.Answer) { a.Items, a.More = texts(29), true }), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf(texts(1, 10)...) // 2, 3 and 4 are lacking: it comes to every kind of question
			_, err := walk(t, s, &owner{posts: texts(1, 2, 3, 4, 10), spoil: c.spoil}, pull.Options{})
			if !errors.Is(err, pull.ErrPeer) {
				t.Errorf("got %v, want ErrPeer", err)
			}
			if n := len(s.held); n != 2+c.kept {
				t.Errorf("%d posts are held, want %d", n, 2+c.kept)
			}
		})
	}
}

// An item with a malformed id, or of another author, is dropped, and the rest of
// the page kept; what was not asked for by name is not taken.
//
// spec: W22, W23
func TestDropped(t *testing.T) {
	for name, item := range map[string]ijson.Value{
		"another author": ijson.Value(strings.ReplaceAll(string(text(29, 1, "x")), alice, strings.Repeat("F", 40))),
		"malformed id":   ijson.Value(`{"id":"p2ps:6F3A/x"}`), "no id": ijson.Value(`{}`), "no object": ijson.Value(`7`), "id is no text": ijson.Value(`{"id":7}`),
	} {
		s := newShelf()
		o := &owner{posts: texts(1, 2), spoil: func(_ wire.Question, a *wire.Answer) { a.Items = slices.Insert(a.Items, 1, item) }}
		if got, err := walk(t, s, o, pull.Options{}); err != nil || !got.Complete || len(s.held) != 2 {
			t.Errorf("%s: %+v, %v, %d held", name, got, err, len(s.held))
		}
	}
	s := newShelf(texts(1, 3)...)
	o := &owner{posts: texts(1, 2, 3), spoil: func(q wire.Question, a *wire.Answer) {
		if q.Kind == wire.KindIDs {
			a.Items = append(texts(9), a.Items[0], a.Items[0])
		}
	}}
	if got, err := walk(t, s, o, pull.Options{}); err != nil || !got.Complete || len(s.held) != 3 {
		t.Errorf("unasked: %+v, %v, %d held", got, err, len(s.held))
	}
}

// Gone is obeyed for what this very question named, and for nothing else.
//
// spec: W18
func TestGoneUnasked(t *testing.T) {
	for _, kind := range []string{wire.KindPosts, wire.KindManifest, wire.KindIDs} {
		s := newShelf(texts(1, 2, 3)...)
		s.marked[id(3)] = 0
		o := &owner{posts: texts(1, 2, 4), spoil: func(q wire.Question, a *wire.Answer) {
			if q.Kind == kind {
				a.Gone = append(a.Gone, id(1), id(2))
			}
		}}
		if _, err := walk(t, s, o, pull.Options{}); err != nil || len(s.trash) > 0 || len(s.held) != 4 {
			t.Errorf("%s: %v, %v in the trash, %d held", kind, err, s.trash, len(s.held))
		}
	}
}

// Marked posts are asked about in turn, as many as there is room for, and at
// least one.
//
// spec: W28, W29
func TestMarkedInTurn(t *testing.T) {
	s := newShelf(texts(1, 2, 3, 4)...)
	for _, n := range []int{1, 2, 3} {
		s.marked[id(n)] = 0
	}
	o := &owner{posts: texts(4)}
	var asked []string
	for _, room := range []int{0, 2, 1} {
		o.asked = nil
		if got, err := walk(t, s, o, pull.Options{Room: room}); err != nil || !got.Complete {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, id := range o.asked[0].Have {
			asked = append(asked, strings.TrimLeft(string(id.Position[9:18]), "0"))
		}
	}
	if got := strings.Join(asked, " "); got != "1 2 3 1" {
		t.Errorf("asked about %s, want 1 2 3 1", got)
	}
	o.gone = []post.ID{id(2)} // deleted while it was marked
	o.asked = nil
	if got, err := walk(t, s, o, pull.Options{Room: 3}); err != nil || !got.Complete || kinds(o) != "posts" || fmt.Sprint(s.trash) != fmt.Sprint([]post.ID{id(2)}) {
		t.Errorf("%+v, %v, asked %s, %v in the trash", got, err, kinds(o), s.trash)
	}
	if _, marked := s.marked[id(1)]; !marked {
		t.Error("absence has withdrawn or unmarked something")
	}
}

// Offered again, a mark ends: in a page, in a manifest, by name.
//
// spec: W28
func TestMarkEnds(t *testing.T) {
	s := newShelf(texts(1, 2)...)
	s.marked[id(1)] = 0
	if got, err := walk(t, s, &owner{posts: texts(1, 2)}, pull.Options{}); err != nil || !got.Complete || len(s.marked) > 0 {
		t.Errorf("%+v, %v, marked %v", got, err, s.marked)
	}
}

// It leaves the count only once the answer to have has come.
//
// spec: W28
func TestMarkNeedsTheAnswer(t *testing.T) {
	s := newShelf(texts(1, 2)...)
	o := &owner{posts: texts(2), page: 500}
	w := pull.New(s, pull.Options{Author: alice, Heal: true})
	q, err := w.Step(t.Context(), nil)
	for err == nil && q.Kind != wire.KindIDs {
		a := o.answer(*q)
		q, err = w.Step(t.Context(), &a)
	}
	if err != nil || len(q.Have) != 1 {
		t.Fatalf("%+v, %v", q, err)
	}
	if len(s.marked) > 0 {
		t.Error("marked before it was asked about")
	}
}

// Each page is kept before the next is asked for; where it cannot be kept the
// walk ends, and the next begins there.
//
// spec: W21
func TestPagesAreKeptFirst(t *testing.T) {
	s := newShelf()
	o := &owner{posts: texts(1, 2, 3, 4), page: 2}
	o.spoil = func(wire.Question, *wire.Answer) {
		if len(s.held) != 2*(len(o.asked)-1) {
			t.Errorf("page %d is asked for while %d posts are kept", len(o.asked), len(s.held))
		}
	}
	if _, err := walk(t, s, o, pull.Options{}); err != nil {
		t.Fatal(err)
	}
	s, o = newShelf(), &owner{posts: texts(1, 2, 3, 4), page: 2}
	o.spoil = func(wire.Question, *wire.Answer) { s.failing = errDisk }
	if _, err := walk(t, s, o, pull.Options{}); !errors.Is(err, errDisk) || len(o.asked) != 1 {
		t.Errorf("got %v after %d questions", err, len(o.asked))
	}
	s.failing, o.spoil, o.asked = nil, nil, nil
	if got, err := walk(t, s, o, pull.Options{}); err != nil || !got.Complete || o.asked[0].After != string(id(2).Position) {
		t.Errorf("%+v, %v, after %s", got, err, o.asked[0].After)
	}
}

// Two comparisons a pull, and no third: who never agrees is not complete.
//
// spec: W27, W30
func TestNeverAgreeing(t *testing.T) {
	s := newShelf(texts(1)...)
	o := &owner{posts: texts(1, 12), spoil: func(q wire.Question, a *wire.Answer) {
		if q.Kind != wire.KindManifest {
			a.Items = nil // he offers it in his figures, and never gives it
		}
	}}
	got, err := walk(t, s, o, pull.Options{})
	if err != nil || got.Complete || fmt.Sprint(got.Differ) != "[202609]" || kinds(o) != "posts manifest lines ids" {
		t.Errorf("%+v, %v, asked %s", got, err, kinds(o))
	}
}

// After its end a walk asks nothing more.
func TestOver(t *testing.T) {
	w := pull.New(newShelf(), pull.Options{Author: alice, Heal: true})
	q, err := w.Step(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := (&owner{page: 1}).answer(*q)
	if q, err := w.Step(t.Context(), &a); q != nil || err != nil {
		t.Fatalf("%v, %v", q, err)
	}
	if q, err := w.Step(t.Context(), &a); q != nil || !errors.Is(err, pull.ErrPeer) {
		t.Errorf("%v, %v", q, err)
	}
}

// spec: W20
func TestHorizon(t *testing.T) {
	if got := pull.Horizon(time.Date(2026, 11, 30, 23, 59, 59, 999e6, time.FixedZone("", 3600))); got != "20261201-225959999" {
		t.Errorf("got %s", got)
	}
}

// A month may come once, and a post once: else two answers hold a pull for
// hours.
func TestAMonthComesOnce(t *testing.T) {
	w := pull.New(newShelf(), pull.Options{Author: alice, Heal: true})
	if _, err := w.Step(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	one := 1
	if _, err := w.Step(t.Context(), &wire.Answer{Kind: wire.KindPosts, Time: now, Count: &one, Digest: "x"}); err != nil {
		t.Fatal(err)
	}
	lines := []string{wire.Month{Month: "202611", Count: 1}.String(), wire.Month{Month: "202611", Count: 2}.String()}
	if _, err := w.Step(t.Context(), &wire.Answer{Kind: wire.KindManifest, Time: now, Lines: lines}); !errors.Is(err, pull.ErrPeer) {
		t.Fatalf("got %v", err)
	}
}
