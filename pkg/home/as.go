package home

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// As shows what a reader would get from me, in his order and to the byte, since
// it is got by asking as he would: for the lines of all he may see, and then for
// the posts. The zero reader is everybody. Only time, type, order and number of
// a View count here.
func (h *Home) As(ctx context.Context, reader pgp.Fingerprint, view View, show func(Entry) error) error {
	l, err := h.library()
	if err != nil {
		return err
	}
	now := h.opt.Now()
	ids, err := h.offeredTo(ctx, reader, now)
	if err != nil {
		return err
	}
	if !view.Oldest {
		slices.Reverse(ids)
	}
	shown := 0
	for part := range slices.Chunk(within(ids, view), wire.MaxItems/2) {
		entries, err := h.texted(ctx, reader, l, part, now)
		if err != nil {
			return err
		}
		if !view.Oldest {
			slices.Reverse(entries)
		}
		for _, e := range entries {
			if view.Type != "" && e.Post.Type() != view.Type {
				continue
			}
			if err := show(e); err != nil {
				return err
			}
			if shown++; shown == view.Limit {
				return nil
			}
		}
	}
	return context.Cause(ctx)
}

// texted asks for the texts of some posts, as many pages as they take; oldest
// first.
func (h *Home) texted(ctx context.Context, reader pgp.Fingerprint, l *library, ids []post.ID, now time.Time) (entries []Entry, err error) {
	me := l.all[0]
	for ids = slices.Clone(ids); len(ids) > 0; {
		a, err := h.Answer(ctx, reader, wire.Question{Kind: wire.KindIDs, Want: ids}, now)
		if err != nil {
			return nil, err
		}
		for _, item := range a.Items {
			p, err := post.Open(item, me.cert)
			if err != nil {
				return nil, errors.Join(ErrNoPost, err)
			}
			// He is told nothing of whom else it is for, nor that it is mine.
			entries = append(entries, Entry{Post: p, Name: l.names.of(p.ID().Author), Path: h.root.Path(me.Path(p.ID().Position))})
			ids = slices.DeleteFunc(ids, func(id post.ID) bool { return id == p.ID() })
		}
		if !a.More || len(a.Items) == 0 {
			break
		}
	}
	return entries, nil
}

// within leaves the ids of a view's time.
func within(ids []post.ID, view View) []post.ID {
	return slices.DeleteFunc(ids, func(id post.ID) bool {
		return !view.Since.IsZero() && id.Position < post.PositionAt(view.Since) || !view.Until.IsZero() && id.Position >= post.PositionAt(view.Until)
	})
}

// offeredTo asks for the lines of all that a reader may see.
func (h *Home) offeredTo(ctx context.Context, reader pgp.Fingerprint, now time.Time) ([]post.ID, error) {
	months, err := h.manifest(ctx, reader, nil, now)
	if err != nil {
		return nil, err
	}
	var ids []post.ID
	for _, line := range months {
		month, _, _ := strings.Cut(line, " ")
		lines, err := h.manifest(ctx, reader, []string{month}, now)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			v, err := wire.ParseLine(line)
			if err != nil {
				return nil, err
			}
			ids = append(ids, v.ID)
		}
	}
	return ids, nil
}

func (h *Home) manifest(ctx context.Context, reader pgp.Fingerprint, months []string, now time.Time) (lines []string, err error) {
	q := wire.Question{Kind: wire.KindManifest, Months: months}
	for {
		a, err := h.Answer(ctx, reader, q, now)
		if err != nil {
			return nil, err
		}
		lines = append(lines, a.Lines...)
		if !a.More || len(a.Lines) == 0 {
			return lines, nil
		}
		q.After = lines[len(lines)-1]
	}
}
