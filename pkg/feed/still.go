package feed

import (
	"maps"
	"path"
	"slices"

	"github.com/p2ps/p2ps/pkg/disk"
)

// Still is what the folders of a tree were like when they were last listed, kept
// to be asked again and again whether they are so still: before each answer of a
// server. It sees all that a Scan without Full would see, and costs a tenth.
type Still struct {
	dirs  []string
	stats []disk.Stat
}

// StillOf is nil if that cannot be told: there are no folders, one of them is to
// be listed whatever its times say, or one that leads to another is not known,
// and might be a link.
func (t Tree) StillOf(known map[string]Folder) *Still {
	if _, there := known[string(t)]; !there {
		return nil
	}
	s := &Still{dirs: slices.Sorted(maps.Keys(known))}
	for _, dir := range s.dirs {
		_, leads := known[path.Dir(dir)]
		if stat := known[dir].Stat; stat == (disk.Stat{}) || !leads && dir != string(t) {
			return nil
		}
		s.stats = append(s.stats, known[dir].Stat)
	}
	return s
}

// Is tells whether all are as they were. An error is a no: a Scan tells it better.
func (s *Still) Is(root *disk.Root) bool {
	if s == nil {
		return false
	}
	for i, dir := range s.dirs {
		stat, err := root.DirStat(dir)
		if err != nil || stat.Mtime != s.stats[i].Mtime || stat.Ctime != s.stats[i].Ctime {
			return false
		}
	}
	return true
}
