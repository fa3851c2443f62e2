package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An arrival is one file on its way here. What has come of it was verified part by
// part, and lies under a name of its own, so that it goes on where it broke off,
// by whichever road. It has its own name only when its hash was found right, and
// is durable then.
type arrival struct {
	h    *Home
	post post.ID // that names it
	file post.File

	partial *disk.Partial // what has come; between open and leave
	sum     hash.Hash     // of that; nil if nobody has looked
	opened  bool
	old     bool // it may begin with what is from before, and spoiled
}

func (a *arrival) open() (err error) {
	a.partial, err = a.h.root.Partial(feed.Arriving(a.file.SHA256, a.post.Author), 0o600)
	if err != nil {
		return err
	}
	if !a.opened {
		a.opened, a.old = true, a.partial.Size() > 0
	}
	if a.partial.Size() > a.file.Size {
		if err := a.partial.Empty(); err != nil {
			return errors.Join(err, a.partial.Close())
		}
	}
	return nil
}

// look hashes what is there; what is taken then is hashed as it comes.
func (a *arrival) look() error {
	a.sum = sha256.New()
	there := io.NewSectionReader(a.partial, 0, a.partial.Size())
	_, err := io.CopyBuffer(struct{ io.Writer }{a.sum}, struct{ io.Reader }{there}, make([]byte, 256<<10))
	return err
}

func (a *arrival) question() wire.FileQuestion {
	return wire.FileQuestion{ID: a.post, SHA256: a.file.SHA256, Offset: a.partial.Size()}
}

// take adds the bytes of a part.
func (a *arrival) take(data []byte) error {
	_, err := a.partial.Write(data)
	if err == nil && a.sum != nil { // what cannot be kept is not hashed
		_, err = a.sum.Write(data)
	}
	return err
}

// leave gives it its name if all of it is there, and else keeps it for the next
// part, or, after an error, for another time. If what is there is wrong, but may be
// so from before, it is to begin again, once.
func (a *arrival) leave(err error) (again bool, _ error) {
	whole := a.partial.Size() == a.file.Size
	if err == nil && whole && a.sum == nil {
		err = a.look()
	}
	sum := a.sum
	a.sum = nil
	switch {
	case errors.Is(err, ErrFile):
		return false, errors.Join(err, a.partial.Discard())
	case err != nil || !whole:
		return false, errors.Join(err, a.partial.Close())
	case isHash(sum, a.file.SHA256):
		return false, a.partial.Commit(feed.Attachment(a.file.SHA256))
	case !a.old:
		return false, errors.Join(fmt.Errorf("%w: %s has another SHA-256", ErrFile, a.file.SHA256), a.partial.Discard())
	}
	a.old = false
	return true, errors.Join(a.partial.Empty(), a.partial.Close())
}

// fetch brings what is missing of it, part after part.
func (a *arrival) fetch(ctx context.Context, from giver) error {
	for again := true; again; {
		if err := a.open(); err != nil {
			return err
		}
		err := a.look()
		if err == nil {
			q := a.question()
			q.GCM = true
			err = a.h.stream(ctx, from, q, a.file.Size, a.take)
		}
		if again, err = a.leave(err); err != nil {
			return err
		}
	}
	return nil
}

// step takes a part that was asked for, nil before the first, and says which one
// is missing next; nil if it is all there.
func (a *arrival) step(part *wire.Part) (*wire.FileQuestion, error) {
	if a.h.Holds(a.file) { // by another road, meanwhile
		return nil, nil
	}
	for {
		if err := a.open(); err != nil {
			return nil, err
		}
		var err error
		if part != nil && part.Offset == a.partial.Size() { // else some came by another road
			if err = checkPart(part, part.Offset, a.file.Size); err == nil {
				err = a.take(part.Data)
			}
		}
		part = nil
		q := a.question()
		again, err := a.leave(err)
		switch {
		case err != nil || !again && q.Offset == a.file.Size:
			return nil, err
		case !again:
			return &q, nil
		}
	}
}
