package home

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Damage is something in the home that is not as it should be.
type Damage struct {
	Path      string // of the file on the disk
	Why       string // what is wrong with it
	Do        string // what helps
	ID        post.ID
	Index     bool // it is of the index, which can be made anew
	Untrusted bool // a signature, hash or fingerprint is another than it must be
}

// Checked is how much was looked at.
type Checked struct {
	Posts, Keys, Attachments int
}

// Check reads every file of the home, verifies every signature, and compares the
// index with what it would hold were it made anew. It changes nothing, and names
// every damage it finds, by path.
//
// What is done by hand and waits (a draft, a key that was put there) is no
// damage; a text of mine that no longer fits its signature is, since nobody can
// tell an edit from a damage, and so is a post of mine that is not there. Of what
// the index says only that is held against it of which it claims that it has
// seen it: it may be behind the files. step is called for each file that was
// read, by several goroutines.
func (h *Home) Check(ctx context.Context, step func()) ([]Damage, Checked, error) {
	c := &checker{h: h, step: step, named: map[string]bool{}, wanted: map[string]string{}, visited: map[string]bool{}}
	people, err := h.people.Inspect()
	if err != nil {
		return nil, c.Checked, err
	}
	c.Keys = people.Keys
	for _, f := range people.Flaws {
		c.found(Damage{Path: f.Path, Why: reason(f.Err), Do: f.Do, Untrusted: isUntrusted(f.Err)})
	}
	attachments := c.attachments() // before the posts: who writes one writes its attachment first
	if err := c.openIndex(ctx); err != nil {
		return nil, c.Checked, err
	}
	if c.x != nil {
		defer func() { _ = c.x.Close() }()
	}
	for _, look := range []func(context.Context) error{
		func(ctx context.Context) error { return c.trees(ctx, people.Me, people.People) },
		c.asides,
		func(ctx context.Context) error { return c.hashes(ctx, attachments) },
		c.indexItself,
	} {
		if err := look(ctx); err != nil {
			return nil, c.Checked, err
		}
	}
	slices.SortFunc(c.damages, func(a, b Damage) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Why, b.Why)) })
	return slices.Compact(c.damages), c.Checked, nil
}

type checker struct {
	Checked
	h    *Home
	step func()
	x    *index.Index // nil if there is none to look at
	all  []tree

	mu      sync.Mutex
	damages []Damage
	named   map[string]bool   // attachments that some text names
	wanted  map[string]string // those that posts of mine name, and the file of one
	visited map[string]bool   // folders of the trees
}

func (c *checker) found(damages ...Damage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.damages = append(c.damages, damages...)
}

// isUntrusted tells a signature, hash or fingerprint that does not match from
// other damage.
func isUntrusted(err error) bool {
	for _, e := range []error{pgp.ErrSignature, pgp.ErrContext, pgp.ErrOtherKey, pgp.ErrWeak, pgp.ErrRevoked, pgp.ErrExpired, post.ErrAuthor} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// reason leaves out the path of a disk's error: a Damage names it already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

const indexDo = "p2ps check --repair makes the index anew"

func (c *checker) openIndex(ctx context.Context) error {
	x, err := index.Existing(ctx, c.h.root)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		c.found(Damage{Path: c.h.root.Path("cache"), Why: err.Error(), Do: indexDo, Index: true})
		return nil //nolint:nilerr // it was told
	}
	c.x = x
	return nil
}

