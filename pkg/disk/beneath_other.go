//go:build !linux

package disk

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

func (r *Root) lstat(local string) (fs.FileInfo, error) {
	return r.root.Lstat(local)
}

func (r *Root) dirStat(local string) (Stat, error) {
	info, err := r.root.Lstat(local)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return Stat{}, err
	}
	return StatOf(info), nil
}

func (r *Root) openRegular(local string) (*os.File, Stat, error) {
	return r.openChecked(local)
}

// openBriefly is openRegular for a file that is read at once.
func (r *Root) openBriefly(local string) (io.ReadCloser, Stat, error) {
	return r.openChecked(local)
}

// openDir opens a directory; a pipe of that name does not make it wait.
func (r *Root) openDir(local string) (*os.File, error) {
	return r.root.OpenFile(local, os.O_RDONLY|nonblock|directory, 0)
}

// create makes a new file and opens it for writing.
func (r *Root) create(local string, perm fs.FileMode) (*os.File, error) {
	return r.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// move gives a file another name.
func (r *Root) move(from, to string) error {
	return r.root.Rename(from, to)
}
