package home

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// batch is how many files one transaction takes in, so that no lock is held
// for a second.
const batch = 1000

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
	people, err := h.people.Friends()
	if err != nil {
		return nil, err
	}
	follows, err := h.people.Follows()
	if err != nil {
		return nil, err
	}
	var out []keyring.Person
	for _, p := range append(people, follows...) {
		if !p.Blocked {
			out = append(out, p)
		}
	}
	return out, nil
}

// sync brings the index in step with the files: added, renamed, removed ones
// always; with full also the ones edited in place.
func (h *Home) sync(ctx context.Context, x *index.Index, full bool, trees ...tree) error {
	lock := func() (func(), error) { return h.lock(ctx) }
	if !x.IsShared() {
		lock = alone
	}
	for _, t := range trees {
		if err := h.scan(ctx, x, t, full, lock); err != nil {
			return err
		}
	}
	return nil
}

// alone is the lock of an index that nobody else sees.
func alone() (unlock func(), err error) { return func() {}, nil }

func (h *Home) scan(ctx context.Context, x *index.Index, t tree, full bool, lock func() (func(), error)) error {
	now := h.opt.Now()
	listings, err := h.listings(ctx, x, t, full, now)
	if err != nil || len(listings) == 0 {
		return err
	}
	for _, l := range listings {
		if err := h.follow(ctx, x, t, l, now, lock); err != nil {
			return err
		}
	}
	return nil
}

func (h *Home) listings(ctx context.Context, x *index.Index, t tree, full bool, now time.Time) ([]feed.Listing, error) {
	var known map[string]disk.Stat
	err := x.View(ctx, func(v *index.View) (err error) {
		known, err = v.Dirs(string(t.Tree))
		return err
	})
	if err != nil {
		return nil, err
	}
	return t.Scan(h.root, known, full, now)
}

// follow takes one changed folder into the index.
func (h *Home) follow(ctx context.Context, x *index.Index, t tree, l feed.Listing, now time.Time, lock func() (func(), error)) error {
	known, err := h.known(ctx, x, t, l.Dir)
	if err != nil {
		return err
	}
	var jobs []feed.File
	for _, f := range l.Files {
		if !known.same(f) {
			jobs = append(jobs, f)
		}
		delete(known.missing, f.Name)
	}
	if len(jobs) == 0 && len(known.missing) == 0 && !l.Gone && known.dir == l.Stat && known.dir != (disk.Stat{}) {
		return nil // a full look that found nothing
	}
	for first := true; first || len(jobs) > 0; first = false {
		n := min(len(jobs), batch)
		if err := h.take(ctx, x, t, l, jobs[:n], known, n == len(jobs), now, lock); err != nil {
			return err
		}
		jobs = jobs[n:]
	}
	return nil
}

// take reads and verifies some files of a folder on all cores, and puts what
// they are into the index in one transaction.
func (h *Home) take(ctx context.Context, x *index.Index, t tree, l feed.Listing, files []feed.File, known *folder, final bool, now time.Time,
	lock func() (func(), error)) error {
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	found := make([]finding, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		g.Go(func() error {
			found[i] = h.examine(t, l.Dir, f, known.posts[f.Name], now)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	known.unread = known.unread || slices.ContainsFunc(found, func(f finding) bool { return f.unread })
	return x.Update(context.WithoutCancel(ctx), func(tx *index.Tx) error {
		for _, f := range found {
			if err := f.record(tx, t); err != nil {
				return err
			}
		}
		if !final {
			return nil
		}
		return known.finish(tx, h.root, t, l)
	})
}

// A folder is what the index knows of one.
type folder struct {
	dir     disk.Stat
	posts   map[string]*index.Row
	strays  map[string]index.Stray
	missing map[string]bool // names not seen in the listing
	unread  bool            // a file could not be read: it is to be listed again
}

func (h *Home) known(ctx context.Context, x *index.Index, t tree, dir string) (*folder, error) {
	k := &folder{posts: map[string]*index.Row{}, missing: map[string]bool{}, strays: map[string]index.Stray{}}
	err := x.View(ctx, func(v *index.View) error {
		if month := strings.ReplaceAll(strings.TrimPrefix(dir, string(t.Tree)), "/", ""); len(month) == 6 {
			rows, err := v.Range(t.author(), post.Position(month), post.Position(month+"~"))
			if err != nil {
				return err
			}
			for i, r := range rows {
				k.posts[string(r.ID.Position)+".json"] = &rows[i]
				if r.State != index.Removed {
					k.missing[string(r.ID.Position)+".json"] = true
				}
			}
		}
		strays, err := v.StraysIn(dir)
		if err != nil {
			return err
		}
		for _, s := range strays {
			k.strays[s.Name] = s
			k.missing[s.Name] = true
		}
		dirs, err := v.Dirs(dir)
		k.dir = dirs[dir]
		return err
	})
	return k, err
}

// same tells whether a file is what the index knows.
func (k *folder) same(f feed.File) bool {
	if s, ok := k.strays[f.Name]; ok {
		return s.Stat == f.Stat
	}
	r := k.posts[f.Name]
	return r != nil && r.Stat == f.Stat && r.State != index.Removed
}

// finish notes what is not there any more, and the folder as it was listed. A
// file that came after the listing is left to the next look.
func (k *folder) finish(tx *index.Tx, root *disk.Root, t tree, l feed.Listing) error {
	if k.unread {
		l.Stat = disk.Stat{}
	}
	for name := range k.missing {
		if there, err := root.Exists(l.Dir + "/" + name); there || err != nil {
			l.Stat = disk.Stat{}
			continue
		}
		if _, ok := k.strays[name]; ok {
			if err := tx.DropStray(l.Dir, name); err != nil {
				return err
			}
			continue
		}
		r := k.posts[name]
		if !t.mine { // a copy that is gone comes back with the next pull
			if err := tx.Drop(r.ID); err != nil {
				return err
			}
			continue
		}
		r.State, r.Stat = index.Removed, disk.Stat{}
		if err := tx.Put(*r); err != nil {
			return err
		}
	}
	if l.Gone {
		return tx.DropDir(l.Dir)
	}
	return tx.PutDir(l.Dir, l.Stat)
}
