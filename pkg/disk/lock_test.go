package disk

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLockIsExclusive(t *testing.T) {
	dir := t.TempDir()
	one, _ := Open(dir, nil)
	two, _ := Open(dir, nil) // as another process would
	var (
		group  sync.WaitGroup
		inside atomic.Int32 // the race detector does not know that a file lock orders
		total  atomic.Int32
	)
	for _, root := range []*Root{one, two, one, two} {
		group.Go(func() {
			for range 25 {
				unlock, err := root.Lock(t.Context(), "state/lock", time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d inside", n)
				}
				total.Add(1)
				inside.Add(-1)
				unlock()
			}
		})
	}
	group.Wait()
	if total.Load() != 100 {
		t.Errorf("locked %d times", total.Load())
	}
	if info, err := os.Stat(one.Path("state/lock")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLockBusy(t *testing.T) {
	dir := t.TempDir()
	one, _ := Open(dir, nil)
	two, _ := Open(dir, nil)
	unlock, err := one.Lock(t.Context(), "lock", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		if _, err := one.Lock(t.Context(), "lock", wait); !errors.Is(err, ErrBusy) {
			t.Errorf("same process: %v", err)
		}
		if _, err := two.Lock(t.Context(), "lock", wait); !errors.Is(err, ErrBusy) {
			t.Errorf("another: %v", err)
		}
	}
	want := "lock " + one.Path("lock") + ": locked by another p2ps"
	if _, err := two.Lock(t.Context(), "lock", 0); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	other, err := one.Lock(t.Context(), "other", 0)
	if err != nil {
		t.Fatalf("another lock: %v", err)
	}
	other()
	unlock()
	unlock() // once more does nothing
	unlock, err = two.Lock(t.Context(), "lock", 0)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockCancelled(t *testing.T) {
	dir := t.TempDir()
	one, _ := Open(dir, nil)
	two, _ := Open(dir, nil)
	unlock, err := one.Lock(t.Context(), "lock", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, root := range []*Root{one, two} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if _, err := root.Lock(ctx, "lock", time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("while waiting: %v", err)
		}
		if _, err := root.Lock(ctx, "free", time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("before: %v", err)
		}
	}
}

func TestLockOfAnotherProcess(t *testing.T) {
	if os.Getenv("DISK_TEST_LOCK") != "" {
		root, err := Open(os.Getenv("DISK_TEST_LOCK"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := root.Lock(t.Context(), "lock", 0); !errors.Is(err, ErrBusy) {
			t.Fatalf("error %v", err)
		}
		return
	}
	root, _ := Open(t.TempDir(), nil)
	unlock, err := root.Lock(t.Context(), "lock", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLockOfAnotherProcess$")
	child.Env = append(os.Environ(), "DISK_TEST_LOCK="+root.Dir())
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
