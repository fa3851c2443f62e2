package home

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// batch is how many files one transaction takes in, so that no lock is held
// for a second.
const batch = 1000

// A folder is what the index knows of one.
type folder struct {
	writes int64 // it knows that as long as nobody writes
	dir    feed.Folder
	posts  map[post.Position]index.Seen
	strays map[string]index.Stray
}

func (h *Home) known(ctx context.Context, x *index.Index, t tree, dir string) (k folder, err error) {
	if k.writes, err = x.Writes(ctx); err != nil {
		return k, err
	}
	err = x.View(ctx, func(v *index.View) error {
		if month := monthOf(t, dir); month != "" {
			if k.posts, err = v.Seen(t.author(), post.Position(month), post.Position(month+"~")); err != nil {
				return err
			}
		}
		strays, err := v.StraysIn(dir)
		if err != nil {
			return err
		}
		k.strays = make(map[string]index.Stray, len(strays))
		for _, s := range strays {
			k.strays[s.Name] = s
		}
		dirs, err := v.Dirs(dir)
		k.dir = feed.Folder(dirs[dir])
		return err
	})
	return k, err
}

// differences are those between a folder and what the index knows of it, in order:
// what is asked of the disk, and how it fails, can be told again.
type differences struct {
	read    []feed.File     // to be read
	back    []post.Position // there again, as they were
	lost    []post.Position // not there any more
	strayed []string        // strays that are not there any more
}

func (d differences) none() bool { return len(d.read)+len(d.back)+len(d.lost)+len(d.strayed) == 0 }

