package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// marksFile bears a mark for each post that was read on this machine: the first
// 16 hexadecimal digits of the SHA-256 of its id, a line each, in order.
//
//	printf %s "$id" | sha256sum | cut -c1-16
//
// So a post that comes late, however old, is unread; two files are united by
// sort -u; and what is lost with the file is marks alone. An edit of what was
// read stays read.
const marksFile = "state/read"

const (
	markSize  = 17 // with its LF
	mostMarks = 64 << 20
)

func markOf(id post.ID) string {
	sum := sha256.Sum256([]byte(id.String()))
	return hex.EncodeToString(sum[:8])
}

// marks are the lines of the file, in order, and what names this content in the
// index.
type marks struct {
	data []byte
	name []byte
}

// markName is the stat of the file: two marks differ in it, since each is a
// new file.
func markName(s disk.Stat) []byte {
	return fmt.Appendf(nil, "%d %d %d %d", s.Size, s.Mtime, s.Ctime, s.Ino)
}

func (h *Home) marks() (marks, error) {
	data, stat, err := h.root.ReadFile(marksFile, mostMarks)
	if errors.Is(err, fs.ErrNotExist) {
		return marks{}, nil
	}
	return marks{data, markName(stat)}, err
}

// marksName is marks without reading the file.
func (h *Home) marksName() ([]byte, error) {
	info, err := h.root.Lstat(marksFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return markName(disk.StatOf(info)), nil
}

func (m marks) has(id post.ID) bool {
	want := []byte(markOf(id))
	_, found := sort.Find(len(m.data)/markSize, func(i int) int { return bytes.Compare(want, m.data[i*markSize:(i+1)*markSize-1]) })
	return found
}

// with are the marks and some more. Lines that are no marks are dropped.
func (m marks) with(ids []post.ID) []byte {
	var lines []string
	for line := range bytes.Lines(m.data) {
		if len(line) == markSize && line[markSize-1] == '\n' {
			lines = append(lines, string(line[:markSize-1]))
		}
	}
	for _, id := range ids {
		lines = append(lines, markOf(id))
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	out := make([]byte, 0, len(lines)*markSize)
	for _, l := range lines {
		out = append(append(out, l...), '\n')
	}
	return out
}

// followUnread brings the unread posts of the index in step with news and
// marks: with what came since, or, if the marks were changed by anything but
// MarkRead, from the beginning.
func (h *Home) followUnread(ctx context.Context, x *index.Index, me pgp.Fingerprint) error {
	name, err := h.marksName()
	if err != nil {
		return err
	}
	var is bool
	err = x.View(ctx, func(v *index.View) (err error) {
		is, err = v.UnreadIs(name)
		return err
	})
	if err != nil || is {
		return err
	}
	m, err := h.marks()
	if err != nil {
		return err
	}
	if len(m.data)%markSize != 0 || !slices.IsSortedFunc(slices.Collect(bytes.Lines(m.data)), bytes.Compare) {
		m.data = m.with(nil) // by another hand
	}
	marked := func(id post.ID) bool { return id.Author == me || m.has(id) }
	for more := true; more; {
		unlock, err := h.lockFor(x)(ctx)
		if err != nil {
			return err
		}
		more, err = x.FollowUnread(context.WithoutCancel(ctx), m.name, marked, 10*batch)
		unlock()
		if err := errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// MarkRead marks posts as read, durably. Marks of two commands at once are both
// kept.
func (h *Home) MarkRead(ctx context.Context, ids []post.ID) error {
	if len(ids) == 0 {
		return nil
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	before, err := h.marks()
	if err != nil {
		return err
	}
	data := before.with(ids)
	if bytes.Equal(data, before.data) {
		return nil
	}
	if err := h.root.WriteFile(marksFile, data, 0o600); err != nil {
		return err
	}
	after, err := h.marksName()
	x := h.openedIndex(ctx)
	if err != nil || x == nil {
		return err
	}
	if err := x.MarkRead(context.WithoutCancel(ctx), ids, before.name, after); err != nil {
		h.opt.Log.Debug("the index will follow the marks later", "error", err)
	}
	return nil
}
