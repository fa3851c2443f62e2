package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A within is a directory held open, for what is done to names in it: os.Root
// would look at each before it is renamed, and ask of each whether it can be
// waited for.
type within struct{ dir *os.File }

func (r *Root) within(local string) (within, error) {
	dir, err := r.openDir(local)
	return within{dir}, err
}

func (w within) Close() error { return w.dir.Close() }

// again is the directory for somebody else.
func (w within) again() (*os.File, error) {
	return w.open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

// create makes a new file and opens it for writing.
func (w within) create(base string, perm fs.FileMode) (*os.File, error) {
	return w.open(base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, perm)
}

// createAnonymous opens a new file that has no name, and is gone when it is closed
// without one.
func (w within) createAnonymous(perm fs.FileMode) (*os.File, error) {
	return w.open(".", unix.O_WRONLY|unix.O_TMPFILE, perm)
}

// name gives an open file a name that nobody has.
func (w within) name(file *os.File, base string) error {
	dir, fd := int(w.dir.Fd()), int(file.Fd())
	err := linkat(fd, "", dir, base, unix.AT_EMPTY_PATH)
	if errors.Is(err, unix.ENOENT) { // before Linux 6.10 only root may
		err = linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), dir, base, unix.AT_SYMLINK_FOLLOW)
	}
	return err
}

// mostOpen is how many files this process may have open.
var mostOpen = sync.OnceValue(func() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(min(limit.Cur, 1<<20)) //nolint:gosec // it fits
})

func (w within) open(base string, flags int, perm fs.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Openat(int(w.dir.Fd()), base, flags|unix.O_CLOEXEC, uint32(perm.Perm()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(fd), base), nil
	}
}

// move gives a file another name.
func (w within) move(from, to string) error { return renameat(int(w.dir.Fd()), from, to) }

func (w within) stat(base string) (Stat, error) {
	var st unix.Stat_t
	err := fstatat(int(w.dir.Fd()), base, &st)
	return statFrom(&st), err
}
