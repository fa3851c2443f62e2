package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// An Arrived is a file that came whole.
type Arrived struct {
	Post post.ID // that names it
	post.File
	Path string
}

const fetchingFiles = 2 // people whose files come at once

// errLater: it is as much of one person's, or has taken as long, as one pull may;
// the next one goes on.
var errLater = errors.New("the rest comes with the next pull")

// fetchFiles brings the files that the posts of one person name, and that are not
// here. Which cannot be had, or are greater than most bytes, wait: they are
// looked for again by the next pull.
func (h *Home) fetchFiles(ctx context.Context, x *index.Index, l link, cert *pgp.Certificate, most int64, done *Pulled, tell func(Event)) error {
	w, err := h.wanting(ctx, x, cert, most)
	if err != nil || len(w.rows) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, runTime, errLater)
	defer cancel()
	select { // few at once: each has its parts in memory
	case h.fetching <- struct{}{}:
		defer func() { <-h.fetching }()
	case <-ctx.Done():
		return ignoreLater(ctx, context.Cause(ctx))
	}
	// The parts lie in the same memory all the time. What is left over beside them
	// is little, and must not double it before it is collected.
	defer h.collector.at(tightGC)()
	from := h.giverOf(l)
	defer func() { done.Bytes += from.came() }()
	err = w.bring(ctx, from, func(a *arrival) {
		done.Files++
		tell(Event{File: &Arrived{a.post, a.file, h.FilePath(a.file)}})
	})
	done.Waiting += w.waiting
	return errors.Join(w.wrong, ignoreLater(ctx, err), h.wholes(ctx, x, w.whole))
}

func ignoreLater(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errLater) {
		return nil
	}
	return err
}

// wholes notes the posts all of whose files are here.
func (h *Home) wholes(ctx context.Context, x *index.Index, ids []post.ID) error {
	if len(ids) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return x.Update(ctx, func(tx *index.Tx) error {
		for _, id := range ids {
			if err := tx.Whole(id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Holds tells whether a file is here, by its name and size.
func (h *Home) Holds(f post.File) bool {
	info, err := h.root.Lstat(feed.Attachment(f.SHA256))
	return err == nil && info.Mode().IsRegular() && info.Size() == f.Size
}

// FetchFiles brings the files of one post of somebody else that are not here, as
// `pull` does, and tells how many there are that cannot be had.
func (h *Home) FetchFiles(ctx context.Context, p *post.Post, timeout time.Duration) (waiting int, err error) {
	unlock, err := h.root.Lock(ctx, pullLockFile, h.opt.Wait)
	if err != nil {
		return 0, err
	}
	defer unlock()
	who, err := h.people.Find(string(p.ID().Author))
	if err != nil {
		return 0, err
	}
	if who.Blocked {
		return 0, fmt.Errorf("%s is blocked: %w", who.Name, keyring.ErrUnknown)
	}
	cert, err := h.people.Certificate(who.Fingerprint)
	if err != nil {
		return 0, err
	}
	client := peer.NewClient(timeout)
	defer client.Close()
	l, err := h.linkTo(ctx, client, &seeker{h: h}, who, cert, nil)
	if err != nil {
		return 0, err
	}
	w := &wanted{h: h, post: p, files: p.Files()}
	err = w.bring(ctx, h.giverOf(l), func(*arrival) {})
	return w.waiting, errors.Join(w.wrong, err)
}

// DropFile removes a file that is damaged, so that it can be fetched again.
func (h *Home) DropFile(f post.File) error {
	err := h.root.Remove(feed.Attachment(f.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
