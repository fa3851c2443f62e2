package disk

import (
	"io"
	"os"
	"path"
)

// FineTimes tells whether the file system of a directory gives each change a
// time of its own: a Stat taken after a change then shows the next one, however
// soon it comes (multigrain timestamps, Linux 6.13). It is tried once, with a
// file without a name, so that nothing shows in the directory; where there are
// none, a file is too young to be trusted for a while.
func (r *Root) FineTimes(dir string) bool {
	dir = path.Clean(dir)
	r.mu.Lock()
	defer r.mu.Unlock()
	fine, tried := r.fine[dir]
	if !tried {
		fine = r.tryTimes(dir)
		if r.fine == nil {
			r.fine = map[string]bool{}
		}
		r.fine[dir] = fine
	}
	return fine
}

func (r *Root) tryTimes(dir string) (fine bool) {
	_ = r.do(OpOpen, dir, func(local string) error {
		in, err := r.within(local)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		file, err := in.unnamed()
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		fine = areFine(file)
		return nil
	})
	return fine
}

// areFine writes a file several times over, much faster than any clock that
// ticks: each time must differ.
func areFine(file interface {
	io.Writer
	Stat() (os.FileInfo, error)
},
) bool {
	const tries = 8
	var last Stat
	for range tries {
		if _, err := file.Write([]byte{0}); err != nil {
			return false
		}
		info, err := file.Stat()
		if err != nil {
			return false
		}
		s := StatOf(info)
		if s.Ctime == 0 || s.Ctime == last.Ctime || s.Mtime == last.Mtime {
			return false
		}
		last = s
	}
	return true
}
