package disk

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// A Temp is a file on its way: written under a dot name that no scan looks at,
// and named once it is whole. Its name may depend on what was written (a hash).
type Temp struct {
	root *Root
	name string
	file *os.File

	// It has no name yet, but one it would have, and is open until it has: only
	// in a Batch.
	anonymous bool
}

// Temp begins a file in dir, which is made if it is missing. Exactly one of
// Commit, CommitNew or Discard ends it; dir must be on the file system of the
// final name.
func (r *Root) Temp(dir string, perm fs.FileMode) (*Temp, error) {
	if err := r.Mkdir(dir); err != nil {
		return nil, err
	}
	return r.tempIn(dir, perm)
}

// tempIn is Temp in a directory that is there.
func (r *Root) tempIn(dir string, perm fs.FileMode) (*Temp, error) {
	return r.tempBy(dir, func(local string) (*os.File, error) { return r.create(local, perm) })
}

func (r *Root) tempBy(dir string, create func(local string) (*os.File, error)) (*Temp, error) {
	t := &Temp{root: r, name: path.Join(dir, tempName())}
	err := r.do(OpOpen, t.name, func(local string) (err error) {
		t.file, err = create(local)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func tempName() string { return tempPrefix + strings.ToLower(rand.Text()) + tempSuffix }

const (
	tempPrefix = ".p2ps-"
	tempSuffix = ".tmp"
)

// Write implements io.Writer.
func (t *Temp) Write(p []byte) (n int, err error) {
	err = t.root.do(OpWrite, t.name, func(string) (err error) {
		n, err = t.file.Write(p)
		return err
	})
	if errors.Is(err, ErrShort) { // only the hook says so
		n, _ = t.file.Write(p[:len(p)/2])
	}
	return n, err
}

// Commit makes the file durable and gives it its name, replacing what has it.
// On error there is the old file or the new one under the name, and no Temp.
func (t *Temp) Commit(name string) error {
	return t.commit(name, t.root.rename)
}

// CommitNew is Commit, but fails with fs.ErrExist if the name is taken; of
// several at once exactly one succeeds.
func (t *Temp) CommitNew(name string) error {
	return t.commit(name, t.root.renameNew)
}

// Discard gives the file up. It does nothing after a Commit.
func (t *Temp) Discard() {
	if t.file != nil {
		t.end()
	}
}

// end gives the file up, whether it is open or not.
func (t *Temp) end() {
	if t.file != nil {
		_ = t.close(nil)
	}
	if !t.anonymous {
		t.root.drop(t.name)
	}
}

// reopen opens the file again if it was closed before it was synced.
func (t *Temp) reopen() error {
	if t.file != nil {
		return nil
	}
	return t.root.do(OpOpen, t.name, func(local string) (err error) {
		t.file, err = t.root.root.OpenFile(local, os.O_RDWR, 0)
		return err
	})
}

func (t *Temp) commit(name string, rename func(temp, name string) error) error {
	err := t.close(t.sync())
	if err == nil && path.Dir(name) != path.Dir(t.name) { // its own was there
		err = t.root.Mkdir(path.Dir(name))
	}
	if err == nil {
		err = rename(t.name, name)
	}
	if err != nil {
		t.root.drop(t.name)
		return err
	}
	return t.root.syncDir(path.Dir(name))
}

func (t *Temp) sync() error {
	return t.root.do(OpSync, t.name, func(string) error { return t.file.Sync() })
}

// rest closes a file until it gets its name; but one that has none stays open. It
// returns err, or else the error of closing.
func (t *Temp) rest(err error) error {
	if t.anonymous {
		return err
	}
	return t.close(err)
}

// close returns err, or else the error of closing: some file systems report
// a failed write no sooner.
func (t *Temp) close(err error) error {
	closing := t.file.Close()
	t.file = nil
	if t.anonymous {
		keptOpen.Add(-1)
	}
	if err == nil && closing != nil {
		err = t.root.fail(OpWrite, t.name, closing)
	}
	return err
}

// drop removes a temporary file. If that fails too, Sweep will find it.
func (r *Root) drop(name string) {
	_ = r.do(OpRemove, name, r.root.Remove)
}

func (r *Root) rename(from, name string) error {
	local, err := localize(OpRename, from)
	if err != nil {
		return err
	}
	return r.do(OpRename, name, func(to string) error { return r.move(local, to) })
}

// renameNew gives a second name, which fails if it is taken, and then takes
// the first away. A crash in between leaves a temporary name for Sweep.
func (r *Root) renameNew(from, name string) error {
	local, err := localize(OpLink, from)
	if err != nil {
		return err
	}
	err = r.do(OpLink, name, func(to string) error { return r.root.Link(local, to) })
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
		// exFAT and other file systems without links: not exclusive against a
		// process that does not hold the home's lock, which all our writers do.
		taken, err := r.Exists(name)
		if err != nil {
			return err
		}
		if taken {
			return r.fail(OpLink, name, fs.ErrExist)
		}
		return r.rename(from, name)
	}
	if err == nil {
		r.drop(from)
	}
	return err
}
