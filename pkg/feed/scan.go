package feed

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Listing is what a folder holds, because it changed since it was last seen.
type Listing struct {
	Dir   string
	Stat  disk.Stat // of the folder before it was listed; the zero Stat if too young to be trusted
	Gone  bool
	Files []File
}

// A File is one file in a folder that may be a post or become one.
type File struct {
	Name     string
	Kind     Kind
	Position post.Position // of Kind Post
	Stat     disk.Stat
	Regular  bool // not a link, pipe or device
}

// racy is the time within which a file system may show two changes as one: a
// folder or file changed so recently is looked at again the next time.
const racy = 2 * time.Second

// Racy tells whether a stat is too young to be trusted to show the next change.
func Racy(s disk.Stat, now time.Time) bool {
	young := now.Add(-racy).UnixNano()
	return s.Mtime > young || s.Ctime > young
}

// Scan lists the folders of a tree that changed since they were known to be
// so: their own times tell of every file added, renamed or removed. An edit in
// place changes no folder; full lists them all, so that every file's stat can
// be compared.
//
// A tree that is not there has no folders; one that cannot be read is an error,
// and means nothing for what it holds.
func (t Tree) Scan(root *disk.Root, known map[string]disk.Stat, full bool, now time.Time) ([]Listing, error) {
	s := scan{root: root, tree: t, known: known, full: full, now: now, seen: map[string]bool{}}
	if err := s.visit(string(t), 0); err != nil {
		return nil, err
	}
	for _, dir := range slices.Sorted(maps.Keys(known)) {
		if s.seen[dir] {
			continue
		}
		if err := s.visit(dir, depth(t, dir)); err != nil {
			return nil, err
		}
	}
	return s.changed, nil
}

func depth(t Tree, dir string) (n int) {
	for dir != string(t) && dir != "." {
		dir = path.Dir(dir)
		n++
	}
	return n
}

// maxDepth is how deep folders below a tree are looked at: years, months, and
// one more for what people put there.
const maxDepth = 3

type scan struct {
	root    *disk.Root
	tree    Tree
	known   map[string]disk.Stat
	full    bool
	now     time.Time
	seen    map[string]bool
	changed []Listing
}

func (s *scan) visit(dir string, depth int) error {
	s.seen[dir] = true
	before, wasKnown := s.known[dir]
	info, err := s.root.Lstat(dir)
	if notThere(err) || err == nil && !info.IsDir() {
		if wasKnown {
			s.changed = append(s.changed, Listing{Dir: dir, Gone: true})
		}
		return nil
	}
	if err != nil {
		return err
	}
	stat := disk.StatOf(info)
	if wasKnown && !s.full && before.Mtime == stat.Mtime && before.Ctime == stat.Ctime {
		return nil
	}
	l := Listing{Dir: dir, Stat: stat}
	if Racy(stat, s.now) {
		l.Stat = disk.Stat{}
	}
	entries, err := s.root.ReadDir(dir)
	if err != nil {
		return err
	}
	var dirs []string
	for _, e := range entries {
		if e.Dir {
			if depth < maxDepth && e.Name[0] != '.' {
				dirs = append(dirs, dir+"/"+e.Name)
			}
			continue
		}
		if kind, position := s.tree.Classify(dir, e.Name); kind != Other {
			l.Files = append(l.Files, File{e.Name, kind, position, e.Stat, e.Regular})
		}
	}
	s.changed = append(s.changed, l)
	for _, d := range dirs {
		if err := s.visit(d, depth+1); err != nil {
			return err
		}
	}
	return nil
}

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
