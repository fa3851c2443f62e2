package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// A File is a regular file open for reading.
type File struct {
	root *Root
	name string
	file *os.File
}

// OpenFile opens a regular file. The Stat is that of the open file, taken
// before anything is read: should the file change meanwhile, a later Stat
// differs and what was read of it is known to be old.
//
// A pipe or device is refused without waiting for its other end, and so is a
// symbolic link, which could make a private file pass for a harmless one.
func (r *Root) OpenFile(name string) (*File, Stat, error) {
	var (
		file *os.File
		stat Stat
	)
	err := r.do(OpOpen, name, func(local string) (err error) {
		file, stat, err = r.openRegular(local)
		return err
	})
	if err != nil {
		return nil, Stat{}, err
	}
	return &File{root: r, name: name, file: file}, stat, nil
}

// openChecked opens a regular file where the system does not refuse the others
// by itself.
func (r *Root) openChecked(local string) (*os.File, Stat, error) {
	info, err := r.root.Lstat(local)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return nil, Stat{}, err
	}
	// The name may have become a pipe since: do not wait for its writer.
	file, err := r.root.OpenFile(local, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, Stat{}, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		_ = file.Close()
		return nil, Stat{}, err
	}
	return file, StatOf(info), nil
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (n int, err error) {
	return f.read(func() (int, error) { return f.file.Read(p) })
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, offset int64) (n int, err error) {
	return f.read(func() (int, error) { return f.file.ReadAt(p, offset) })
}

// Close implements io.Closer.
func (f *File) Close() error {
	return f.file.Close()
}

func (f *File) read(primitive func() (int, error)) (n int, err error) {
	end := false
	err = f.root.do(OpRead, f.name, func(string) (err error) {
		if n, err = primitive(); errors.Is(err, io.EOF) {
			end, err = true, nil // io.EOF must come back as itself
		}
		return err
	})
	if err == nil && end {
		err = io.EOF
	}
	return n, err
}

// Lstat says what a name is, without following a symbolic link.
func (r *Root) Lstat(name string) (info fs.FileInfo, err error) {
	err = r.do(OpLstat, name, func(local string) (err error) {
		info, err = r.lstat(local)
		return err
	})
	return info, err
}

// DirStat is the Stat of a directory, for a quarter of what Lstat costs: there may
// be hundreds to be looked at before each answer. It trusts the directories that
// its name leads through to be no links; whoever asks looks at these as well.
func (r *Root) DirStat(name string) (stat Stat, err error) {
	err = r.do(OpLstat, name, func(local string) (err error) {
		stat, err = r.dirStat(local)
		return err
	})
	return stat, err
}

// Exists says whether there is anything under a name, even a dangling link.
func (r *Root) Exists(name string) (bool, error) {
	_, err := r.Lstat(name)
	if isNotExist(err) {
		return false, nil
	}
	return err == nil, err
}

// Chtimes sets the time of a file's last change, as a folder sync compares it.
func (r *Root) Chtimes(name string, mtime time.Time) error {
	return r.do(OpChtimes, name, func(local string) error {
		return r.root.Chtimes(local, mtime, mtime)
	})
}
