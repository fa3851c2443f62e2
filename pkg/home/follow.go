package home

import (
	"context"
	"time"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// How often a followed timeline looks at the index, which every process that
// writes or pulls changes, and how many of these looks are also at the folders,
// for what was brought by other tools.
const (
	glance = 250 * time.Millisecond
	toLook = 4
)

// Follow is Read, and then each further post once, as it becomes known, until
// ctx ends; wait is called whenever all is shown.
func (h *Home) Follow(ctx context.Context, view View, show func(Entry) error, wait func() error) error {
	w := &follower{h: h, view: view, show: show, known: map[post.ID]bool{}}
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := h.Read(ctx, view, w.once); err != nil {
		return err
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for n := 1; ; n++ {
		if err := wait(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if err := w.look(ctx, n%toLook == 0); err != nil {
			return err
		}
	}
}

type follower struct {
	h     *Home
	view  View
	show  func(Entry) error
	known map[post.ID]bool // known when it began, or shown since

	generation string
	news       int64
}

// begin remembers all that is known already.
func (w *follower) begin(ctx context.Context) error {
	l, err := w.h.library()
	if err != nil {
		return err
	}
	return w.h.reading(ctx, l, func(x *index.Index) error {
		return x.View(ctx, func(v *index.View) (err error) {
			w.generation = x.Generation()
			if w.news, err = v.News(); err != nil {
				return err
			}
			w.known = map[post.ID]bool{}
			return v.Known(func(id post.ID) { w.known[id] = true })
		})
	})
}

// once shows what Read shows, and remembers it.
func (w *follower) once(e Entry) error {
	w.known[e.Post.ID()] = true
	return w.show(e)
}

// look shows what is new. A generation of the index that was made since tells
// everything anew; what is known is not shown again.
func (w *follower) look(ctx context.Context, folders bool) error {
	if !folders {
		if changed, err := w.changed(ctx); err != nil || !changed {
			return err
		}
	}
	l, err := w.h.library()
	if err != nil {
		return err
	}
	f, err := w.h.filter(l, w.view)
	if err != nil {
		return err
	}
	f.Oldest, f.Limit, f.Unread = true, 0, false
	var entries []Entry
	news, generation := int64(0), ""
	err = w.h.readingPage(ctx, l, !folders, func(x *index.Index) error {
		var rows []index.Row
		err := x.View(ctx, func(v *index.View) (err error) {
			generation = x.Generation()
			if news, err = v.News(); err != nil || news == w.news && generation == w.generation {
				return err
			}
			if f.News = w.news; generation != w.generation {
				f.News = 0
			}
			all, err := v.Timeline(f)
			for _, r := range all {
				if !w.known[r.ID] {
					rows = append(rows, r)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		entries, err = w.h.entries(ctx, rows, l)
		return err
	})
	if err != nil {
		return err
	}
	w.news, w.generation = news, generation
	for _, e := range entries {
		if w.view.Unread && e.Mine {
			continue
		}
		if err := w.once(e); err != nil {
			return err
		}
	}
	return nil
}

// changed tells whether the index has anything new.
func (w *follower) changed(ctx context.Context) (changed bool, err error) {
	err = w.h.withIndex(ctx, func(x *index.Index) error {
		return x.View(ctx, func(v *index.View) error {
			news, err := v.News()
			changed = news != w.news || x.Generation() != w.generation
			return err
		})
	})
	return changed, err
}
