package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Problem is a file that does not count, and why.
type Problem struct {
	Path string // absolute
	Why  string
}

// Problems names every file among the people that does not count, and every
// name that two have, by path.
func (k *Keyring) Problems() ([]Problem, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	groups, strange, err := k.groupNames()
	if err != nil {
		return nil, err
	}
	var found []Problem
	add := func(path, why string) { found = append(found, Problem{k.root.Path(path), why}) }
	for _, name := range strange {
		add(groupsDir+"/"+name, "not a group: "+errGroupName.Error())
	}
	dirs := []string{friendsDir, followsDir, blockedDir}
	names := map[string]string{}
	for _, group := range groups {
		dirs = append(dirs, groupsDir+"/"+group)
		names[group] = group
	}
	for _, dir := range dirs {
		f, err := k.look(dir)
		if err != nil {
			add(dir, why(err))
			continue
		}
		found = append(found, f.problems...)
		if dir == blockedDir {
			continue
		}
		for _, fpr := range f.keys {
			r, err := k.record(dir, fpr)
			switch {
			case err != nil:
				add(recordPath(dir, fpr), why(err))
			case isGroup(dir):
			case names[fold(r.Name)] != "" && names[fold(r.Name)] != string(fpr):
				add(recordPath(dir, fpr), fmt.Sprintf("the name %q is taken", r.Name))
			default:
				names[fold(r.Name)] = string(fpr)
			}
		}
	}
	slices.SortFunc(found, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

var errConflict = errors.New("conflict copy of a sync tool: compare and remove it")

func isConflict(name string) bool {
	return strings.Contains(name, ".sync-conflict-") || strings.Contains(name, "conflicted copy")
}

func (f *folder) problem(k *Keyring, dir, name string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		f.restless = true // it went while we looked
		return
	}
	f.problems = append(f.problems, Problem{k.root.Path(dir + "/" + name), why(err)})
}

// why leaves out the path of a disk's error: a Problem names it already.
func why(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return strings.ReplaceAll(err.Error(), path.Error(), path.Err.Error())
	}
	return err.Error()
}
