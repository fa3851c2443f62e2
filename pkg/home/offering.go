package home

import (
	"context"
	"sync"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// offeredMonths are the lines of months as they were worked out, by what
// index.View.MonthChanges says of them: friends who may see the same share them.
type offeredMonths struct {
	mu   sync.Mutex
	of   map[offeredMonth]wire.Month
	news map[offeredMonth]wire.Month // of them: those that are not in the index yet
}

// An offeredMonth is a month, and what MonthChanges says of it.
type offeredMonth struct{ month, key string }

func (o *offeredMonths) get(of offeredMonth) (wire.Month, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m, ok := o.of[of]
	return m, ok
}

func (o *offeredMonths) put(of offeredMonth, m wire.Month, isNew bool) {
	const most = 10_000
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil || len(o.of) >= most {
		o.of, o.news = map[offeredMonth]wire.Month{}, map[offeredMonth]wire.Month{}
	}
	if o.of[of] = m; isNew {
		o.news[of] = m
	}
}

func (o *offeredMonths) takeNews() map[offeredMonth]wire.Month {
	o.mu.Lock()
	defer o.mu.Unlock()
	news := o.news
	o.news = map[offeredMonth]wire.Month{}
	return news
}

// offeredMonth is the line of a month, worked out only if nobody did before.
func (h *Home) offeredMonth(v *index.View, of offeredMonth, sum func() (wire.Month, error)) (wire.Month, error) {
	if m, ok := h.served.offered.get(of); ok {
		return m, nil
	}
	l, ok, err := v.OfferedMonth(of.month, of.key)
	m := wire.Month{Month: of.month, Count: l.Count, Hash: l.Hash}
	if err == nil && !ok {
		m, err = sum()
	}
	if err == nil {
		h.served.offered.put(of, m, !ok)
	}
	return m, err
}

// keepOffered has the next program find what this one worked out. It is of no
// matter if it does not.
func (h *Home) keepOffered(ctx context.Context) {
	news := h.served.offered.takeNews()
	if len(news) == 0 {
		return
	}
	err := h.withIndex(ctx, func(x *index.Index) error {
		unlock, err := h.lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		return x.Update(ctx, func(tx *index.Tx) error {
			for of, m := range news {
				if err := tx.KeepOfferedMonth(of.key, index.MonthLine{Month: m.Month, Count: m.Count, Hash: m.Hash}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		h.opt.Log.Debug("what is offered was worked out in vain", "error", err)
	}
}

// offerTo is the digest of what a friend would get now, by which he sees whether
// he need ask back (spec M44); "" for anybody else, and where it cannot be told.
// follow has the index follow my feed.
func (h *Home) offerTo(ctx context.Context, x *index.Index, reader pgp.Fingerprint, follow func(*index.Index) error) string {
	digest := ""
	err := func() error {
		me, err := h.mine()
		if err != nil {
			return err
		}
		g, err := h.people.Grants(reader)
		if err != nil || !g.Friend {
			return err
		}
		if err := follow(x); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) error {
			months, err := h.months(v, me, g, h.opt.Now())
			if err == nil {
				_, digest = months.Digest()
			}
			return err
		})
	}()
	if err != nil {
		h.opt.Log.Debug("a friend is not told what he is offered", "friend", reader, "error", err)
	}
	return digest
}

// following has an index follow my feed, once.
func (h *Home) following(ctx context.Context) func(*index.Index) error {
	var (
		once sync.Once
		err  error
	)
	return func(x *index.Index) error {
		once.Do(func() {
			var me tree
			if me, err = h.mine(); err == nil {
				err = h.syncMine(ctx, x, me)
			}
		})
		return err
	}
}

// hasOffered tells whether all that a friend offers is here, and every file that
// it names and that is wanted: then there is nothing to ask for.
func (h *Home) hasOffered(ctx context.Context, x *index.Index, w *asked) (bool, error) {
	if w.offer == "" {
		return false, nil
	}
	w.keeper.x = x
	months, err := w.keeper.Months(ctx, h.opt.Now())
	if err != nil {
		return false, err
	}
	count, digest := months.Digest()
	if digest != w.offer {
		return false, nil
	}
	w.done.Complete, w.done.Count = true, count
	if h.served.asking.opt.NoMedia {
		return true, nil
	}
	lacks, err := h.wanting(ctx, x, w.keeper.tree.cert, 0)
	return err == nil && len(lacks.rows) == 0, err
}

// noteOffered notes that a friend was here and nothing of him is lacking, if that
// was noted long ago.
func (h *Home) noteOffered(ctx context.Context, x *index.Index, w *asked, row index.Peer) error {
	if h.opt.Now().Sub(row.Reached).Abs() < askAgain {
		return nil
	}
	return h.rememberAsked(ctx, x, w, row.Message, nil)
}
