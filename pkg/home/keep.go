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

// A turn is one page on its way from the network to the disk. While a page is
// fetched, the one before it is verified, and the one before that is written:
// three at most, written and told in the order they came.
type turn struct {
	verified, written chan struct{} // closed when it is
	err               error         // once written: of this page, or of one before it
}

// Keep implements pull.Keeper: all items are verified on all cores, written as
// one batch, in order, and then noted, while the next page is fetched. What
// fails is told by whatever is called next.
func (k *keeper) Keep(ctx context.Context, items []ijson.Value, offered map[post.ID]post.Version) error {
	if len(items) == 0 {
		return nil
	}
	if k.writing != nil {
		if <-k.writing.written; k.writing.err != nil {
			return k.writing.err
		}
	}
	before, now := k.verifying, &turn{make(chan struct{}), make(chan struct{}), nil}
	if before != nil {
		<-before.verified
	}
	k.writing, k.verifying = before, now
	whole := context.WithoutCancel(ctx) // what has come is kept, also when no more is wanted
	go func() {
		defer close(now.written)
		p, err := k.open(ctx, items, offered)
		close(now.verified)
		if before != nil {
			if <-before.written; before.err != nil {
				now.err = before.err
				return
			}
		}
		if now.err = err; err == nil {
			now.err = k.write(whole, p)
		}
	}()
	return nil
}

// settle waits until all pages are written: what is asked or changed next must
// find them.
func (k *keeper) settle() error {
	if k.verifying == nil {
		return nil
	}
	<-k.verifying.written
	return k.verifying.err
}

// write puts a verified page into its files, and into the index.
func (k *keeper) write(ctx context.Context, p opened) error {
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	kept, err := k.decide(ctx, p)
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
	return k.x.Update(ctx, func(tx *index.Tx) error { return kept.record(tx, k) })
}

// opened is a page of items, and what they turned out to be.
type opened struct {
	items   []ijson.Value
	posts   []*post.Post
	errs    []error // of those that are no post
	offered map[post.ID]post.Version
	tree    tree // with the key that verified them
}

// open verifies items on all cores. If one does not, the author may have a new
// key: it is asked for, once.
func (k *keeper) open(ctx context.Context, items []ijson.Value, offered map[post.ID]post.Version) (opened, error) {
	p := opened{items, make([]*post.Post, len(items)), make([]error, len(items)), offered, k.tree}
	if !p.verify() || k.renew == nil {
		return p, nil
	}
	renew := k.renew
	k.renew = nil
	cert, err := renew(ctx)
	if err != nil || bytes.Equal(cert.Bytes(), k.tree.cert.Bytes()) {
		return p, ignoreUnreachable(err)
	}
	k.tree.cert = cert
	p.tree = k.tree
	p.verify()
	return p, nil
}

// verify opens what is not opened yet, and tells whether a signature was wrong.
func (p opened) verify() (failed bool) {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const run = 16
	for i := 0; i < len(p.items); i += run {
		g.Go(func() error {
			for j := i; j < min(i+run, len(p.items)); j++ {
				if p.posts[j] == nil {
					p.posts[j], p.errs[j] = openItem(p.items[j], p.tree.cert)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // what fails is in errs
	return slices.ContainsFunc(p.errs, func(e error) bool { return errors.Is(e, pgp.ErrSignature) })
}

func openItem(item ijson.Value, cert *pgp.Certificate) (*post.Post, error) {
	p, err := post.Open(item, cert)
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
func (k *keeper) decide(ctx context.Context, page opened) (*kept, error) {
	out := &kept{batch: k.h.root.NewBatch()}
	versions := make([]post.Version, len(page.items))
	first, end := last, post.Position("")
	for i, item := range page.items {
		v, err := claim(item, page.posts[i], page.offered)
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
		if err := k.decideOne(out, page.tree, v, page.posts[i], page.errs[i], row, has); err != nil {
			return nil, err
		}
	}
	out.offers = slices.DeleteFunc(out.offers, func(o keptOffer) bool {
		_, known := in.offers[o.id.Position]
		return !known && o.Revision == 0 // there is nothing to forget
	})
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

func (k *keeper) decideOne(out *kept, t tree, v post.Version, p *post.Post, err error, row index.Row, has bool) error {
	var hash []byte
	if has {
		hash = row.Hash[:]
	}
	switch {
	case p == nil:
		if out.refused++; out.refused == 1 { // one line a page: he may send any number
			k.h.opt.Log.Warn("a post is refused", "post", v.ID, "error", err)
		}
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash, Refused: t.certificate()}})
		return nil
	case has && row.Version == p.Version():
		out.offers = append(out.offers, keptOffer{id: v.ID}) // a mark ends
		return nil
	case has && row.Standing().Beats(p.Standing()):
		out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash}})
		return nil
	}
	if has {
		if was, err := k.h.reopen(t, row); err == nil {
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
	name := t.Path(p.ID().Position)
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
		stat := k.h.young(path.Dir(r.name), disk.StatOf(info))
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
