package feed

import (
	"maps"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Listing is what a folder holds, because it changed since it was last seen.
type Listing struct {
	Dir string
	Folder
	Gone    bool
	Entries []disk.Entry // its files that may be posts or become some, in no order
}

// Files are its files in byte order, and what their names say they may be: for
// who looks at all of them.
func (l Listing) Files(t Tree) []File {
	slices.SortFunc(l.Entries, disk.ByName)
	files := make([]File, len(l.Entries))
	for i, e := range l.Entries {
		files[i] = t.File(l.Dir, e)
	}
	return files
}

// A Folder is what is remembered of one, to tell whether it changed.
type Folder struct {
	Stat disk.Stat // before it was listed; the zero Stat if too young to be trusted
	Sum  uint64    // of the names and stats of its files; 0 if one is too young to be trusted
}

// A File is one file in a folder that may be a post or become one.
type File struct {
	Name     string
	Kind     Kind
	Position post.Position // of Kind Post
	Stat     disk.Stat
	Regular  bool // not a link, pipe or device
}

// File is what an entry of a folder may be.
func (t Tree) File(dir string, e disk.Entry) File {
	kind, position := t.Classify(dir, e.Name)
	return File{e.Name, kind, position, e.Stat, e.Regular}
}

// racy is the time within which a file system may show two changes as one: a
// folder or file changed so recently is looked at again the next time.
const racy = 2 * time.Second

// Racy tells whether a stat is too young to be trusted to show the next change.
func Racy(s disk.Stat, now time.Time) bool {
	young := now.Add(-racy).UnixNano()
	return s.Mtime > young || s.Ctime > young
}

// A Look says which folders of a tree are listed.
//
// Without more, those whose own times changed: they tell of every file added,
// renamed or removed. An edit in place changes no folder; Full lists them all,
// so that every file's stat is seen.
type Look struct {
	Known map[string]Folder // as they were when they were last listed
	Full  bool
	Dirs  []string      // only these and what is new below them, whatever their times say
	Turn  *Turn         // only these, whatever their times say
	Seed  func() uint64 // of the sums: with another, every folder has changed; asked for when a folder is listed
	Now   time.Time

	// Listing, unless nil, is called before a known folder is listed that seems to
	// have changed: to list a long one takes a while.
	Listing func(dir string)
}

// A Turn has some folders looked at as Full has all: the next ones after After,
// in byte order and around, until Files files were seen. A folder is looked at
// whole: those that were seen beyond Files are Ahead, and are taken off the next
// turns. Scan moves After on to the last folder.
type Turn struct {
	After        string
	Files, Ahead int
}

// Scan lists the folders of a tree that changed, and hands each to each, one at
// a time. An error of each ends it.
//
// A tree that is not there has no folders; one that cannot be read is an error,
// and means nothing for what it holds.
func (t Tree) Scan(root *disk.Root, look Look, each func(Listing) error) error {
	s := &scan{root: root, tree: t, Look: look, seen: map[string]bool{}, gone: map[string]bool{}}
	switch {
	case look.Turn != nil:
		return s.inTurn(each)
	case look.Full:
		return s.everywhere(each)
	case look.Dirs != nil:
		return s.inOrder(look.Dirs, each)
	}
	known := slices.Sorted(maps.Keys(look.Known))
	return s.inOrder(append([]string{string(t)}, known...), each)
}

// maxDepth is how deep folders below a tree are looked at: years, months, and
// one more for what people put there.
const maxDepth = 3

type scan struct {
	Look
	root  *disk.Root
	tree  Tree
	seen  map[string]bool
	gone  map[string]bool
	files int // that were seen, for a Turn
}

func (t Tree) depth(dir string) (n int) {
	for dir != string(t) && dir != "." {
		dir = path.Dir(dir)
		n++
	}
	return n
}

// inOrder visits folders in byte order, those above first, and what is new
// below them.
func (s *scan) inOrder(dirs []string, each func(Listing) error) error {
	for _, dir := range dirs {
		for todo := []string{dir}; len(todo) > 0; todo = todo[1:] {
			below, l, err := s.visit(todo[0])
			if err != nil {
				return err
			}
			todo = append(todo, below...)
			if l == nil {
				continue
			}
			if err := each(*l); err != nil {
				return err
			}
		}
	}
	return nil
}

// inTurn lists the next folders of those that are known.
func (s *scan) inTurn(each func(Listing) error) error {
	s.Full = true
	files := s.Turn.Files - s.Turn.Ahead
	defer func() { s.Turn.Ahead = max(0, s.files-files) }()
	known := slices.Sorted(maps.Keys(s.Known))
	next, found := slices.BinarySearch(known, s.Turn.After)
	if found {
		next++
	}
	for i := range known {
		if s.files >= files {
			break
		}
		s.Turn.After = known[(next+i)%len(known)]
		l, _, err := s.list(s.Turn.After)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if err := each(*l); err != nil {
			return err
		}
	}
	return nil
}

// everywhere visits all folders, on all cores. Known ones that it does not
// reach are gone.
func (s *scan) everywhere(each func(Listing) error) error {
	type result struct {
		below []string
		l     *Listing
		err   error
	}
	var (
		todo    = []string{string(s.tree)}
		results = make(chan result)
		busy    int
		failed  error
	)
	for len(todo) > 0 || busy > 0 {
		for failed == nil && len(todo) > 0 && busy < runtime.GOMAXPROCS(0) {
			dir := todo[0]
			todo = todo[1:]
			busy++
			s.seen[dir] = true
			go func() {
				l, below, err := s.list(dir)
				results <- result{below, l, err}
			}()
		}
		if busy == 0 {
			break
		}
		r := <-results
		busy--
		todo = append(todo, r.below...)
		if failed == nil {
			failed = r.err
		}
		if failed == nil && r.l != nil {
			failed = each(*r.l)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(s.Known)) {
		if failed == nil && !s.seen[dir] {
			failed = each(Listing{Dir: dir, Gone: true})
		}
	}
	return failed
}

// visit lists a folder if it is to be listed, and says which below it are new.
func (s *scan) visit(dir string) (below []string, l *Listing, err error) {
	if s.seen[dir] {
		return nil, nil, nil
	}
	s.seen[dir] = true
	if s.gone[path.Dir(dir)] { // also one that a link leads to
		s.gone[dir] = true
		if _, known := s.Known[dir]; known {
			return nil, &Listing{Dir: dir, Gone: true}, nil
		}
		return nil, nil, nil
	}
	l, all, err := s.list(dir)
	if l != nil && l.Gone {
		s.gone[dir] = true
	}
	for _, d := range all {
		if _, known := s.Known[d]; !known {
			below = append(below, d)
		}
	}
	return below, l, err
}

// list lists a folder, and the folders in it; nil if it is as it was known.
func (s *scan) list(dir string) (l *Listing, below []string, err error) {
	before, wasKnown := s.Known[dir]
	info, err := s.root.Lstat(dir)
	if notThere(err) || err == nil && !info.IsDir() {
		if wasKnown || s.Dirs != nil {
			return &Listing{Dir: dir, Gone: true}, nil, nil
		}
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	stat := disk.StatOf(info)
	if wasKnown && !s.Full && s.Dirs == nil && before.Stat.Mtime == stat.Mtime && before.Stat.Ctime == stat.Ctime {
		return nil, nil, nil
	}
	if s.Listing != nil && wasKnown && !s.Full {
		s.Listing(dir)
	}
	entries, err := s.root.Entries(dir)
	if notThere(err) { // it went meanwhile
		return &Listing{Dir: dir, Gone: true}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	l = &Listing{Dir: dir, Folder: Folder{Stat: stat, Sum: 1}}
	if s.Seed != nil {
		l.Folder.Sum |= s.Seed()
	}
	if Racy(stat, s.Now) {
		l.Stat = disk.Stat{}
	}
	depth, young := s.tree.depth(dir), false
	l.Entries = entries[:0]
	for _, e := range entries {
		switch {
		case e.Dir:
			if depth < maxDepth && e.Name[0] != '.' {
				below = append(below, dir+"/"+e.Name)
			}
		case isOurs(e.Name):
			young = young || Racy(e.Stat, s.Now)
			l.Sum += sumOf(e)
			l.Entries = append(l.Entries, e)
		}
	}
	slices.Sort(below)
	if young {
		l.Sum = 0
	}
	if s.Turn != nil { // then one folder is listed at a time
		s.files += len(l.Entries)
	}
	l.Stat.Size, l.Stat.Ino = 0, 0 // of which the index keeps nothing
	if wasKnown && l.Sum != 0 && l.Folder == before {
		return nil, below, nil
	}
	return l, below, nil
}

// sumOf is FNV-1a over the name and stat of an entry. Sums of all entries are
// added: in whatever order they are listed, the sum is the same.
func sumOf(e disk.Entry) uint64 {
	const prime = 1099511628211
	sum := uint64(14695981039346656037)
	for i := range len(e.Name) {
		sum = (sum ^ uint64(e.Name[i])) * prime
	}
	for _, n := range [...]uint64{uint64(e.Stat.Size), uint64(e.Stat.Mtime), uint64(e.Stat.Ctime), e.Stat.Ino} {
		for range 8 {
			sum = (sum ^ n&0xff) * prime
			n >>= 8
		}
	}
	return sum
}
