package feed

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// Newest is the newest position in a tree below a limit, found by the names of
// its folders and files alone; "" if there is none.
func (t Tree) Newest(root *disk.Root, below post.Position) (post.Position, error) {
	years, err := descending(root, string(t), 4)
	if err != nil {
		return "", err
	}
	for _, year := range years {
		months, err := descending(root, year, 2)
		if err != nil {
			return "", err
		}
		for _, month := range months {
			files, err := descending(root, month, 0)
			if err != nil {
				return "", err
			}
			for _, f := range files {
				if kind, p := t.Classify(month, path.Base(f)); kind == Post && p < below {
					return p, nil
				}
			}
		}
	}
	return "", nil
}

// notThere tells that there is no such folder: nothing, or something else in its
// place, or in the place of one above it.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// descending lists the paths in a folder, the last name first; with digits,
// only those whose names are so many digits: the folders of years and months.
func descending(root *disk.Root, dir string, digits int) ([]string, error) {
	names, err := root.Names(dir)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range slices.Backward(names) {
		if digits == 0 || len(name) == digits && strings.Trim(name, "0123456789") == "" {
			out = append(out, dir+"/"+name)
		}
	}
	return out, nil
}
