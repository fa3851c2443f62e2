package home_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// TestModelWalkAlone: P7. With healing off, where there are only new posts of
// one machine whose clock does not go back, the walk brings each of them once,
// in order, at the price of its pages; also when pulls are broken off.
func TestModelWalkAlone(t *testing.T) {
	checks(t, "20", "25")
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, behind)
		defer w.close()
		o, r := w.people[0], w.people[1]
		r.heal, r.hook.reads, w.lasts = false, true, true
		r.reopen()
		walk := walked{t: t, w: w, o: o, r: r}
		t.Repeat(map[string]func(*rapid.T){
			"post":       func(*rapid.T) { o.post(w.lasting(o)) },
			"post again": func(*rapid.T) { o.post(w.lasting(o)) },
			"later":      func(t *rapid.T) { o.clock = o.clock.Add(jumpsAhead(t)); r.clock = o.clock },
			"pull":       func(*rapid.T) { walk.pull() },
			"break off":  func(*rapid.T) { walk.breakOff() },
		})
		walk.pull()
		if got := walk.pull(); got.Requests != 1 || len(got.events) != 1 {
			w.Fatalf("P7: a pull of nothing new took %d requests, and told %d events", got.Requests, len(got.events)-1)
		}
	})
}

// lasting draws an audience, and no end of it.
func (w *world) lasting(o *actor) post.Audience {
	return rapid.SampledFrom([]post.Audience{{}, {Friends: true}, {Public: true}, {Groups: groupNames[:1]}, {Groups: groupNames[1:]},
		{Readers: []pgp.Fingerprint{w.people[1].fpr}}, {Readers: []pgp.Fingerprint{w.people[2].fpr}}}).Draw(w.T, "for")
}

// walked is what a reader was brought.
type walked struct {
	t      *rapid.T
	w      *world
	o, r   *actor
	newest post.Position // that he was told of
}

func (x *walked) told(got result) {
	for _, e := range got.events {
		if e.Post == nil {
			continue
		}
		pos := e.Post.ID().Position
		if pos <= x.newest || e.Changed {
			x.w.Fatalf("P7: %s is brought %s after %s (changed: %v)", x.r.name, pos, x.newest, e.Changed)
		}
		x.newest = pos
	}
}

// pull pulls to the end.
func (x *walked) pull() result {
	set, before := x.o.entitled(x.r.fpr, x.o.clock), x.o.holding(x.r)
	got := x.r.ask(x.o, func() {})
	x.told(got)
	if got.Err != nil || !got.Complete {
		x.w.Fatalf("P7: the walk alone is complete: %v, %v", got.Complete, got.Err)
	}
	fresh := 0
	for pos := range set {
		if before[pos].text == nil {
			fresh++
		}
	}
	if got.New != fresh || got.Requests != max(1, (fresh+modelItems-1)/modelItems) {
		x.w.Fatalf("P7: %d posts of %d new ones came, in %d requests", got.New, fresh, got.Requests)
	}
	after := x.o.holding(x.r)
	for pos, t := range set {
		if h := after[pos]; h.text == nil || h.text.hash != t.hash {
			x.w.Fatalf("P7: %s lacks %s", x.r.name, pos)
		}
	}
	if len(after) != len(set) {
		x.w.Fatalf("P7: %s holds %d posts of %d", x.r.name, len(after), len(set))
	}
	return got
}

// breakOff is a pull that does not come to its end. What it brought is the
// beginning of what there is.
func (x *walked) breakOff() {
	n := rapid.IntRange(0, 80).Draw(x.t, "operation")
	kind := rapid.SampledFrom([]string{"lost", "repeated", "request twice", "page cut", "crash", "failure"}).Draw(x.t, "fault")
	f := fault{kind: kind, at: rapid.IntRange(0, 3).Draw(x.t, "answer")}
	got := x.r.ask(x.o, func() {
		switch kind {
		case "crash", "failure":
			x.r.hook.arm(n, kind == "crash")
		default:
			x.o.fault = f
		}
	})
	x.o.fault = fault{}
	dead := x.r.hook.dead
	x.r.hook.off()
	if dead {
		x.r.reopen()
	}
	x.told(got)
	var held, all []post.Position
	for pos := range x.o.holding(x.r) {
		held = append(held, pos)
	}
	for pos := range x.o.entitled(x.r.fpr, x.o.clock) {
		all = append(all, pos)
	}
	slices.Sort(held)
	slices.Sort(all)
	if len(held) > len(all) || !slices.Equal(held, all[:len(held)]) {
		x.w.Fatalf("P7: after a broken pull %s holds %v of %v", x.r.name, held, all)
	}
}

func jumpsAhead(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Hour, 40 * 24 * time.Hour}).Draw(t, "jump")
}
