package home_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
)

// A pull, and what must hold after it: P2 to P6 of the model.

// A held is one copy at a reader.
type held struct {
	pos    post.Position
	text   *text // nil: the file holds no signed text
	marked bool  // no longer offered
}

func copies(o *actor) string { return string(feed.Of(o.fpr)) }

// holding is what a reader holds of p's posts: the files that hold signed
// texts, and the marks in his index.
func (p *actor) holding(r *actor) map[post.Position]held {
	got := map[post.Position]held{}
	err := filepath.WalkDir(r.path(copies(p)), func(name string, d fs.DirEntry, err error) error {
		pos, ok := isPosition(name)
		if err != nil || d.IsDir() || !ok {
			return err
		}
		data, err := os.ReadFile(name)
		var m struct {
			ID, Updated, Content string
			Revision             int64
		}
		_ = json.Unmarshal(data, &m)
		got[pos] = held{pos: pos, text: p.w.texts[key(pos, m.Revision, m.Updated, m.Content)]}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.w.Fatalf("looking at the copies of %s: %v", r.name, err)
	}
	for pos, o := range r.offers(p) {
		if h, ok := got[pos]; ok {
			h.marked = o.Marked
			got[pos] = h
		}
	}
	return got
}

// offers reads what the reader's index knows of offers.
func (r *actor) offers(o *actor) (offers map[post.Position]index.Offer) {
	if _, err := os.Stat(r.path("cache/CURRENT")); err != nil {
		return nil
	}
	root, err := disk.Open(r.dir, nil)
	r.w.ok(err, "opening a home")
	defer func() { _ = root.Close() }()
	x, fresh, err := index.Open(context.Background(), root)
	r.w.ok(err, "opening the index")
	defer func() { _ = x.Close() }()
	if fresh {
		r.w.Fatalf("the index of %s cannot be read", r.name)
	}
	err = x.View(context.Background(), func(v *index.View) (err error) {
		offers, err = v.Offers(o.fpr, "", "3")
		return err
	})
	r.w.ok(err, "reading the index")
	return offers
}

// trashed are the copies of p's posts in the trash of a reader.
func (p *actor) trashed(r *actor) map[string]bool {
	names := map[string]bool{}
	entries, _ := os.ReadDir(r.path(feed.Aside("trash", p.fpr)))
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// A result is how one pull went.
type result struct {
	home.Pulled
	events []home.Event
}

// reads tells whether a reader pulls from p at all.
func (p *actor) readBy(r *actor) bool {
	_, friend := r.friends[p.fpr]
	return (friend || r.follows[p.fpr]) && !r.blocked[p.fpr]
}

// ask is one pull.
func (r *actor) ask(o *actor, spoil func()) (got result) {
	who, err := r.h.People().Find(string(o.fpr))
	r.w.ok(err, "finding a friend")
	o.requests, o.walked = 0, 0
	spoil()
	err = r.h.Pull(context.Background(), []keyring.Person{who}, home.PullOptions{Jobs: 1, Timeout: patience}, func(e home.Event) {
		got.events = append(got.events, e)
		if e.Pulled != nil {
			got.Pulled = *e.Pulled
		}
	})
	got.Err = errors.Join(got.Err, err)
	r.w.did("%s pulls from %s: %d new, %d changed, %d withdrawn, %d unoffered, %d refused, %d requests, complete %v of %d, %v", r.name, o.name,
		got.New, got.Changed, got.Withdrawn, got.Unoffered, got.Refused, got.Requests, got.Complete, got.Count, got.Err)
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if len(r.w.faults) > 0 {
		r.w.Fatalf("%s pulls from %s: %s", r.name, o.name, strings.Join(r.w.faults, "\n"))
	}
	return got
}

// asks is what a reader asks as: a follower is nobody.
func (r *actor) as(o *actor) pgp.Fingerprint {
	if r.follows[o.fpr] {
		return ""
	}
	return r.fpr
}

// pull pulls without faults, and holds the reader to everything.
func (r *actor) pull(o *actor) {
	if !o.readBy(r) {
		r.w.Skip("he does not read that feed")
	}
	w, at := r.w, o.clock.Truncate(time.Second)
	before, trash := o.holding(r), o.trashed(r)
	cost := r.cost(o, before, at)
	got := r.ask(o, func() {})
	if got.Err != nil {
		w.Fatalf("P3: %s pulls from %s: %v", r.name, o.name, got.Err)
	}
	if !got.Complete {
		w.Fatalf("P3: %s pulls from %s, and is not complete: %v differ, of %d; he holds %v", r.name, o.name, got.Differ, got.Count, o.holding(r))
	}
	after := r.safe(o, before, trash, got, at)
	r.fresh(o, before, after, at)
	r.hasFiles(o, after, at)
	for pos, h := range before {
		if h.text == nil || h.marked || h.text.expired(at) || !o.told(r, pos, at) {
			continue
		}
		if _, still := after[pos]; still {
			w.Fatalf("P5: %s was taken back, and %s still holds it after a pull from %s", pos, r.name, o.name)
		}
	}
	if cost.known && (got.Requests > cost.most || got.Requests < cost.least) {
		w.Fatalf("P6: %s pulls from %s with %d requests, not %d to %d", r.name, o.name, got.Requests, cost.least, cost.most)
	}
	if cost.known && r.as(o) != "" && o.walked != cost.walked {
		w.Fatalf("P6: %s pulls from %s, and %d posts are sent, of %d after the newest he holds", r.name, o.name, o.walked, cost.walked)
	}
	r.agreed[o.fpr] = o.entitled(r.as(o), at)
}

// told: the reader is told that the post is gone, if he asks.
func (o *actor) told(r *actor, pos post.Position, at time.Time) bool {
	e := o.posts[pos]
	return e != nil && o.takenBack(r.as(o), e, at)
}

// safe holds after every pull, whatever went wrong in it: P2 and P4.
func (r *actor) safe(o *actor, before map[post.Position]held, trash map[string]bool, got result, at time.Time) map[post.Position]held {
	w, after := r.w, o.holding(r)
	for pos, h := range before {
		_, still := after[pos]
		if !still && h.text != nil && !o.trashed(r)[fmt.Sprintf("%s.%d.json", pos, h.text.rev)] {
			w.Fatalf("P2: %s lost his copy of %s, and it is not in the trash", r.name, pos)
		}
		if !still && !o.told(r, pos, at) {
			w.Fatalf("P2: %s lost his copy of %s, which %s did not take back (%+v)", r.name, pos, o.name, h.text)
		}
	}
	for name := range o.trashed(r) {
		pos, _, _ := strings.Cut(name, ".")
		if !trash[name] && !o.told(r, post.Position(pos), at) {
			w.Fatalf("P2: %s put %s into the trash, which %s did not take back", r.name, name, o.name)
		}
	}
	if !got.Complete {
		return after
	}
	set := o.entitled(r.as(o), at)
	for pos, t := range set {
		if h := after[pos]; !r.refused[o.fpr][pos] && (h.text == nil || h.marked) {
			w.Fatalf("P4: %s is told that he is complete, and lacks %s %s (marked: %v)", r.name, pos, t.canary, h.marked)
		}
	}
	for pos, h := range after {
		if h.text != nil && set[pos] == nil && !h.marked && !h.text.expired(at) {
			w.Fatalf("P4: %s is told that he is complete, and counts %s, which is not for him", r.name, pos)
		}
	}
	return after
}

// fresh: he holds the texts that are offered, or newer ones that he held.
func (r *actor) fresh(o *actor, before, after map[post.Position]held, at time.Time) {
	for pos, t := range o.entitled(r.as(o), at) {
		if r.refused[o.fpr][pos] {
			continue
		}
		want := t
		if was := before[pos].text; was != nil && was.beats(t) {
			if !o.rewound {
				r.w.Fatalf("%s is offered %s in revision %d, and holds revision %d, which beats it", r.name, pos, t.rev, was.rev)
			}
			want = was
		}
		if was := before[pos].text; was != nil && was.hash != want.hash {
			if _, err := os.Stat(r.path(feed.History(post.Version{ID: post.ID{Author: o.fpr, Position: pos}, Revision: was.rev}))); err != nil {
				r.w.Fatalf("%s has a new text of %s, and the one before it is no history: %v", r.name, pos, err)
			}
		}
		if after[pos].text.hash != want.hash {
			r.w.Fatalf("P3: %s holds another text of %s: revision %d %s instead of %d %s", r.name, pos, after[pos].text.rev, after[pos].text.canary, want.rev, want.canary)
		}
	}
}

// A price is how many requests a pull takes.
type price struct {
	known       bool
	least, most int // requests
	walked      int // items of pages
}

// cost works out what a pull must cost, where the last one agreed and nothing
// happened on the reader's side since: P6.
func (r *actor) cost(o *actor, before map[post.Position]held, at time.Time) price {
	was, now, refused := r.agreed[o.fpr], o.entitled(r.as(o), at), r.refused[o.fpr]
	if was == nil {
		return price{}
	}
	var newest post.Position
	limit := post.PositionAt(r.clock.Add(24 * time.Hour))
	for pos, h := range before {
		if h.marked && o.told(r, pos, at) {
			return price{} // the first page may begin with its gone
		}
		if h.text != nil && pos > newest && pos < limit {
			newest = pos
		}
	}
	for pos, t := range was {
		if h := before[pos]; !refused[pos] && (h.text == nil || h.text.hash != t.hash || h.marked) {
			return price{} // what he holds beats it
		}
		if refused[pos] && now[pos] == nil {
			return price{} // he does not know whether it expired
		}
		if refused[pos] && pos > newest && pos < limit {
			newest = pos
		}
	}
	p := price{known: true}
	changed := 0
	for pos, t := range now {
		switch old, h := was[pos], before[pos]; {
		case pos > newest:
			p.walked++
		case h.text != nil && h.text.hash == t.hash && !h.marked: // it had only expired, by a wrong clock
		case old == nil || old.hash != t.hash:
			changed++
		}
	}
	for pos, t := range was {
		if now[pos] == nil && !t.expired(at) {
			changed++
		}
	}
	for pos, h := range before { // it had expired by a wrong clock, and is offered no more
		if h.text != nil && !h.marked && !h.text.expired(at) && was[pos] == nil && now[pos] == nil {
			changed++
		}
	}
	p.least = max(1, (p.walked+modelItems-1)/modelItems)
	p.most = p.least
	if changed > 0 {
		p.least, p.most = p.least+2, p.least+2+(changed+modelIDs-1)/modelIDs
	}
	return p
}

// faultKinds are what the network, or a hostile owner, does to answers.
var faultKinds = []string{"lost", "lost", "lost", "gone unasked", "gone unasked", "repeated", "request twice", "item dropped", "page cut", "disordered", "doubled", "unverifiable",
	"no post at all", "another text", "another's post", "malformed id", "more of nothing", "gone dropped"}

// pullBadly pulls while something goes wrong. Whatever happens nothing may be
// lost, and nobody told that he is complete who is not.
func (r *actor) pullBadly(o *actor) {
	if !o.readBy(r) {
		r.w.Skip("he does not read that feed")
	}
	w := r.w
	if w.chance(60, "something to tell") {
		o.change("before it")
	}
	w.did("badly:")
	what := rapid.SampledFrom([]string{"answer", "answer", "answer", "reader's disk", "owner's disk"}).Draw(w.T, "what goes wrong")
	spoil := func() {}
	switch what {
	case "answer":
		f := fault{kind: rapid.SampledFrom(faultKinds).Draw(w.T, "fault"), at: rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 3, 3}).Draw(w.T, "answer"),
			item: rapid.IntRange(0, modelItems-1).Draw(w.T, "item")}
		spoil = func() { o.fault = f }
		w.did("  %+v", f)
	case "reader's disk":
		n, crash := rapid.IntRange(0, 60).Draw(w.T, "operation"), w.chance(60, "crash")
		w.did("  the disk of %s, crash: %v", r.name, crash)
		spoil = func() { r.hook.arm(n, crash) }
	case "owner's disk":
		n := rapid.IntRange(0, 40).Draw(w.T, "operation")
		w.did("  the disk of %s", o.name)
		spoil = func() { o.hook.arm(n, false) }
	}
	r.badly(o, spoil)
}

