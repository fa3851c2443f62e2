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
		return v.Audiences(me, members, h.opt.Now(), func(a post.Audience, count func(from, to post.Position) int) {
			if a.Public {
				return
			}
			saw, sees := firstOf(before, a), firstOf(after, a)
			s.Shown += count(sees, saw)
			s.Hidden += count(saw, sees)
			s.Closed += count("", min(saw, sees))
		})
	})
	return s, err
}

// firstOf is the position from which the reader of g sees the posts of an
// audience: after all if he sees none.
func firstOf(g post.Grants, a post.Audience) post.Position {
	if from, sees := g.From(a); sees {
		return from
	}
	return last
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
