//go:build linux || windows

package disk

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

func (w *Watcher) start() error {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	w.stop, w.add = n.Close, n.Add
	go func() { // what it is told is taken at once: the kernel's queue is short
		for {
			select {
			case e, ok := <-n.Events:
				if !ok {
					return
				}
				if name, err := filepath.Rel(w.root.dir, e.Name); err == nil {
					w.happened(filepath.ToSlash(name), e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename))
				}
			case _, ok := <-n.Errors: // an overflow, mostly
				if !ok {
					return
				}
				w.missed()
			}
		}
	}()
	return nil
}
