package home_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// P1: two homes that differ only in what the asker may not see, and was never
// given, answer alike.

// twins compares the owner's home with a copy of it, to which things are done
// that must not concern the reader.
func (w *world) twins(o, r *actor) {
	o.look()
	reader := r.fpr
	if w.chance(20, "everybody asks") {
		reader = ""
	}
	w.did("twins of %s, as %s sees them:", o.name, reader)
	q := o.another("'s twin", true)
	defer func() { _ = q.h.Close() }()
	for range rapid.IntRange(1, 5).Draw(w.T, "differences") {
		q.differ(o, r, reader)
	}
	q.clock = o.clock
	q.look()
	w.alike(o, q, r, reader)
}

// hidden are the posts that the reader may not see and whose ids he was never
// given.
func (q *actor) hidden(o *actor, reader pgp.Fingerprint, want func(*entry) bool) []*entry {
	return q.sorted(func(e *entry) bool {
		if reader == "" && e.file.aud.Public {
			return false // everybody may know when it was deleted, or expired
		}
		// What the wrong clock of the twin says has expired is there when they are asked.
		seen := q.sees(reader, e, q.clock.Truncate(time.Second)) || q.sees(reader, e, o.clock.Truncate(time.Second))
		return want(e) && !seen && !o.given[reader][e.pos] && !o.given[""][e.pos]
	})
}

// unseen draws an audience by which the reader sees nothing, ever.
func (q *actor) unseen(reader pgp.Fingerprint) post.Audience {
	a := q.w.audience(q)
	probe := &entry{pos: "21991231-235959999-zzzzzzzzzzzzz", file: filed{kind: signed, text: &text{}, aud: a}}
	if q.sees(reader, probe, q.clock) {
		return post.Audience{}
	}
	return a
}

// differ does one thing that must not concern the reader.
func (q *actor) differ(o, r *actor, reader pgp.Fingerprint) {
	w := q.w
	third := w.people[slices.IndexFunc(w.people, func(p *actor) bool { return p != o && p != r })]
	some := func(want func(*entry) bool, do func(*entry)) {
		if list := q.hidden(o, reader, want); len(list) > 0 {
			do(pick(w, list, "hidden post"))
		}
	}
	isSigned := func(e *entry) bool { return e.file.kind == signed }
	switch rapid.SampledFrom([]string{"post", "post", "earlier", "edit", "delete", "by hand", "remove", "misaddress", "spoil", "readdress", "draft",
		"people", "clock"}).Draw(w.T, "difference") {
	case "post":
		q.post(q.unseen(reader))
	case "earlier":
		q.insert(q.unseen(reader))
	case "edit":
		some((*entry).editable, q.edit)
	case "delete":
		some((*entry).editable, q.delete)
	case "by hand":
		some((*entry).editable, q.editByHand)
	case "remove":
		some(isSigned, q.removeByHand)
	case "misaddress":
		some((*entry).editable, q.misaddress)
	case "spoil":
		some(isSigned, q.spoil)
	case "readdress":
		some(func(e *entry) bool { return e.editable() && !e.file.aud.Public }, func(e *entry) { q.readdress(e, q.unseen(reader)) })
	case "draft":
		q.makeByHand()
	case "people":
		switch {
		case w.chance(50, "a block"):
			q.block(third, false)
		case len(q.here()) > 0:
			q.join(pick(w, q.here(), "group"), third, "all")
		}
	case "clock":
		q.tick(q.clock.Add(time.Duration(rapid.IntRange(-500, 500).Draw(w.T, "days")) * 24 * time.Hour))
	}
}

// insert makes a post by hand between others, and signs it.
func (q *actor) insert(a post.Audience) {
	w := q.w
	list := q.sorted(nil)
	if len(list) == 0 {
		return
	}
	pos := pick(w, list, "post before").pos.Stamp() + post.Position(fmt.Sprintf("-%s", "bcdefghijklmn"))
	if q.posts[pos] != nil {
		return
	}
	canary := w.canary()
	q.write(feed.Mine.Path(pos), fmt.Appendf(nil, `{"type":"Note","content":%q}`, canary))
	pending, err := q.h.ByHand(context.Background())
	w.ok(err, "looking")
	for _, x := range pending {
		if x.Name == feed.Mine.Path(pos) {
			signed, err := q.h.SignPending(context.Background(), x)
			w.ok(err, "signing a post made by hand")
			q.wrote(signed, post.Audience{})
			q.readdress(q.posts[pos], a)
		}
	}
}

