package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
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
	cert *pgp.Certificate
	mine bool
}

func (h *Home) mine() (tree, error) {
	cert, err := h.people.Me()
	return tree{feed.Mine, cert, true}, err
}

// trees are my own and those of everybody whose posts I read.
func (h *Home) trees() ([]tree, error) {
	me, err := h.mine()
	if err != nil {
		return nil, err
	}
	all := []tree{me}
	people, err := h.readable()
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		cert, err := h.people.Certificate(p.Fingerprint)
		if err != nil {
			return nil, err
		}
		all = append(all, tree{feed.Of(p.Fingerprint), cert, false})
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

// withIndex runs use on the index, opened and filled if need be. An index that
// turns out to be damaged, or that was deleted under us, is made again, once;
// one that cannot be written, on a full or read-only disk, is made in memory.
func (h *Home) withIndex(ctx context.Context, use func(*index.Index) error) error {
	for try := 0; ; try++ {
		x, err := h.openIndex(ctx)
		if err != nil {
			return err
		}
		err = use(x)
		switch {
		case try > 0:
			return err
		case errors.Is(err, index.ErrDamaged):
			h.opt.Log.Warn("the index is damaged and is made again", "error", err)
			h.replaceIndex(x, nil)
		case errors.Is(err, index.ErrUnwritable):
			h.opt.Log.Warn("the index cannot be written and is made in memory", "error", err)
			memory, memErr := index.InMemory(ctx, h.root)
			if memErr != nil {
				return errors.Join(err, memErr)
			}
			if memErr := h.fill(ctx, memory); memErr != nil {
				return errors.Join(err, memErr, memory.Close())
			}
			h.replaceIndex(x, memory)
		default:
			return err
		}
	}
}

// replaceIndex takes an index out of use: a damaged one for everybody.
func (h *Home) replaceIndex(x, by *index.Index) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index != x {
		return
	}
	if by == nil {
		_ = x.Discard() // what cannot be removed is not used again either
	} else {
		_ = x.Close()
	}
	h.index = by
}

func (h *Home) openIndex(ctx context.Context) (*index.Index, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index != nil {
		if h.index.Current() {
			return h.index, nil
		}
		_ = h.index.Close() // it was deleted or replaced; nothing in it is missed
		h.index = nil
	}
	x, fresh, err := index.Open(ctx, h.root)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := h.fill(ctx, x); err != nil {
			return nil, errors.Join(err, x.Close())
		}
	}
	h.index = x
	return x, nil
}

