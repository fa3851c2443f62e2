package home

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// trash is the folder of what was deleted or taken back.
const trash = "trash"

// A Trashed is one text in the trash.
type Trashed struct {
	ID       post.ID
	Revision int64
	Path     string
	Size     int64
	Since    time.Time // it lies there
}

// Sweep removes what crashes left of files that were being written.
func (h *Home) Sweep() error { return h.root.Sweep(".") }

// EmptyTrash removes the texts that have lain in the trash since before a
// moment, and tells each. With dry nothing is removed. What is no text of a post
// there is left alone.
func (h *Home) EmptyTrash(ctx context.Context, before time.Time, dry bool, tell func(Trashed) error) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	authors, err := h.root.ReadDir(trash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, a := range authors {
		fpr, err := pgp.ParseFingerprint(a.Name)
		if !a.Dir || err != nil {
			continue
		}
		dir := feed.Aside(trash, fpr)
		entries, err := h.root.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			t, ok := h.trashedFile(fpr, dir, e)
			if !ok || !t.Since.Before(before) {
				continue
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if !dry {
				if err := h.root.Remove(dir + "/" + e.Name); err != nil {
					return err
				}
			}
			if err := tell(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// trashedFile reads what the name of a file in the trash says. It lies there
// since it was written or, a copy that was taken back, renamed: the later of its
// two times.
func (h *Home) trashedFile(author pgp.Fingerprint, dir string, e disk.Entry) (Trashed, bool) {
	position, revision, ok := feed.ParseAside(e.Name)
	n, err := strconv.ParseInt(revision, 10, 64)
	if !ok || err != nil || !e.Regular {
		return Trashed{}, false
	}
	return Trashed{post.ID{Author: author, Position: position}, n, h.root.Path(dir + "/" + e.Name), e.Stat.Size,
		touched(e.Stat)}, true
}
