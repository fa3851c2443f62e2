package home

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An owner is a home with all that these tests do to it.
type owner struct {
	*Home
	t *testing.T
}

func newOwner(t *testing.T, name string) owner {
	t.Helper()
	h, err := Create(t.TempDir(), Options{Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	s, err := pgp.Generate(name, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.People().SaveIdentity(s, nil, nil); err != nil {
		t.Fatal(err)
	}
	return owner{h, t}
}

// reopenOwner is the same home after a crash.
func reopenOwner(t *testing.T, dir string, hook disk.Hook) owner {
	t.Helper()
	h, err := Open(dir, Options{Wait: time.Second, Hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return owner{h, t}
}

func (o owner) fingerprint() pgp.Fingerprint {
	o.t.Helper()
	cert, err := o.Me()
	if err != nil {
		o.t.Fatal(err)
	}
	return cert.Fingerprint()
}

func (o owner) befriend(other owner) {
	o.t.Helper()
	cert, err := other.Me()
	if err == nil {
		_, _, err = o.People().AddFriend(cert, keyring.AddOptions{})
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o owner) group(name string, member pgp.Fingerprint) {
	o.t.Helper()
	err := o.People().CreateGroup(name)
	if err == nil {
		_, err = o.People().AddMember(name, member, "all")
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o owner) note(text string, words ...string) *post.Post {
	o.t.Helper()
	d := post.NewDraft("Note")
	d.Set("content", text)
	a, _, err := o.People().Resolve(words)
	if err != nil {
		o.t.Fatal(err)
	}
	p, err := o.Post(o.t.Context(), d, a)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

func (o owner) file(p *post.Post) string { return o.Path(feed.Mine.Path(p.ID().Position)) }

// shows is how many posts a reader may have now.
func (o owner) shows(reader pgp.Fingerprint) int {
	o.t.Helper()
	a, err := o.Answer(o.t.Context(), reader, wire.Question{Kind: wire.KindPosts}, time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return len(a.Items)
}

// audiences are whom the posts are for, by their texts.
func (o owner) audiences() map[string]string {
	o.t.Helper()
	entries, err := o.Timeline(o.t.Context(), View{})
	if err != nil {
		o.t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		out[e.Post.Content()] = strings.Join(e.To, " ")
	}
	return out
}

func (o owner) areFor(want map[string]string) {
	o.t.Helper()
	if got := o.audiences(); !maps.Equal(got, want) {
		o.t.Errorf("the posts are for %v, want %v", got, want)
	}
}

func TestRenameGroup(t *testing.T) {
	alice, bob := newOwner(t, "Alice"), newOwner(t, "Bob")
	alice.befriend(bob)
	alice.group("family", bob.fingerprint())
	alice.group("work", bob.fingerprint())
	alice.note("lunch", "family")
	alice.note("both", "family", "work", "Bob")
	alice.note("all", "public", "family")
	alice.note("office", "work")
	buried := alice.note("regretted", "family")
	if _, err := alice.Delete(t.Context(), buried.ID()); err != nil {
		t.Fatal(err)
	}
	got, err := alice.RenameGroup(t.Context(), "family", "kin")
	if err != nil || got.Posts != 3 || len(got.Waiting) != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	alice.areFor(map[string]string{"lunch": "kin", "both": "kin work Bob", "all": "public kin", "office": "work"})
	if n := alice.shows(bob.fingerprint()); n != 4 {
		t.Errorf("Bob sees %d posts, want 4", n)
	}
	pending, err := alice.ByHand(t.Context())
	if err != nil || len(pending) != 0 {
		t.Errorf("done by hand, it is said: %v, %v", pending, err)
	}
	if _, err := alice.Restore(t.Context(), buried.ID()); err != nil {
		t.Fatal(err)
	}
	if to := alice.audiences()["regretted"]; to != "kin" {
		t.Errorf("what was in the trash is for %q, want kin", to)
	}
}

func TestRenameGroupRefuses(t *testing.T) {
	alice, bob, carol := newOwner(t, "Alice"), newOwner(t, "Bob"), newOwner(t, "Carol")
	alice.befriend(bob)
	alice.befriend(carol)
	alice.group("family", bob.fingerprint())
	alice.group("work", carol.fingerprint())
	alice.group("old", carol.fingerprint())
	alice.note("long ago", "old")
	alice.note("lunch", "family")
	if err := alice.People().DeleteGroup("old"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"nobody", "kin", keyring.ErrUnknown},
		{"nobody", "work", keyring.ErrUnknown},
		{"family", "work", keyring.ErrExists},
		{"family", "bob", keyring.ErrExists},
		{"family", "friends", keyring.ErrExists},
		{"family", "Kin", keyring.ErrName},
		{"family", "old", keyring.ErrExists}, // or Bob would see the post for the old one
	} {
		if _, err := alice.RenameGroup(t.Context(), c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.from, c.to, err, c.want)
		}
	}
	if b, c := alice.shows(bob.fingerprint()), alice.shows(carol.fingerprint()); b != 1 || c != 0 {
		t.Errorf("Bob sees %d posts, Carol %d; want 1 and none", b, c)
	}
	alice.areFor(map[string]string{"long ago": "old", "lunch": "family"})
}

// TestRenameGroupByHand: what waits to be signed is the person's own, and what he
// added to an audience is still said to be so.
func TestRenameGroupByHand(t *testing.T) {
	alice, bob := newOwner(t, "Alice"), newOwner(t, "Bob")
	alice.befriend(bob)
	alice.group("family", bob.fingerprint())
	edited := alice.note("lunch at one", "family")
	widened := alice.note("for me", "me")
	if _, err := alice.ByHand(t.Context()); err != nil {
		t.Fatal(err)
	}
	rewriteFile(t, alice.file(edited), "at one", "at two")
	rewriteFile(t, alice.file(widened), `"signature"`, `"bto": ["family"], "signature"`)
	got, err := alice.RenameGroup(t.Context(), "family", "kin")
	if err != nil || got.Posts != 1 || !slices.Equal(got.Waiting, []string{alice.file(edited)}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	pending, err := alice.ByHand(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	what := map[string]string{}
	for _, p := range pending {
		what[p.What] += p.Why
	}
	if len(pending) != 2 || what[WasWidened] != "kin" {
		t.Errorf("got %+v, want one changed and one widened by kin", pending)
	}
}

func rewriteFile(t *testing.T, path, old, with string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), old) != 1 {
		t.Fatalf("%q does not stand once in %s", old, path)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRenameGroupBrokenOff fails every operation of the disk in turn, and all
// after it, as a crash does. Then a member sees exactly what he saw, nobody else
// more, and the same call again finishes it.
func TestRenameGroupBrokenOff(t *testing.T) {
	alice, bob, carol := newOwner(t, "Alice"), newOwner(t, "Bob"), newOwner(t, "Carol")
	alice.befriend(bob)
	alice.befriend(carol)
	member, other := bob.fingerprint(), carol.fingerprint()
	alice.group("family", member)
	alice.group("work", other)
	alice.note("lunch", "family")
	alice.note("dinner", "family", "work")
	alice.note("office", "work")
	from := filepath.Dir(alice.Path("feed"))
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	broken := 0
	for n := int64(1); ; n++ {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
			t.Fatal(err)
		}
		keysPrivate(t, dir)
		var done atomic.Int64
		h := reopenOwner(t, dir, func(op disk.Op, _ string) error {
			switch op {
			case disk.OpWrite, disk.OpSync, disk.OpSyncFS, disk.OpSyncDir, disk.OpRename, disk.OpMkdir, disk.OpLink, disk.OpRemove:
				if done.Add(1) >= n {
					return syscall.EIO
				}
			}
			return nil
		})
		_, failed := h.RenameGroup(t.Context(), "family", "kin")
		if err := h.Close(); err != nil && failed == nil {
			t.Fatal(err)
		}
		h = reopenOwner(t, dir, nil)
		if a, b := h.shows(member), h.shows(other); a != 2 || b != 2 {
			t.Fatalf("broken off at operation %d (%v): the member sees %d posts, the other %d; want 2 and 2", n, failed, a, b)
		}
		if _, err := h.RenameGroup(t.Context(), "family", "kin"); err != nil && !errors.Is(err, keyring.ErrUnknown) {
			t.Fatalf("broken off at operation %d (%v): again: %v", n, failed, err)
		}
		h.areFor(map[string]string{"lunch": "kin", "dinner": "kin work", "office": "work"})
		if groups, err := h.People().Groups(); err != nil || len(groups) != 2 || groups[0].Name != "kin" {
			t.Fatalf("broken off at operation %d: groups %v, %v", n, groups, err)
		}
		if t.Failed() {
			t.Fatalf("broken off at operation %d (%v)", n, failed)
		}
		if failed == nil {
			break
		}
		broken++
	}
	if broken < 10 {
		t.Errorf("only %d operations could fail", broken)
	}
}

// keysPrivate gives a copied home the modes that keys demand.
func keysPrivate(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "key", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "key"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestShift(t *testing.T) {
	alice, bob := newOwner(t, "Alice"), newOwner(t, "Bob")
	alice.befriend(bob)
	alice.group("family", bob.fingerprint())
	alice.note("one", "family")
	second := alice.note("two", "family", "friends")
	alice.note("three", "friends")
	alice.note("everybody", "public", "family") // hidden from nobody
	if _, err := alice.Delete(t.Context(), alice.note("regretted", "family").ID()); err != nil {
		t.Fatal(err)
	}
	const above = post.Position("3")
	rights := func(friends, family post.Position) post.Grants {
		return post.Grants{Reader: bob.fingerprint(), Friend: true, Since: friends, Groups: map[string]post.Position{"family": family}}
	}
	stranger := post.Grants{Reader: bob.fingerprint()}
	for _, c := range []struct {
		name          string
		before, after post.Grants
		members       string
		want          Shift
	}{
		{"a new friend", stranger, rights("", ""), "family friends", Shift{Shown: 3}}, // each once
		{"of a group", stranger, rights(above, ""), "family", Shift{Shown: 2}},
		{"who sees nothing old", stranger, rights(above, above), "family friends", Shift{Closed: 3}},
		{"from the second on", stranger, rights(above, second.ID().Position), "family", Shift{Shown: 1, Closed: 1}},
		{"one more", rights(above, second.ID().Position), rights(above, ""), "family", Shift{Shown: 1}},
		{"one less", rights(above, ""), rights(above, second.ID().Position), "family", Shift{Hidden: 1}},
		{"what is seen by another way", rights("", above), rights("", ""), "family", Shift{Shown: 1}},
		{"nothing", rights("", ""), rights("", ""), "family friends", Shift{}},
		{"another group", stranger, rights("", ""), "work", Shift{}},
	} {
		got, err := alice.Shift(t.Context(), c.before, c.after, strings.Fields(c.members)...)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
	counts, err := alice.Counts(t.Context())
	if err != nil || counts["family"] != 3 || counts["friends"] != 2 || counts["work"] != 0 {
		t.Errorf("counts %v, %v", counts, err)
	}
}
