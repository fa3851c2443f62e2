package home

import (
	"context"
	"time"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
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

// PullBriskly is PullOn at a pace for the impatient.
func (h *Home) PullBriskly(ctx context.Context, people []keyring.Person, tell func(Event)) error {
	const brief = 20 * time.Millisecond
	return h.pullOn(ctx, people, PullOptions{Jobs: 2}, pace{stand: time.Second, better: 10 * brief, look: brief, retry: brief, longest: 4 * brief, people: brief}, tell)
}

// FollowWatcher follows what a watcher tells that knows of nothing; lost: it could
// not tell all.
func (h *Home) FollowWatcher(ctx context.Context, lost bool) error {
	w, err := h.root.Watch()
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	return (&looker{h: h, w: w}).follow(ctx, []string{"."}, lost)
}

// Remembers tells whether my folders are remembered as they are, so that an answer
// need not ask the index of them.
func (h *Home) Remembers() bool { return h.served.synced.still.Is(h.root) }
