package home

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
)

// How often the files are looked at while they are served: their folders, often
// where nobody tells of changes, now and then where somebody does; and each of
// them, since an edit in place changes no folder.
const (
	often  = time.Second
	slowly = time.Minute
	seldom = time.Hour
)

// KeepLooking follows the files until ctx ends, so that a stranger's request
// need not: how long it took would tell him when I write to others. Where the
// system tells of changes, what is written is taken in at once, and nothing is
// done while nothing happens.
func (h *Home) KeepLooking(ctx context.Context) {
	h.served.looking.Store(true)
	defer h.served.looking.Store(false)
	l := &looker{h: h, last: h.opt.Now()}
	var signal <-chan struct{}
	if w, err := h.root.Watch(); err == nil {
		defer func() { _ = w.Close() }()
		l.w, signal = w, w.Signal()
		l.watchAll(false)
		l.report(ctx, h.look(ctx, false)) // what came before it was watched
	} else {
		h.opt.Log.Info("the system does not tell of changes: the files are looked at each second", "error", err)
	}
	for {
		pause := time.NewTimer(l.interval())
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
			l.report(ctx, l.tick(ctx))
		case <-signal:
			pause.Stop()
			l.report(ctx, l.take(ctx))
		}
	}
}

// A looker follows the files by what a watcher tells, if there is one.
type looker struct {
	h       *Home
	w       *disk.Watcher
	partial bool      // not all of my feed, and of the people, is watched
	last    time.Time // when every file was looked at
	fresh   []string  // watched since what is followed now happened, and not listed since
}

func (l *looker) interval() time.Duration {
	if l.w == nil || l.partial {
		return often
	}
	return slowly
}

func (l *looker) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		l.h.opt.Log.Warn("the files could not all be looked at", "error", err)
	}
}

// tick is the look that needs no hint.
func (l *looker) tick(ctx context.Context) error {
	full := l.h.opt.Now().Sub(l.last).Abs() > seldom // also when a clock was put back
	if full {
		l.last = l.h.opt.Now()
	}
	if l.w != nil {
		l.watchAll(full && l.partial)
	}
	err := l.h.look(ctx, full)
	l.h.changed.tell()
	if full {
		err = errors.Join(err, l.copies(ctx, nil, full))
	}
	return err
}

// take follows what the watcher told. Then it rests, the longer the more there
// was to do: who writes ten thousand files is not followed file by file.
func (l *looker) take(ctx context.Context) error {
	begin := time.Now()
	dirs, lost := l.w.Take()
	err := l.follow(ctx, dirs, lost)
	rest := min(max(2*time.Since(begin), 10*time.Millisecond), often)
	select {
	case <-ctx.Done():
	case <-time.After(rest):
	}
	return err
}

func (l *looker) follow(ctx context.Context, dirs []string, lost bool) error {
	if lost || slices.Contains(dirs, ".") { // too much at once, or a folder of the home came or went
		l.watchAll(lost)
		l.people()
		defer l.h.changed.tell()
		return errors.Join(l.h.look(ctx, lost), l.copies(ctx, nil, lost))
	}
	l.fresh = nil
	for _, dir := range dirs {
		if !l.watch(dir, true, false) && !isCopies(dir) { // a new folder is watched before it is listed
			l.partial = true
		}
	}
	var mine, copies []string
	concerns := false
	for _, dir := range slices.Concat(dirs, l.fresh) {
		switch top, _, _ := strings.Cut(dir, "/"); top {
		case string(feed.Mine):
			mine = append(mine, dir)
		case feed.Copies:
			copies = append(copies, dir)
		default:
			concerns = true
		}
	}
	if concerns {
		l.people()
	}
	var err error
	if mine != nil {
		var me tree
		if me, err = l.h.mine(); err == nil {
			err = l.h.lookAt(ctx, mine, me)
		}
	}
	if mine != nil || concerns {
		l.h.changed.tell()
	}
	if copies != nil {
		err = errors.Join(err, l.copies(ctx, copies, false))
	}
	return err
}