// compare finds them. Files in taken have been read already.
func (k folder) compare(t tree, l feed.Listing, taken map[string]bool) (d differences) {
	found := 0 // of what the index knows
	for _, f := range l.Entries {
		s, isStray := k.strays[f.Name]
		position := post.Position(strings.TrimSuffix(f.Name, ".json")) // if it is one of this month's
		p, isPost := k.posts[position]
		if isStray {
			found++
		}
		if isPost {
			found++
		}
		switch {
		case taken[f.Name]:
		case isPost && p.State != index.Removed && p.Stat == f.Stat:
		case isPost && p.State == index.Removed && p.Stat == f.Stat:
			d.back = append(d.back, position)
		case isStray && s.Kind != index.Unread && s.Stat == f.Stat: // a broken one may verify by another key
		default:
			d.read = append(d.read, t.File(l.Dir, f))
		}
	}
	slices.SortFunc(d.read, func(a, b feed.File) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(d.back)
	if found < len(k.posts)+len(k.strays) {
		d.miss(k, l)
	}
	return d
}

// miss finds what the index knows and the folder does not hold.
func (d *differences) miss(k folder, l feed.Listing) {
	here := make(map[string]bool, len(l.Entries))
	for _, f := range l.Entries {
		here[f.Name] = true
	}
	for p, s := range k.posts {
		if s.State != index.Removed && !here[string(p)+".json"] {
			d.lost = append(d.lost, p)
		}
	}
	for name := range k.strays {
		if !here[name] {
			d.strayed = append(d.strayed, name)
		}
	}
	slices.Sort(d.lost)
	slices.Sort(d.strayed)
}

// follow takes one changed folder into the index, which knew k of it.
func (h *Home) follow(ctx context.Context, x *index.Index, t tree, l feed.Listing, k folder, now time.Time, lock lock) error {
	if k.compare(t, l, nil).none() && k.dir == l.Folder && !l.Gone {
		return nil // another process was faster
	}
	taken := map[string]bool{}
	for {
		done, err := h.take(ctx, x, t, &l, &k, taken, now, lock)
		if done || err != nil {
			return err
		}
	}
}

// take puts what some files of a folder are into the index in one transaction,
// under the lock: nobody else writes rows meanwhile, and what the index knows is
// what it knows then: k, unless somebody wrote since. It says whether it was all.
func (h *Home) take(ctx context.Context, x *index.Index, t tree, l *feed.Listing, k *folder, taken map[string]bool, now time.Time,
	lock lock) (done bool, err error) {
	unlock, err := lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	writes, err := x.Writes(ctx)
	if err == nil && writes != k.writes {
		*k, err = h.known(ctx, x, t, l.Dir)
	}
	if err != nil {
		return false, err
	}
	d := k.compare(t, *l, taken)
	done = len(d.read) <= batch
	d.read = d.read[:min(len(d.read), batch)]
	found, err := h.examineAll(ctx, x, t, l.Dir, d.read, now)
	if err != nil {
		return false, err
	}
	for i, f := range found {
		taken[f.name] = true
		_, found[i].strayed = k.strays[f.name]
		if f.unread {
			l.Folder = feed.Folder{} // it is to be listed again
		}
	}
	return done, x.Update(context.WithoutCancel(ctx), func(tx *index.Tx) error {
		for _, f := range found {
			if err := f.record(tx, t); err != nil {
				return err
			}
		}
		if !done {
			return nil
		}
		return d.finish(tx, h.root, t, *l)
	})
}

// examineAll reads and verifies files of a folder on all cores.
func (h *Home) examineAll(ctx context.Context, x *index.Index, t tree, dir string, files []feed.File, now time.Time) ([]finding, error) {
	rows, err := h.rowsOf(ctx, x, t, files)
	if err != nil {
		return nil, err
	}
	found := make([]finding, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	const run = 16
	for i := 0; i < len(files); i += run {
		g.Go(func() error {
			for j := i; j < min(i+run, len(files)); j++ {
				found[j] = h.examine(t, dir, files[j], rows[files[j].Position], now)
			}
			return ctx.Err()
		})
	}
	return found, g.Wait()
}

// rowsOf is what the index knows of the posts that files may be.
func (h *Home) rowsOf(ctx context.Context, x *index.Index, t tree, files []feed.File) (map[post.Position]*index.Row, error) {
	const few = 20
	rows := map[post.Position]*index.Row{}
	first, end := last, post.Position("")
	for _, f := range files {
		if f.Kind == feed.Post {
			first, end = min(first, f.Position), max(end, f.Position)
		}
	}
	err := x.View(ctx, func(v *index.View) error {
		if len(files) > few {
			all, err := v.Range(t.author(), first, end+"~")
			for i := range all {
				rows[all[i].ID.Position] = &all[i]
			}
			return err
		}
		for _, f := range files {
			if f.Kind != feed.Post {
				continue
			}
			row, ok, err := v.Row(post.ID{Author: t.author(), Position: f.Position})
			if err != nil {
				return err
			}
			if ok {
				rows[f.Position] = &row
			}
		}
		return nil
	})
	return rows, err
}

// finish notes what is not there any more, what is back, and the folder as it
// was listed. A file that came after the listing is left to the next look.
func (d differences) finish(tx *index.Tx, root *disk.Root, t tree, l feed.Listing) error {
	// In the place of a folder that is gone there may be a link, behind which
	// nothing is looked at.
	came := func(name string) bool {
		there, err := root.Exists(l.Dir + "/" + name)
		return !l.Gone && (there || err != nil)
	}
	var lost []post.Position
	for _, p := range d.lost {
		if came(string(p) + ".json") {
			l.Folder = feed.Folder{}
			continue
		}
		lost = append(lost, p)
		if t.mine {
			continue
		}
		// A copy that is gone comes back with the next pull.
		if err := tx.Drop(post.ID{Author: t.author(), Position: p}); err != nil {
			return err
		}
	}
	for _, name := range d.strayed {
		if came(name) {
			l.Folder = feed.Folder{}
			continue
		}
		if err := tx.DropStray(l.Dir, name); err != nil {
			return err
		}
	}
	if t.mine {
		if err := tx.Away(t.author(), lost); err != nil {
			return err
		}
	}
	if err := tx.Back(t.author(), d.back); err != nil {
		return err
	}
	if l.Gone {
		return tx.DropDir(l.Dir)
	}
	return tx.PutDir(l.Dir, index.Dir(l.Folder))
}
