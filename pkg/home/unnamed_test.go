package home_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
)

// A tidied home has a file that a post names and one that none does, both old
// enough to go.
type tidied struct {
	*testing.T
	h             *home.Home
	named, unname post.File
	hook          hooked
}

func newTidied(t *testing.T) *tidied {
	d := &tidied{T: t}
	dir := t.TempDir()
	h, err := home.Create(dir, home.Options{Wait: time.Second, Now: func() time.Time { return time.Now().Add(2 * time.Hour) },
		Hook: d.hook.call})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if err := makeIdentity(h, "alice"); err != nil {
		t.Fatal(err)
	}
	d.h, d.named, d.unname = h, attach(t, h, noise(100, 1)), attach(t, h, noise(200, 2))
	d.post(d.named)
	return d
}

func (d *tidied) post(f post.File) *post.Post {
	d.Helper()
	draft := post.NewDraft("Note")
	naming(d.T, f)(draft)
	p, err := d.h.Post(d.Context(), draft, post.Audience{Friends: true})
	if err != nil {
		d.Fatal(err)
	}
	return p
}

// run removes, and tells what was: the hashes.
func (d *tidied) run() (removed []string, lost int, err error) {
	lost, err = d.h.RemoveUnnamed(d.Context(), time.Now().Add(time.Hour), false, func(u home.Unnamed) error {
		removed = append(removed, u.SHA256)
		return nil
	})
	return removed, lost, err
}

func (d *tidied) want(removed []string, lost int, err error, want ...string) {
	d.Helper()
	if err != nil || lost != 0 || !slices.Equal(removed, want) {
		d.Errorf("removed %v, %d lost, %v; want %v", removed, lost, err, want)
	}
	for _, f := range []post.File{d.named, d.unname} {
		if d.h.Holds(f) == slices.Contains(want, f.SHA256) {
			d.Errorf("%s is there: %v", f.SHA256, d.h.Holds(f))
		}
	}
}

// spec: F30
func TestUnnamedFilesGo(t *testing.T) {
	d := newTidied(t)
	removed, lost, err := d.run()
	d.want(removed, lost, err, d.unname.SHA256)
	removed, lost, err = d.run()
	if err != nil || lost != 0 || len(removed) != 0 {
		t.Errorf("once more: %v, %d, %v", removed, lost, err)
	}
}

// What a text names stays, wherever the text is, however it is written, and
// however broken it is.
//
// spec: F30
func TestFilesThatATextNamesStay(t *testing.T) {
	for name, text := range map[string]string{
		"feed/lunch.json":                              `{"type":"Note","attachment":[{"url":[{"href":"sha256:HASH"}]}]}`,
		"feed/2026/11/half.json":                       `{"type":"Note","attachment":[{"url":[{"href":"sha256:HASH`,
		"feed/escaped.json":                            `{"href":"sh\u0061256\u003AHASH"}`,
		"feed/2026/11/b.sync-conflict-20261122-1.json": `"sha256:HASH"`,
		"feeds/A1B2C3D4E5F60718293A4B5C6D7E8F9001122334/2020/01/x.json": `"sha256:HASH"`,
		"history/A1B2C3D4E5F60718293A4B5C6D7E8F9001122334/x.1.json":     `"sha256:HASH"`,
		"trash/A1B2C3D4E5F60718293A4B5C6D7E8F9001122334/notes":          `"sha256:HASH"`,
	} {
		t.Run(name, func(t *testing.T) {
			d := newTidied(t)
			if err := os.MkdirAll(filepath.Dir(d.h.Path(name)), 0o700); err != nil {
				t.Fatal(err)
			}
			scrawl(t, d.h.Path(name), strings.ReplaceAll(text, "HASH", d.unname.SHA256))
			removed, lost, err := d.run()
			d.want(removed, lost, err)
		})
	}
}

// A text that lies in the trash, and stays there, keeps its files; they go with
// it.
//
// spec: F30
func TestFilesOfTheTrashStay(t *testing.T) {
	d := newTidied(t)
	p := d.post(d.unname)
	if _, err := d.h.Delete(t.Context(), p.ID()); err != nil {
		t.Fatal(err)
	}
	removed := 0
	if _, err := d.h.RemoveUnnamed(t.Context(), time.Now().Add(-time.Hour), false, func(home.Unnamed) error { removed++; return nil }); err != nil || removed > 0 {
		t.Fatalf("removed %d, %v", removed, err)
	}
	var dry []string
	if _, err := d.h.RemoveUnnamed(t.Context(), time.Now().Add(time.Hour), true, func(u home.Unnamed) error { dry = append(dry, u.SHA256); return nil }); err != nil ||
		!slices.Equal(dry, []string{d.unname.SHA256}) || !d.h.Holds(d.unname) {
		t.Fatalf("a trial: %v, %v", dry, err)
	}
	if err := d.h.EmptyTrash(t.Context(), time.Now().Add(time.Hour), false, func(home.Trashed) error { return nil }); err != nil {
		t.Fatal(err)
	}
	gone, lost, err := d.run()
	d.want(gone, lost, err, d.unname.SHA256)
}

