//go:build unix

package disk

import "syscall"

// directorySync says that names become durable by an fsync of their directory.
const directorySync = true

// noDirectorySync holds what file systems answer that have no such thing.
var noDirectorySync = []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP}
