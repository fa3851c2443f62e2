//go:build !unix

package disk

// directorySync: here the file system's journal keeps names in order by itself.
const directorySync = false

var noDirectorySync []error