// people are taken in: keys that came by hand.
func (l *looker) people() {
	if _, err := l.h.people.Problems(); err != nil {
		l.h.opt.Log.Warn("the people cannot all be read", "error", err)
	}
}

// copies follows what was done in folders of friends' feeds, so that whoever reads
// finds nothing to do; in all of them if dirs is nil, with full also what was
// edited in place.
func (l *looker) copies(ctx context.Context, dirs []string, full bool) error {
	all, err := l.h.trees()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(t tree) bool {
		return t.mine || dirs != nil && !slices.ContainsFunc(dirs, func(dir string) bool { return treeOf(dir) == t.Tree })
	})
	if len(all) == 0 {
		return nil
	}
	if dirs != nil {
		return l.h.lookAt(ctx, dirs, all...)
	}
	return l.h.withIndex(ctx, func(x *index.Index) error { return l.h.sync(ctx, x, full, all...) })
}

// watchAll watches what is not watched yet: first what others get, then the
// copies, the newest months first. Who may watch few directories watches these.
// again: those that could not be watched are looked for, however deep they lie.
func (l *looker) watchAll(again bool) {
	if again {
		l.partial = false
	}
	for _, dir := range []string{".", string(feed.Mine), "friends", "follows", "groups", "blocked"} {
		if !l.watch(dir, again, again) {
			l.partial = true
		}
	}
	l.watch(feed.Copies, again, again)
}

func isCopies(dir string) bool {
	top, _, _ := strings.Cut(dir, "/")
	return top == feed.Copies
}

// watch watches a directory and those below it, if it is one that is looked at,
// and says whether it watches all of them. One that was watched before is looked
// into only if its folders are to be listed; and those in it only if deep.
func (l *looker) watch(dir string, list, deep bool) bool {
	if !isLookedAt(dir) {
		return true
	}
	added, err := l.w.Add(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		l.h.opt.Log.Info("a folder is not watched", "path", l.h.root.Path(dir), "error", err)
		return false
	}
	if added {
		l.fresh = append(l.fresh, dir)
	}
	if dir == "." || !added && !list {
		return true
	}
	names, err := l.h.root.Names(dir) // and not what they are: there may be very many
	all := err == nil
	for _, name := range slices.Backward(names) {
		if below := dir + "/" + name; isLookedAt(below) && !strings.ContainsAny(name, ".~") {
			info, err := l.h.root.Lstat(below)
			all = (err != nil || !info.IsDir() || l.watch(below, deep, deep)) && all
		}
	}
	return all
}

// isLookedAt tells the folders of people and posts from those deeper than any
// look goes.
func isLookedAt(dir string) bool {
	depth := strings.Count(dir, "/")
	switch top, _, _ := strings.Cut(dir, "/"); top {
	case ".", "friends", "follows", "blocked":
		return depth == 0
	case "groups":
		return depth <= 1
	case string(feed.Mine):
		return depth <= 3
	case feed.Copies:
		return depth <= 4
	}
	return false
}

// lookAt looks at trees, and surely at the given folders of them.
func (h *Home) lookAt(ctx context.Context, dirs []string, trees ...tree) error {
	return h.withIndex(ctx, func(x *index.Index) error {
		known, err := h.folders(ctx, x, trees)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if f, ok := known[treeOf(dir)][dir]; ok {
				f.Stat = disk.Stat{} // an edit in place does not show in it
				known[treeOf(dir)][dir] = f
			}
		}
		for _, t := range trees {
			if err := h.scan(ctx, x, t, feed.Look{Known: known[t.Tree]}, h.lockFor(x)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *Home) look(ctx context.Context, full bool) error {
	me, err := h.mine()
	if err != nil {
		return err
	}
	return h.withIndex(ctx, func(x *index.Index) error { return h.sync(ctx, x, full, me) })
}
