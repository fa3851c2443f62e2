package home

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
)

// keeper holds my copies of one author's posts; it is the pull.Keeper.
type keeper struct {
	h    *Home
	tree tree
	x    *index.Index
	// renew fetches the author's certificate anew, once, when a post does not
	// verify with the one held; nil if there is nobody to ask.
	renew func(context.Context) (*pgp.Certificate, error)
	tell  func(Event)
	tally *Tally
}

var _ pull.Keeper = (*keeper)(nil)

func (k *keeper) author() pgp.Fingerprint { return k.tree.cert.Fingerprint() }

// held is everything known of the author's posts in a range.
type held struct {
	rows   map[post.Position]index.Row
	offers map[post.Position]index.Offer
}

func (k *keeper) held(ctx context.Context, from, to post.Position) (held, error) {
	in := held{rows: map[post.Position]index.Row{}}
	err := k.x.View(ctx, func(v *index.View) (err error) {
		rows, err := v.Range(k.author(), from, to)
		if err != nil {
			return err
		}
		for _, r := range rows {
			in.rows[r.ID.Position] = r
		}
		in.offers, err = v.Offers(k.author(), from, to)
		return err
	})
	return in, err
}

// line is what is counted for one post, and whether anything is (spec W24):
// the line last offered, as long as what is held is what was held when it was
// noted; else the line of what is held.
func (in held) line(author pgp.Fingerprint, p post.Position, cert []byte, at time.Time) pull.Line {
	row, has := in.rows[p]
	o := in.offers[p]
	l := pull.Line{Version: post.Version{ID: post.ID{Author: author, Position: p}}}
	var hash []byte
	if has {
		l.Held, hash = row.Revision, row.Hash[:]
	}
	noted := o.Revision > 0 && bytes.Equal(o.Held, hash) && (len(o.Refused) == 0 || bytes.Equal(o.Refused, cert))
	switch {
	case noted:
		l.Revision, l.Hash = o.Revision, o.Hash
		l.Counted = true // what has expired of a text that is lacking, nobody knows here
	case has:
		l.Version, l.Same = row.Version, true
		l.Counted = row.Expires.IsZero() || row.Expires.After(at)
	}
	l.Counted = l.Counted && !o.Marked
	return l
}

func (in held) positions() []post.Position {
	all := maps.Clone(in.rows)
	for p := range in.offers {
		if _, ok := all[p]; !ok {
			all[p] = index.Row{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// certificate names the certificate by which posts are refused.
func (k *keeper) certificate() []byte {
	sum := sha256.Sum256(k.tree.cert.Bytes())
	return sum[:8]
}

// Newest implements pull.Keeper.
func (k *keeper) Newest(ctx context.Context) (newest post.Position, err error) {
	limit := pull.Horizon(k.h.opt.Now())
	err = k.x.View(ctx, func(v *index.View) error {
		if newest, err = v.Newest(k.author(), limit); err != nil {
			return err
		}
		offers, err := v.Offers(k.author(), newest, limit)
		for p, o := range offers {
			if len(o.Refused) > 0 && p > newest {
				newest = p
			}
		}
		return err
	})
	return newest, err
}

// Marked implements pull.Keeper.
func (k *keeper) Marked(ctx context.Context, n int) ([]post.ID, error) {
	in, err := k.held(ctx, "", last)
	if err != nil {
		return nil, err
	}
	var marked []post.Position
	var latest int64
	for p, o := range in.offers {
		if _, has := in.rows[p]; has && o.Marked {
			marked = append(marked, p)
		}
		latest = max(latest, o.Asked)
	}
	slices.SortFunc(marked, func(a, b post.Position) int {
		return cmp.Or(cmp.Compare(in.offers[a].Asked, in.offers[b].Asked), cmp.Compare(a, b))
	})
	marked = marked[:min(n, len(marked))]
	ids := make([]post.ID, len(marked))
	if len(marked) == 0 {
		return nil, nil
	}
	err = k.update(ctx, func(tx *index.Tx) error {
		for i, p := range marked {
			ids[i] = post.ID{Author: k.author(), Position: p}
			o := in.offers[p]
			o.Asked = latest + 1
			if err := tx.PutOffer(ids[i], o); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// update changes the index under the lock of the home.
func (k *keeper) update(ctx context.Context, change func(*index.Tx) error) error {
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return k.x.Update(context.WithoutCancel(ctx), change)
}

// Months implements pull.Keeper.
func (k *keeper) Months(ctx context.Context, at time.Time) (wire.Months, error) {
	in, err := k.held(ctx, "", last)
	if err != nil {
		return nil, err
	}
	cert := k.certificate()
	return wire.SumMonths(func(yield func(post.Version) bool) {
		for _, p := range in.positions() {
			if l := in.line(k.author(), p, cert, at); l.Counted && !yield(l.Version) {
				return
			}
		}
	}), nil
}

// Lines implements pull.Keeper.
func (k *keeper) Lines(ctx context.Context, months []string, at time.Time) ([]pull.Line, error) {
	var lines []pull.Line
	cert := k.certificate()
	for _, m := range months {
		in, err := k.held(ctx, post.Position(m), post.Position(m+"~"))
		if err != nil {
			return nil, err
		}
		for _, p := range in.positions() {
			lines = append(lines, in.line(k.author(), p, cert, at))
		}
	}
	return lines, nil
}

// Note implements pull.Keeper.
func (k *keeper) Note(ctx context.Context, offered []post.Version) error {
	return k.update(ctx, func(tx *index.Tx) error {
		for _, v := range offered {
			row, ok, err := tx.Row(v.ID)
			if err != nil {
				return err
			}
			var o index.Offer
			if ok && row.Version != v { // beaten
				o = index.Offer{Revision: v.Revision, Hash: v.Hash, Held: row.Hash[:]}
			}
			if err := tx.PutOffer(v.ID, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unoffered implements pull.Keeper.
func (k *keeper) Unoffered(ctx context.Context, ids []post.ID) error {
	return k.update(ctx, func(tx *index.Tx) error {
		for _, id := range ids {
			_, has, err := tx.Row(id)
			if err != nil {
				return err
			}
			var o index.Offer // of what is not held, nothing need be known
			if has {
				if o, err = tx.Offer(id); err != nil {
					return err
				}
				o.Marked = true
				k.tally.Unoffered++
			}
			if err := tx.PutOffer(id, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// Withdraw implements pull.Keeper.
func (k *keeper) Withdraw(ctx context.Context, ids []post.ID) error {
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	err = k.x.Update(context.WithoutCancel(ctx), func(tx *index.Tx) error {
		for _, id := range ids {
			row, ok, err := tx.Row(id)
			if err != nil {
				return err
			}
			if ok {
				err := k.h.root.Rename(k.tree.Path(id.Position), feed.Trash(row.Version))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			if err := errors.Join(tx.Drop(id), tx.PutOffer(id, index.Offer{})); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		k.tally.Withdrawn++
		k.tell(Event{Gone: &id})
	}
	return nil
}

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
