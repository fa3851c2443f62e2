package home

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
)

// kept is what became of a page.
type kept struct {
	items   []*item
	offers  []keptOffer
	events  []Event
	refused int
}

type keptOffer struct {
	id post.ID
	index.Offer
}

// decide says what becomes of each item: kept, refused, or beaten by what is
// held.
func (k *keeper) decide(ctx context.Context, d *delivery) (kept, error) {
	in, err := k.look(ctx, d)
	if err != nil {
		return kept{}, err
	}
	var out kept
	for i := range d.items {
		t := &d.items[i]
		if !t.ours {
			continue // not even a line of his: dropped
		}
		row, has := in.rows[t.version.ID.Position]
		if err := k.decideOne(&out, d, t, row, has); err != nil {
			return kept{}, err
		}
	}
	out.offers = slices.DeleteFunc(out.offers, func(o keptOffer) bool {
		_, known := in.offers[o.id.Position]
		return !known && o.Revision == 0 // there is nothing to forget
	})
	return out, nil
}

// look finds what is held where a page is. It is not k.view: this page is one of
// those for which that waits.
func (k *keeper) look(ctx context.Context, d *delivery) (in held, err error) {
	first, end := last, post.Position("")
	for _, t := range d.items {
		if t.ours {
			first, end = min(first, t.version.ID.Position), max(end, t.version.ID.Position)
		}
	}
	err = k.x.View(ctx, func(v *index.View) (err error) {
		in, err = k.held(v, first, end+"~")
		return err
	})
	return in, err
}

func (k *keeper) decideOne(out *kept, d *delivery, t *item, row index.Row, has bool) error {
	v := t.version
	var hash []byte
	if has {
		hash = row.Hash[:]
	}
	switch {
	case t.post == nil:
		if out.refused++; out.refused == 1 { // one line a page: he may send any number
			k.h.opt.Log.Warn("a post is refused", "post", v.ID, "error", t.err)
		}
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash, Refused: d.tree.certificate()}})
		return nil
	case has && row.Version == v:
		out.offers = append(out.offers, keptOffer{id: v.ID}) // a mark ends
		d.drop(t)
		return nil
	case has && row.Standing().Beats(t.post.Standing()):
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash}})
		d.drop(t)
		return nil
	}
	if has {
		if was, err := k.h.reopen(d.tree, row); err == nil {
			data, err := was.File()
			if err != nil {
				return err
			}
			d.batch.Add(feed.History(was.Version()), data, 0o600)
		}
	}
	if t.file == nil {
		if err := t.ready(d.tree); err != nil {
			return err
		}
		t.file = d.batch.Add(t.name, t.data, 0o600)
	}
	out.items = append(out.items, t)
	out.offers = append(out.offers, keptOffer{id: v.ID})
	out.events = append(out.events, Event{Post: t.post, Path: k.h.root.Path(t.name), Changed: has})
	return nil
}

func (c *kept) record(tx *index.Tx, k *keeper) error {
	for _, t := range c.items {
		dir := path.Dir(t.name)
		t.row.Stat = k.h.young(dir, t.file.Stat)
		t.row.Received = index.ReceivedAt(t.row.Stat)
		if err := errors.Join(tx.Put(t.row), tx.TouchDir(dir)); err != nil {
			return err
		}
	}
	for _, o := range c.offers {
		if err := tx.PutOffer(o.id, o.Offer); err != nil {
			return err
		}
	}
	if c.refused == 0 {
		return nil
	}
	refused, err := tx.Refused(k.author())
	if err == nil && refused > mostRefused {
		err = fmt.Errorf("%w: more than %d posts do not verify", pull.ErrPeer, mostRefused)
	}
	return err
}

// mostRefused is how many refused posts of one author are remembered.
const mostRefused = 5000
