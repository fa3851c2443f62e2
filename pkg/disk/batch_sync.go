package disk

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// sync makes the temporary files durable that are not yet.
func (b *Batch) sync() error {
	if b.big() {
		switch err := b.syncTogether(); {
		case err == nil:
			return nil
		case !errors.Is(err, errors.ErrUnsupported):
			return err
		}
	}
	// At once, the disk is asked to flush about once for all of them.
	var g errgroup.Group
	g.SetLimit(syncfsAbove)
	for _, file := range b.files {
		g.Go(func() error {
			if err := file.temp.reopen(); err != nil {
				return err
			}
			return file.temp.rest(file.temp.sync())
		})
	}
	return g.Wait()
}

func (b *Batch) syncTogether() error {
	for _, system := range b.systems {
		if err := b.root.do(OpSyncFS, system.name, func(string) error { return syncfs(system.dir) }); err != nil {
			return err
		}
	}
	return nil
}

// A system is a file system, by one of its directories.
type system struct {
	name      string
	device    uint64
	dir       *os.File
	anonymous bool // files may come into being without a name
}

// enter opens the directory for what is done next, unless it is the last one. To
// be written to, it is made before if it is missing.
func (b *Batch) enter(dir string, toWrite bool) error {
	if b.in != nil && b.dir == dir {
		return nil
	}
	b.leave()
	if toWrite {
		if err := b.root.Mkdir(dir); err != nil {
			return err
		}
	}
	return b.root.do(OpOpen, dir, func(local string) error {
		in, err := b.root.within(local)
		if err != nil {
			return err
		}
		b.dir, b.in = dir, &in
		if toWrite && b.big() {
			return b.note(dir)
		}
		return nil
	})
}

// note remembers the file system of the open directory, which is not always that
// of the one before it: attachments may be mounted from another disk. It is held
// open before the first write, for of a failed write the kernel tells only those
// who opened the file system before it.
func (b *Batch) note(name string) error {
	dir, err := b.in.again()
	if err != nil {
		return err
	}
	info, err := dir.Stat()
	if err != nil {
		_ = dir.Close()
		return err
	}
	i := slices.IndexFunc(b.systems, func(s system) bool { return s.device == device(info) })
	if i < 0 {
		i = len(b.systems)
		b.systems = append(b.systems, system{name, device(info), dir, b.tryAnonymous()})
	} else {
		_ = dir.Close()
	}
	b.anonymous = b.systems[i].anonymous
	return nil
}

// tryAnonymous tells whether a file that came into being in the open directory
// without a name can be given one: old kernels and some file systems cannot.
func (b *Batch) tryAnonymous() bool {
	file, err := b.in.createAnonymous(0o600)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	name := tempName()
	if b.in.name(file, name) != nil {
		return false
	}
	_ = b.root.root.Remove(filepath.Join(b.dir, name)) // or else Sweep will find it
	return true
}

func (b *Batch) leave() {
	if b.in != nil {
		_ = b.in.Close()
		b.in = nil
	}
}

// dirs returns the directories of the files, in the order first touched.
func (b *Batch) dirs() (dirs []string) {
	seen := map[string]bool{}
	for _, file := range b.files {
		if dir := path.Dir(file.name); !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
