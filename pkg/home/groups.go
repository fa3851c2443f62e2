package home

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
)

// Renamed is what RenameGroup did.
type Renamed struct {
	Posts   int      // of mine that name the group, and now by its new name
	Waiting []string // files changed by hand and not signed: they name it as they did
}

// RenameGroup gives a group another name, also in every post of mine that is
// for it. There is no moment at which a member sees less, or anybody more: the
// posts get the new name beside the old one, then the directory is renamed, and
// then the old name is taken out of them. Broken off at any point, it is
// finished by the same call again.
//
// Errors: keyring.ErrUnknown, ErrName, and ErrExists, also if posts bear the new
// name from an earlier time: its members of today would see those.
func (h *Home) RenameGroup(ctx context.Context, from, to string) (Renamed, error) {
	var done Renamed
	me, err := h.mine()
	if err != nil {
		return done, err
	}
	begun, err := h.checkRename(ctx, from, to)
	if err != nil {
		return done, err
	}
	r := renaming{h: h, me: me, from: from, to: to}
	if !begun {
		if err := r.pass(ctx, r.lacksNew, r.widen, r.renameDir); err != nil {
			return done, err
		}
	}
	if err := r.pass(ctx, r.hasBoth, r.narrow, r.renameRemoved); err != nil {
		return done, err
	}
	done.Posts, done.Waiting = r.posts, r.waiting
	return done, nil
}

// checkRename tells whether the directory has been renamed by a call that was
// broken off: posts that bear both names tell.
func (h *Home) checkRename(ctx context.Context, from, to string) (begun bool, err error) {
	if err := keyring.CheckGroupName(to); err != nil {
		return false, err
	}
	groups, err := h.people.Groups()
	if err != nil {
		return false, err
	}
	is := map[string]bool{}
	for _, g := range groups {
		is[g.Name] = true
	}
	rows, err := h.bearing(ctx, to)
	if err != nil {
		return false, err
	}
	both := slices.ContainsFunc(rows, func(r index.Row) bool { return slices.Contains(r.Audience.Groups, from) })
	switch _, taken := h.people.Find(to); {
	case !is[from] && is[to] && both:
		return true, nil
	case !is[from]:
		return false, fmt.Errorf("group %q: %w", from, keyring.ErrUnknown)
	case is[to], !errors.Is(taken, keyring.ErrUnknown):
		return false, fmt.Errorf("the name %q: %w", to, keyring.ErrExists)
	}
	for _, r := range rows {
		if !slices.Contains(r.Audience.Groups, from) {
			return false, fmt.Errorf("the name %q: %w: posts bear it from an earlier time, such as %s", to, keyring.ErrExists, r.ID.Position)
		}
	}
	return false, nil
}

// bearing lists the posts of mine whose audience names a group, in every state.
func (h *Home) bearing(ctx context.Context, group string) (rows []index.Row, err error) {
	me, err := h.mine()
	if err != nil {
		return nil, err
	}
	err = h.withIndex(ctx, func(x *index.Index) error {
		if err := h.sync(ctx, x, true, me); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) (err error) {
			rows, err = v.Range(me.cert.Fingerprint(), "", last)
			rows = slices.DeleteFunc(rows, func(r index.Row) bool { return !slices.Contains(r.Audience.Groups, group) })
			return err
		})
	})
	return rows, err
}
