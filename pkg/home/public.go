package home

import (
	"context"
	"errors"
	"time"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

var _ peer.Answerer = (*Home)(nil)

// Public answers a question as everybody may know it: a stranger's answer.
func (h *Home) Public(ctx context.Context, q wire.Question) (wire.Answer, error) {
	return h.Answer(ctx, "", q, h.opt.Now())
}

// PublicPost is one public post as it travels, or the Tombstone of one.
func (h *Home) PublicPost(ctx context.Context, position post.Position) (data []byte, gone bool, err error) {
	me, err := h.mine()
	if err != nil {
		return nil, false, err
	}
	for range moments {
		err = h.withIndex(ctx, func(x *index.Index) error {
			if err := h.sync(ctx, x, errors.Is(err, errMoved), me); err != nil {
				return err
			}
			return x.View(ctx, func(v *index.View) error {
				row, ok, err := v.Row(post.ID{Author: me.cert.Fingerprint(), Position: position})
				if err != nil {
					return err
				}
				gone = row.State == index.Tombstone && row.Public && row.Why == ""
				if !ok || !gone && !offered(row, post.Grants{}, h.opt.Now()) {
					return peer.ErrNotFound
				}
				p, err := h.reopen(me, row)
				if err != nil {
					return err
				}
				data = p.Wire()
				return nil
			})
		})
		if !errors.Is(err, errMoved) {
			return data, gone, err
		}
	}
	return nil, false, peer.ErrNotFound
}

// Key is my armored certificate: for who names its fingerprint, and, if I have
// public posts, for everybody.
func (h *Home) Key(ctx context.Context, fingerprint string) ([]byte, error) {
	me, err := h.people.Me()
	if err != nil {
		return nil, err
	}
	if fingerprint == string(me.Fingerprint()) {
		return me.Armor(), nil
	}
	if fingerprint != "" {
		return nil, peer.ErrNotFound
	}
	a, err := h.Public(ctx, wire.Question{Kind: wire.KindManifest})
	if err != nil {
		return nil, err
	}
	if len(a.Lines) == 0 {
		return nil, peer.ErrNotFound
	}
	return me.Armor(), nil
}

// StartServing makes ready to answer: a stat of every file of mine, old
// temporary files swept, requests from before refused as replays.
func (h *Home) StartServing(ctx context.Context, perKey float64) error {
	if _, err := h.secret(); err != nil {
		return err
	}
	h.served.start(h.opt.Now(), perKey)
	if err := h.root.Sweep("."); err != nil {
		h.opt.Log.Warn("old temporary files could not be swept", "error", err)
	}
	if _, err := h.people.Problems(); err != nil { // members that came by hand are noticed now, not when they first ask
		h.opt.Log.Warn("the people cannot all be read", "error", err)
	}
	me, err := h.mine()
	if err != nil {
		return err
	}
	return h.withIndex(ctx, func(x *index.Index) error { return h.sync(ctx, x, true, me) })
}

// often is how long an edit in place, which no folder's time tells of, may go
// unseen while nobody opens the file.
const often = time.Hour

// KeepLooking has a look at every file of mine each hour, until ctx ends.
func (h *Home) KeepLooking(ctx context.Context) {
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := h.ByHand(ctx); err != nil {
				h.opt.Log.Warn("the files could not all be looked at", "error", err)
			}
		}
	}
}
