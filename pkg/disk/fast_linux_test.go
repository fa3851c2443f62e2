package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// eachWay runs a test with files of big batches that have no name until they are
// whole, and, as on systems without such files, with ones that do.
func eachWay(t *testing.T, test func(t *testing.T, anonymous bool)) {
	t.Run("anonymous", func(t *testing.T) { test(t, true) })
	t.Run("named", func(t *testing.T) {
		keptOpen.Add(mostOpen())
		defer keptOpen.Add(-mostOpen())
		test(t, false)
	})
	if n := keptOpen.Load(); n != 0 {
		t.Errorf("%d files are said to be open still", n)
	}
}

func TestEachOperationFailsNamed(t *testing.T) {
	keptOpen.Add(mostOpen())
	defer keptOpen.Add(-mostOpen())
	TestEachOperationFails(t)
}

func TestBigBatchSyncsOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, _ bool) { testBigBatchSyncsOnce(t) })
}

func testBigBatchSyncsOnce(t *testing.T) {
	root, rec := open(t)
	b := root.NewBatch()
	var want []string
	want = append(want, "mkdir x", "syncdir .", "open x")
	for i := range syncfsAbove + 1 {
		b.Add(fmt.Sprintf("x/%02d", i), []byte("new"), 0o600)
		want = append(want, "open x/TEMP", "write x/TEMP")
	}
	want = append(want, "syncfs x")
	for i := range syncfsAbove + 1 {
		want = append(want, fmt.Sprintf("rename x/%02d", i), fmt.Sprintf("lstat x/%02d", i))
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	rec.check(t, append(want, "syncdir x")...)
}

func TestBigBatchWithoutSyncfs(t *testing.T) { eachWay(t, testBigBatchWithoutSyncfs) }

func testBigBatchWithoutSyncfs(t *testing.T, anonymous bool) {
	root, rec := open(t)
	b := root.NewBatch()
	want := []string{"open ."}
	for i := range syncfsAbove + 1 {
		b.Add(fmt.Sprintf("%02d", i), []byte("new"), 0o600)
		want = append(want, "open TEMP", "write TEMP")
	}
	want = append(want, "syncfs .")
	for range syncfsAbove + 1 {
		if !anonymous {
			want = append(want, "open TEMP")
		}
		want = append(want, "sync TEMP")
	}
	for i := range syncfsAbove + 1 {
		want = append(want, fmt.Sprintf("rename %02d", i), fmt.Sprintf("lstat %02d", i))
	}
	rec.reset(2*(syncfsAbove+1)+2, syscall.ENOSYS)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	rec.check(t, append(want, "syncdir .")...)
	if got := tree(t, root); len(got) != syncfsAbove+1 {
		t.Errorf("%d files", len(got))
	}
}

// What was written ahead for many, of whom few are left, is made durable as that
// of few is; what comes late joins it.
func TestPreparedBatch(t *testing.T) { eachWay(t, testPreparedBatch) }

func testPreparedBatch(t *testing.T, anonymous bool) {
	root, rec := open(t)
	b := root.NewBatch()
	var files []*BatchFile
	for i := range syncfsAbove + 1 {
		files = append(files, b.Add(fmt.Sprintf("x/%02d", i), []byte("new"), 0o600))
	}
	if err := b.Prepare(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, root); got["x/00"] != "" || len(got) != 0 && anonymous || len(got) != syncfsAbove+1 && !anonymous {
		t.Errorf("prepared: %q", got)
	}
	for _, file := range files[1:] {
		b.Drop(file)
	}
	late := b.Add("y/late", []byte("more"), 0o600)
	rec.reset(0, nil)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	want := []string{"mkdir y", "syncdir .", "open y", "open y/TEMP", "write y/TEMP", "open x/TEMP", "sync x/TEMP", "sync y/TEMP",
		"open x", "rename x/00", "lstat x/00", "open y", "rename y/late", "lstat y/late", "syncdir x", "syncdir y"}
	if anonymous {
		want = slices.DeleteFunc(want, func(op string) bool { return op == "open x/TEMP" }) // it is open still
	}
	rec.check(t, want...)
	if got := tree(t, root); !maps.Equal(got, map[string]string{"x/00": "new", "y/late": "more"}) {
		t.Errorf("files %q", got)
	}
	for _, file := range []*BatchFile{files[0], late} {
		info, err := root.Lstat(file.name)
		if err != nil || StatOf(info) != file.Stat {
			t.Errorf("%s: %+v, not %+v (%v)", file.name, file.Stat, info, err)
		}
	}
}

// A directory that was taken away meanwhile is not written to where it is now.
func TestPreparedBatchWhoseDirectoryMoved(t *testing.T) {
	eachWay(t, testPreparedBatchWhoseDirectoryMoved)
}

func testPreparedBatchWhoseDirectoryMoved(t *testing.T, anonymous bool) {
	root, _ := open(t)
	b := root.NewBatch()
	for i := range syncfsAbove + 1 {
		b.Add(fmt.Sprintf("x/%02d", i), []byte("new"), 0o600)
	}
	if err := b.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := root.Rename("x", "trash/x"); err != nil {
		t.Fatal(err)
	}
	if err := root.Mkdir("x"); err != nil {
		t.Fatal(err)
	}
	err := b.Commit()
	got := tree(t, root)
	if anonymous { // they belong to no directory yet
		if err != nil || len(got) != syncfsAbove+1 || got["x/00"] != "new" {
			t.Errorf("%q, error %v", got, err)
		}
		return
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for name := range got {
		if !strings.HasSuffix(name, tempSuffix) {
			t.Errorf("%s is there", name)
		}
	}
}

// A process that may not have more files open writes the rest under names.
func TestBatchBeyondOpenFiles(t *testing.T) {
	root, _ := open(t)
	keptOpen.Add(mostOpen()/4 - syncfsAbove/2)
	defer keptOpen.Add(syncfsAbove/2 - mostOpen()/4)
	b := root.NewBatch()
	for i := range syncfsAbove + 1 {
		b.Add(fmt.Sprintf("x/%02d", i), []byte("new"), 0o600)
	}
	if err := b.Prepare(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, root); len(got) != syncfsAbove/2+1 {
		t.Errorf("%d have a name", len(got))
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, root); len(got) != syncfsAbove+1 || got["x/00"] != "new" || got["x/20"] != "new" {
		t.Errorf("%q", got)
	}
}

// The fast way and os.Root's must say the same of everything.
func TestBeneathSaysWhatRootSays(t *testing.T) {
	root, _ := open(t)
	put(t, root, "d/file", "data")
	for link, target := range map[string]string{"d/link": "file", "d/away": "/etc", "near": "d", "loop": "loop", "dangling": "none", "up": "../.."} {
		if err := os.Symlink(target, root.Path(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(root.Path("pipe"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root.Path("d"), 0o700|os.ModeSticky|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", root.Path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	for _, name := range []string{".", "d", "d/file", "d/link", "d/away", "d/away/passwd", "near", "near/file", "loop", "loop/x", "dangling", "up", "up/x", "pipe", "socket", "none", "none/x", "d/file/x"} {
		got, err := root.lstat(name)
		want, wantErr := root.root.Lstat(name)
		if !errors.Is(err, reason(wantErr)) && (err == nil || wantErr == nil || reason(err).Error() != reason(wantErr).Error()) {
			t.Errorf("lstat %s: got %v, want %v", name, err, wantErr)
		}
		if err == nil && (got.Name() != want.Name() || got.Mode() != want.Mode() || got.Size() != want.Size() || !got.ModTime().Equal(want.ModTime()) || StatOf(got) != StatOf(want) || got.IsDir() != want.IsDir()) {
			t.Errorf("lstat %s: got %v, want %v", name, got, want)
		}
		file, stat, err := root.openRegular(name)
		checked, checkedStat, checkedErr := root.openChecked(name)
		if stat != checkedStat || (err == nil) != (checkedErr == nil) {
			t.Errorf("open %s: got %v, want %v", name, err, checkedErr)
		}
		for _, f := range []*os.File{file, checked} {
			if f != nil {
				_ = f.Close()
			}
		}
	}
}

func BenchmarkLstat(b *testing.B) {
	root, err := Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := root.WriteFile("a/b/c/d", nil, 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := root.Lstat("a/b/c/d"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadFile(b *testing.B) {
	root, err := Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := root.WriteFile("a/b/c/d", make([]byte, 661), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := root.ReadFile("a/b/c/d", 1<<16); err != nil {
			b.Fatal(err)
		}
	}
}
