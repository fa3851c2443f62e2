// Package disk is the only package that touches the file system. A Root is one
// directory tree (a person's home), and everything done in it is done here:
// reading with a limit, writing that outlives a power cut, locks.
//
// What must hold:
//
//   - "Done" means durable. A file is written under a dot name in its own
//     directory, or without a name, fsynced, given its name, and the directory
//     fsynced; leaving out the last step loses the newest file in a power cut.
//     An fsync error is an error, never retried: after one, what the disk holds
//     is not known.
//   - A file is seen old or new, never half.
//   - Names are slash-separated and local to the root (fs.ValidPath). Nothing
//     leads out of it, symbolic links included (os.Root); only regular files
//     are read.
//   - Tests make the disk fail: every primitive first asks the Root's Hook.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

var (
	// ErrTooLarge says that a file is longer than the limit it was read with.
	ErrTooLarge = errors.New("file is too large")
	// ErrNotRegular says that a name is a directory, symbolic link, pipe,
	// socket or device where a regular file is expected.
	ErrNotRegular = errors.New("not a regular file")
	// ErrBusy says that somebody else held a lock until the wait was over.
	ErrBusy = errors.New("locked by another p2ps")
	// ErrExposed says that a secret file can be read or written by others.
	ErrExposed = errors.New("open to others")
)

// A Root is one directory tree. It is safe for concurrent use.
type Root struct {
	dir  string // absolute
	root *os.Root
	top  *os.File // the directory itself
	hook Hook

	mu    sync.Mutex
	slots map[string]chan struct{} // one per lock file, see Lock
	fine  map[string]bool          // see FineTimes
}

// Open opens the existing directory dir. The hook is nil but in tests.
func Open(dir string, hook Hook) (*Root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open home %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, &fs.PathError{Op: string(OpOpen), Path: abs, Err: reason(err)}
	}
	top, err := root.Open(".")
	if err != nil {
		_ = root.Close()
		return nil, &fs.PathError{Op: string(OpOpen), Path: abs, Err: reason(err)}
	}
	return &Root{dir: abs, root: root, top: top, hook: hook, slots: map[string]chan struct{}{}}, nil
}

// Create makes dir (0700, with its parents) if it is missing, and opens it.
func Create(dir string, hook Hook) (*Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &fs.PathError{Op: string(OpMkdir), Path: dir, Err: reason(err)}
	}
	return Open(dir, hook)
}

// Close lets the directory go. Nothing may be called afterwards.
func (r *Root) Close() error {
	return errors.Join(r.top.Close(), r.root.Close())
}

// Dir returns the absolute path of the root, for messages.
func (r *Root) Dir() string {
	return r.dir
}

// Path returns the absolute path of a name, for messages. It opens nothing.
func (r *Root) Path(name string) string {
	return filepath.Join(r.dir, filepath.FromSlash(name))
}

// do runs one primitive on one name. The hook is asked first, and an error
// becomes an *fs.PathError with the absolute path, which a person can act on.
func (r *Root) do(op Op, name string, primitive func(local string) error) error {
	local, err := filepath.Localize(name)
	if err != nil {
		return &fs.PathError{Op: string(op), Path: name, Err: fs.ErrInvalid}
	}
	if r.hook != nil {
		if err := r.hook(op, name); err != nil {
			return r.fail(op, name, err)
		}
	}
	if err := primitive(local); err != nil {
		return r.fail(op, name, err)
	}
	return nil
}

func (r *Root) fail(op Op, name string, err error) error {
	return &fs.PathError{Op: string(op), Path: r.Path(name), Err: reason(err)}
}

// reason takes off the wrapping that names a system call and a relative path.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
