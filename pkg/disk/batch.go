package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"
)

// syncfsAbove is the number of files from which one syncfs, which also writes
// everybody else's data, is cheaper than an fsync of each.
const syncfsAbove = 20

// A Batch is several files written as durably as by WriteFile, some ten times
// cheaper. It is not safe for concurrent use. Commit or Discard ends it.
type Batch struct {
	root    *Root
	files   []*BatchFile
	systems []system // that are written to, if they are synced as a whole

	// The directory of the last file is held open: to walk a path costs as much
	// as to make the file at its end.
	dir       string
	in        *within
	anonymous bool // files in it need no name before they are whole
}

// A BatchFile is one file of a Batch.
type BatchFile struct {
	Stat Stat // of the file, once it has its name

	name string
	data []byte
	perm fs.FileMode
	temp *Temp // nil before it is written, and once it has its name
}

// NewBatch returns an empty batch. Bound it: about 1,000 files.
func (r *Root) NewBatch() *Batch {
	return &Batch{root: r}
}

// Add adds a file; of two with one name the later stays. The data must not be
// changed before Commit. Files of one directory are best added one after another.
func (b *Batch) Add(name string, data []byte, perm fs.FileMode) *BatchFile {
	file := &BatchFile{name: name, data: data, perm: perm}
	b.files = append(b.files, file)
	return file
}

// Drop takes a file out again.
func (b *Batch) Drop(file *BatchFile) {
	b.files = slices.DeleteFunc(b.files, func(f *BatchFile) bool { return f == file })
	file.discard()
}

// Len returns the number of files added.
func (b *Batch) Len() int {
	return len(b.files)
}

// Prepare writes what was added under temporary names or none, so that Commit has
// less to do, for which somebody may hold a lock. A few files are left to it as a
// whole.
func (b *Batch) Prepare() error {
	if !b.big() {
		return nil
	}
	defer b.leave() // another may stand there when its files get their names
	return b.writeAll()
}

// Commit writes all temporary files, syncs them, gives them their names in the
// order added, and syncs each directory. When it returns nil, all are durable and
// the batch is empty. On error the files renamed so far stay, each whole, and they
// are the first of the order added; temporary files are removed.
func (b *Batch) Commit() error {
	defer b.Discard()
	if err := b.writeAll(); err != nil {
		return err
	}
	if err := b.sync(); err != nil {
		return err
	}
	for _, file := range b.files {
		if err := b.rename(file); err != nil {
			return err
		}
	}
	for _, dir := range b.dirs() {
		if err := b.root.syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Discard gives up what was not committed, and lets everything go.
func (b *Batch) Discard() {
	for _, file := range b.files {
		file.discard()
	}
	b.files = nil
	b.leave()
	for _, system := range b.systems {
		_ = system.dir.Close()
	}
	b.systems = nil
}

// big tells whether the files are synced together.
func (b *Batch) big() bool { return haveSyncfs && len(b.files) > syncfsAbove }

// writeAll leaves every file under a temporary name or none; of a few, each is
// still open.
func (b *Batch) writeAll() error {
	for _, file := range b.files {
		if file.temp != nil {
			continue
		}
		if err := b.enter(path.Dir(file.name), true); err != nil {
			return err
		}
		temp, err := b.begin(file)
		if err != nil {
			return err
		}
		file.temp = temp
		if _, err = temp.Write(file.data); err == nil && !b.big() {
			continue
		}
		if err := temp.rest(err); err != nil {
			return err
		}
	}
	return nil
}

// begin begins a file in the open directory. Of many, one that gets its name only
// in the end costs a fifth less than one that gets two.
func (b *Batch) begin(file *BatchFile) (*Temp, error) {
	anonymous := b.anonymous && b.big() && keptOpen.Load() < mostOpen()/4
	temp, err := b.root.tempBy(path.Dir(file.name), func(local string) (*os.File, error) {
		if anonymous {
			return b.in.createAnonymous(file.perm)
		}
		return b.in.create(filepath.Base(local), file.perm)
	})
	if err == nil && anonymous {
		temp.anonymous = true
		keptOpen.Add(1)
	}
	return temp, err
}

// keptOpen counts the files of all batches that are open because they have no name:
// about a quarter of those that may be open, at most.
var keptOpen atomic.Int64

func (b *Batch) rename(file *BatchFile) error {
	if err := b.enter(path.Dir(file.name), false); err != nil {
		return err
	}
	base := path.Base(file.name)
	err := b.root.do(OpRename, file.name, func(string) error { return b.give(file.temp, base) })
	if err == nil && file.temp.anonymous {
		err = file.temp.close(nil)
	}
	if err != nil {
		return err
	}
	file.temp = nil
	return b.root.do(OpLstat, file.name, func(string) (err error) {
		file.Stat, err = b.in.stat(base)
		return err
	})
}

// give gives a file its name, whoever has it.
func (b *Batch) give(temp *Temp, base string) error {
	local := path.Base(temp.name)
	if temp.anonymous {
		err := b.in.name(temp.file, base)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := b.in.name(temp.file, local); err != nil {
			return err
		}
	}
	err := b.in.move(local, base)
	if err != nil && temp.anonymous {
		b.root.drop(temp.name)
	}
	return err
}

func (f *BatchFile) discard() {
	if f.temp != nil {
		f.temp.end()
	}
}
