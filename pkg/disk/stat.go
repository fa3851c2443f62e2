package disk

import "io/fs"

// A Stat says whether a file or directory is still the one seen before: size
// and mtime alone miss an edit that restores the mtime, ctime misses none
// where the file system keeps it. The zero Stat is that of no file.
type Stat struct {
	Size  int64  // bytes
	Mtime int64  // nanoseconds since 1970
	Ctime int64  // nanoseconds since 1970; 0 where the system has none
	Ino   uint64 // 0 where the system has none
}

// StatOf returns the Stat of what os or this package said of a file.
func StatOf(info fs.FileInfo) Stat {
	if stat, ok := statOf(info.Sys()); ok {
		return stat
	}
	return Stat{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
}
