//go:build unix

package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSymbolicLinksLeadNowhere(t *testing.T) {
	root, _ := open(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, root, "inside", "inside")
	for link, target := range map[string]string{"file": filepath.Join(outside, "secret"), "dir": outside, "near": "inside"} {
		if err := os.Symlink(target, root.Path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"file", "near"} {
		if _, _, err := root.ReadFile(name, 100); !errors.Is(err, ErrNotRegular) {
			t.Errorf("read %s: %v", name, err)
		}
	}
	if data, _, err := root.ReadFile("dir/secret", 100); err == nil {
		t.Errorf("read dir/secret: %q", data)
	}
	if err := root.WriteFile("dir/new", nil, 0o600); err == nil {
		t.Error("wrote dir/new")
	}
	if err := root.Rename("inside", "dir/new"); err == nil {
		t.Error("renamed to dir/new")
	}
	if _, err := root.ReadDir("dir"); err == nil {
		t.Error("listed dir")
	}
	if err := root.WriteFile("file", []byte("new"), 0o600); err != nil {
		t.Errorf("replace the link: %v", err)
	}
	entries, _ := os.ReadDir(outside)
	data, _ := os.ReadFile(filepath.Join(outside, "secret"))
	if len(entries) != 1 || string(data) != "secret" {
		t.Errorf("outside: %v, %q", entries, data)
	}
}

func TestPipeIsRefusedAtOnce(t *testing.T) {
	root, _ := open(t)
	if err := syscall.Mkfifo(root.Path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := root.ReadFile("pipe", 1); !errors.Is(err, ErrNotRegular) {
		t.Errorf("error %v", err)
	}
	if _, err := root.ReadDir("pipe"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("list: %v", err)
	}
}

// A pipe put there between looking and opening would wait for a writer.
func TestPipeInTheWindow(t *testing.T) {
	root, _ := open(t)
	if err := syscall.Mkfifo(root.Path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := root.root.OpenFile("pipe", os.O_RDONLY|nonblock, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
}

func TestPrivate(t *testing.T) {
	root, _ := open(t)
	put(t, root, "key/daily.asc", "")
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := os.Chmod(root.Path("key/daily.asc"), mode); err != nil {
			t.Fatal(err)
		}
		if err := root.Private("key/daily.asc"); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601} {
		if err := os.Chmod(root.Path("key/daily.asc"), mode); err != nil {
			t.Fatal(err)
		}
		err := root.Private("key/daily.asc")
		file := root.Path("key/daily.asc")
		want := fmt.Sprintf("%s: open to others: run chmod 600 %s", file, file)
		if !errors.Is(err, ErrExposed) || err.Error() != want {
			t.Errorf("%v: got %v, want %s", mode, err, want)
		}
	}
	if err := os.Chmod(root.Path("key"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s: open to others: run chmod 700 %s", root.Path("key"), root.Path("key"))
	if err := root.Private("key"); err == nil || err.Error() != want {
		t.Errorf("directory: got %v, want %s", err, want)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/home/a/p2ps": "/home/a/p2ps", "/a b": "'/a b'", "/it's": `'/it'\''s'`, "": "''", "/$x": "'/$x'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
