package home

import (
	"context"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Counts says how many posts of mine stand for each member of an audience: the
// name of a group, "friends", a fingerprint as URI, "as:Public".
func (h *Home) Counts(ctx context.Context) (counts map[string]int, err error) {
	err = h.mineIndexed(ctx, func(v *index.View, me pgp.Fingerprint) (err error) {
		counts, err = v.Counts(me)
		return err
	})
	return counts, err
}

// CountFor counts the posts of mine that stand for any of the given members of
// an audience: those before a position, which a history that begins there
// hides, and those from it on, which it shows. What everybody sees is not
// counted.
func (h *Home) CountFor(ctx context.Context, from post.Position, members ...string) (before, after int, err error) {
	err = h.mineIndexed(ctx, func(v *index.View, me pgp.Fingerprint) error {
		before, after = 0, 0
		seen := map[post.Position]bool{}
		for _, m := range members {
			rows, err := v.Timeline(index.Filter{Authors: []pgp.Fingerprint{me}, Audience: m, At: h.opt.Now()})
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.Audience.Public || seen[r.ID.Position] {
					continue
				}
				seen[r.ID.Position] = true
				if r.ID.Position < from {
					before++
				} else {
					after++
				}
			}
		}
		return nil
	})
	return before, after, err
}

// mineIndexed looks at my own posts, in an index in step with their files.
func (h *Home) mineIndexed(ctx context.Context, look func(v *index.View, me pgp.Fingerprint) error) error {
	me, err := h.mine()
	if err != nil {
		return err
	}
	return h.withIndex(ctx, func(x *index.Index) error {
		if err := h.sync(ctx, x, false, me); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) error { return look(v, me.cert.Fingerprint()) })
	})
}
