//go:build !(linux || windows)

package disk

import "errors"

// start: kqueue opens every file of a directory to watch it, and a feed holds
// more than a process may open.
func (w *Watcher) start() error { return errors.ErrUnsupported }