// A file is younger than the post that will name it.
//
// spec: F30
func TestYoungFilesStay(t *testing.T) {
	d := newTidied(t)
	if _, err := d.h.RemoveUnnamed(t.Context(), time.Now().Add(-time.Minute), false, func(u home.Unnamed) error { return errors.New(u.Path) }); err != nil {
		t.Errorf("of a month that has not passed: %v", err)
	}
	h, err := home.Open(d.h.Path("."), home.Options{Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	if _, err := h.RemoveUnnamed(t.Context(), time.Now().Add(time.Hour), false, func(u home.Unnamed) error { return errors.New(u.Path) }); err != nil {
		t.Errorf("of the last hour: %v", err)
	}
}

// A post that is put there after the texts were read, and before anything is
// removed, is noticed.
//
// spec: F30
func TestPostsThatComeMeanwhileKeepTheirFiles(t *testing.T) {
	for _, old := range []bool{false, true} { // a new file; another text of one that was read
		d := newTidied(t)
		name := d.h.Path("feed/meanwhile.json")
		if old {
			scrawl(t, name, `{"type":"Note","content":"not yet"}`)
		}
		looked := false // at the files beside the posts: the texts were read before
		d.hook.set(func(op disk.Op, at string) error {
			if op == disk.OpReadDir && at == "attachments" {
				looked = true
			}
			if op == disk.OpLock && looked {
				scrawl(t, name, `"sha256:`+d.unname.SHA256+`"`)
			}
			return nil
		})
		removed, lost, err := d.run()
		if !looked {
			t.Fatal("it was not seen to look")
		}
		d.want(removed, lost, err)
	}
}

// What cannot be read may name anything: nothing is removed.
//
// spec: F30
func TestNothingIsRemovedUnread(t *testing.T) {
	d := newTidied(t)
	broken := errors.New("the disk is broken, says the test")
	for _, op := range []disk.Op{disk.OpOpen, disk.OpRead, disk.OpReadDir} {
		reached := false
		d.hook.set(func(o disk.Op, name string) error {
			if o == op && strings.HasPrefix(name, "feed") && !strings.Contains(name, ".tmp") {
				reached = true
				return broken
			}
			return nil
		})
		removed, _, err := d.run()
		if !reached || !errors.Is(err, broken) || len(removed) > 0 || !d.h.Holds(d.unname) {
			t.Errorf("%s: removed %v, %v", op, removed, err)
		}
	}
}

// Where a post is missing that nobody took back, no file goes.
//
// spec: F30
func TestNothingIsRemovedWherePostsAreMissing(t *testing.T) {
	d := newTidied(t)
	p := d.post(d.named)
	if _, err := d.h.Timeline(t.Context(), home.View{}); err != nil { // which knows of it since
		t.Fatal(err)
	}
	if err := os.Rename(d.h.PathOf(p.ID()), filepath.Join(t.TempDir(), "away")); err != nil {
		t.Fatal(err)
	}
	removed, lost, err := d.run()
	if lost != 1 || err != nil || len(removed) > 0 || !d.h.Holds(d.unname) {
		t.Errorf("removed %v, lost %d, %v", removed, lost, err)
	}
}

// Wherever it ends, what is named is there, and the next run does the rest.
func TestRemoveUnnamedCrashes(t *testing.T) {
	d := newTidied(t)
	for _, forEver := range []bool{false, true} {
		for n := 1; ; n++ {
			attach(t, d.h, noise(200, 2))
			left, reached := n, false
			d.hook.set(func(disk.Op, string) error {
				if left--; left == 0 || left < 0 && forEver {
					reached = true
					return errKilled
				}
				return nil
			})
			_, _, err := d.run()
			if d.hook.set(nil); !reached {
				break
			}
			if err == nil && d.h.Holds(d.unname) {
				t.Fatalf("operation %d: said to be done, and it is not", n)
			}
			if _, _, err := d.run(); err != nil || !d.h.Holds(d.named) || d.h.Holds(d.unname) {
				t.Fatalf("operation %d, for ever %v: once more: %v", n, forEver, err)
			}
		}
	}
}

// A post does not name a file that went while it was written: who wrote it is
// told.
//
// spec: F28
func TestAttachedFileThatWent(t *testing.T) {
	d := newTidied(t)
	if err := os.Remove(d.h.FilePath(d.unname)); err != nil {
		t.Fatal(err)
	}
	draft := post.NewDraft("Note")
	naming(t, d.unname)(draft)
	if _, err := d.h.Post(context.Background(), draft, post.Audience{Friends: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("posted: %v", err)
	}
	if entries, err := d.h.Timeline(t.Context(), home.View{}); err != nil || len(entries) != 1 {
		t.Errorf("there are %d posts, %v", len(entries), err)
	}
}
