package home

import (
	"context"

	"github.com/p2ps/p2ps/pkg/index"
)

// LookAtAll looks at every file of every tree.
func (h *Home) LookAtAll(ctx context.Context) error {
	all, err := h.trees()
	if err != nil {
		return err
	}
	return h.withIndex(ctx, func(x *index.Index) error { return h.sync(ctx, x, true, all...) })
}

// Index is the one in use.
func (h *Home) Index(ctx context.Context) (*index.Index, error) { return h.openIndex(ctx) }
