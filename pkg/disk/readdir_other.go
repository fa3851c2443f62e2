//go:build !linux

package disk

import "os"

func readDir(dir *os.File) ([]Entry, error) {
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	list := make([]Entry, 0, len(entries))
	for _, entry := range entries {
		info, err := entry.Info()
		if isNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, entryOf(info))
	}
	return list, nil
}
