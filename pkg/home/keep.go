package home

import (
	"cmp"
	"context"
	"sync"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// A turn is one page on its way from the network to the disk. While a page is
// fetched, the one before it is verified and written ahead, the one before that
// is stored, and one more is told of: each in the order they came.
type turn struct {
	verified, stored, told chan struct{} // closed when it is
	err                    error         // once stored: of this page, or of one before it
}

// Keep implements pull.Keeper: all items are verified on all cores, written as
// one batch, in order, and then noted, while the next page is fetched. What
// fails is told by whatever is called next.
func (k *keeper) Keep(ctx context.Context, items []ijson.Value, offered map[post.ID]post.Version) error {
	if len(items) == 0 {
		return nil
	}
	if first := k.turns[0]; first != nil {
		if <-first.told; first.err != nil {
			return first.err
		}
	}
	before, now := cmp.Or(k.last(), nothing), &turn{make(chan struct{}), make(chan struct{}), make(chan struct{}), nil}
	<-before.verified
	k.turns = [...]*turn{k.turns[1], k.turns[2], now}
	go k.take(ctx, newDelivery(items, offered), before, now)
	return nil
}

// last is the page that came last; nil if there is none.
func (k *keeper) last() *turn { return k.turns[len(k.turns)-1] }

// nothing is before the first page.
var nothing = func() *turn {
	done := make(chan struct{})
	close(done)
	return &turn{verified: done, stored: done, told: done}
}()

// take has a page go all the way. What has come is kept, also when no more is
// wanted.
func (k *keeper) take(ctx context.Context, d *delivery, before, now *turn) {
	err := k.open(ctx, d)
	close(now.verified)
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		err = k.prepare(ctx, d)
	}
	if <-before.stored; before.err != nil {
		err = before.err
	}
	var done kept
	if err == nil {
		done, err = k.store(ctx, d)
	}
	d.batch.Discard()
	now.err = err
	close(now.stored)
	<-before.told
	k.report(done)
	close(now.told)
}

// meanwhile does something else to the index while the author is asked.
func (k *keeper) meanwhile(do func() error) {
	done := make(chan error, 1)
	go func() { done <- do() }()
	k.other = sync.OnceValue(func() error { return <-done })
}

// settle waits until all pages are stored, and all else is done: what is asked or
// changed next must find it.
func (k *keeper) settle() (err error) {
	if k.other != nil {
		err = k.other()
	}
	if page := k.last(); page != nil {
		<-page.told
		err = cmp.Or(page.err, err)
	}
	return err
}

// prepare writes a page ahead of which nothing is held, as most are; what becomes
// of any other depends on what is held when its turn has come.
func (k *keeper) prepare(ctx context.Context, d *delivery) error {
	in, err := k.look(ctx, d)
	if err != nil || len(in.rows) > 0 {
		return err
	}
	err = d.each(func(t *item) error {
		if t.post == nil || !t.ours {
			return nil
		}
		return t.ready(d.tree)
	})
	if err != nil {
		return err
	}
	for i := range d.items {
		if t := &d.items[i]; t.name != "" {
			t.file = d.batch.Add(t.name, t.data, 0o600)
		}
	}
	return d.batch.Prepare()
}

// store puts a page into its files, and then into the index. What it returns is
// in the files, also if the index fails.
func (k *keeper) store(ctx context.Context, d *delivery) (kept, error) {
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return kept{}, err
	}
	defer unlock()
	out, err := k.decide(ctx, d)
	if err != nil {
		return kept{}, err
	}
	if err := d.batch.Commit(); err != nil {
		return kept{}, err
	}
	return out, k.x.Update(ctx, func(tx *index.Tx) error { return out.record(tx, k) })
}

// report tells of a page that is stored.
func (k *keeper) report(done kept) {
	for i, e := range done.events {
		if e.Changed {
			k.tally.Changed++
		} else {
			k.tally.New++
		}
		e.More = i+1 < len(done.events)
		k.tell(e)
	}
	k.tally.Refused += done.refused
}
