package home

import (
	"context"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// publicLink walks the public pages of somebody whom I follow: nothing is
// given, and nothing told of me.
type publicLink struct{ place }

// Back implements link: a public page asks nothing.
func (l *publicLink) Back(context.Context, wire.Answer) (Given, error) { return Given{}, nil }

// Room implements link.
func (l *publicLink) Room(wire.Question) int { return wire.MaxIDs / 10 }

// page is a public page of posts or lines.
type page struct {
	Items  []ijson.Value `json:"items"`
	Lines  []string      `json:"lines"`
	More   bool          `json:"more"`
	Count  *int          `json:"count"`
	Digest string        `json:"digest"`
}

// Ask implements link: each question becomes one GET or, for ids, one each.
func (l *publicLink) Ask(ctx context.Context, q wire.Question) (a wire.Answer, err error) {
	a = wire.Answer{Kind: q.Kind, Time: l.h.opt.Now().UTC().Truncate(time.Second)}
	if q.Kind != wire.KindManifest {
		for _, id := range append(q.Have[:len(q.Have):len(q.Have)], q.Want...) {
			if err := l.one(ctx, id, &a, q.Kind == wire.KindIDs); err != nil {
				return a, err
			}
		}
	}
	if q.Kind == wire.KindIDs {
		return a, nil
	}
	var got *peer.Page
	err = l.try(func(base string) error {
		limit, err := l.limit(wire.MaxAnswer)
		if err != nil {
			return err
		}
		if q.Kind == wire.KindPosts {
			got, err = l.client.Posts(ctx, base, q.After, limit)
		} else {
			got, err = l.client.Lines(ctx, base, q.Months, limit)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	return a, l.read(got, &a)
}

func (l *publicLink) read(got *peer.Page, a *wire.Answer) error {
	l.bytes += int64(len(got.Body))
	var p page
	if err := ijson.Unmarshal(got.Body, &p); err != nil {
		return err
	}
	if !got.Date.IsZero() {
		a.Time = got.Date.UTC()
	}
	a.Items, a.Lines, a.More, a.Count, a.Digest = p.Items, p.Lines, p.More, p.Count, p.Digest
	return nil
}

// one asks about one public post. Only a Tombstone signed by its author takes
// it back.
func (l *publicLink) one(ctx context.Context, id post.ID, a *wire.Answer, want bool) error {
	return l.try(func(base string) error {
		limit, err := l.limit(post.MaxFile)
		if err != nil {
			return err
		}
		got, err := l.client.Post(ctx, base, string(id.Position), limit)
		if err != nil {
			return err
		}
		l.bytes += max(int64(len(got.Body)), leastBytes)
		switch got.Status {
		case 200:
			if want {
				a.Items = append(a.Items, got.Body)
			}
		case 410:
			if p, err := post.Open(got.Body, l.cert); err == nil && p.Tombstone() && p.Public() && p.ID() == id && l.newer(ctx, p) {
				a.Gone = append(a.Gone, id)
			}
		}
		return nil
	})
}

// leastBytes is what any answer costs of MaxRun, so that no number of empty
// ones goes on for ever.
const leastBytes = 512

// newer tells that a Tombstone is not of before the text that is held: a post
// may have been deleted and restored, and its Tombstone kept by somebody.
func (l *publicLink) newer(ctx context.Context, tombstone *post.Post) bool {
	row, held := l.h.row(ctx, tombstone.ID())
	return !held || tombstone.Standing().Beats(row.Standing())
}
