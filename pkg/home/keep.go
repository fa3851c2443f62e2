package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
)

// Keep implements pull.Keeper: all items are verified on all cores, written as
// one batch, in order, and then noted.
func (k *keeper) Keep(ctx context.Context, items []ijson.Value, offered map[post.ID]post.Version) error {
	if len(items) == 0 {
		return nil
	}
	posts, errs, err := k.open(ctx, items)
	if err != nil {
		return err
	}
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	kept, err := k.decide(ctx, items, posts, errs, offered)
	if err != nil {
		return err
	}
	if err := kept.batch.Commit(); err != nil {
		return err
	}
	for _, e := range kept.events { // they are durable now, whatever becomes of the index
		if e.Changed {
			k.tally.Changed++
		} else {
			k.tally.New++
		}
		k.tell(e)
	}
	k.tally.Refused += kept.refused
	return k.x.Update(context.WithoutCancel(ctx), func(tx *index.Tx) error { return kept.record(tx, k) })
}

// open verifies items on all cores. If one does not, the author may have a new
// key: it is asked for, once.
func (k *keeper) open(ctx context.Context, items []ijson.Value) ([]*post.Post, []error, error) {
	posts, errs := make([]*post.Post, len(items)), make([]error, len(items))
	verify := func() (failed bool, err error) {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(runtime.GOMAXPROCS(0))
		const run = 16
		for i := 0; i < len(items); i += run {
			g.Go(func() error {
				for j := i; j < min(i+run, len(items)); j++ {
					if posts[j] == nil {
						posts[j], errs[j] = k.openOne(items[j])
					}
				}
				return ctx.Err()
			})
		}
		err = g.Wait()
		return slices.ContainsFunc(errs, func(e error) bool { return errors.Is(e, pgp.ErrSignature) }), err
	}
	failed, err := verify()
	if err != nil || !failed || k.renew == nil {
		return posts, errs, err
	}
	renew := k.renew
	k.renew = nil
	cert, err := renew(ctx)
	if err != nil || bytes.Equal(cert.Bytes(), k.tree.cert.Bytes()) {
		return posts, errs, ignoreUnreachable(err)
	}
	k.tree.cert = cert
	_, err = verify()
	return posts, errs, err
}

func (k *keeper) openOne(item ijson.Value) (*post.Post, error) {
	p, err := post.Open(item, k.tree.cert)
	if err == nil && p.Tombstone() {
		return nil, post.ErrInvalid // Tombstones are not walked
	}
	return p, err
}

// kept is what became of a page.
type kept struct {
	batch   *disk.Batch
	rows    []keptRow
	offers  []keptOffer
	events  []Event
	refused int
}

type keptRow struct {
	post *post.Post
	name string
	data []byte
}

type keptOffer struct {
	id post.ID
	index.Offer
}

// decide says what becomes of each item: kept, refused, or beaten by what is
// held.
func (k *keeper) decide(ctx context.Context, items []ijson.Value, posts []*post.Post, errs []error, offered map[post.ID]post.Version) (*kept, error) {
	out := &kept{batch: k.h.root.NewBatch()}
	versions := make([]post.Version, len(items))
	first, end := last, post.Position("")
	for i, item := range items {
		v, err := claim(item, posts[i], offered)
		if err != nil || v.ID.Author != k.author() {
			continue // not even a line of his: dropped
		}
		versions[i] = v
		first, end = min(first, v.ID.Position), max(end, v.ID.Position)
	}
	in, err := k.held(ctx, first, end+"~")
	if err != nil {
		return nil, err
	}
	for i, v := range versions {
		if v.ID.Position == "" {
			continue
		}
		row, has := in.rows[v.ID.Position]
		if err := k.decideOne(out, v, posts[i], errs[i], row, has); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// claim is the line of an item; of one that is not even a post, the line under
// which it was offered.
func claim(item ijson.Value, p *post.Post, offered map[post.ID]post.Version) (post.Version, error) {
	if p != nil {
		return p.Version(), nil
	}
	v, err := post.Claim(item)
	if err == nil {
		if o, ok := offered[v.ID]; ok {
			return o, nil
		}
		return v, nil
	}
	var id struct {
		ID string `json:"id"`
	}
	_ = ijson.UnmarshalTrusted(item, &id) // whatever it is, it has no line then
	if pid, e := post.ParseID(id.ID); e == nil {
		if o, ok := offered[pid]; ok {
			return o, nil
		}
	}
	return v, err
}

func (k *keeper) decideOne(out *kept, v post.Version, p *post.Post, err error, row index.Row, has bool) error {
	var hash []byte
	if has {
		hash = row.Hash[:]
	}
	switch {
	case p == nil:
		if out.refused++; out.refused == 1 { // one line a page: he may send any number
			k.h.opt.Log.Warn("a post is refused", "post", v.ID, "error", err)
		}
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash, Refused: k.certificate()}})
		return nil
	case has && row.Version == p.Version():
		out.offers = append(out.offers, keptOffer{id: v.ID}) // a mark ends
		return nil
	case has && row.Standing().Beats(p.Standing()):
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash}})
		return nil
	}
	if has {
		if was, err := k.h.reopen(k.tree, row); err == nil {
			data, err := was.File()
			if err != nil {
				return err
			}
			out.batch.Add(feed.History(was.Version()), data, 0o600)
		}
	}
	data, err := p.File()
	if err != nil {
		return err
	}
	name := k.tree.Path(p.ID().Position)
	out.batch.Add(name, data, 0o600)
	out.rows = append(out.rows, keptRow{p, name, data})
	out.offers = append(out.offers, keptOffer{id: v.ID})
	out.events = append(out.events, Event{Post: p, Path: k.h.root.Path(name), Changed: has})
	return nil
}

func (c *kept) record(tx *index.Tx, k *keeper) error {
	for _, r := range c.rows {
		info, err := k.h.root.Lstat(r.name)
		if err != nil {
			return err
		}
		stat := disk.StatOf(info)
		stat.Ctime = 0 // too young to be trusted
		if err := errors.Join(tx.Put(index.RowOf(r.post, stat, sha256.Sum256(r.data))), tx.TouchDir(path.Dir(r.name))); err != nil {
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