// alike asks both the same, and compares every byte.
func (w *world) alike(a, b, r *actor, reader pgp.Fingerprint) {
	at := a.clock.UTC().Truncate(time.Second)
	for _, q := range w.questions(a, b, reader) {
		x := a.answers(reader, q)
		y, err := b.h.Answer(context.Background(), reader, q, at)
		w.ok(err, "answering")
		if !reflect.DeepEqual(x, y) {
			w.Fatalf("P1: %+v is answered %s by %s, and %s by %s", q, show(x), a.name, show(y), b.name)
		}
	}
	if reader == "" {
		return
	}
	q := pick(w, w.questions(a, b, reader), "question")
	var sealer wire.Sealer
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	sent, err := sealer.SealRequest(wire.Party{Me: r.secret, Other: a.cert}, q, a.clock, nonce)
	w.ok(err, "sealing")
	x, err := a.h.AnswerSealed(context.Background(), sent.Body, nil)
	w.ok(err, "answering")
	y, err := b.h.AnswerSealed(context.Background(), sent.Body, nil)
	w.ok(err, "answering")
	if len(x) != len(y) {
		w.Fatalf("P1: %+v is answered with %d bytes by %s, and with %d by %s", q, len(x), a.name, len(y), b.name)
	}
}

// answers is the answer to any question, also to one that no home here asks.
func (p *actor) answers(reader pgp.Fingerprint, q wire.Question) wire.Answer {
	a, err := p.h.Answer(context.Background(), reader, q, p.clock.UTC().Truncate(time.Second))
	p.w.ok(err, "answering")
	if q.Kind == wire.KindPosts && a.More && len(a.Items) == 0 {
		p.w.Fatalf("P3: %+v is answered by %s with a page of nothing that promises more: %s", q, p.name, show(a))
	}
	return a
}

func show(a wire.Answer) string {
	return fmt.Sprintf("{gone %v items %s lines %q more %v digest %.8s}", a.Gone, a.Items, a.Lines, a.More, a.Digest)
}

// questions are all kinds of them, about the posts of both homes.
func (w *world) questions(a, b *actor, reader pgp.Fingerprint) []wire.Question {
	all := slices.Sorted(maps.Keys(b.posts))
	months := map[string]bool{string(post.PositionAt(b.clock))[:6]: true}
	qs := []wire.Question{{Kind: wire.KindPosts}, {Kind: wire.KindManifest}}
	var given, ids []post.ID
	for _, pos := range all {
		id := post.ID{Author: a.fpr, Position: pos}
		months[pos.Month()] = true
		ids = append(ids, id)
		if a.given[reader][pos] || a.given[""][pos] || a.sees(reader, b.posts[pos], a.clock) {
			given = append(given, id)
		}
		qs = append(qs, wire.Question{Kind: wire.KindPosts, After: string(pos)})
	}
	qs = append(qs, wire.Question{Kind: wire.KindManifest, Months: slices.Sorted(maps.Keys(months))},
		wire.Question{Kind: wire.KindPosts, Have: given[:min(len(given), modelIDs)]}, wire.Question{Kind: wire.KindIDs, Want: ids, Have: given})
	return qs
}

// strangers: who was removed and who was blocked are told the same.
func (w *world) strangers(o, r *actor) {
	if _, friend := o.friends[r.fpr]; !friend || o.blocked[r.fpr] {
		w.Skip("no friend")
	}
	o.look()
	removed, blocked := o.another("who removed him", true), o.another("who blocked him", true)
	defer func() { _, _ = removed.h.Close(), blocked.h.Close() }()
	removed.unfriend(r)
	blocked.block(r, w.chance(50, "by hand"))
	removed.given = map[pgp.Fingerprint]map[post.Position]bool{r.fpr: {}}
	for pos := range o.posts {
		removed.given[r.fpr][pos] = true // also of what he was never given: the two answer alike to every question
	}
	w.alike(removed, blocked, r, r.fpr)
}
