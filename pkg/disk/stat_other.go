//go:build !(linux || openbsd || dragonfly || solaris || darwin || freebsd || netbsd)

package disk

func statOf(any) (Stat, bool) {
	return Stat{}, false
}
