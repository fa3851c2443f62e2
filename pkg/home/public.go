package home

import (
	"context"
	"errors"

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

// PublicState changes with every public post, and with nothing else.
func (h *Home) PublicState(ctx context.Context) (state string, err error) {
	me, err := h.mine()
	if err != nil {
		return "", err
	}
	now := h.opt.Now()
	err = h.withIndex(ctx, func(x *index.Index) error {
		if err := h.catchUp(ctx, x, me, false, false); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) error {
			changes, err := v.Changes(post.Grants{})
			if err != nil {
				return err
			}
			changed, err := v.Changed(me.cert.Fingerprint(), now)
			state = changes + " " + post.FormatTime(changed)
			return err
		})
	})
	return state, err
}

// PublicPost is one public post as it travels, or the Tombstone of one.
func (h *Home) PublicPost(ctx context.Context, position post.Position) (data []byte, gone bool, err error) {
	me, err := h.mine()
	if err != nil {
		return nil, false, err
	}
	for range moments {
		err = h.withIndex(ctx, func(x *index.Index) error {
			if err := h.catchUp(ctx, x, me, errors.Is(err, errMoved), false); err != nil {
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
