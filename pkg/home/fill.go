package home

import (
	"context"
	"errors"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
)

// fill reads all files into a new index.
func (h *Home) fill(ctx context.Context, x *index.Index) error {
	trees, err := h.trees()
	if err != nil {
		return err
	}
	// Much is read and soon forgotten, beside a heap that is small.
	defer h.collector.at(looseGC)()
	return x.Load(ctx, func() error { return h.load(ctx, x, trees) })
}

// filled fills a new index and takes it into use: in place of whatever is, or,
// unless that is wanted, only if no other process was quicker; else that one's
// is used. Nobody sees it before it is whole.
func (h *Home) filled(ctx context.Context, x *index.Index, replace bool) (*index.Index, error) {
	if err := h.fill(ctx, x); err != nil {
		return nil, errors.Join(err, x.Discard())
	}
	unlock, err := h.lockFor(x)(ctx)
	if err != nil {
		return nil, errors.Join(err, x.Discard())
	}
	defer unlock()
	if !replace && x.IsShared() {
		if quicker := index.Opened(ctx, h.root); quicker != nil {
			return quicker, x.Discard()
		}
	}
	if err := x.Publish(); err != nil {
		return nil, errors.Join(err, x.Discard())
	}
	return x, nil
}

// Remake makes the index anew, and takes it into use. What is only remembered,
// and stands in no file, is lost with the old one: which posts friends offer no
// more, and how pulls went.
func (h *Home) Remake(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	x, err := index.Create(ctx, h.root)
	if err != nil {
		return err
	}
	if x, err = h.filled(ctx, x, true); err != nil {
		return err
	}
	if h.index != nil {
		_ = h.index.Close() // nothing in it is missed
	}
	h.index = x
	return nil
}

// A stack is some files of one folder, on the way into a new index.
type stack struct {
	t     tree
	dir   string
	files []feed.File
	found []finding
}

// load reads all files of trees into an index that holds nothing. Folders are
// listed, files read and verified, and rows written side by side; what is on
// the way is bounded.
func (h *Home) load(ctx context.Context, x *index.Index, trees []tree) error {
	const size = 128 // files of a stack
	now := h.opt.Now()
	var (
		listed = make(chan stack, 4)
		read   = make(chan stack, 16)
		dirs   = map[string]feed.Folder{}
	)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(listed)
		for _, t := range trees {
			err := t.Scan(h.root, feed.Look{Full: true, Seed: t.seed, Now: now}, func(l feed.Listing) error {
				dirs[l.Dir] = l.Folder
				files := l.Files(t.Tree)
				for i := 0; i < len(files); i += size {
					select {
					case listed <- stack{t: t, dir: l.Dir, files: files[i:min(i+size, len(files))]}:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	h.readStacks(ctx, g, listed, read, now)
	g.Go(func() error { return writeStacks(ctx, x, read, dirs) })
	return g.Wait()
}

// readStacks reads and verifies on all cores.
func (h *Home) readStacks(ctx context.Context, g *errgroup.Group, listed <-chan stack, read chan<- stack, now time.Time) {
	var readers errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() error {
			for s := range listed {
				s.found = make([]finding, len(s.files))
				for i, f := range s.files {
					s.found[i] = h.examine(s.t, s.dir, f, nil, now)
				}
				select {
				case read <- s:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(read)
		return readers.Wait()
	})
}

// writeStacks writes rows, many in a transaction, and at last the folders.
func writeStacks(ctx context.Context, x *index.Index, read <-chan stack, dirs map[string]feed.Folder) error {
	const most = 20_000 // rows of a transaction
	unread := map[string]bool{}
	for more := true; more; {
		err := x.Update(ctx, func(tx *index.Tx) error {
			for n := 0; n < most; {
				var s stack
				select {
				case s, more = <-read:
				case <-ctx.Done():
					return ctx.Err()
				}
				if !more {
					return nil
				}
				for _, f := range s.found {
					unread[s.dir] = unread[s.dir] || f.unread
					if err := f.record(tx, s.t); err != nil {
						return err
					}
				}
				n += len(s.found)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return x.Update(ctx, func(tx *index.Tx) error {
		for dir, f := range dirs { // all are listed: the last stack was read
			if unread[dir] {
				f = feed.Folder{}
			}
			if err := tx.PutDir(dir, index.Dir(f)); err != nil {
				return err
			}
		}
		return nil
	})
}
