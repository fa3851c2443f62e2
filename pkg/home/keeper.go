package home

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
)

// keeper holds my copies of one author's posts; it is the pull.Keeper.
type keeper struct {
	h    *Home
	who  pgp.Fingerprint
	tree tree // with the key that verifies the next page
	x    *index.Index
	// renew fetches the author's certificate anew, once, when a post does not
	// verify with the one held; nil if there is nobody to ask.
	renew func(context.Context) (*pgp.Certificate, error)
	tell  func(Event)
	tally *Tally

	turns [3]*turn     // the last pages, as many as there may be on their way; nil before the first
	other func() error // waits for what is done meanwhile; nil: nothing is
}

var _ pull.Keeper = (*keeper)(nil)

func (k *keeper) author() pgp.Fingerprint { return k.who }

// certificate names the certificate by which posts are refused.
func (t tree) certificate() []byte {
	sum := sha256.Sum256(t.cert.Bytes())
	return sum[:8]
}

// Newest implements pull.Keeper.
func (k *keeper) Newest(ctx context.Context) (newest post.Position, err error) {
	limit := pull.Horizon(k.h.opt.Now())
	err = k.view(ctx, func(v *index.View) error {
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
	var (
		marked []post.Position
		latest int64
		offers map[post.Position]index.Offer
	)
	err := k.view(ctx, func(v *index.View) (err error) {
		offers, err = v.Offers(k.author(), "", last)
		for p, o := range offers {
			if latest = max(latest, o.Asked); !o.Marked {
				continue
			}
			_, has, err := v.Row(post.ID{Author: k.author(), Position: p})
			if err != nil {
				return err
			}
			if has {
				marked = append(marked, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(marked, func(a, b post.Position) int {
		return cmp.Or(cmp.Compare(offers[a].Asked, offers[b].Asked), cmp.Compare(a, b))
	})
	marked = marked[:min(n, len(marked))]
	ids := make([]post.ID, len(marked))
	if len(marked) == 0 {
		return nil, nil
	}
	err = k.update(ctx, func(tx *index.Tx) error {
		for i, p := range marked {
			ids[i] = post.ID{Author: k.author(), Position: p}
			o := offers[p]
			o.Asked = latest + 1
			if err := tx.PutOffer(ids[i], o); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// view looks at the index, once all pages are in it.
func (k *keeper) view(ctx context.Context, look func(*index.View) error) error {
	if err := k.settle(); err != nil {
		return err
	}
	return k.x.View(ctx, look)
}

// update changes the index under the lock of the home.
func (k *keeper) update(ctx context.Context, change func(*index.Tx) error) error {
	if err := k.settle(); err != nil {
		return err
	}
	unlock, err := k.h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return k.x.Update(context.WithoutCancel(ctx), change)
}

// Lines implements pull.Keeper.
func (k *keeper) Lines(ctx context.Context, months []string, at time.Time) ([]pull.Line, error) {
	var lines []pull.Line
	err := k.view(ctx, func(v *index.View) error {
		cert := k.tree.certificate()
		for _, m := range months {
			in, err := k.held(v, post.Position(m), post.Position(m+"~"))
			if err != nil {
				return err
			}
			for _, p := range in.positions() {
				lines = append(lines, in.line(k.author(), p, cert, at))
			}
		}
		return nil
	})
	return lines, err
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
	err := k.update(ctx, func(tx *index.Tx) error {
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
