package home

import (
	"strings"
	"syscall"
	"testing"

	"github.com/p2ps/p2ps/pkg/disk"
)

// A folder that could not be watched is looked for again, also where the ones
// above it are watched; and until then it is not forgotten.
func TestUnwatchedFolderIsTriedAgain(t *testing.T) {
	full := true
	h, err := Create(t.TempDir(), Options{Hook: func(op disk.Op, name string) error {
		if op == disk.OpWatch && full && strings.Count(name, "/") > 1 {
			return syscall.ENOSPC
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	const month = "feed/2026/11"
	if err := h.root.Mkdir(month); err != nil {
		t.Fatal(err)
	}
	w, err := h.root.Watch()
	if err != nil {
		t.Skip("the system does not tell of changes: ", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	l := &looker{h: h, w: w}
	for _, again := range []bool{false, false, true} {
		if l.watchAll(again); !l.partial {
			t.Fatalf("a month is not watched, and that is forgotten (again: %v)", again)
		}
	}
	full = false
	l.watchAll(true)
	if added, err := w.Add(month); l.partial || added || err != nil {
		t.Errorf("it is still not watched: %v, %v, %v", l.partial, added, err)
	}
}
