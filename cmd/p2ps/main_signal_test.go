//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestInterruptible: a signal ends the context, and what waits for a person.
func TestInterruptible(t *testing.T) {
	ctx := interruptible(t.Context())
	in, out, err := os.Pipe() // nobody ever types anything
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), out.Close() }()
	read := make(chan error, 1)
	go func() {
		_, err := (&patientReader{ctx, in}).Read(make([]byte, 1))
		read <- err
	}()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err = <-read:
	case <-time.After(patience):
		t.Fatal("still reading")
	}
	if by, ok := errors.AsType[interruption](err); !ok || by.signal != syscall.SIGTERM {
		t.Errorf("%v, want the interruption", err)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("context: %v, want canceled", ctx.Err())
	}
}
