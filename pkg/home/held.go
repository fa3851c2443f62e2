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
)

// held is everything known of the author's posts in a range.
type held struct {
	rows   map[post.Position]index.Row
	offers map[post.Position]index.Offer
}

func (k *keeper) held(ctx context.Context, from, to post.Position) (held, error) {
	in := held{rows: map[post.Position]index.Row{}}
	err := k.x.View(ctx, func(v *index.View) (err error) {
		rows, err := v.Range(k.author(), from, to)
		if err != nil {
			return err
		}
		for _, r := range rows {
			in.rows[r.ID.Position] = r
		}
		in.offers, err = v.Offers(k.author(), from, to)
		return err
	})
	return in, err
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
