package disk

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"syscall"
)

// WriteFile durably writes a whole file, replacing what has the name. Missing
// directories are made (0700). On error there is the old content or the new
// under the name, never a part; an error after the rename means that the new
// one may not survive a power cut.
func (r *Root) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return r.write(name, data, perm, (*Temp).Commit)
}

// WriteNew is WriteFile, but fails with fs.ErrExist if the name is taken.
func (r *Root) WriteNew(name string, data []byte, perm fs.FileMode) error {
	return r.write(name, data, perm, (*Temp).CommitNew)
}

func (r *Root) write(name string, data []byte, perm fs.FileMode, commit func(*Temp, string) error) error {
	if _, err := localize(OpOpen, name); err != nil {
		return err
	}
	temp, err := r.Temp(path.Dir(name), perm)
	if err != nil {
		return err
	}
	if _, err := temp.Write(data); err != nil {
		temp.Discard()
		return err
	}
	return commit(temp, name)
}

// Rename durably gives a file or directory another name, replacing a file that
// has it. The directories of the new name are made if they are missing.
func (r *Root) Rename(from, name string) error {
	for _, name := range []string{from, name} {
		if _, err := localize(OpRename, name); err != nil {
			return err
		}
	}
	if err := r.Mkdir(path.Dir(name)); err != nil {
		return err
	}
	if err := r.rename(from, name); err != nil {
		return err
	}
	// The new name first: a power cut in between must not lose the file.
	if err := r.syncDir(path.Dir(name)); err != nil {
		return err
	}
	if path.Dir(from) == path.Dir(name) {
		return nil
	}
	return r.syncDir(path.Dir(from))
}

// Remove durably removes a file or an empty directory.
func (r *Root) Remove(name string) error {
	if err := r.do(OpRemove, name, r.root.Remove); err != nil {
		return err
	}
	return r.syncDir(path.Dir(name))
}

// RemoveAll durably removes a file or a whole directory, if it is there.
func (r *Root) RemoveAll(name string) error {
	err := r.do(OpRemove, name, r.root.RemoveAll)
	for tries := 3; tries > 0 && errors.Is(err, syscall.ENOTEMPTY); tries-- { // somebody wrote into it meanwhile
		err = r.do(OpRemove, name, r.root.RemoveAll)
	}
	if err != nil {
		return err
	}
	err = r.syncDir(path.Dir(name))
	if isNotExist(err) { // not even its directory was there
		return nil
	}
	return err
}

// Mkdir durably makes a directory (0700) and its parents. One that exists is
// left as it is.
func (r *Root) Mkdir(name string) error {
	local, err := localize(OpMkdir, name)
	if err != nil {
		return err
	}
	info, err := r.root.Stat(local)
	if err == nil && info.IsDir() {
		return nil
	}
	if name == "." {
		return r.fail(OpMkdir, name, fs.ErrNotExist) // the root itself is gone
	}
	if err := r.Mkdir(path.Dir(name)); err != nil {
		return err
	}
	err = r.do(OpMkdir, name, func(local string) error {
		err := r.root.Mkdir(local, 0o700)
		if info, stat := r.root.Stat(local); err != nil && stat == nil && info.IsDir() {
			return nil // another process was faster
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.syncDir(path.Dir(name)); err != nil {
		r.drop(name) // so that the next try syncs again
		return err
	}
	return nil
}

// syncDir makes the names in a directory durable.
func (r *Root) syncDir(name string) error {
	return r.do(OpSyncDir, name, func(local string) error {
		if !directorySync {
			return nil
		}
		dir, err := r.openDir(local)
		if err != nil {
			return err
		}
		err = dir.Sync()
		if closing := dir.Close(); err == nil {
			err = closing
		}
		if slices.Contains(noDirectorySync, reason(err)) {
			return nil // network and FUSE file systems that cannot
		}
		return err
	})
}

func localize(op Op, name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", &fs.PathError{Op: string(op), Path: name, Err: fs.ErrInvalid}
	}
	return local, nil
}
