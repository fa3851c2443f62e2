package disk

import (
	"errors"
	"os"
	"slices"
)

// writeTogether writes every file and syncs the file systems they are on.
func (b *Batch) writeTogether() error {
	// Opened before the first write: the kernel tells of a failed write only
	// those who opened the file system before it.
	systems, err := b.openSystems()
	defer func() {
		for _, system := range systems {
			_ = system.dir.Close()
		}
	}()
	if err != nil {
		return err
	}
	if err := b.writeEach(func(*Temp) error { return nil }); err != nil {
		return err
	}
	for _, system := range systems {
		err := b.root.do(OpSyncFS, system.name, func(string) error { return syncfs(system.dir) })
		if errors.Is(err, errors.ErrUnsupported) {
			return b.syncEach()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) syncEach() error {
	for _, file := range b.files {
		err := b.root.do(OpSync, file.temp, func(local string) error {
			temp, err := b.root.root.OpenFile(local, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			err = temp.Sync()
			return errors.Join(err, temp.Close())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A system is a file system, by one of its directories.
type system struct {
	name string
	dir  *os.File
}

// openSystems opens one directory on each file system the batch writes to:
// attachments may be mounted from another disk.
func (b *Batch) openSystems() (systems []system, err error) {
	var devices []uint64
	for _, name := range b.dirs() {
		err := b.root.do(OpOpen, name, func(local string) error {
			dir, err := b.root.openDir(local)
			if err != nil {
				return err
			}
			info, err := dir.Stat()
			if err != nil || slices.Contains(devices, device(info)) {
				_ = dir.Close()
				return err
			}
			devices = append(devices, device(info))
			systems = append(systems, system{name: name, dir: dir})
			return nil
		})
		if err != nil {
			return systems, err
		}
	}
	return systems, nil
}
