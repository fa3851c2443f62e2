package home

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A tree is one author's folder, with the key that verifies it.
type tree struct {
	feed.Tree
	cert *pgp.Certificate // nil: find has it; most of what is read needs no key
	mine bool

	fpr  pgp.Fingerprint // if cert is nil
	find func() (*pgp.Certificate, error)
}

// author is whose tree it is.
func (t tree) author() pgp.Fingerprint {
	if t.cert == nil {
		return t.fpr
	}
	return t.cert.Fingerprint()
}

// key is the certificate that verifies what is in the tree.
func (t tree) key() (*pgp.Certificate, error) {
	if t.cert == nil {
		return t.find()
	}
	return t.cert, nil
}

// opener verifies the posts of my own tree, with the audience that stands in
// them, or of another.
func opener(mine bool) func([]byte, *pgp.Certificate) (*post.Post, error) {
	if mine {
		return post.OpenMine
	}
	return post.Open
}

func (h *Home) mine() (tree, error) {
	cert, err := h.people.Me()
	return tree{Tree: feed.Mine, cert: cert, mine: true}, err
}

// trees are my own and those of everybody whose posts I read.
func (h *Home) trees() ([]tree, error) {
	people, err := h.readable()
	if err != nil {
		return nil, err
	}
	return h.treesOf(people)
}

func (h *Home) treesOf(people []keyring.Person) ([]tree, error) {
	me, err := h.mine()
	if err != nil {
		return nil, err
	}
	all := []tree{me}
	for _, p := range people {
		find := sync.OnceValues(func() (*pgp.Certificate, error) { return h.people.Certificate(p.Fingerprint) })
		all = append(all, tree{Tree: feed.Of(p.Fingerprint), fpr: p.Fingerprint, find: find})
	}
	return all, nil
}

// readable are friends and followed people, but for the blocked.
func (h *Home) readable() ([]keyring.Person, error) {
	people, err := h.people.Known()
	return slices.DeleteFunc(people, func(p keyring.Person) bool { return p.Blocked }), err
}

// seed makes the sums of a tree's folders differ as soon as its key does: what
// did not verify may verify now.
func (t tree) seed() uint64 {
	cert, err := t.key()
	if err != nil {
		return 0 // nothing of his verifies
	}
	return binary.BigEndian.Uint64(tree{cert: cert}.certificate())
}

// sync brings the index in step with the files: added, renamed, removed ones
// always; with full also the ones edited in place.
func (h *Home) sync(ctx context.Context, x *index.Index, full bool, trees ...tree) error {
	known, err := h.folders(ctx, x, trees)
	if err != nil {
		return err
	}
	for _, t := range trees {
		if err := h.scan(ctx, x, t, feed.Look{Known: known[t.Tree], Full: full}, h.lockFor(x)); err != nil {
			return err
		}
	}
	return nil
}

// syncMine is sync of my own tree, shared by all who come while another one runs.
// As long as nobody wrote to the index, what it says of my folders is remembered:
// of a million posts there are a hundred folders.
func (h *Home) syncMine(ctx context.Context, x *index.Index, me tree) error {
	l := &h.served.synced
	return l.share(x, func() error {
		writes, err := x.Writes(ctx)
		if err != nil {
			return err
		}
		if l.of == x && l.writes == writes && l.still.Is(h.root) {
			return nil
		}
		known, err := h.folders(ctx, x, []tree{me})
		if err != nil {
			return err
		}
		l.still, l.writes = me.StillOf(known[me.Tree]), writes
		return h.scan(ctx, x, me, feed.Look{Known: known[me.Tree]}, h.lockFor(x))
	})
}

// A lastSync is the last sync of one tree.
type lastSync struct {
	mu    sync.Mutex // held while it runs
	begun atomic.Int64
	of    *index.Index
	err   error

	still  *feed.Still // the folders as the index had them
	writes int64       // when it had so many
}

// share runs a sync, unless one ran that began after its caller came: so he is
// told of all that was there then.
func (l *lastSync) share(x *index.Index, sync func() error) error {
	came := l.begun.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.Load() > came && l.of == x && l.err == nil {
		return nil
	}
	l.begun.Add(1)
	err := sync()
	l.of, l.err = x, err
	return err
}

// A lock is taken for one batch of changes.
type lock func(context.Context) (unlock func(), err error)

// lockFor is the lock of the home; an index that nobody else sees needs none.
func (h *Home) lockFor(x *index.Index) lock {
	if x.IsShared() {
		return h.lock
	}
	return unneeded
}

// unneeded is a lock that nobody else wants, or that is held already.
func unneeded(context.Context) (unlock func(), err error) { return func() {}, nil }

// scan takes the changed folders of a tree into the index. What it knows of one
// is asked for while the folder is listed: of many files both take long.
func (h *Home) scan(ctx context.Context, x *index.Index, t tree, look feed.Look, lock lock) error {
	var (
		asking sync.WaitGroup
		listed string // the folder
		k      folder
		err    error
	)
	defer asking.Wait()
	look.Seed, look.Now = t.seed, h.opt.Now()
	look.Listing = func(dir string) {
		asking.Wait() // for one that did not differ
		listed = dir
		asking.Go(func() { k, err = h.known(ctx, x, t, dir) })
	}
	return t.Scan(h.root, look, func(l feed.Listing) error {
		if asking.Wait(); l.Dir != listed {
			k, err = h.known(ctx, x, t, l.Dir)
		}
		if err != nil {
			return err
		}
		return h.follow(ctx, x, t, l, k, look.Now, lock)
	})
}

// folders are those of several trees, as they were last listed. They are asked
// for at once: who has many friends has many trees.
func (h *Home) folders(ctx context.Context, x *index.Index, trees []tree) (map[feed.Tree]map[string]feed.Folder, error) {
	out := make(map[feed.Tree]map[string]feed.Folder, len(trees))
	tops := map[string]bool{}
	for _, t := range trees {
		out[t.Tree] = map[string]feed.Folder{}
		top := string(t.Tree)
		if len(trees) > 1 {
			top, _, _ = strings.Cut(top, "/")
		}
		tops[top] = true
	}
	err := x.View(ctx, func(v *index.View) error {
		for top := range tops {
			dirs, err := v.Dirs(top)
			if err != nil {
				return err
			}
			for dir, d := range dirs {
				if known := out[treeOf(dir)]; known != nil {
					known[dir] = feed.Folder(d)
				}
			}
		}
		return nil
	})
	return out, err
}

// treeOf is the tree that a folder is in.
func treeOf(dir string) feed.Tree {
	top, rest, _ := strings.Cut(dir, "/")
	if top != feed.Copies {
		return feed.Tree(top)
	}
	author, _, _ := strings.Cut(rest, "/")
	return feed.Of(pgp.Fingerprint(author))
}
