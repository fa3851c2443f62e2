package disk

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The queue of the kernel overflows while nobody takes from it: that is told, and
// everything can be watched again.
func TestWatcherTellsOfAnOverflow(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip(err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || most > 1<<17 {
		t.Skip("the queue is too long to be filled: ", most, err)
	}
	root, _ := open(t)
	put(t, root, "dir/a", "")
	put(t, root, "dir/b", "")
	w, err := root.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if _, err := w.Add("dir"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.mu.Lock()                   // it is not told anything
	for i := range 2*most + 100 { // some are taken before; two that are alike count as one
		if err := os.Chtimes(root.Path("dir/"+string("ab"[i%2])), now, now); err != nil {
			t.Fatal(err)
		}
	}
	w.mu.Unlock()
	for patience := time.After(20 * time.Second); ; {
		select {
		case <-w.Signal():
		case <-patience:
			t.Fatal("nothing is told of the overflow")
		}
		if _, lost := w.Take(); lost {
			break
		}
	}
	if added, err := w.Add("dir"); !added || err != nil {
		t.Errorf("it is not watched again: %v, %v", added, err)
	}
}
