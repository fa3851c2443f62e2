//go:build unix

package disk

import "golang.org/x/sys/unix"

const (
	nonblock  = unix.O_NONBLOCK
	directory = unix.O_DIRECTORY
	nofollow  = unix.O_NOFOLLOW
)
