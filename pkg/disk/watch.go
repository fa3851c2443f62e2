package disk

import (
	"slices"
	"strings"
	"sync"
)

// A Watcher tells which directories something happened in, as soon as it does.
// It is a hint: what it misses costs time, and whoever must be sure looks for
// himself. It is safe for concurrent use.
type Watcher struct {
	root   *Root
	stop   func() error
	add    func(path string) error
	signal chan struct{}

	mu    sync.Mutex
	dirs  map[string]uint64 // watched, and which directory it was
	dirty map[string]bool
	lost  bool
}

// Watch begins to watch nothing. errors.ErrUnsupported where the system cannot
// watch a directory without opening every file in it.
func (r *Root) Watch() (w *Watcher, err error) {
	w = &Watcher{root: r, signal: make(chan struct{}, 1), dirs: map[string]uint64{}, dirty: map[string]bool{}}
	err = r.do(OpWatch, ".", func(string) error { return w.start() })
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Add watches a directory, not those in it, if it is not watched yet, or if
// another one has its name now: a disk was mounted there. What happens from then
// on is told: list it afterwards, and nothing is missed.
func (w *Watcher) Add(dir string) (added bool, err error) {
	info, err := w.root.Lstat(dir)
	if err != nil {
		return false, err
	}
	ino := StatOf(info).Ino
	w.mu.Lock()
	was, there := w.dirs[dir]
	w.mu.Unlock()
	if there && was == ino {
		return false, nil
	}
	err = w.root.do(OpWatch, dir, func(string) error { return w.add(w.root.Path(dir)) })
	if err == nil {
		w.mu.Lock()
		w.dirs[dir] = ino
		w.mu.Unlock()
	}
	return err == nil, err
}

// Signal receives when there is something to Take.
func (w *Watcher) Signal() <-chan struct{} { return w.signal }

// Take returns the directories in which something happened since the last Take,
// by name. lost: more happened than could be told, anywhere.
func (w *Watcher) Take() (dirs []string, lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for dir := range w.dirty {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	lost = w.lost
	clear(w.dirty)
	w.lost = false
	return dirs, lost
}

// Close ends it.
func (w *Watcher) Close() error { return w.stop() }

// happened notes that something happened to a name. Temporary files are left
// out: they make the most noise, and become something by a rename.
func (w *Watcher) happened(name string, gone bool) {
	dir, base := ".", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir, base = name[:i], name[i+1:]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, watched := w.dirs[name]; gone && watched {
		delete(w.dirs, name) // a directory of that name is another one
		w.dirty[name] = true
	}
	if strings.HasPrefix(base, ".") {
		return
	}
	w.dirty[dir] = true
	w.wake()
}

// missed notes that something happened that cannot be told.
func (w *Watcher) missed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = true
	clear(w.dirs)
	w.wake()
}

func (w *Watcher) wake() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}
