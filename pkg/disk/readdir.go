package disk

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// An Entry is one name in a directory. A symbolic link, pipe, socket or device
// is neither Dir nor Regular.
type Entry struct {
	Name    string
	Dir     bool
	Regular bool
	Stat    Stat
}

// ReadDir lists a directory by name, in byte order, with the Stat of each
// entry. What vanishes meanwhile is left out.
func (r *Root) ReadDir(name string) ([]Entry, error) {
	list, err := r.Entries(name)
	slices.SortFunc(list, ByName)
	return list, err
}

// ByName orders entries as ReadDir does.
func ByName(a, b Entry) int { return strings.Compare(a.Name, b.Name) }

// Entries is ReadDir in whatever order: about 3 µs an entry, which to sort takes
// half a microsecond more.
func (r *Root) Entries(name string) (list []Entry, err error) {
	err = r.do(OpReadDir, name, func(local string) error {
		dir, err := r.openDir(local)
		if err != nil {
			return err
		}
		defer func() { _ = dir.Close() }()
		list, err = readDir(dir)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Names lists the names in a directory, in byte order, and looks at none of
// them.
func (r *Root) Names(name string) (names []string, err error) {
	err = r.do(OpReadDir, name, func(local string) error {
		dir, err := r.openDir(local)
		if err != nil {
			return err
		}
		defer func() { _ = dir.Close() }()
		names, err = dir.Readdirnames(-1)
		return err
	})
	slices.Sort(names)
	return names, err
}

func entryOf(info fs.FileInfo) Entry {
	return Entry{Name: info.Name(), Dir: info.IsDir(), Regular: info.Mode().IsRegular(), Stat: StatOf(info)}
}

func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist)
}
