package pull

import (
	"context"
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// monthLines takes the owner's month lines, and asks for the post lines of the
// months that differ.
func (w *Walk) monthLines(ctx context.Context, a wire.Answer) (*wire.Question, error) {
	last := w.asked.After
	for _, s := range a.Lines {
		m, err := wire.ParseMonth(s)
		if n := len(w.months); err != nil || s <= last || n > 0 && m.Month <= w.months[n-1].Month {
			return nil, fmt.Errorf("%w: its month lines are not in order", ErrPeer)
		}
		last = s
		w.months = append(w.months, m)
	}
	if a.More {
		return w.further(wire.Question{Kind: wire.KindManifest, After: last}, w.monthLines)
	}
	w.at = a.Time
	mine, err := w.keeper.Months(ctx, w.at)
	if err != nil {
		return nil, err
	}
	w.differ = mine.Differ(w.months)
	return w.nextMonths(ctx)
}

// further goes on with a list, unless it did not get on.
func (w *Walk) further(q wire.Question, then func(context.Context, wire.Answer) (*wire.Question, error)) (*wire.Question, error) {
	if q.After == w.asked.After {
		return nil, fmt.Errorf("%w: a page is empty although there is more", ErrPeer)
	}
	return w.ask(q, then)
}

// nextMonths asks for the lines of months in which the owner has any; what I
// hold in the others he offers no more, and no question is needed to see it.
func (w *Walk) nextMonths(ctx context.Context) (*wire.Question, error) {
	w.differ = w.differ[:min(len(w.differ), wire.MaxMonths)] // the rest waits for the next pull
	his := make(map[string]bool, len(w.months))
	for _, m := range w.months {
		his[m.Month] = true
	}
	ask := slices.DeleteFunc(slices.Clone(w.differ), func(month string) bool { return !his[month] })
	if len(ask) == 0 {
		return w.compare(ctx)
	}
	return w.ask(wire.Question{Kind: wire.KindManifest, Months: ask}, w.postLines)
}

// postLines takes the post lines of the months asked about.
func (w *Walk) postLines(ctx context.Context, a wire.Answer) (*wire.Question, error) {
	last := w.asked.After
	for _, s := range a.Lines {
		v, err := wire.ParseLine(s)
		n := len(w.lines)
		if err != nil || s <= last || n > 0 && v.ID.Position <= w.lines[n-1].ID.Position || w.opt.Author != "" && v.ID.Author != w.opt.Author ||
			!slices.Contains(w.asked.Months, v.ID.Position.Month()) {
			return nil, fmt.Errorf("%w: its post lines are not in order", ErrPeer)
		}
		last = s
		w.lines = append(w.lines, v)
	}
	if a.More {
		return w.further(wire.Question{Kind: wire.KindManifest, Months: w.asked.Months, After: last}, w.postLines)
	}
	return w.compare(ctx)
}

// compare finds what is lacking, older or other, and what the owner does not
// offer (spec W27).
func (w *Walk) compare(ctx context.Context) (*wire.Question, error) {
	mine, err := w.keeper.Lines(ctx, w.differ, w.at)
	if err != nil {
		return nil, err
	}
	known := make(map[post.ID]Line, len(mine))
	for _, l := range mine {
		known[l.ID] = l
	}
	w.offered = make(map[post.ID]post.Version)
	var note []post.Version
	for _, v := range w.lines {
		l, ok := known[v.ID]
		delete(known, v.ID)
		switch {
		case ok && l.Counted && l.Version == v:
		case ok && (l.Held > v.Revision || l.Same && l.Version == v):
			note = append(note, v)
		default:
			w.want = append(w.want, v.ID)
			w.offered[v.ID] = v
		}
	}
	for _, l := range mine { // in order
		if left, ok := known[l.ID]; ok && left.Counted {
			w.have = append(w.have, l.ID)
		}
	}
	if len(note) > 0 {
		if err := w.keeper.Note(ctx, note); err != nil {
			return nil, err
		}
	}
	return w.nextIDs(ctx)
}

// nextIDs asks about what is still open, as much as one question holds.
func (w *Walk) nextIDs(ctx context.Context) (*wire.Question, error) {
	if len(w.have)+len(w.want) == 0 {
		return w.conclude(ctx)
	}
	have := min(len(w.have), w.opt.IDs)
	want := min(len(w.want), w.opt.IDs-have)
	return w.ask(wire.Question{Kind: wire.KindIDs, Have: w.have[:have], Want: w.want[:want]}, w.ids)
}

// ids takes posts that were asked for by name, and what was said to have.
func (w *Walk) ids(ctx context.Context, a wire.Answer) (*wire.Question, error) {
	if err := w.withdraw(ctx, a.Gone); err != nil {
		return nil, err
	}
	silent := slices.DeleteFunc(slices.Clone(w.asked.Have), func(id post.ID) bool { return slices.Contains(a.Gone, id) })
	if len(silent) > 0 {
		if err := w.keeper.Unoffered(ctx, silent); err != nil {
			return nil, err
		}
	}
	w.have = w.have[len(w.asked.Have):]
	items, got := w.wanted(a.Items)
	if err := w.keeper.Keep(ctx, items, w.offered); err != nil {
		return nil, err
	}
	if a.More && len(got) == 0 {
		return nil, fmt.Errorf("%w: a page is empty although there is more", ErrPeer)
	}
	rest := slices.DeleteFunc(slices.Clone(w.asked.Want), func(id post.ID) bool { return got[id] })
	w.want = w.want[len(w.asked.Want):]
	if a.More { // what did not fit is asked for again; what was left out is not
		w.want = append(rest, w.want...)
	}
	return w.nextIDs(ctx)
}

// wanted picks the items that this question asked for, each once.
func (w *Walk) wanted(items []ijson.Value) ([]ijson.Value, map[post.ID]bool) {
	got := make(map[post.ID]bool)
	var kept []ijson.Value
	for _, item := range items {
		id, err := identify(item)
		if err != nil || got[id] || !slices.Contains(w.asked.Want, id) {
			continue
		}
		got[id] = true
		kept = append(kept, item)
	}
	return kept, got
}

// conclude is the second and last comparison of a walk.
func (w *Walk) conclude(ctx context.Context) (*wire.Question, error) {
	mine, err := w.keeper.Months(ctx, w.at)
	if err != nil {
		return nil, err
	}
	w.Count, _ = w.months.Digest()
	w.Differ = mine.Differ(w.months)
	w.Complete = len(w.Differ) == 0
	return w.end()
}
