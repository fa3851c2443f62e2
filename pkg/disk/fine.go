package disk

import "path"

// FineTimes tells whether the file system of a directory gives each change a
// time of its own: a Stat taken after a change then shows the next one, however
// soon it comes (multigrain timestamps, Linux 6.13). It is tried once, with a
// temporary file; elsewhere a file is too young to be trusted for a while.
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

// tryTimes writes one file several times over, much faster than any clock that
// ticks: each time must differ.
func (r *Root) tryTimes(dir string) bool {
	t, err := r.Temp(dir, 0o600)
	if err != nil {
		return false
	}
	defer t.Discard()
	const tries = 8
	var last Stat
	for range tries {
		if _, err := t.Write([]byte{0}); err != nil {
			return false
		}
		info, err := r.Lstat(t.name)
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
