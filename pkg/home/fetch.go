package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An Arrived is a file that came whole.
type Arrived struct {
	Post post.ID // that names it
	post.File
	Path string
}

const (
	tightGC       = 30 // per cent
	fetchingFiles = 2  // people whose files come at once
)

// errLater: the time for the files of one person is over; the next pull goes on.
var errLater = errors.New("the rest of the files comes with the next pull")

// fetchFiles brings the files that the posts of one person name, and that are not
// here. Which cannot be had, or are greater than most bytes, wait: they are
// looked for again by the next pull.
func (h *Home) fetchFiles(ctx context.Context, x *index.Index, l link, cert *pgp.Certificate, most int64, done *Pulled, tell func(Event)) error {
	var rows []index.Row
	err := x.View(ctx, func(v *index.View) (err error) {
		rows, err = v.Wanting(cert.Fingerprint())
		return err
	})
	if err != nil || len(rows) == 0 {
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
	var whole []post.ID
	var wrong error
	t := tree{Tree: feed.Of(cert.Fingerprint()), cert: cert}
	for _, row := range rows {
		p, err := h.reopen(t, row)
		if err != nil || !row.Expires.IsZero() && !row.Expires.After(h.opt.Now()) {
			continue
		}
		waiting, err := h.fetchOf(ctx, from, p, most, func(f post.File) {
			done.Files++
			tell(Event{File: &Arrived{p.ID(), f, h.FilePath(f)}})
		})
		done.Waiting += waiting
		switch {
		case errors.Is(err, ErrFile):
			wrong = errors.Join(wrong, err)
		case err != nil:
			return errors.Join(wrong, ignoreLater(ctx, err), h.wholes(ctx, x, whole))
		case waiting == 0:
			whole = append(whole, row.ID)
		}
	}
	return errors.Join(wrong, h.wholes(ctx, x, whole))
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

// fetchOf brings the files of one post, and tells how many wait.
func (h *Home) fetchOf(ctx context.Context, from giver, p *post.Post, most int64, arrived func(post.File)) (waiting int, err error) {
	var wrong error
	for _, f := range p.Files() {
		if h.Holds(f) {
			continue
		}
		if most > 0 && f.Size > most {
			waiting++
			continue
		}
		err := h.fetchFile(ctx, from, p.ID(), f)
		switch {
		case errors.Is(err, peer.ErrNotFound):
			waiting++
		case errors.Is(err, ErrFile):
			waiting++
			wrong = errors.Join(wrong, err)
		case err != nil:
			return waiting, err
		default:
			arrived(f)
		}
	}
	return waiting, wrong
}

// Holds tells whether a file is here, by its name and size.
func (h *Home) Holds(f post.File) bool {
	info, err := h.root.Lstat(feed.Attachment(f.SHA256))
	return err == nil && info.Mode().IsRegular() && info.Size() == f.Size
}

// fetchFile brings one file, or what is missing of it. It has its name only when
// its hash was found right, and is durable then.
func (h *Home) fetchFile(ctx context.Context, from giver, id post.ID, f post.File) error {
	partial, err := h.root.Partial(feed.Arriving(f.SHA256, id.Author), 0o600)
	if err != nil {
		return err
	}
	for {
		resumed := partial.Size() > 0
		sum, err := resume(partial, f.Size)
		if err == nil {
			into := io.MultiWriter(partial, sum) // in this order: what cannot be kept is not hashed
			err = h.stream(ctx, from, wire.FileQuestion{ID: id, SHA256: f.SHA256, Offset: partial.Size(), GCM: true}, f.Size, func(data []byte) error {
				_, err := into.Write(data)
				return err
			})
		}
		switch {
		case err != nil && errors.Is(err, ErrFile):
			return errors.Join(err, partial.Discard())
		case err != nil:
			return errors.Join(err, partial.Close()) // what came is verified, and stays
		case isHash(sum, f.SHA256):
			return partial.Commit(feed.Attachment(f.SHA256))
		case !resumed:
			return errors.Join(fmt.Errorf("%w: %s has another SHA-256", ErrFile, f.SHA256), partial.Discard())
		}
		if err := partial.Empty(); err != nil { // what was there before was spoiled
			return errors.Join(err, partial.Close())
		}
	}
}

// resume hashes what is there of a file of size bytes.
func resume(partial *disk.Partial, size int64) (hash.Hash, error) {
	sum := sha256.New()
	if partial.Size() > size {
		return sum, partial.Empty()
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{io.NewSectionReader(partial, 0, partial.Size())}, make([]byte, 256<<10))
	return sum, err
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
	return h.fetchOf(ctx, h.giverOf(l), p, 0, func(post.File) {})
}

// DropFile removes a file that is damaged, so that it can be fetched again.
func (h *Home) DropFile(f post.File) error {
	err := h.root.Remove(feed.Attachment(f.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
