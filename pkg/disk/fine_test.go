package disk

import (
	"os"
	"testing"
	"time"
)

// Where times are said to be fine, no rewrite of the same size goes unseen.
func TestFineTimes(t *testing.T) {
	root, _ := open(t)
	if !root.FineTimes(".") {
		t.Skip("the times of this file system are coarse")
	}
	put(t, root, "file", "0")
	var last Stat
	for i := range 2000 {
		if err := os.WriteFile(root.Path("file"), []byte{byte('0' + i%10)}, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := root.Lstat("file")
		if err != nil {
			t.Fatal(err)
		}
		if s := StatOf(info); s == last {
			t.Fatalf("rewrite %d is not seen", i)
		} else {
			last = s
		}
	}
}

// A coarse clock is found out: nothing of the sort is claimed where the time
// does not move.
func TestCoarseTimes(t *testing.T) {
	root, _ := open(t)
	at := time.Unix(1_700_000_000, 0)
	root.hook = func(op Op, name string) error {
		if op == OpLstat { // every change is of one moment
			return os.Chtimes(root.Path(name), at, at)
		}
		return nil
	}
	if root.FineTimes(".") {
		t.Error("equal times are called fine")
	}
}