// fill makes a new index from the files. Nobody sees it before it is whole.
func (h *Home) fill(ctx context.Context, x *index.Index) error {
	trees, err := h.trees()
	if err != nil {
		return err
	}
	for _, t := range trees {
		if err := h.scan(ctx, x, t, true, alone); err != nil {
			return err
		}
	}
	if !x.IsShared() {
		return nil
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return x.Publish()
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
			rows, err := v.Range(t.cert.Fingerprint(), post.Position(month), post.Position(month+"~"))
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

// A finding is what one file turned out to be.
type finding struct {
	dir   string
	name  string
	row   *index.Row   // a post, in whatever state
	stray *index.Stray // no post at its place
	drop  *post.ID     // a copy that is no copy: to be fetched again

	unread bool // for a reason that may pass
}

func (f finding) record(tx *index.Tx, t tree) error {
	switch {
	case f.row != nil:
		if err := tx.DropStray(f.dir, f.name); err != nil {
			return err
		}
		return tx.Put(*f.row)
	case f.drop != nil:
		return tx.Drop(*f.drop)
	case f.stray != nil && t.mine:
		return tx.PutStray(*f.stray)
	}
	return nil
}

// examine reads one file and says what it is. known is what the index knew of
// the post at that place, nil if nothing.
func (h *Home) examine(t tree, dir string, f feed.File, known *index.Row, now time.Time) finding {
	out := finding{dir: dir, name: f.Name}
	raw, stat, err := []byte(nil), f.Stat, errors.New("it is no regular file")
	if f.Regular {
		raw, stat, err = h.root.ReadFile(dir+"/"+f.Name, post.MaxFile)
	}
	sum := sha256.Sum256(raw)
	out.unread = passing(err)
	if feed.Racy(stat, now) || out.unread {
		stat.Ctime = 0 // too young to be trusted, or not read: read again the next time
	}
	if known != nil && err == nil && known.Sum == sum && known.State <= index.Older {
		row := *known // only its stat changed
		row.Stat = stat
		out.row = &row
		return out
	}
	id := post.ID{Author: t.cert.Fingerprint(), Position: f.Position}
	if f.Kind != feed.Post {
		out.stray = h.stray(t, dir, f, raw, err, stat)
		return out
	}
	if !t.mine {
		p, openErr := openCopy(raw, err, id, t.cert)
		if openErr != nil {
			out.drop = &id
			return out
		}
		row := index.RowOf(p, stat, sum)
		out.row = &row
		return out
	}
	out.row, out.stray = h.ownPost(t, dir, f, raw, err, known, stat, sum)
	return out
}

// passing tells a failure to read a file, which may be over the next time, from
// what the file itself is.
func passing(err error) bool {
	_, isPath := errors.AsType[*fs.PathError](err)
	return isPath && !errors.Is(err, disk.ErrNotRegular) && !errors.Is(err, disk.ErrTooLarge)
}

func openCopy(raw []byte, err error, id post.ID, cert *pgp.Certificate) (*post.Post, error) {
	if err != nil {
		return nil, err
	}
	p, err := post.Open(raw, cert)
	if err == nil && p.ID() != id {
		err = post.ErrID
	}
	return p, err
}

// ownPost says what the file at the place of a post of mine is: the text last
// signed, a newer signed one that another machine of mine brought, or something
// done by hand that waits to be signed.
func (h *Home) ownPost(t tree, dir string, f feed.File, raw []byte, readErr error, known *index.Row, stat disk.Stat, sum [32]byte) (*index.Row, *index.Stray) {
	p, err := (*post.Post)(nil), readErr
	if err == nil {
		p, err = post.OpenMine(raw, t.cert)
	}
	if err == nil && p.ID().Position != f.Position {
		err = post.ErrID
	}
	if err == nil && (known == nil || known.Version == p.Version() || p.Standing().Beats(known.Standing())) {
		row := index.RowOf(p, stat, sum)
		row.Grown = grown(known, row)
		return &row, nil
	}
	if known == nil { // never signed here: a draft, or a file in pieces
		return nil, h.stray(t, dir, f, raw, readErr, stat)
	}
	row := *known
	row.Stat, row.Sum, row.Why = stat, sum, ""
	switch {
	case err == nil:
		row.State = index.Older
	case readErr == nil && isDraft(raw):
		row.State = index.Edited
	default:
		row.State, row.Why = index.Broken, err.Error()
	}
	return &row, nil
}

// grown names who was added by hand to the audience of a text that was signed
// before, and is still in it.
func grown(known *index.Row, row index.Row) string {
	if known == nil || known.Version != row.Version {
		return ""
	}
	before := known.Audience.Members()
	added := strings.Fields(known.Grown)
	var out []string
	for _, m := range row.Audience.Members() {
		if !slices.Contains(before, m) || slices.Contains(added, m) {
			out = append(out, m)
		}
	}
	return strings.Join(out, " ")
}

func isDraft(raw []byte) bool {
	_, err := post.ParseDraft(raw)
	return err == nil
}

// stray says what a file of mine is that is no post at its place.
func (h *Home) stray(t tree, dir string, f feed.File, raw []byte, err error, stat disk.Stat) *index.Stray {
	s := &index.Stray{Dir: dir, Name: f.Name, Kind: index.Made, Stat: stat}
	if f.Kind == feed.Conflict {
		s.Kind = index.Conflict
		return s
	}
	if err == nil {
		var p *post.Post
		if p, err = post.OpenMine(raw, t.cert); err == nil {
			s.Kind, s.Why = index.Moved, p.ID().String()
			return s
		}
		if _, draft := post.ParseDraft(raw); draft == nil {
			return s
		}
	}
	s.Kind, s.Why = index.Unread, err.Error()
	return s
}
