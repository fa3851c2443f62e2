package disk

import (
	"io/fs"
	"path"
)

// syncfsAbove is the number of files from which one syncfs, which also writes
// everybody else's data, is cheaper than an fsync of each.
const syncfsAbove = 20

// A Batch is several files written as durably as by WriteFile, some ten times
// cheaper. It is not safe for concurrent use.
type Batch struct {
	root  *Root
	files []batchFile
}

type batchFile struct {
	name, temp string
	data       []byte
	perm       fs.FileMode
}

// NewBatch returns an empty batch. Bound it: about 1,000 files.
func (r *Root) NewBatch() *Batch {
	return &Batch{root: r}
}

// Add adds a file; of two with one name the later stays. The data must not be
// changed before Commit.
func (b *Batch) Add(name string, data []byte, perm fs.FileMode) {
	b.files = append(b.files, batchFile{name: name, data: data, perm: perm})
}

// Len returns the number of files added.
func (b *Batch) Len() int {
	return len(b.files)
}

// Commit writes all temporary files, syncs them, renames them in the order
// added, and syncs each directory. When it returns nil, all are durable and the
// batch is empty. On error the files renamed so far stay, each whole, and they
// are the first of the order added; temporary files are removed.
func (b *Batch) Commit() error {
	defer b.discard()
	if err := b.writeAll(); err != nil {
		return err
	}
	for i := range b.files {
		file := &b.files[i]
		if err := b.root.rename(file.temp, file.name); err != nil {
			return err
		}
		file.temp = ""
	}
	for _, dir := range b.dirs() {
		if err := b.root.syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// writeAll leaves every file durable under its temporary name.
func (b *Batch) writeAll() error {
	for _, dir := range b.dirs() {
		if err := b.root.Mkdir(dir); err != nil {
			return err
		}
	}
	if !haveSyncfs || len(b.files) <= syncfsAbove {
		return b.writeEach((*Temp).sync)
	}
	return b.writeTogether()
}

func (b *Batch) writeEach(sync func(*Temp) error) error {
	for i := range b.files {
		file := &b.files[i]
		if _, err := localize(OpOpen, file.name); err != nil {
			return err
		}
		temp, err := b.root.tempIn(path.Dir(file.name), file.perm)
		if err != nil {
			return err
		}
		file.temp = temp.name
		if _, err = temp.Write(file.data); err == nil {
			err = sync(temp)
		}
		if err := temp.close(err); err != nil {
			return err
		}
	}
	return nil
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

func (b *Batch) discard() {
	for _, file := range b.files {
		if file.temp != "" {
			b.root.drop(file.temp)
		}
	}
	b.files = nil
}