// trees looks at my posts, and at everybody's copies.
func (c *checker) trees(ctx context.Context, me *pgp.Certificate, people map[pgp.Fingerprint]*pgp.Certificate) error {
	if me != nil {
		c.all = append(c.all, tree{Tree: feed.Mine, cert: me, mine: true})
	}
	entries, err := c.h.root.ReadDir(feed.Copies)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.found(Damage{Path: c.h.root.Path(feed.Copies), Why: reason(err), Do: "see that it is a folder that can be read"})
	}
	for _, e := range entries {
		fpr, err := pgp.ParseFingerprint(e.Name)
		switch {
		case e.Name[0] == '.':
		case err != nil || !e.Dir:
			c.found(Damage{Path: c.h.root.Path(feed.Copies + "/" + e.Name), Why: "no folder with a fingerprint as its name: nothing in it is looked at", Do: "remove it; p2ps pull brings what is missing"})
		case me != nil && fpr == me.Fingerprint():
			c.all = append(c.all, known(fpr, me))
		default:
			c.all = append(c.all, known(fpr, people[fpr]))
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range c.all {
		err := t.Inspect(c.h.root, t.seed, c.h.opt.Now(), func(l feed.Listing, odd []feed.Odd) error {
			for _, o := range odd {
				c.found(Damage{Path: c.h.root.Path(o.Name), Why: reason(o.Err), Do: "move what is in it to its place, or remove it"})
			}
			c.mu.Lock()
			c.visited[l.Dir] = true
			c.mu.Unlock()
			g.Go(func() error { return c.folder(ctx, t, l) })
			return ctx.Err()
		})
		if err != nil {
			return errors.Join(err, g.Wait())
		}
	}
	return g.Wait()
}

// known is the tree of copies of somebody whose key is known, or not (nil).
func known(fpr pgp.Fingerprint, cert *pgp.Certificate) tree {
	return tree{Tree: feed.Of(fpr), cert: cert, fpr: fpr, find: func() (*pgp.Certificate, error) { return nil, keyring.ErrUnknown }}
}

// folder looks at one folder of a tree. What is found is looked at once more
// under the lock, when no other p2ps is at work on it.
func (c *checker) folder(ctx context.Context, t tree, l feed.Listing) error {
	damages, err := c.compare(ctx, t, l, true)
	if err != nil || len(damages) == 0 {
		return err
	}
	unlock, err := c.h.lock(ctx)
	if errors.Is(err, disk.ErrBusy) {
		return err
	}
	if err == nil { // a home that cannot be written has no lock
		defer unlock()
	}
	again := l
	err = t.Scan(c.h.root, feed.Look{Dirs: []string{l.Dir}, Seed: t.seed, Now: c.h.opt.Now()}, func(now feed.Listing) error {
		if now.Dir == l.Dir {
			again = now
		}
		return nil
	})
	if err != nil {
		return err
	}
	if damages, err = c.compare(ctx, t, again, false); err == nil {
		c.found(damages...)
	}
	return err
}

// asides looks at history and trash.
func (c *checker) asides(ctx context.Context) error {
	certs := map[pgp.Fingerprint]tree{}
	for _, t := range c.all {
		if t.cert != nil && (t.mine || certs[t.cert.Fingerprint()].cert == nil) {
			certs[t.cert.Fingerprint()] = t
		}
	}
	for _, top := range []string{"history", "trash"} {
		entries, err := c.h.root.ReadDir(top)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.found(Damage{Path: c.h.root.Path(top), Why: reason(err), Do: "see that it is a folder that can be read"})
		}
		for _, e := range entries {
			fpr, err := pgp.ParseFingerprint(e.Name)
			switch {
			case e.Name[0] == '.':
			case err != nil || !e.Dir:
				c.found(Damage{Path: c.h.root.Path(top + "/" + e.Name), Why: "no folder with a fingerprint as its name", Do: "remove it"})
			default:
				if err := c.aside(ctx, feed.Aside(top, fpr), fpr, certs[fpr]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *checker) aside(ctx context.Context, dir string, author pgp.Fingerprint, t tree) error {
	names, err := c.h.root.Names(dir)
	if err != nil {
		c.found(Damage{Path: c.h.root.Path(dir), Why: reason(err), Do: "see that it is a folder that can be read"})
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range names {
		if name[0] == '.' {
			continue
		}
		g.Go(func() error {
			c.step()
			if err := c.text(dir, name, author, t); err != nil {
				c.found(Damage{Path: c.h.root.Path(dir + "/" + name), Why: reason(err), Do: "put it back from a backup, or remove it: it is an earlier text", Untrusted: isUntrusted(err)})
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// text looks at one text in history or trash.
func (c *checker) text(dir, name string, author pgp.Fingerprint, t tree) error {
	position, revision, ok := feed.ParseAside(name)
	if !ok {
		return errors.New("its name is not that of an earlier text")
	}
	raw, _, err := c.h.root.ReadFile(dir+"/"+name, post.MaxFile)
	if err != nil {
		return err
	}
	c.names(raw)
	v, err := claimed(raw, t)
	if err == nil && (v.ID != post.ID{Author: author, Position: position} || fmt.Sprint(v.Revision) != revision) {
		err = fmt.Errorf("%w: it holds revision %d of %s", post.ErrID, v.Revision, v.ID)
	}
	return err
}

// claimed reads what a text is, verified if its author's key is known.
func claimed(raw []byte, t tree) (post.Version, error) {
	if t.cert == nil {
		return post.Claim(raw)
	}
	open := post.Open
	if t.mine {
		open = post.OpenMine
	}
	p, err := open(raw, t.cert)
	if err != nil {
		return post.Version{}, err
	}
	return p.Version(), nil
}
