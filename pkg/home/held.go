package home

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
)

// held is everything known of the author's posts in a range.
type held struct {
	rows   map[post.Position]index.Row
	offers map[post.Position]index.Offer
}

func (k *keeper) held(v *index.View, from, to post.Position) (held, error) {
	in := held{rows: map[post.Position]index.Row{}}
	rows, err := v.Range(k.author(), from, to)
	if err != nil {
		return in, err
	}
	for _, r := range rows {
		in.rows[r.ID.Position] = r
	}
	in.offers, err = v.Offers(k.author(), from, to)
	return in, err
}

// Months implements pull.Keeper. The line of a month is worked out once, and
// again when something in it changed.
func (k *keeper) Months(ctx context.Context, at time.Time) (months wire.Months, err error) {
	var known []index.MonthLine
	err = k.view(ctx, func(v *index.View) (err error) {
		known, err = v.MonthLines(k.author())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, l := range known {
		m := wire.Month{Month: l.Month, Count: l.Count, Hash: l.Hash}
		if l.Count < 0 {
			err = k.update(ctx, func(tx *index.Tx) (err error) {
				m, err = k.month(tx, l.Month, at)
				return err
			})
		}
		if err != nil {
			return nil, err
		}
		if m.Count > 0 {
			months = append(months, m)
		}
	}
	return months, nil
}

// month works out the line of one month, and has the index keep it unless it
// depends on the moment or on what is noted.
func (k *keeper) month(tx *index.Tx, month string, at time.Time) (wire.Month, error) {
	first, end := post.Position(month), post.Position(month+"~")
	lines, plain, err := tx.Held(k.author(), first, end)
	if err != nil {
		return wire.Month{}, err
	}
	if !plain {
		in, err := k.held(&tx.View, first, end)
		if err != nil {
			return wire.Month{}, err
		}
		cert := k.tree.certificate()
		for _, p := range in.positions() {
			if l := in.line(k.author(), p, cert, at); l.Counted {
				lines = append(lines, l.Version)
			}
		}
	}
	m := wire.SumMonth(month, slices.Values(lines))
	if !plain {
		return m, nil
	}
	return m, tx.KeepMonthLine(k.author(), index.MonthLine(m))
}

// line is what is counted for one post, and whether anything is (spec W24):
// the line last offered, as long as what is held is what was held when it was
// noted; else the line of what is held.
func (in held) line(author pgp.Fingerprint, p post.Position, cert []byte, at time.Time) pull.Line {
	row, has := in.rows[p]
	o := in.offers[p]
	l := pull.Line{Version: post.Version{ID: post.ID{Author: author, Position: p}}}
	var hash []byte
	if has {
		l.Held, hash = row.Revision, row.Hash[:]
	}
	noted := o.Revision > 0 && bytes.Equal(o.Held, hash) && (len(o.Refused) == 0 || bytes.Equal(o.Refused, cert))
	switch {
	case noted:
		l.Revision, l.Hash = o.Revision, o.Hash
		l.Counted = true // what has expired of a text that is lacking, nobody knows here
	case has:
		l.Version, l.Same = row.Version, true
		l.Counted = row.Expires.IsZero() || row.Expires.After(at)
	}
	l.Counted = l.Counted && !o.Marked
	return l
}

func (in held) positions() []post.Position {
	all := maps.Clone(in.rows)
	for p := range in.offers {
		if _, ok := all[p]; !ok {
			all[p] = index.Row{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
