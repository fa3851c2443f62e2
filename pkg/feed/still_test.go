package feed

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
)

// Whatever a Scan would see is seen: what is told as it was is as it was.
func TestStill(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"a file came": func(dir string) error { return os.WriteFile(filepath.Join(dir, "feed/2026/11/new.json"), nil, 0o600) },
		"a file was renamed": func(dir string) error {
			return os.Rename(filepath.Join(dir, "feed/2026/10/a.json"), filepath.Join(dir, "feed/2026/10/b.json"))
		},
		"a file was replaced": func(dir string) error {
			return os.Rename(filepath.Join(dir, "a.json"), filepath.Join(dir, "feed/2026/10/a.json"))
		},
		"a file went":        func(dir string) error { return os.Remove(filepath.Join(dir, "feed/2026/10/a.json")) },
		"a month came":       func(dir string) error { return os.Mkdir(filepath.Join(dir, "feed/2026/12"), 0o700) },
		"a month went":       func(dir string) error { return os.RemoveAll(filepath.Join(dir, "feed/2026/11")) },
		"a month is another": func(dir string) error { return exchange(dir, "feed/2026/10", "feed/2026/11") },
		"a month is a link":  func(dir string) error { return linked(dir, "feed/2026/11") },
		"a year is another":  func(dir string) error { return exchange(dir, "feed/2025", "feed/2026") },
		"a year is a link":   func(dir string) error { return linked(dir, "feed/2026") },
		"all went":           func(dir string) error { return os.Rename(filepath.Join(dir, "feed"), filepath.Join(dir, "away")) },
		"all is a link":      func(dir string) error { return linked(dir, "feed") },
		"all is a file": func(dir string) error {
			return orElse(os.RemoveAll(filepath.Join(dir, "feed")), func() error { return os.WriteFile(filepath.Join(dir, "feed"), nil, 0o600) })
		},
		"all is another": func(dir string) error {
			return orElse(os.Rename(filepath.Join(dir, "feed"), filepath.Join(dir, "away")), func() error { return os.CopyFS(filepath.Join(dir, "feed"), os.DirFS(filepath.Join(dir, "away"))) })
		},
		"nothing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && change != nil {
				t.Skip("links need a right there")
			}
			root, dir := open(t)
			write(t, dir, "a.json", "feed/2026/10/a.json", "feed/2026/11/a.json", "feed/2025/01/a.json")
			long := time.Now().Add(-time.Hour) // so that a change shows, however coarse the times are
			for _, d := range []string{"feed/2026/10", "feed/2026/11", "feed/2026", "feed/2025/01", "feed/2025", "feed"} {
				if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(d)), long, long); err != nil {
					t.Fatal(err)
				}
				long = long.Add(time.Second)
			}
			s := Mine.StillOf(listed(t, root))
			if !s.Is(root) {
				t.Fatal("it changed at once")
			}
			if change == nil {
				return
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if s.Is(root) {
				t.Error("it is still so")
			}
		})
	}
}

// Where a folder is to be listed whatever its times say, nothing is told; and
// nothing where one may lie behind a link.
func TestStillCannotTell(t *testing.T) {
	root, dir := open(t)
	if Mine.StillOf(map[string]Folder{}).Is(root) {
		t.Error("of no folder")
	}
	write(t, dir, "feed/2026/10/a.json")
	for name, change := range map[string]func(known map[string]Folder){
		"too young":              func(known map[string]Folder) { known["feed/2026/10"] = Folder{} },
		"the year is not known":  func(known map[string]Folder) { delete(known, "feed/2026") },
		"the first is not known": func(known map[string]Folder) { delete(known, "feed") },
	} {
		known := listed(t, root)
		if !Mine.StillOf(known).Is(root) {
			t.Error("it changed at once")
		}
		change(known)
		if Mine.StillOf(known).Is(root) {
			t.Errorf("%s: it is told as it was", name)
		}
	}
}

// listed is what a Scan an hour later says of my folders.
func listed(t *testing.T, root *disk.Root) map[string]Folder {
	t.Helper()
	known := map[string]Folder{}
	err := Mine.Scan(root, Look{Full: true, Now: time.Now().Add(time.Hour)}, func(l Listing) error { known[l.Dir] = l.Folder; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func orElse(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// exchange gives two folders each other's names.
func exchange(dir, a, b string) error {
	a, b = filepath.Join(dir, filepath.FromSlash(a)), filepath.Join(dir, filepath.FromSlash(b))
	return orElse(os.Rename(a, a+"x"), func() error { return orElse(os.Rename(b, a), func() error { return os.Rename(a+"x", b) }) })
}

// linked puts a link to a folder in its place.
func linked(dir, name string) error {
	name = filepath.Join(dir, filepath.FromSlash(name))
	away := filepath.Join(dir, "away")
	return orElse(os.Rename(name, away), func() error { return os.Symlink(away, name) })
}
