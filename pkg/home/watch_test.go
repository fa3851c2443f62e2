package home_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A watched home is one that is being served, and the same by another process.
type watched struct {
	t     *testing.T
	h     *home.Home // that serves
	other *home.Home
}

func newWatched(t *testing.T, hook disk.Hook) *watched {
	t.Helper()
	h := newHome(t, "Alice")
	if err := h.MakePlaces(); err != nil {
		t.Fatal(err)
	}
	w := &watched{t: t, other: h}
	var err error
	if w.h, err = home.Open(h.Path(""), home.Options{Wait: 5 * time.Second, Hook: hook}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.h.Close() })
	if err := w.h.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.h.KeepLooking(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return w
}

// public are the texts that a stranger gets. His request looks at no folder.
func (w *watched) public() string {
	w.t.Helper()
	a, err := w.h.Answer(w.t.Context(), "", wire.Question{Kind: wire.KindPosts}, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for _, item := range a.Items {
		_, rest, _ := strings.Cut(string(item), `"content":"`)
		text, _, _ := strings.Cut(rest, `"`)
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// becomes waits, by Changed and nothing else, until strangers get just this.
func (w *watched) becomes(want string) {
	w.t.Helper()
	patience := time.After(20 * time.Second) // of a look a minute it is none
	for {
		changed := w.h.Changed()
		got := w.public()
		if got == want {
			return
		}
		select {
		case <-changed:
		case <-patience:
			w.t.Fatalf("strangers get %q, want %q", got, want)
		}
	}
}

// ready waits until the watcher works: before, a change is found by the first look.
func (w *watched) ready() {
	w.t.Helper()
	note(w.t, w.other, "first", "public")
	w.becomes("first")
}

func TestServeFollowsOtherProcesses(t *testing.T) {
	w := newWatched(t, nil)
	w.ready()
	x := note(t, w.other, "second", "public")
	w.becomes("first second")
	if _, err := w.other.Edit(t.Context(), x.ID(), func(d *post.Draft) error { d.Set("content", "edited"); return nil }); err != nil {
		t.Fatal(err)
	}
	w.becomes("first edited")
	if _, err := w.other.Delete(t.Context(), x.ID()); err != nil {
		t.Fatal(err)
	}
	w.becomes("first")
}

// An edit in place changes no folder, and is seen at once where the system tells.
func TestServeFollowsAnEditor(t *testing.T) {
	w := newWatched(t, nil)
	w.ready()
	x := note(t, w.other, "second", "public")
	w.becomes("first second")
	name := w.other.PathOf(x.ID())
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := os.WriteFile(name, []byte(strings.Replace(string(text), "second", "secone", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		w.becomes("first") // a draft, until it is signed
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		w.becomes("first second")
	}
}

// Folders that come with all that is in them, by a rename or file by file.
func TestServeFollowsNewFolders(t *testing.T) {
	w := newWatched(t, nil)
	w.ready()
	x := note(t, w.other, "moved", "public")
	w.becomes("first moved")
	month := filepath.Dir(w.other.PathOf(x.ID()))
	aside := filepath.Join(w.other.Path(""), "aside")
	if err := os.Rename(month, aside); err != nil {
		t.Fatal(err)
	}
	w.becomes("")
	if err := os.Rename(aside, month); err != nil {
		t.Fatal(err)
	}
	w.becomes("first moved")
	if err := os.RemoveAll(w.other.Path("feed")); err != nil {
		t.Fatal(err)
	}
	w.becomes("")
	var want []string
	for i := range 30 { // each in a folder that is made for it
		position, err := post.NewPosition(time.Date(2001+i, 1, 1, 0, 0, 0, 0, time.UTC), strings.NewReader(strings.Repeat("x", 100)))
		if err != nil {
			t.Fatal(err)
		}
		w.sign(feed.Mine.Path(position), fmt.Sprint("post-", i))
		want = append(want, fmt.Sprint("post-", i))
	}
	w.becomes(strings.Join(want, " "))
}

// sign makes a signed post at a place, as another machine of mine brings it.
func (w *watched) sign(name, text string) {
	w.t.Helper()
	me := secretOf(w.t, w.other)
	position, _ := isPosition(name)
	d := post.NewDraft("Note")
	d.Set("content", text)
	x, err := post.Sign(d, post.Particulars{ID: post.ID{Author: me.Certificate().Fingerprint(), Position: position}, Published: position.Time(), Revision: 1,
		Audience: post.Audience{Public: true}, At: time.Now()}, me)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := x.File()
	if err != nil {
		w.t.Fatal(err)
	}
	path := w.other.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Where no directory can be watched, or not all, what happens is found by looks.
func TestServeFollowsWithoutWatching(t *testing.T) {
	for what, fails := range map[string]func(name string) bool{
		"no watcher":           func(string) bool { return true },
		"no more directories":  func(name string) bool { return name != "." },
		"none below the years": func(name string) bool { return strings.Count(name, "/") > 1 },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWatched(t, func(op disk.Op, name string) error {
				if op == disk.OpWatch && fails(name) {
					return syscall.ENOSPC
				}
				return nil
			})
			w.ready()
			note(t, w.other, "second", "public")
			w.becomes("first second")
		})
	}
}

// Who becomes a friend by hand is noticed, and whoever waits is told.
func TestServeFollowsPeople(t *testing.T) {
	w := newWatched(t, nil)
	w.ready()
	bob := newHome(t, "Bob")
	cert, err := bob.Me()
	if err != nil {
		t.Fatal(err)
	}
	changed := w.h.Changed()
	if err := os.WriteFile(w.other.Path("friends/bob.asc"), cert.Armor(), 0o600); err != nil {
		t.Fatal(err)
	}
	record := w.other.Path("friends/" + string(cert.Fingerprint()) + ".json")
	for patience := time.After(20 * time.Second); ; {
		if _, err := os.Stat(record); err == nil {
			return
		}
		select {
		case <-changed:
			changed = w.h.Changed()
		case <-patience:
			t.Fatal("a friend's key is not noticed")
		}
	}
}

// After the kernel could not tell all that happened, every file is looked at: mine
// and the copies, since an edit in place shows in no folder.
func TestServeLooksAtAllAfterAnOverflow(t *testing.T) {
	d := newDuo(t)
	ids := []post.ID{d.readerWrites("mine", forFriends).ID(), d.note("a copy", forFriends).ID()}
	d.pull()
	d.tick(3 * time.Hour) // nothing is too young to be trusted
	d.check(d.reader.LookAtAll(t.Context()))
	for i, tree := range []feed.Tree{feed.Mine, feed.Of(ids[1].Author)} {
		name := d.reader.Path(tree.Path(ids[i].Position))
		text, err := os.ReadFile(name)
		d.check(err)
		d.check(os.WriteFile(name, []byte(strings.Replace(string(text), `"content": "`, `"content": "not `, 1)), 0o600))
	}
	states := func() (said string) {
		x, err := d.reader.Index(t.Context())
		d.check(err)
		d.check(x.View(t.Context(), func(v *index.View) error {
			for _, id := range ids {
				row, ok, err := v.Row(id)
				said += fmt.Sprintln(row.State == index.Live && ok, row.State == index.Edited)
				if err != nil {
					return err
				}
			}
			return nil
		}))
		return said
	}
	d.check(d.reader.FollowWatcher(t.Context(), false))
	d.wants("after a hint", states(), "true false\ntrue false\n")
	d.check(d.reader.FollowWatcher(t.Context(), true))
	d.wants("after an overflow", states(), "false true\nfalse false\n")
}
