package disk

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
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
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if areFine(ticking{file}) {
		t.Error("equal times are called fine")
	}
}

// ticking is a file whose every change is of one moment.
type ticking struct{ *os.File }

func (f ticking) Stat() (os.FileInfo, error) {
	at := time.Unix(1_700_000_000, 0)
	if err := os.Chtimes(f.Name(), at, at); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

// A try leaves no trace: who looks at the directory's own times sees no change, and
// who watches it is told of none.
func TestFineTimesLeaveNoTrace(t *testing.T) {
	root, _ := open(t)
	if err := root.Mkdir("other"); err != nil {
		t.Fatal(err)
	}
	w, err := root.Watch()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("nobody can be told")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	for _, dir := range []string{".", "other"} {
		if _, err := w.Add(dir); err != nil {
			t.Fatal(err)
		}
	}
	before, err := root.DirStat(".")
	if err != nil {
		t.Fatal(err)
	}
	root.FineTimes(".")
	put(t, root, "other/file", "")
	<-w.Signal() // of what came later
	if dirs, lost := w.Take(); lost || !slices.Equal(dirs, []string{"other"}) {
		t.Errorf("told of %q, lost: %t", dirs, lost)
	}
	after, err := root.DirStat(".")
	if err != nil || after != before {
		t.Errorf("the directory was %+v and is %+v, %v", before, after, err)
	}
	if names, err := os.ReadDir(root.Dir()); err != nil || len(names) != 1 {
		t.Errorf("it holds %v, %v", names, err)
	}
}
