package home

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An Unnamed is a file beside the posts that no post names any more, or what came
// of one.
type Unnamed struct {
	SHA256 string
	Path   string
	Size   int64
}

// youngest is how old a file must be at least: that of a post which is being
// written is there before it.
const youngest = time.Hour

// settled is how old a text must be so that another change would show in its
// times, however coarse they are.
const settled = 2 * time.Second

// touched is when a file was last written or renamed.
func touched(s disk.Stat) time.Time { return time.Unix(0, max(s.Mtime, s.Ctime)) }

// RemoveUnnamed removes the files that no text in the home names, and that have
// lain there since before a moment, and tells each. Every text counts: of mine and
// of others, signed or not, in history, and in the trash unless it has lain there
// since before that moment too. With dry nothing is removed.
//
// Where posts are missing that were not taken back nothing is removed, and lost
// says how many: half a feed may be missing by mistake, or its disk not be mounted
// (spec F10).
//
// Most is looked at while others write; under the lock only what changed since.
// Whoever writes a post looks after that whether its files are there.
func (h *Home) RemoveUnnamed(ctx context.Context, before time.Time, dry bool, tell func(Unnamed) error) (lost int, err error) {
	if lost, err = h.lostPosts(ctx); err != nil || lost > 0 {
		return lost, err
	}
	n := naming{h: h, before: before, begun: h.opt.Now(), files: map[string]bool{}, seed: maphash.MakeSeed(), seen: map[uint64]bool{}}
	if err := n.look(ctx); err != nil {
		return 0, err
	}
	list, err := n.unnamed(ctx)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := n.look(ctx); err != nil {
		return 0, err
	}
	if list, err = n.unnamed(ctx); err != nil {
		return 0, err
	}
	for _, u := range list {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		if !dry {
			if err := h.root.Remove(u.name); err != nil {
				return 0, err
			}
		}
		if err := tell(Unnamed{u.sha256, h.root.Path(u.name), u.size}); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// lostPosts counts the posts whose files are not there, though nobody took them
// back.
func (h *Home) lostPosts(ctx context.Context) (n int, err error) {
	people, err := h.readable()
	if err != nil {
		return 0, err
	}
	trees, err := h.treesOf(people)
	if err != nil {
		return 0, err
	}
	err = h.withIndex(ctx, func(x *index.Index) error {
		if err := h.sync(ctx, x, true, trees...); err != nil {
			return err
		}
		n = 0
		return x.View(ctx, func(v *index.View) error {
			for _, t := range trees {
				rows, err := v.InState(t.author(), index.Removed)
				if err != nil {
					return err
				}
				n += len(rows)
			}
			return nil
		})
	})
	return n, err
}

// escapedLetter is a letter of ASCII as JSON may write it.
var escapedLetter = text.NewPattern(`\\u00[0-7][0-9A-Fa-f]`)

// A naming is what the texts in a home name.
type naming struct {
	h      *Home
	before time.Time
	begun  time.Time
	files  map[string]bool // by hash
	seed   maphash.Seed
	seen   map[uint64]bool // texts that were read, by name and stat
}

// look reads all texts that it has not read before.
func (n *naming) look(ctx context.Context) error {
	for _, top := range []string{string(feed.Mine), feed.Copies, "history", trash} {
		if err := n.lookIn(ctx, top); err != nil {
			return err
		}
	}
	return nil
}

func (n *naming) lookIn(ctx context.Context, dir string) error {
	entries, err := n.h.root.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name := path.Join(dir, e.Name)
		switch {
		case e.Dir && !strings.HasPrefix(e.Name, "."):
			err = n.lookIn(ctx, name)
		case e.Regular && e.Stat.Size <= post.MaxFile && !n.leaves(dir, e):
			err = n.read(name, e.Stat)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaves: a text in the trash that is no longer kept.
func (n *naming) leaves(dir string, e disk.Entry) bool {
	top, author, _ := strings.Cut(dir, "/")
	if top != trash {
		return false
	}
	t, ok := n.h.trashedFile(pgp.Fingerprint(author), dir, e)
	return ok && t.Since.Before(n.before)
}

// read notes whatever is written like the name of a file, however broken the text
// around it is.
func (n *naming) read(name string, stat disk.Stat) error {
	key := maphash.Comparable(n.seed, struct {
		string
		disk.Stat
	}{name, stat})
	if n.seen[key] {
		return nil
	}
	raw, stat, err := n.h.root.ReadFile(name, post.MaxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, disk.ErrTooLarge): // no post any more
		return nil
	case err != nil: // what it names is not guessed
		return fmt.Errorf("which files it names is not known: %w", err)
	}
	n.note(raw)
	if bytes.Contains(raw, []byte(`\u00`)) { // by hand: p2ps writes no hash so
		n.note(escapedLetter().ReplaceAllFunc(raw, func(m []byte) []byte {
			letter, _ := strconv.ParseUint(string(m[len(`\u`):]), 16, 8) // that is how it was found
			return []byte{byte(letter)}
		}))
	}
	if touched(stat).Before(n.begun.Add(-settled)) {
		n.seen[key] = true
	}
	return nil
}

func (n *naming) note(raw []byte) {
	scheme := []byte("sha256:")
	for {
		i := bytes.Index(raw, scheme)
		if i < 0 {
			return
		}
		raw = raw[i+len(scheme):]
		if len(raw) >= 64 && wire.IsSHA256(string(raw[:64])) {
			n.files[string(raw[:64])] = true
		}
	}
}

// A leftover is a file to be removed.
type leftover struct {
	name, sha256 string
	size         int64
}

// unnamed lists the files that nothing names, and parts of files that nothing
// names or that are there whole.
func (n *naming) unnamed(ctx context.Context) (list []leftover, err error) {
	folders, err := n.h.root.ReadDir(feed.Attachments)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if !f.Dir || len(f.Name) != 2 {
			continue
		}
		dir := feed.Attachments + "/" + f.Name
		entries, err := n.h.root.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		whole := map[string]bool{}
		for _, e := range entries {
			whole[e.Name] = true
		}
		for _, e := range entries {
			sha, arriving := e.Name, false
			if strings.HasPrefix(e.Name, ".") {
				sha, arriving = feed.ParseArriving(e.Name)
			}
			name := dir + "/" + e.Name
			since := touched(e.Stat)
			young := !since.Before(n.before) || !since.Before(n.begun.Add(-youngest))
			if !wire.IsSHA256(sha) || !e.Regular || young || path.Dir(feed.Attachment(sha)) != dir || n.files[sha] && (!arriving || !whole[sha]) {
				continue
			}
			list = append(list, leftover{name, sha, e.Stat.Size})
		}
	}
	return list, nil
}
