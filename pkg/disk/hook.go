package disk

import "errors"

// An Op names a primitive, as a Hook sees it and as errors show it.
type Op string

// The primitives. One call of this package makes several of them.
const (
	OpOpen    Op = "open"    // of an existing file or a new temporary one
	OpRead    Op = "read"    // of a file's bytes
	OpWrite   Op = "write"   // to a temporary file
	OpSync    Op = "sync"    // fsync of a file
	OpSyncFS  Op = "syncfs"  // of the file system that holds the named directory
	OpSyncDir Op = "syncdir" // fsync of a directory
	OpRename  Op = "rename"  // the name is the new one
	OpLink    Op = "link"    // the name is the new one
	OpRemove  Op = "remove"  // also of a whole tree
	OpMkdir   Op = "mkdir"   // of one directory
	OpChtimes Op = "chtimes"
	OpReadDir Op = "readdir"
	OpLstat   Op = "lstat"
	OpLock    Op = "lock"
	OpWatch   Op = "watch" // "." is the watcher itself
)

// A Hook is the seam where tests make the disk fail. It is called before every
// primitive, and an error makes the primitive fail with it, undone. So a test
// counts the operations of a command, has the n-th fail with ENOSPC, EIO or
// EROFS, or kills the process there. It is called by several goroutines.
type Hook func(op Op, name string) error

// ErrShort makes a write (OpWrite) store the first half of its bytes and fail.
var ErrShort = errors.New("short write")
