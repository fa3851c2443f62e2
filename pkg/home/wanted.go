package home

import (
	"context"
	"errors"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// wanted are the files that the posts of one person name and that are not here,
// post by post, whichever road they come by: that of a pull, or of asking back.
type wanted struct {
	h    *Home
	tree tree
	most int64       // bytes; a greater file waits; 0 is no limit
	rows []index.Row // of posts that were not looked at yet

	post  *post.Post  // that is looked at
	files []post.File // of it, still to be looked at
	late  bool        // one of its files waits

	waiting int       // files that could not be had, or are too great
	whole   []post.ID // posts all of whose files are here, to be noted
	wrong   error     // of the files that are not what their posts say
}

// wanting looks up what is wanted of one person.
func (h *Home) wanting(ctx context.Context, x *index.Index, cert *pgp.Certificate, most int64) (*wanted, error) {
	w := &wanted{h: h, tree: tree{Tree: feed.Of(cert.Fingerprint()), cert: cert}, most: most}
	err := x.View(ctx, func(v *index.View) (err error) {
		w.rows, err = v.Wanting(cert.Fingerprint())
		return err
	})
	return w, err
}

// next is a file that is to come; nil if there is none any more.
func (w *wanted) next() *arrival {
	for {
		for len(w.files) > 0 {
			f := w.files[0]
			w.files = w.files[1:]
			switch {
			case w.h.Holds(f):
			case w.most > 0 && f.Size > w.most:
				w.waits()
			default:
				return &arrival{h: w.h, post: w.post.ID(), file: f}
			}
		}
		if w.post != nil && !w.late {
			w.whole = append(w.whole, w.post.ID())
		}
		w.post, w.late = nil, false
		if len(w.rows) == 0 {
			return nil
		}
		row := w.rows[0]
		w.rows = w.rows[1:]
		if p, err := w.h.reopen(w.tree, row); err == nil && (row.Expires.IsZero() || row.Expires.After(w.h.opt.Now())) {
			w.post, w.files = p, p.Files()
		}
	}
}

// waits notes that a file is left for another time.
func (w *wanted) waits() { w.waiting, w.late = w.waiting+1, true }

// ended takes how it went with a file. An error that concerns no other file is
// noted, and the next one may come; any other is returned.
func (w *wanted) ended(err error) error {
	switch {
	case errors.Is(err, ErrFile):
		w.wrong = errors.Join(w.wrong, err)
	case !errors.Is(err, peer.ErrNotFound):
		return err
	}
	w.waits()
	return nil
}

// bring fetches all that is wanted from a giver.
func (w *wanted) bring(ctx context.Context, from giver, arrived func(*arrival)) error {
	for a := w.next(); a != nil; a = w.next() {
		err := a.fetch(ctx, from)
		if err == nil {
			arrived(a)
		}
		if err := w.ended(err); err != nil {
			return err
		}
	}
	return nil
}
