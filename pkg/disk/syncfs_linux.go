package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const haveSyncfs = true

func syncfs(dir *os.File) error {
	for {
		if err := unix.Syncfs(int(dir.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func device(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}

// startSync has the disk begin to write some bytes of a file, and does not wait
// for it. They are not durable for that: a failure is told by the Sync after it.
func startSync(file *os.File, offset, n int64) {
	_ = unix.SyncFileRange(int(file.Fd()), offset, n, unix.SYNC_FILE_RANGE_WRITE)
}