// badly is a pull in which something is spoilt.
func (r *actor) badly(o *actor, spoil func()) {
	w, at := r.w, o.clock.Truncate(time.Second)
	before, trash := o.holding(r), o.trashed(r)
	delete(r.agreed, o.fpr)
	got := r.ask(o, spoil)
	ends := []string{"disordered", "doubled", "more of nothing"}
	if f := o.fault; f.done && f.page && slices.Contains(ends, f.kind) && !errors.Is(got.Err, pull.ErrPeer) {
		w.Fatalf("%s pulls from %s, whose page is %s, and goes on: %v", r.name, o.name, f.kind, got.Err)
	}
	o.fault = fault{}
	dead := r.hook.dead
	unread := r.hook.off()
	o.hook.off()
	if dead {
		r.reopen()
	}
	if unread {
		got.Complete = false // he may not know what he holds
		r.mayHaveCome(o, at)
	}
	r.safe(o, before, trash, got, at)
}

// mayHaveCome: while a page is written the next one is fetched. How many had
// been sent when the disk failed, is a matter of luck; what a history goes by
// must not be.
func (r *actor) mayHaveCome(o *actor, at time.Time) {
	for pos := range o.entitled(r.as(o), at) {
		if o.given[r.as(o)] == nil {
			o.given[r.as(o)] = map[post.Position]bool{}
		}
		o.given[r.as(o)][pos] = true
		if o.hostile[pos] {
			r.mayRefuse(o, post.ID{Author: o.fpr, Position: pos}.String())
		}
	}
}

// harm does something to the copies of a reader, by hand.
func (r *actor) harm(o *actor) {
	w := r.w
	list := slices.SortedFunc(maps.Values(o.holding(r)), func(a, b held) int { return strings.Compare(string(a.pos), string(b.pos)) })
	h := pick(w, list, "copy")
	w.did("%s harms the copy of %s", r.name, h.pos)
	name := feed.Of(o.fpr).Path(h.pos)
	delete(r.agreed, o.fpr)
	switch rapid.SampledFrom([]string{"removed", "all removed", "cut", "forged", "older"}).Draw(w.T, "harm") {
	case "removed":
		r.remove(name)
	case "all removed":
		r.remove(copies(o))
	case "cut":
		raw := r.read(name)
		r.scribble(name, raw[:len(raw)/2])
	case "forged":
		r.scribble(name, canaryPattern.ReplaceAll(r.read(name), []byte("canary-0-")))
	case "older":
		entries, _ := os.ReadDir(r.path(feed.Aside("history", o.fpr)))
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), string(h.pos)) {
				r.write(name, r.read(feed.Aside("history", o.fpr)+"/"+e.Name()))
			}
		}
	}
}
