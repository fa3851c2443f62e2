//go:build !linux

package disk

import (
	"errors"
	"io/fs"
	"os"
)

// A within is a directory held open, for what is done to names in it.
type within struct{ *os.Root }

func (r *Root) within(local string) (within, error) {
	in, err := r.root.OpenRoot(local)
	return within{in}, err
}

// again is the directory for somebody else.
func (w within) again() (*os.File, error) { return w.Open(".") }

// create makes a new file and opens it for writing.
func (w within) create(base string, perm fs.FileMode) (*os.File, error) {
	return w.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// createAnonymous and name are for systems where a file need not have a name.
func (w within) createAnonymous(fs.FileMode) (*os.File, error) { return nil, errors.ErrUnsupported }

func (w within) name(*os.File, string) error { return errors.ErrUnsupported }

func mostOpen() int64 { return 0 }

// move gives a file another name.
func (w within) move(from, to string) error { return w.Rename(from, to) }

func (w within) stat(base string) (Stat, error) {
	info, err := w.Lstat(base)
	if err != nil {
		return Stat{}, err
	}
	return StatOf(info), nil
}
