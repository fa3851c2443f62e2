package home

import (
	"context"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// Search lists the posts that match, newest first, of those that a view
// chooses. What came since the last search is taken into the full text first;
// told, if not nil, hears how many that were so far.
func (h *Home) Search(ctx context.Context, q index.Query, view View, told func(n int), show func(Entry) error) error {
	l, err := h.library()
	if err != nil {
		return err
	}
	f, err := h.filter(l, view)
	if err != nil {
		return err
	}
	var ids []post.ID
	err = h.reading(ctx, l, func(x *index.Index) error {
		if err := h.takeIn(ctx, x, told); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) (err error) {
			ids, err = v.Search(q, f)
			return err
		})
	})
	if err != nil {
		return err
	}
	return h.showAll(ctx, l, ids, show)
}

// showAll reads posts, some at a time. One that is gone since, or is another
// than the one that was found, is left out.
func (h *Home) showAll(ctx context.Context, l *library, ids []post.ID, show func(Entry) error) error {
	for len(ids) > 0 {
		part := ids[:min(len(ids), atOnce)]
		ids = ids[len(part):]
		var entries []Entry
		err := h.readingPage(ctx, l, true, func(x *index.Index) error {
			var rows []index.Row
			err := x.View(ctx, func(v *index.View) error {
				known, err := v.Rows(part)
				rows = nil
				for _, id := range part {
					if r, ok := known[id]; ok && r.State == index.Live {
						rows = append(rows, r)
					}
				}
				return err
			})
			if err != nil {
				return err
			}
			entries, err = h.entries(ctx, rows, l)
			return err
		})
		if err != nil {
			return err
		}
		if err := h.counted(ctx, l, entries); err != nil {
			return err
		}
		for _, e := range entries {
			if err := show(e); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

// takeIn brings the news into the full text, a batch at a time. Where the index
// cannot be written, or others hold the lock, they are searched as they are.
func (h *Home) takeIn(ctx context.Context, x *index.Index, told func(n int)) error {
	for all := 0; ; {
		var lags bool
		err := x.View(ctx, func(v *index.View) (err error) {
			lags, err = v.Lags()
			return err
		})
		if err != nil || !lags {
			return err
		}
		unlock, err := h.lockFor(x)(ctx)
		if err != nil {
			h.opt.Log.Debug("the full text will follow later", "error", err)
			return context.Cause(ctx)
		}
		n, err := x.TakeIn(context.WithoutCancel(ctx), 4*batch)
		unlock()
		if err != nil {
			return err
		}
		if all += n; told != nil {
			told(all)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}
