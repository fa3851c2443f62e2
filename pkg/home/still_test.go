package home_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/wire"
)

// What was done by hand since the last answer shows in the next one, also when the
// folders were as they were for long, and are remembered so.
func TestRememberedFolders(t *testing.T) {
	third := "" // the file of a post that is not there at first
	for _, c := range []struct {
		name   string
		change func(dir, file string) error
		want   int // posts given, of two
	}{
		{"nothing", func(string, string) error { return nil }, 2},
		{"one was renamed in", func(dir, _ string) error {
			return os.Rename(filepath.Join(dir, "third"), third)
		}, 3},
		{"one was removed", func(_, file string) error { return os.Remove(file) }, 1},
		{"one was renamed", func(_, file string) error { return os.Rename(file, file+"~") }, 1},
		{"another text was renamed over it", func(dir, file string) error {
			if err := os.WriteFile(filepath.Join(dir, "draft"), []byte(`{"type":"Note","content":"Not signed"}`), 0o600); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, "draft"), file)
		}, 1},
		{"the feed went", func(dir, _ string) error { return os.Rename(filepath.Join(dir, "feed"), filepath.Join(dir, "away")) }, 0},
		{"an empty one came in its place", func(dir, _ string) error {
			if err := os.Rename(filepath.Join(dir, "feed"), filepath.Join(dir, "away")); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(dir, "feed"), 0o700)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDuo(t)
			p := d.note("one", forFriends)
			d.note("two", forFriends)
			away := d.path(d.note("three", forFriends))
			third = away
			d.check(os.Rename(away, filepath.Join(d.ownerDir, "third")))
			d.tick(time.Since(d.ownerClock) + time.Minute) // nothing is too young to be trusted
			for range 2 {                                  // the first writes down what it saw
				if n := given(t, d); n != 2 {
					t.Fatalf("%d posts before", n)
				}
			}
			if !d.owner.Remembers() {
				t.Fatal("they are not remembered")
			}
			if err := c.change(d.ownerDir, d.path(p)); err != nil {
				t.Fatal(err)
			}
			if n := given(t, d); n != c.want {
				t.Errorf("%d posts are given, not %d", n, c.want)
			}
		})
	}
}

// A file that is still being written when it is first seen is seen again when it
// is whole, although that changes no folder.
func TestHalfWrittenFile(t *testing.T) {
	d := newDuo(t)
	d.note("one", forFriends)
	path := d.path(d.note("two", forFriends))
	text, err := os.ReadFile(path)
	d.check(err)
	d.check(os.Remove(path))
	if n := given(t, d); n != 1 {
		t.Fatalf("%d posts before", n)
	}
	file, err := os.Create(path)
	d.check(err)
	defer func() { _ = file.Close() }()
	half := len(text) / 2
	for i, part := range [][]byte{text[:half], text[half:]} {
		_, err := file.Write(part)
		d.check(err)
		if n := given(t, d); n != 1+i {
			t.Errorf("%d posts are given, not %d", n, 1+i)
		}
	}
}

// given is how many posts the friend is given.
func given(t *testing.T, d *duo) int {
	t.Helper()
	cert, err := d.reader.Me()
	d.check(err)
	a, err := d.owner.Answer(t.Context(), cert.Fingerprint(), wire.Question{Kind: wire.KindPosts}, d.ownerClock)
	d.check(err)
	return len(a.Items)
}
