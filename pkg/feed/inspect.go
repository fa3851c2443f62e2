package feed

import (
	"errors"
	"path"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// An Odd is something in a tree that no look takes in, though it seems to be
// meant for one.
type Odd struct {
	Name string // in the home
	Err  error
}

var (
	errLink = errors.New("a link, pipe or device: what is behind it is not looked at")
	errDir  = errors.New("a folder where the file of a post should be")
	errDeep = errors.New("it lies too deep: nothing there is looked at")
	errCase = errors.New("its name has another case than names of posts have, and is not looked at")
)

// Inspect lists every folder of a tree, also those that did not change, and what
// is odd in it. Unlike Scan it goes on after a folder that cannot be listed,
// which is odd too.
func (t Tree) Inspect(root *disk.Root, seed func() uint64, now time.Time, each func(Listing, []Odd) error) error {
	s := &scan{root: root, tree: t, Look: Look{Full: true, Seed: seed, Now: now}}
	for todo := []string{string(t)}; len(todo) > 0; todo = todo[1:] {
		dir := todo[0]
		entries, err := root.ReadDir(dir)
		if notThere(err) && dir == string(t) {
			return nil
		}
		if err != nil {
			if err := each(Listing{Dir: dir}, []Odd{{dir, err}}); err != nil {
				return err
			}
			continue
		}
		l, below, err := s.list(dir)
		if err != nil || l == nil || l.Gone {
			continue // it went, or changes while we look
		}
		todo = append(todo, below...)
		if err := each(*l, t.odd(dir, entries)); err != nil {
			return err
		}
	}
	return nil
}

func (t Tree) odd(dir string, entries []disk.Entry) (odd []Odd) {
	deep := t.depth(dir) == maxDepth
	for _, e := range entries {
		name := dir + "/" + e.Name
		_, misplaced := post.ParsePosition(strings.ToLower(path.Base(strings.TrimSuffix(strings.ToLower(e.Name), ".json"))))
		switch {
		case e.Name[0] == '.' || strings.HasSuffix(e.Name, "~") || strings.HasSuffix(e.Name, ".part"):
		case e.Dir && strings.HasSuffix(e.Name, ".json"):
			odd = append(odd, Odd{name, errDir})
		case e.Dir && deep:
			odd = append(odd, Odd{name, errDeep})
		case !e.Dir && !e.Regular && !isOurs(e.Name):
			odd = append(odd, Odd{name, errLink})
		case e.Regular && !isOurs(e.Name) && misplaced == nil && strings.HasSuffix(strings.ToLower(e.Name), ".json"):
			odd = append(odd, Odd{name, errCase})
		}
	}
	return odd
}
