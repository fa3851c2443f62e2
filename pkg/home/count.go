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

// A Shift is what a change of somebody's rights does to the posts of mine that
// are for some members of an audience. What everybody sees is not counted.
type Shift struct {
	Shown  int // he sees now, and did not before
	Hidden int // he saw before, and does not now
	Closed int // he saw neither before nor now
}

// Shift counts by the rule that answers him, so that a post which he sees by
// another group as well is neither shown nor hidden.
func (h *Home) Shift(ctx context.Context, before, after post.Grants, members ...string) (s Shift, err error) {
	err = h.mineIndexed(ctx, func(v *index.View, me pgp.Fingerprint) error {
		s = Shift{}
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
				saw, sees := post.Visible(r.Audience, before, r.ID.Position), post.Visible(r.Audience, after, r.ID.Position)
				switch {
				case sees && !saw:
					s.Shown++
				case saw && !sees:
					s.Hidden++
				case !saw:
					s.Closed++
				}
			}
		}
		return nil
	})
	return s, err
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
