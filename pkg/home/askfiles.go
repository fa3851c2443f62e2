package home

import (
	"context"
	"errors"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/wire"
)

// stepFiles goes on with the files that are wanted, by the answer to the last
// question, nil before the first. What he does not give waits, as in a pull (spec
// A11).
func (h *Home) stepFiles(ctx context.Context, x *index.Index, w *asked, a *wire.Answer, message string) (*wire.Question, error) {
	q, err := w.nextPart(a)
	err = errors.Join(err, h.wholes(ctx, x, w.wanted.whole))
	w.wanted.whole = nil
	if q != nil && err == nil {
		return &wire.Question{Kind: wire.KindAttachment, File: q}, nil
	}
	if err = errors.Join(w.wanted.wrong, err); err != nil {
		return nil, h.rememberAsked(ctx, x, w, message, err)
	}
	return nil, nil
}

// nextPart takes a part of the file that was asked for, and says which one is
// wanted next; nil if nothing is, any more.
func (w *asked) nextPart(a *wire.Answer) (q *wire.FileQuestion, err error) {
	for {
		if w.file == nil {
			if w.file = w.wanted.next(); w.file == nil {
				return nil, nil
			}
		}
		switch {
		case a == nil:
			q, err = w.file.step(nil)
		case a.Part == nil:
			err = peer.ErrNotFound
		default:
			q, err = w.file.step(a.Part)
		}
		if a = nil; q != nil {
			return q, nil
		}
		w.file = nil
		if err := w.wanted.ended(err); err != nil {
			return nil, err
		}
	}
}
