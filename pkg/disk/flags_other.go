//go:build !unix

package disk

const (
	nonblock  = 0
	directory = 0
	nofollow  = 0
)
