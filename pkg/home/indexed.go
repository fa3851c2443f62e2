package home

import (
	"context"
	"errors"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// withIndex runs use on the index, opened and filled if need be. An index that
// turns out to be damaged, or that was deleted under us, is made again, once;
// one that cannot be written, on a full or read-only disk, is made in memory.
func (h *Home) withIndex(ctx context.Context, use func(*index.Index) error) error {
	for try := 0; ; try++ {
		x, err := h.openIndex(ctx)
		if err != nil {
			return err
		}
		err = use(x)
		switch {
		case try > 0:
			return err
		case errors.Is(err, index.ErrDamaged):
			h.opt.Log.Warn("the index is damaged and is made again", "error", err)
			h.replaceIndex(x, nil)
		case errors.Is(err, index.ErrUnwritable):
			h.opt.Log.Warn("the index cannot be written and is made in memory", "error", err)
			memory, memErr := index.InMemory(ctx, h.root)
			if memErr != nil {
				return errors.Join(err, memErr)
			}
			if memErr := h.fill(ctx, memory); memErr != nil {
				return errors.Join(err, memErr, memory.Close())
			}
			h.replaceIndex(x, memory)
		default:
			return err
		}
	}
}

// replaceIndex takes an index out of use: a damaged one for everybody.
func (h *Home) replaceIndex(x, by *index.Index) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index != x {
		return
	}
	if by == nil {
		_ = x.Discard() // what cannot be removed is not used again either
	} else {
		_ = x.Close()
	}
	h.index = by
}

func (h *Home) openIndex(ctx context.Context) (*index.Index, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index != nil {
		if h.index.Current() {
			return h.index, nil
		}
		_ = h.index.Close() // it was deleted or replaced; nothing in it is missed
		h.index = nil
	}
	x, fresh, err := index.Open(ctx, h.root)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := h.fill(ctx, x); err != nil {
			return nil, errors.Join(err, x.Close())
		}
	}
	h.index = x
	return x, nil
}

// openedIndex is the index if it can be had without making it anew, which a
// single post need not wait for.
func (h *Home) openedIndex(ctx context.Context) *index.Index {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index == nil || !h.index.Current() {
		if h.index != nil {
			_ = h.index.Close() // it was deleted or replaced; nothing in it is missed
		}
		h.index = index.Opened(ctx, h.root)
	}
	return h.index
}

// row is what the index knows of a post, if it can be asked.
func (h *Home) row(ctx context.Context, id post.ID) (row index.Row, ok bool) {
	if x := h.openedIndex(ctx); x != nil {
		_ = x.View(ctx, func(v *index.View) (err error) { // what is not known is not used
			row, ok, err = v.Row(id)
			return err
		})
	}
	return row, ok
}
