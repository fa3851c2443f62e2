package home_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A play is a small world, made once, of whose homes tests take copies: Alice
// with friends, groups and posts, Bob who has pulled them, and a server on which
// Alice has done more since.
type play struct {
	dir       string // of the homes that the copies are made of
	people    map[string]*pgp.Certificate
	posts     map[string]post.ID // of Alice, by content
	templates map[string]string  // content of files by hash: those that were there before
}

// clock is so far ahead that a file is too young to be trusted for 20 ms after a
// change, and not for two seconds: no test waits for it, and most looks find all
// as it was.
func clock() time.Time { return time.Now().Add(1980 * time.Millisecond) }

// inMemory returns an empty directory, in memory where there is one.
func inMemory(t *testing.T) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "p2ps-crash-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{dir: inMemory(t), people: map[string]*pgp.Certificate{}, posts: map[string]post.ID{}, templates: map[string]string{}}
	alice, bob := p.join(t, "alice"), p.join(t, "bob")
	for _, name := range []string{"carol", "dave"} {
		s, err := pgp.Generate(name, "", clock())
		if err != nil {
			t.Fatal(err)
		}
		p.people[name] = s.Certificate()
	}
	url := served(t, alice)
	befriend(t, bob, alice, url)
	befriend(t, alice, bob, "")
	if _, _, err := alice.People().AddFriend(p.cert("carol"), keyring.AddOptions{Name: "carol", History: "all"}); err != nil {
		t.Fatal(err)
	}
	for group, who := range map[string]string{"family": "bob", "work": "carol"} {
		if err := alice.People().CreateGroup(group); err != nil {
			t.Fatal(err)
		}
		if _, err := alice.People().AddMember(group, p.cert(who).Fingerprint(), "all"); err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range [][2]string{{"one", "friends"}, {"two", "family"}, {"three", "public"}, {"four", "me"}, {"five", "friends"}} {
		p.posts[of[0]] = note(t, alice, of[0], of[1]).ID()
	}
	pullAll(t, bob)
	if _, err := alice.Delete(t.Context(), p.id("five")); err != nil {
		t.Fatal(err)
	}
	p.keep(t, "alice")
	p.keep(t, "bob")
	p.goOn(t, alice)
	return p
}

