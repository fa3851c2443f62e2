package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// A Partial is a file that is long on its way: unlike a Temp it keeps its name,
// so that who was interrupted goes on where it ended. What is in it is for its
// owner to judge: after a power cut its end may be anything.
type Partial struct {
	root  *Root
	name  string
	file  *os.File
	size  int64
	begun int64 // up to which byte the disk was made to write
}

// Partial opens or begins the partial file of a name, which should be a dot name
// that no scan looks at and Sweep leaves alone; its directory is made if it is
// missing. One of Commit, Discard or Close ends it.
func (r *Root) Partial(name string, perm fs.FileMode) (*Partial, error) {
	if err := r.Mkdir(path.Dir(name)); err != nil {
		return nil, err
	}
	p := &Partial{root: r, name: name}
	err := r.do(OpOpen, name, func(local string) (err error) {
		if info, err := r.root.Lstat(local); err == nil && !info.Mode().IsRegular() {
			return ErrNotRegular
		}
		p.file, err = r.root.OpenFile(local, os.O_RDWR|os.O_CREATE|nonblock|nofollow, perm)
		if err != nil {
			return err
		}
		info, err := p.file.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = ErrNotRegular
		}
		if err != nil {
			_ = p.file.Close()
			return err
		}
		p.size, p.begun = info.Size(), info.Size()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Size is how many bytes are in it.
func (p *Partial) Size() int64 { return p.size }

// ReadAt implements io.ReaderAt.
func (p *Partial) ReadAt(b []byte, offset int64) (n int, err error) {
	return (&File{root: p.root, name: p.name, file: p.file}).ReadAt(b, offset)
}

// Write adds to its end.
func (p *Partial) Write(b []byte) (n int, err error) {
	err = p.root.do(OpWrite, p.name, func(string) (err error) {
		n, err = p.file.WriteAt(b, p.size)
		return err
	})
	if errors.Is(err, ErrShort) { // only the hook says so
		n, _ = p.file.WriteAt(b[:len(b)/2], p.size)
	}
	p.size += int64(n)
	if p.size-p.begun >= early {
		startSync(p.file, p.begun, p.size-p.begun)
		p.begun = p.size
	}
	return n, err
}

// Sync makes what is in it durable.
func (p *Partial) Sync() error {
	return p.root.do(OpSync, p.name, func(string) error { return p.file.Sync() })
}

// early is how much is written before the disk is made to begin with it, so that
// there is little to wait for in the end.
const early = 8 << 20 // bytes

// Empty begins it anew.
func (p *Partial) Empty() error {
	err := p.root.do(OpWrite, p.name, func(string) error { return p.file.Truncate(0) })
	if err == nil {
		p.size, p.begun = 0, 0
	}
	return err
}

// Commit makes it durable and gives it its name, in the same directory, replacing
// what has it. On error it stays as it is, closed.
func (p *Partial) Commit(name string) error {
	err := p.Sync()
	if closing := p.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = p.root.rename(p.name, name)
	}
	if err != nil {
		return err
	}
	return p.root.syncDir(path.Dir(name))
}

// Discard removes it.
func (p *Partial) Discard() error {
	_ = p.Close()
	return p.root.do(OpRemove, p.name, p.root.root.Remove)
}

// Close keeps it for another time.
func (p *Partial) Close() error {
	if err := p.file.Close(); err != nil {
		return p.root.fail(OpWrite, p.name, err)
	}
	return nil
}
