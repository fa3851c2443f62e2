//go:build unix

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/p2ps/p2ps/pkg/disk"
)

// faulty reads P2PS_TEST_FAULT.
func faulty(fault string) disk.Hook {
	op, rest, _ := strings.Cut(fault, ":")
	number, name, _ := strings.Cut(rest, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	failures := map[string]error{"ENOSPC": syscall.ENOSPC, "EIO": syscall.EIO, "EDQUOT": syscall.EDQUOT, "EROFS": syscall.EROFS,
		"EMFILE": syscall.EMFILE, "EACCES": syscall.EACCES, "SHORT": disk.ErrShort, "KILL": nil}
	failure, known := failures[name]
	if err != nil || !known {
		panic("P2PS_TEST_FAULT is not like write:3:ENOSPC")
	}
	var count atomic.Int64
	return func(at disk.Op, _ string) error {
		if op != "*" && op != string(at) || count.Add(1) < n {
			return nil
		}
		if name == "KILL" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return failure
	}
}
