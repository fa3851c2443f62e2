package disk

import (
	"errors"
	"path"
	"strings"
	"time"
)

// staleAge is far above what any write takes, so that a running one is safe.
const staleAge = time.Hour

// Sweep removes what crashes left of temporary files in a directory tree, if
// it is older than an hour. It goes on after an error and returns all of them;
// a dir that does not exist is swept.
func (r *Root) Sweep(dir string) error {
	entries, err := r.ReadDir(dir)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var failed []error
	for _, entry := range entries {
		name := path.Join(dir, entry.Name)
		switch {
		case entry.Dir:
			failed = append(failed, r.Sweep(name))
		case isTemp(entry) && isStale(entry.Stat):
			failed = append(failed, ignoreNotExist(r.do(OpRemove, name, r.root.Remove)))
		}
	}
	return errors.Join(failed...)
}

func isTemp(entry Entry) bool {
	return entry.Regular && strings.HasPrefix(entry.Name, tempPrefix) && strings.HasSuffix(entry.Name, tempSuffix)
}

// isStale holds for the far future too: it was written before a clock was set.
func isStale(stat Stat) bool {
	return time.Since(time.Unix(0, stat.Mtime)).Abs() > staleAge
}

func ignoreNotExist(err error) error {
	if isNotExist(err) {
		return nil
	}
	return err
}