// goOn is what Alice does after the copies were made: Bob has something to pull.
func (p *play) goOn(t *testing.T, alice *home.Home) {
	t.Helper()
	if _, err := alice.Edit(t.Context(), p.id("one"), func(d *post.Draft) error { d.Set("content", "one, edited"); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Delete(t.Context(), p.id("two")); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"seven", "eight", "nine"} {
		note(t, alice, words, "family")
	}
}

func (p *play) id(content string) post.ID         { return p.posts[content] }
func (p *play) cert(name string) *pgp.Certificate { return p.people[name] }

func (p *play) options(hook disk.Hook) home.Options {
	return home.Options{Now: clock, Wait: 5 * time.Second, Hook: hook, Log: slog.New(slog.DiscardHandler)}
}

// join makes somebody with a home.
func (p *play) join(t *testing.T, name string) *home.Home {
	t.Helper()
	h, err := home.Create(filepath.Join(p.dir, "live", name), p.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if err := makeIdentity(h, name); err != nil {
		t.Fatal(err)
	}
	if p.people[name], err = h.Me(); err != nil {
		t.Fatal(err)
	}
	return h
}

// keep makes a home the one that copies are made of.
func (p *play) keep(t *testing.T, name string) {
	t.Helper()
	from := filepath.Join(p.dir, "live", name)
	to := filepath.Join(p.dir, name)
	duplicate(t, from, to)
	if err := os.RemoveAll(filepath.Join(to, "cache")); err != nil { // it is at work
		t.Fatal(err)
	}
	h, err := home.Open(to, p.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Timeline(t.Context(), home.View{}); err != nil { // the index is made, and spares the copies to verify
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range filesBelow(t, from) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(from, file)
		p.templates[fmt.Sprintf("%x", sha256.Sum256(data))] = rel
	}
}

// stage opens a copy of a verb's home, in which the verb is about to run.
func (p *play) stage(t *testing.T, v verb, f *failing) (*crashed, *home.Home) {
	t.Helper()
	dir, err := os.MkdirTemp(p.dir, "stage-")
	if err != nil {
		t.Fatal(err)
	}
	c := &crashed{play: p, dir: dir, acked: map[string][]byte{}}
	if v.who != "" {
		duplicate(t, filepath.Join(p.dir, v.who), dir)
	}
	var hook disk.Hook
	if f != nil {
		hook = f.hook
	}
	h, err := home.Open(dir, p.options(hook))
	if err != nil {
		t.Fatal(err)
	}
	if v.who != "" {
		if _, err := h.Status(t.Context()); err != nil { // the index is there
			t.Fatal(err)
		}
	}
	if v.hand != nil {
		v.hand(t, c)
	}
	return c, h
}

// duplicate copies the files of a home.
func duplicate(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, name)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// filesBelow lists all files of a directory tree.
func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the index is at work
		}
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// age makes temporary files look as if they were left long ago.
func age(t *testing.T, dir string) {
	t.Helper()
	long := clock().Add(-2 * time.Hour)
	for _, name := range filesBelow(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			if err := os.Chtimes(name, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// beside begins the part of a look that a broken off verb may have done already:
// texts kept in history and trash.
const beside = "\nbeside:\n"

// look tells what a home comes to: its files, its people, what was done by hand,
// what is shown, and what each person would get. What is random is left out.
func (p *play) look(t *testing.T, h *home.Home) string {
	t.Helper()
	me, err := h.Me()
	if errors.Is(err, keyring.ErrNoIdentity) {
		return "nobody" + beside
	}
	say := &strings.Builder{}
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatalf("looking: %v", err)
		}
	}
	must(err)
	pending, err := h.ByHand(t.Context()) // works out whether the secret key is there, too
	must(err)
	fmt.Fprintf(say, "I am %s\n", me.Name())
	var lines []string
	for _, x := range pending {
		lines = append(lines, "by hand: "+x.What)
	}
	entries, err := h.Timeline(t.Context(), home.View{})
	must(err)
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("shown: %s %s %d %s to %v", e.Name, e.Post.Type(), e.Post.Revision(), e.Post.Content(), e.To))
	}
	lines = append(lines, p.persons(t, h)...)
	lines = append(lines, p.given(t, h)...)
	slices.Sort(lines)
	aside := []string{}
	for _, top := range []string{"feed", "feeds", "history", "trash"} {
		for _, name := range filesBelow(t, mkdir(t, h.Path(top))) {
			line := p.tell(t, h, name)
			switch {
			case line == "":
			case top == "feed" || top == "feeds":
				lines = append(lines, line)
			default:
				aside = append(aside, line)
			}
		}
	}
	slices.Sort(lines)
	slices.Sort(aside)
	return say.String() + strings.Join(lines, "\n") + beside + strings.Join(aside, "\n")
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tell describes a file of posts: as the one that was there before, or by what is
// in it, which must be whole.
func (p *play) tell(t *testing.T, h *home.Home, name string) string {
	t.Helper()
	if strings.HasPrefix(filepath.Base(name), ".") {
		return ""
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	place, _, _ := strings.Cut(strings.TrimPrefix(name, h.Path("")+"/"), "/")
	if was, ok := p.templates[fmt.Sprintf("%x", sha256.Sum256(data))]; ok {
		return place + ": as it was: " + was
	}
	var m struct {
		Type, Content, FormerType string
		Revision                  int
		BTo, To                   []string
		Signature                 string
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%s is half: %v\n%s", name, err, data)
	}
	return fmt.Sprintf("%s: %s%s %q revision %d for %v %v, signed: %v", place, m.Type, m.FormerType, m.Content, m.Revision, m.To, m.BTo, m.Signature != "")
}

// persons lists friends, groups and the blocked.
func (p *play) persons(t *testing.T, h *home.Home) (lines []string) {
	t.Helper()
	friends, err := h.People().Friends()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range friends {
		lines = append(lines, fmt.Sprintf("friend: %s %d %s %s %v %v", f.Name, len(f.Addresses), f.Trust, f.History, f.Groups, f.Blocked))
	}
	groups, err := h.People().Groups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		line := "group: " + g.Name
		for _, m := range g.Members {
			line += fmt.Sprintf(" %s %s", m.Fingerprint, m.History)
		}
		lines = append(lines, line)
	}
	blocked, err := h.People().Blocked()
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, fmt.Sprintf("blocked: %v", blocked))
}

// given lists what each person would get.
func (p *play) given(t *testing.T, h *home.Home) (lines []string) {
	t.Helper()
	for who, fpr := range map[string]pgp.Fingerprint{"bob": p.cert("bob").Fingerprint(), "carol": p.cert("carol").Fingerprint(), "everybody": ""} {
		a, err := h.Answer(t.Context(), fpr, wire.Question{Kind: wire.KindPosts}, clock())
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, item := range a.Items {
			var m struct{ Content string }
			if err := json.Unmarshal(item, &m); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, m.Content)
		}
		slices.Sort(texts)
		lines = append(lines, fmt.Sprintf("given to %s: %q", who, texts))
	}
	return lines
}

// rows dumps what the index knows of all posts, after a look at every file.
func (p *play) rows(t *testing.T, h *home.Home, dir string) string {
	t.Helper()
	if _, err := h.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Timeline(t.Context(), home.View{}); err != nil {
		t.Fatal(err)
	}
	root, err := disk.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	x, fresh, err := index.Open(t.Context(), root)
	if err != nil || fresh {
		t.Fatalf("the index cannot be opened: fresh %v, %v", fresh, err)
	}
	defer func() { _ = x.Close() }()
	var lines []string
	err = x.View(context.Background(), func(v *index.View) error {
		for _, name := range []string{"alice", "bob"} {
			rows, err := v.Range(p.cert(name).Fingerprint(), "", "3")
			if err != nil {
				return err
			}
			for _, r := range rows {
				r.Stat.Ctime = 0 // 0 for what was too young to be trusted
				lines = append(lines, fmt.Sprintf("%+v", r))
			}
		}
		strays, err := v.Strays()
		for _, s := range strays {
			s.Stat.Ctime = 0
			lines = append(lines, fmt.Sprintf("%+v", s))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
