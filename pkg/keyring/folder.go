package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// A folder is a directory of keys as it was found, each under its name.
type folder struct {
	stat     disk.Stat
	keys     []pgp.Fingerprint // that count, ascending
	named    map[pgp.Fingerprint]bool
	problems []Problem
	maybe    map[pgp.Fingerprint]bool // whose key is there, but does not count
	stray    bool                     // a *.asc is there of which nobody knows whose it is
	unread   error                    // such a file could not be read at all
	restless bool                     // to be looked at again, whatever the directory's times say
}

// look returns what a directory of keys holds, after renaming by content what
// has another name. One that does not exist is empty. The error is that of a
// directory that cannot be listed.
func (k *Keyring) look(dir string) (*folder, error) {
	// A rename moves the directory's times: what is remembered is what was
	// found by a look that had nothing left to rename.
	for try := 0; ; try++ {
		info, err := k.root.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return &folder{}, nil
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s: %w", k.root.Path(dir), syscall.ENOTDIR) // nor a link: its times tell nothing
		}
		if err != nil {
			return nil, err
		}
		stat := disk.StatOf(info)
		if known := k.folders[dir]; known != nil && known.stat == stat && !known.restless && !k.isRacy(stat) {
			return known, nil
		}
		delete(k.folders, dir)
		entries, err := k.root.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		f := &folder{stat: stat, named: map[pgp.Fingerprint]bool{}, maybe: map[pgp.Fingerprint]bool{}}
		if k.sort(dir, f, entries) && try < 3 {
			continue
		}
		k.forgetOrphans(dir, f, entries)
		f.restless = f.restless || len(f.problems) > 0
		k.folders[dir] = f
		return f, nil
	}
}

// sort fills the folder, and says whether it renamed anything.
func (k *Keyring) sort(dir string, f *folder, entries []disk.Entry) (renamed bool) {
	var others []string
	for _, entry := range entries {
		stem, isKey := strings.CutSuffix(entry.Name, keySuffix)
		if !isKey || strings.HasPrefix(entry.Name, ".") {
			continue
		}
		fpr, err := pgp.ParseFingerprint(stem)
		if err != nil {
			others = append(others, entry.Name)
			continue
		}
		f.named[fpr] = true
		if dir != blockedDir {
			if err := k.checkKey(dir, fpr); err != nil {
				if other, err := k.keyAt(keyPath(dir, fpr)); err == nil {
					f.maybe[other.Fingerprint()] = true
				}
				f.problem(k, dir, entry.Name, err)
				continue
			}
		}
		f.keys = append(f.keys, fpr)
	}
	for _, name := range others {
		if k.adopt(dir, f, name) {
			renamed = true
		}
	}
	return renamed
}

// adopt gives a file that has another name that of the key in it.
func (k *Keyring) adopt(dir string, f *folder, name string) (renamed bool) {
	fpr, err := k.whose(dir, name)
	if err == nil && isConflict(name) && dir != blockedDir {
		f.maybe[fpr] = true
		err = errConflict
	} else if err != nil {
		f.stray = true
		if !errors.Is(err, errNoKey) && !errors.Is(err, fs.ErrNotExist) {
			f.unread = err
		}
	}
	if err != nil {
		f.problem(k, dir, name, err)
		return false
	}
	to := keyPath(dir, fpr)
	if f.named[fpr] {
		if err := k.absorb(dir, name, fpr); err != nil {
			f.problem(k, dir, name, err)
			return false
		}
		to = dir + "/.dup-" + unique() + "-" + string(fpr) + keySuffix
	}
	err = k.root.Rename(dir+"/"+name, to)
	if errors.Is(err, fs.ErrNotExist) {
		return true // another process was faster
	}
	if err != nil { // a disk that cannot be written
		f.maybe[fpr] = true
		if dir == blockedDir {
			f.keys = append(f.keys, fpr)
		}
		f.problem(k, dir, name, err)
		return false
	}
	f.named[fpr] = true
	k.log.Info("renamed a key by its content", "from", k.root.Path(dir+"/"+name), "to", k.root.Path(to))
	return true
}

// whose says whose key a file is. In blocked/ a fingerprint in lower case or
// with spaces is meant as what it says, whatever the file holds.
func (k *Keyring) whose(dir, name string) (pgp.Fingerprint, error) {
	if dir == blockedDir {
		stem := strings.ReplaceAll(strings.TrimSuffix(name, keySuffix), " ", "")
		if fpr, err := pgp.ParseFingerprint(strings.ToUpper(stem)); err == nil {
			return fpr, nil
		}
	}
	cert, err := k.keyAt(dir + "/" + name)
	if err != nil {
		return "", err
	}
	return cert.Fingerprint(), nil
}

// absorb takes over what an extra file knows that the named one does not: the
// certificates of friends are used, all others only say who.
func (k *Keyring) absorb(dir, name string, fpr pgp.Fingerprint) error {
	if dir != friendsDir && dir != followsDir {
		return nil
	}
	extra, err := k.keyAt(dir + "/" + name)
	if err != nil {
		return err
	}
	held, err := k.keyOf(dir, fpr)
	if err != nil {
		return fmt.Errorf("%s is in the way: %w", string(fpr)+keySuffix, err)
	}
	merged, err := held.Merge(extra)
	if err != nil || merged == held {
		return err
	}
	return k.root.WriteFile(keyPath(dir, fpr), merged.Armor(), filePerm)
}
