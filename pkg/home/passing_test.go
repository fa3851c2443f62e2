package home_test

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A failure to read passes: too many files are open, a cable was loose. What it
// kept from being read is read again, by the same process, without anybody's
// doing.

// passingly opens a home in which files that have part in their name cannot be
// opened while fails is set. Its clock is so far ahead that no file is too young
// to be trusted.
func passingly(t *testing.T, part string) (h *home.Home, fails *atomic.Bool) {
	t.Helper()
	return passinglyAt(t, disk.OpOpen, part, syscall.EMFILE)
}

// passinglyAt is passingly for another operation and another failure.
func passinglyAt(t *testing.T, at disk.Op, part string, failure error) (h *home.Home, fails *atomic.Bool) {
	t.Helper()
	fails = &atomic.Bool{}
	ahead := func() time.Time { return time.Now().Add(time.Minute) }
	h, err := home.Create(t.TempDir(), home.Options{Now: ahead, Wait: time.Second, Hook: func(op disk.Op, name string) error {
		if fails.Load() && op == at && strings.Contains(name, part) {
			return failure
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if err := makeIdentity(h, "Alice"); err != nil {
		t.Fatal(err)
	}
	return h, fails
}

func publicly(t *testing.T, h *home.Home) int {
	t.Helper()
	a, err := h.Public(t.Context(), wire.Question{Kind: wire.KindPosts})
	if err != nil {
		t.Fatal(err)
	}
	return len(a.Items)
}

func TestAPostThatCouldNotBeReadIsReadAgain(t *testing.T) {
	h, fails := passingly(t, ".json")
	note(t, h, "one", "public")
	if n := publicly(t, h); n != 1 {
		t.Fatalf("%d posts", n)
	}
	for range 2 { // the index is made anew, and finds no file that it can read
		if err := os.RemoveAll(h.Path("cache")); err != nil {
			t.Fatal(err)
		}
		fails.Store(true)
		if n := publicly(t, h); n != 0 {
			t.Fatalf("%d posts of a file that cannot be read", n)
		}
		fails.Store(false)
		if n := publicly(t, h); n != 1 {
			t.Errorf("%d posts when it can be read again, want 1", n)
		}
	}
}

func TestAKeyThatCouldNotBeReadIsReadAgain(t *testing.T) {
	h, fails := passingly(t, "key/daily.asc")
	fails.Store(true)
	_, err := h.Post(t.Context(), post.NewDraft("Note"), post.Audience{})
	if !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("got %v, want EMFILE", err)
	}
	fails.Store(false)
	note(t, h, "one", "public")
	if n := publicly(t, h); n != 1 {
		t.Errorf("%d posts, want 1", n)
	}
}

// A post that cannot be read would keep the name that the group had, and be lost
// to its members.
func TestRenameGroupMustReadAllPosts(t *testing.T) {
	h, fails := passingly(t, "/20")
	if err := h.People().CreateGroup("family"); err != nil {
		t.Fatal(err)
	}
	p := note(t, h, "one", "family")
	if _, err := h.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The file changes, so that it must be read; and it cannot be.
	if err := os.Chtimes(h.PathOf(p.ID()), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	fails.Store(true)
	if _, err := h.RenameGroup(t.Context(), "family", "kin"); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Fatalf("got %v", err)
	}
	fails.Store(false)
	if done, err := h.RenameGroup(t.Context(), "family", "kin"); err != nil || done.Posts != 1 {
		t.Errorf("got %+v, %v", done, err)
	}
}

// A folder of posts went, and whether one of its files is there cannot be told:
// that they went is known in the end.
func TestAFolderThatWentIsLookedForAgain(t *testing.T) {
	h, fails := passinglyAt(t, disk.OpLstat, ".json", syscall.EIO)
	note(t, h, "one", "public")
	if n := publicly(t, h); n != 1 {
		t.Fatalf("%d posts", n)
	}
	if err := os.RemoveAll(h.Path("feed")); err != nil {
		t.Fatal(err)
	}
	removed := func() (n int) {
		pending, err := h.ByHand(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range pending {
			if x.What == home.WasRemoved {
				n++
			}
		}
		return n
	}
	fails.Store(true)
	_ = removed() // by then it may be known, or not
	fails.Store(false)
	if n := removed(); n != 1 {
		t.Errorf("%d posts were removed, want 1", n)
	}
}
