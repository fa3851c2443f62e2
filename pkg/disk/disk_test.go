package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// open returns a Root in a fresh directory and the list of what it did.
func open(t *testing.T) (*Root, *recorder) {
	t.Helper()
	rec := &recorder{}
	root, err := Open(t.TempDir(), rec.hook)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root, rec
}

// A recorder is a hook that writes down the primitives, with temporary names
// as "TEMP", and makes the n-th fail.
type recorder struct {
	mu   sync.Mutex
	ops  []string
	at   int // 1 is the first; 0 none
	with error
}

func (rec *recorder) hook(op Op, name string) error {
	if strings.HasPrefix(path.Base(name), tempPrefix) {
		name = path.Join(path.Dir(name), "TEMP")
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.ops = append(rec.ops, string(op)+" "+name)
	if len(rec.ops) == rec.at {
		return rec.with
	}
	return nil
}

func (rec *recorder) reset(at int, with error) {
	rec.ops, rec.at, rec.with = nil, at, with
}

// check compares the operations.
func (rec *recorder) check(t *testing.T, want ...string) {
	t.Helper()
	settle(rec.ops)
	settle(want)
	if !slices.Equal(rec.ops, want) {
		t.Errorf("operations:\n got %q\nwant %q", rec.ops, want)
	}
}

// settle brings the syncs of several files, which are made at once, into order.
func settle(ops []string) {
	for from := 0; from < len(ops); from++ {
		end := from
		for end < len(ops) && (strings.HasPrefix(ops[end], "sync ") || strings.HasPrefix(ops[end], "open ") && strings.HasSuffix(ops[end], "TEMP")) {
			end++
		}
		slices.Sort(ops[from:end])
		from = end
	}
}

// tree returns every file under the root with its content, around the hook.
func tree(t *testing.T, root *Root) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(root.Dir()), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(root.Path(name))
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func put(t *testing.T, root *Root, name, data string) {
	t.Helper()
	file := root.Path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// spec: F25
func TestWriteFileIsDurable(t *testing.T) {
	root, rec := open(t)
	if err := root.WriteFile("feed/2026/a.json", []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec.check(t,
		"mkdir feed", "syncdir .", "mkdir feed/2026", "syncdir feed",
		"open feed/2026/TEMP", "write feed/2026/TEMP", "sync feed/2026/TEMP",
		"rename feed/2026/a.json", "syncdir feed/2026")
	info, err := os.Stat(root.Path("feed/2026/a.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 || info.Size() != 3 {
		t.Errorf("mode %v, size %d", info.Mode(), info.Size())
	}
	if info, _ := os.Stat(root.Path("feed")); info.Mode().Perm() != 0o700 {
		t.Errorf("directory mode %v", info.Mode())
	}

	rec.reset(0, nil)
	if err := root.WriteFile("feed/2026/a.json", []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "open feed/2026/TEMP", "write feed/2026/TEMP", "sync feed/2026/TEMP", "rename feed/2026/a.json", "syncdir feed/2026")
	if got := tree(t, root); !maps.Equal(got, map[string]string{"feed/2026/a.json": "two"}) {
		t.Errorf("files %q", got)
	}
}

func TestWriteNewIsDurableAndExclusive(t *testing.T) {
	root, rec := open(t)
	if err := root.WriteNew("a", []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "open TEMP", "write TEMP", "sync TEMP", "link a", "remove TEMP", "syncdir .")
	if err := root.WriteNew("a", []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second: %v", err)
	}
	if got := tree(t, root); !maps.Equal(got, map[string]string{"a": "one"}) {
		t.Errorf("files %q", got)
	}
}

func TestWriteNewWithoutLinks(t *testing.T) {
	root, rec := open(t)
	rec.reset(4, syscall.EPERM)
	if err := root.WriteNew("a", []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "open TEMP", "write TEMP", "sync TEMP", "link a", "lstat a", "rename a", "syncdir .")
	rec.reset(4, syscall.EPERM)
	if err := root.WriteNew("a", []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second: %v", err)
	}
	if got := tree(t, root); !maps.Equal(got, map[string]string{"a": "one"}) {
		t.Errorf("files %q", got)
	}
}

// Every operation of every way to write fails in turn: the error comes back,
// the name has the old content or the new, and no temporary file is left.
func TestEachOperationFails(t *testing.T) {
	faults := []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EROFS, syscall.EMFILE, syscall.EACCES}
	ways := map[string]func(*Root) error{
		"WriteFile": func(r *Root) error { return r.WriteFile("d/a", []byte("new"), 0o600) },
		"WriteNew":  func(r *Root) error { return r.WriteNew("e/f/a", []byte("new"), 0o600) },
		"Batch": func(r *Root) error {
			b := r.NewBatch()
			b.Add("d/a", []byte("new"), 0o600)
			b.Add("e/b", []byte("new"), 0o600)
			return b.Commit()
		},
		"big Batch": func(r *Root) error {
			b := r.NewBatch()
			b.Add("d/a", []byte("new"), 0o600)
			for i := range syncfsAbove {
				b.Add(fmt.Sprintf("d/%d", i), []byte("new"), 0o600)
			}
			return b.Commit()
		},
		"prepared Batch": func(r *Root) error {
			b := r.NewBatch()
			b.Add("d/a", []byte("new"), 0o600)
			for i := range syncfsAbove {
				b.Add(fmt.Sprintf("d/%d", i), []byte("new"), 0o600)
			}
			if err := b.Prepare(); err != nil {
				b.Discard()
				return err
			}
			return b.Commit()
		},
		"Rename": func(r *Root) error { return r.Rename("d/old", "e/a") },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for at := 1; ; at++ {
				fault := faults[at%len(faults)]
				root, rec := open(t)
				put(t, root, "d/a", "old")
				put(t, root, "d/old", "new")
				rec.reset(at, fault)
				err := way(root)
				if len(rec.ops) < at {
					if err != nil {
						t.Fatalf("nothing failed: %v", err)
					}
					return
				}
				failed := rec.ops[at-1]
				if name == "WriteNew" && strings.HasPrefix(failed, "remove") {
					continue // the file has its name: the other one is left to Sweep
				}
				if !errors.Is(err, fault) {
					t.Fatalf("%s failed with %v: got %v", failed, fault, err)
				}
				for file, data := range tree(t, root) {
					if strings.Contains(file, tempPrefix) {
						t.Errorf("%s failed: left %s", failed, file)
					}
					if data != "new" && (data != "old" || file != "d/a") {
						t.Errorf("%s failed: %s holds %q", failed, file, data)
					}
				}
			}
		})
	}
}

func TestShortWrite(t *testing.T) {
	root, rec := open(t)
	put(t, root, "a", "old")
	rec.reset(2, ErrShort)
	if err := root.WriteFile("a", []byte("new!"), 0o600); !errors.Is(err, ErrShort) {
		t.Errorf("error %v", err)
	}
	rec.check(t, "open TEMP", "write TEMP", "remove TEMP")
	if got := tree(t, root); !maps.Equal(got, map[string]string{"a": "old"}) {
		t.Errorf("files %q", got)
	}
}

func TestShortWriteStoresHalf(t *testing.T) {
	root, rec := open(t)
	rec.reset(2, ErrShort)
	temp, err := root.Temp(".", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := temp.Write([]byte("four")); n != 2 || !errors.Is(err, ErrShort) {
		t.Errorf("wrote %d, %v", n, err)
	}
	if got := slices.Collect(maps.Values(tree(t, root))); !slices.Equal(got, []string{"fo"}) {
		t.Errorf("holds %q", got)
	}
	temp.Discard()
	temp.Discard()
	if got := tree(t, root); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestTempNamedByItsContent(t *testing.T) {
	root, rec := open(t)
	temp, err := root.Temp("attachments", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"one ", "two"} {
		if _, err := io.WriteString(temp, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := temp.Commit("attachments/ab/cd"); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "mkdir attachments", "syncdir .", "open attachments/TEMP", "write attachments/TEMP", "write attachments/TEMP",
		"sync attachments/TEMP", "mkdir attachments/ab", "syncdir attachments", "rename attachments/ab/cd", "syncdir attachments/ab")
	if got := tree(t, root); !maps.Equal(got, map[string]string{"attachments/ab/cd": "one two"}) {
		t.Errorf("files %q", got)
	}
}

func TestSmallBatch(t *testing.T) {
	root, rec := open(t)
	b := root.NewBatch()
	for _, name := range []string{"x/2", "y/1", "x/1"} {
		b.Add(name, []byte(name), 0o600)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "mkdir x", "syncdir .", "open x", "open x/TEMP", "write x/TEMP",
		"mkdir y", "syncdir .", "open y", "open y/TEMP", "write y/TEMP", "open x", "open x/TEMP", "write x/TEMP",
		"sync x/TEMP", "sync y/TEMP", "sync x/TEMP",
		"rename x/2", "lstat x/2", "open y", "rename y/1", "lstat y/1", "open x", "rename x/1", "lstat x/1", "syncdir x", "syncdir y")
	if b.Len() != 0 {
		t.Errorf("%d files left in the batch", b.Len())
	}
}

// spec: F27
func TestBatchStopsInOrder(t *testing.T) {
	root, rec := open(t)
	b := root.NewBatch()
	for _, name := range []string{"1", "2", "3"} {
		b.Add(name, []byte("new"), 0o600)
	}
	rec.reset(13, syscall.EIO) // the second rename
	if err := b.Commit(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("error %v", err)
	}
	if got := tree(t, root); !maps.Equal(got, map[string]string{"1": "new"}) {
		t.Errorf("files %q", got)
	}
}

// spec: F25
func TestRenameAndRemoveAreDurable(t *testing.T) {
	root, rec := open(t)
	put(t, root, "a/x", "one")
	if err := root.Rename("a/x", "b/y"); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "mkdir b", "syncdir .", "rename b/y", "syncdir b", "syncdir a")
	rec.reset(0, nil)
	if err := root.Remove("b/y"); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "remove b/y", "syncdir b")
	if err := root.Remove("b/y"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("again: %v", err)
	}
	rec.reset(0, nil)
	if err := root.RemoveAll("b"); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "remove b", "syncdir .")
	if err := root.RemoveAll("no/such"); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

func TestMkdirFailsOnce(t *testing.T) {
	root, rec := open(t)
	rec.reset(2, syscall.EIO) // the sync of the parent
	if err := root.Mkdir("a"); !errors.Is(err, syscall.EIO) {
		t.Fatalf("error %v", err)
	}
	rec.reset(0, nil)
	if err := root.Mkdir("a"); err != nil {
		t.Fatal(err)
	}
	rec.check(t, "mkdir a", "syncdir .") // synced this time
}

func TestMkdirOverFile(t *testing.T) {
	root, _ := open(t)
	put(t, root, "a", "")
	if err := root.Mkdir("a/b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
}

func TestReadFile(t *testing.T) {
	root, rec := open(t)
	put(t, root, "a", "four")
	data, stat, err := root.ReadFile("a", 4)
	if err != nil || string(data) != "four" {
		t.Fatalf("%q, %v", data, err)
	}
	info, _ := os.Stat(root.Path("a"))
	if stat != StatOf(info) || stat.Size != 4 || stat.Ino == 0 || stat.Ctime == 0 || stat.Mtime != info.ModTime().UnixNano() {
		t.Errorf("stat %+v", stat)
	}
	if _, _, err := root.ReadFile("a", 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, _, err := root.ReadFile("b", 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, _, err := root.ReadFile(".", 3); !errors.Is(err, ErrNotRegular) {
		t.Errorf("directory: %v", err)
	}
	rec.reset(2, syscall.EIO)
	if _, _, err := root.ReadFile("a", 4); !errors.Is(err, syscall.EIO) {
		t.Errorf("read error: %v", err)
	}
}

func TestReadFileThatGrows(t *testing.T) {
	var root *Root
	grow := func(op Op, name string) error {
		if op == OpRead && name == "a" {
			file, err := os.OpenFile(root.Path(name), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = file.Write(make([]byte, 600))
			return errors.Join(err, file.Close())
		}
		return nil
	}
	root, err := Open(t.TempDir(), grow)
	if err != nil {
		t.Fatal(err)
	}
	put(t, root, "a", "")
	if _, _, err := root.ReadFile("a", 1000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

func TestReadAt(t *testing.T) {
	root, _ := open(t)
	put(t, root, "a", "0123456789")
	file, stat, err := root.OpenFile("a")
	if err != nil || stat.Size != 10 {
		t.Fatal(stat, err)
	}
	defer func() { _ = file.Close() }()
	part := make([]byte, 4)
	if n, err := file.ReadAt(part, 8); n != 2 || !errors.Is(err, io.EOF) || string(part[:n]) != "89" {
		t.Errorf("%q, %v", part[:n], err)
	}
}

func TestNamesStayInside(t *testing.T) {
	root, rec := open(t)
	for _, name := range []string{"../a", "/etc/passwd", "a/../b", "", "a//b", "a/", "./a", "a\x00b"} {
		if err := root.WriteFile(name, nil, 0o600); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("WriteFile %q: %v", name, err)
		}
		if _, _, err := root.ReadFile(name, 1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("ReadFile %q: %v", name, err)
		}
		if err := root.Rename("a", name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Rename %q: %v", name, err)
		}
		if err := root.Rename(name, "a"); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Rename from %q: %v", name, err)
		}
	}
	rec.check(t)
}

func TestErrorsNameTheFile(t *testing.T) {
	root, _ := open(t)
	_, _, err := root.ReadFile("feed/a", 1)
	if want := "open " + root.Dir() + "/feed/a: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestReadDir(t *testing.T) {
	root, _ := open(t)
	put(t, root, "b", "12")
	put(t, root, "a/x", "")
	put(t, root, ".c", "")
	if err := os.Symlink("b", root.Path("link")); err != nil {
		t.Fatal(err)
	}
	list, err := root.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Entry{{Name: ".c", Regular: true}, {Name: "a", Dir: true}, {Name: "b", Regular: true}, {Name: "link"}} {
		info, err := root.Lstat(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		want.Stat = StatOf(info)
		if list[i] != want {
			t.Errorf("entry %d: got %+v, want %+v", i, list[i], want)
		}
		if list[i] != entryOf(info) {
			t.Errorf("entry %d: got %+v, want %+v", i, list[i], entryOf(info))
		}
	}
	if len(list) != 4 {
		t.Errorf("%d entries", len(list))
	}
	if _, err := root.ReadDir("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := root.ReadDir("b"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("file: %v", err)
	}
}

func TestSweep(t *testing.T) {
	root, _ := open(t)
	old, future := time.Now().Add(-2*time.Hour), time.Now().Add(2*time.Hour)
	for name, mtime := range map[string]time.Time{
		"feed/.p2ps-old.tmp": old, "feed/deep/.p2ps-future.tmp": future, // swept
		"feed/.p2ps-new.tmp": time.Now(), "feed/.other.tmp": old, "feed/a.json": old, ".p2ps-outside.tmp": old,
	} {
		put(t, root, name, name)
		if err := root.Chtimes(name, mtime); err != nil {
			t.Fatal(err)
		}
	}
	if err := root.Sweep("feed"); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(tree(t, root)))
	want := []string{".p2ps-outside.tmp", "feed/.other.tmp", "feed/.p2ps-new.tmp", "feed/a.json"}
	if !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	if err := root.Sweep("none"); err != nil {
		t.Errorf("missing: %v", err)
	}
}

func TestSweepGoesOn(t *testing.T) {
	root, rec := open(t)
	for _, name := range []string{".p2ps-1.tmp", ".p2ps-2.tmp"} {
		put(t, root, name, "")
		if err := root.Chtimes(name, time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	rec.reset(2, syscall.EIO) // the first remove
	if err := root.Sweep("."); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v", err)
	}
	if got := tree(t, root); !maps.Equal(got, map[string]string{".p2ps-1.tmp": ""}) {
		t.Errorf("files %q", got)
	}
}

func TestExists(t *testing.T) {
	root, rec := open(t)
	put(t, root, "a", "")
	if ok, err := root.Exists("a"); !ok || err != nil {
		t.Errorf("a: %v, %v", ok, err)
	}
	if ok, err := root.Exists("b"); ok || err != nil {
		t.Errorf("b: %v, %v", ok, err)
	}
	rec.reset(1, syscall.EACCES)
	if _, err := root.Exists("a"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("error %v", err)
	}
}

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x", "y")
	if _, err := Open(dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open: %v", err)
	}
	root, err := Create(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || root.Dir() != dir {
		t.Errorf("%v, %v, %s", info, err, root.Dir())
	}
}

// A directory that went between the look at it and the writing stays gone.
func TestWriteIntoMakesNoDirectory(t *testing.T) {
	for name, write := range map[string]func(*Root) error{
		"WriteInto":    func(r *Root) error { return r.WriteInto("d/file", []byte("data"), 0o600) },
		"WriteNewInto": func(r *Root) error { return r.WriteNewInto("d/file", []byte("data"), 0o600) },
	} {
		root, _ := open(t)
		if err := write(root); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s where there is no directory: %v", name, err)
		}
		if err := root.Mkdir("d"); err != nil {
			t.Fatal(err)
		}
		root.hook = func(op Op, _ string) error { // gone before the file has its name
			if op == OpSync {
				return root.root.RemoveAll("d")
			}
			return nil
		}
		if err := write(root); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s while the directory is removed: %v", name, err)
		}
		root.hook = nil
		if there, err := root.Exists("d"); there || err != nil {
			t.Errorf("%s made the directory again (%v)", name, err)
		}
		if err := root.Mkdir("d"); err != nil {
			t.Fatal(err)
		}
		if err := write(root); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
