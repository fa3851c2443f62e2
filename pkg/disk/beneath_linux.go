package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// os.Root opens each directory on the way to a file, to be safe on any system.
// The kernel can keep a path beneath a directory by itself, in one call: four
// times as fast, for all the files that are looked at before each answer. Where
// it will not (a symbolic link on the way, a sandbox), os.Root decides.

// openBeneath opens a name beneath the root. ok is false if os.Root is to be
// asked instead.
func (r *Root) openBeneath(local string, flags uint64) (fd int, ok bool, err error) {
	return r.openBeneathMode(local, flags, 0)
}

func (r *Root) openBeneathMode(local string, flags, mode uint64) (fd int, ok bool, err error) {
	for {
		fd, err = unix.Openat2(int(r.top.Fd()), local, &unix.OpenHow{
			Flags:   flags | unix.O_CLOEXEC,
			Mode:    mode,
			Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
		})
		switch {
		case errors.Is(err, unix.EINTR):
		case err == nil, errors.Is(err, unix.ENOENT), errors.Is(err, unix.EACCES), errors.Is(err, unix.EMFILE), errors.Is(err, unix.EIO):
			return fd, true, err
		default:
			return -1, false, nil
		}
	}
}

func (r *Root) lstat(local string) (fs.FileInfo, error) {
	fd, ok, err := r.openBeneath(local, unix.O_PATH|unix.O_NOFOLLOW)
	if !ok {
		return r.root.Lstat(local)
	}
	if err != nil {
		return nil, err
	}
	info := &info{name: path.Base(local)}
	err = fstat(fd, &info.stat)
	_ = unix.Close(fd)
	if err != nil {
		return nil, err
	}
	return info, nil
}

// dirStat asks for a path in one call. Nothing is opened, so nothing is given
// away should a link have come to stand on the way.
func (r *Root) dirStat(local string) (Stat, error) {
	var st unix.Stat_t
	if err := fstatat(int(r.top.Fd()), local, &st); err != nil {
		return Stat{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return Stat{}, unix.ENOTDIR
	}
	return statFrom(&st), nil
}

// openRegular opens a regular file for reading, and nothing else.
func (r *Root) openRegular(local string) (*os.File, Stat, error) {
	fd, stat, ok, err := r.openRegularBeneath(local)
	if !ok {
		return r.openChecked(local)
	}
	if err != nil {
		return nil, Stat{}, err
	}
	return os.NewFile(uintptr(fd), local), stat, nil
}

// openBriefly is openRegular for a file that is read at once: os asks the kernel
// twice more what it is, and has the runtime watch it, for nothing.
func (r *Root) openBriefly(local string) (io.ReadCloser, Stat, error) {
	fd, stat, ok, err := r.openRegularBeneath(local)
	if !ok {
		return r.openChecked(local)
	}
	return descriptor(fd), stat, err
}

func (r *Root) openRegularBeneath(local string) (fd int, stat Stat, ok bool, err error) {
	fd, ok, err = r.openBeneath(local, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW)
	if !ok || err != nil {
		return -1, Stat{}, ok, err
	}
	var info info
	err = fstat(fd, &info.stat)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, Stat{}, true, err
	}
	return fd, StatOf(&info), true, nil
}

// A descriptor is an open file of one goroutine.
type descriptor int

// Read implements io.Reader.
func (d descriptor) Read(p []byte) (n int, err error) {
	for {
		n, err = unix.Read(int(d), p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Close implements io.Closer.
func (d descriptor) Close() error { return unix.Close(int(d)) }

// openDir opens a directory; a pipe of that name does not make it wait.
func (r *Root) openDir(local string) (*os.File, error) {
	fd, ok, err := r.openBeneath(local, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_DIRECTORY)
	if !ok {
		return r.root.OpenFile(local, os.O_RDONLY|nonblock|directory, 0)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), local), nil
}

// create makes a new file and opens it for writing.
func (r *Root) create(local string, perm fs.FileMode) (*os.File, error) {
	fd, ok, err := r.openBeneathMode(local, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint64(perm.Perm()))
	if !ok {
		return r.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), local), nil
}

// move gives a file another name, most often in the same directory.
func (r *Root) move(from, to string) error {
	if path.Dir(from) != path.Dir(to) {
		return r.root.Rename(from, to)
	}
	fd, ok, err := r.openBeneath(path.Dir(to), unix.O_PATH|unix.O_DIRECTORY)
	if !ok {
		return r.root.Rename(from, to)
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return renameat(fd, path.Base(from), path.Base(to))
}

// renameat gives a name in a directory another one in it.
func renameat(dir int, from, to string) error {
	for {
		if err := unix.Renameat(dir, from, dir, to); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func linkat(from int, path string, dir int, base string, flags int) error {
	for {
		if err := unix.Linkat(from, path, dir, base, flags); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func fstat(fd int, stat *syscall.Stat_t) error {
	for {
		if err := syscall.Fstat(fd, stat); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// fstatat asks for a name as seen from a directory, and follows no link at its end.
func fstatat(dir int, name string, st *unix.Stat_t) error {
	for {
		if err := unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func statFrom(st *unix.Stat_t) Stat {
	return Stat{Size: st.Size, Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Ino: st.Ino}
}

// An info is the fs.FileInfo that os would make of the same file.
type info struct {
	name string
	stat syscall.Stat_t
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.stat.Size }
func (i *info) ModTime() time.Time { return time.Unix(i.stat.Mtim.Unix()) }
func (i *info) IsDir() bool        { return i.Mode().IsDir() }
func (i *info) Sys() any           { return &i.stat }

func (i *info) Mode() fs.FileMode {
	mode := fs.FileMode(i.stat.Mode & 0o777)
	switch i.stat.Mode & syscall.S_IFMT {
	case syscall.S_IFBLK:
		mode |= fs.ModeDevice
	case syscall.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case syscall.S_IFDIR:
		mode |= fs.ModeDir
	case syscall.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case syscall.S_IFLNK:
		mode |= fs.ModeSymlink
	case syscall.S_IFSOCK:
		mode |= fs.ModeSocket
	}
	for bit, flag := range setBits {
		if i.stat.Mode&bit != 0 {
			mode |= flag
		}
	}
	return mode
}

var setBits = map[uint32]fs.FileMode{
	syscall.S_ISUID: fs.ModeSetuid,
	syscall.S_ISGID: fs.ModeSetgid,
	syscall.S_ISVTX: fs.ModeSticky,
}
