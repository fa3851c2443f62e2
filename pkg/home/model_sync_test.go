package home_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// TestModelSync: whatever is done to the files, by editors, sync tools and
// commands of two processes, after a look the index equals one made anew, and
// check has nothing to say against it.
func TestModelSync(t *testing.T) {
	checks(t, "40", "40")
	rapid.Check(t, func(t *rapid.T) {
		s := newSyncing(t)
		defer s.close()
		t.Repeat(map[string]func(*rapid.T){
			"command":       func(*rapid.T) { s.command() },
			"command again": func(*rapid.T) { s.command() },
			"file":          func(*rapid.T) { s.file() },
			"file again":    func(*rapid.T) { s.file() },
			"files":         func(*rapid.T) { s.file(); s.file(); s.file() },
			"folder":        func(*rapid.T) { s.folder() },
			"beside":        func(*rapid.T) { s.beside() },
			"clock":         func(*rapid.T) { s.jump() },
			"cache lost":    func(*rapid.T) { s.lose() },
			"quick look":    func(*rapid.T) { s.look(false) },
			"full look":     func(*rapid.T) { s.look(true) },
			"":              func(*rapid.T) {},
		})
		s.look(true)
	})
}

// A syncing world is one home with two processes at work in it, and no record:
// what is right is what an index made anew says.
type syncing struct {
	*rapid.T
	dir     string
	both    []*home.Home
	skew    time.Duration
	me, bob *castMember
	inPlace bool              // something was written in place since the last full look
	held    map[string][]byte // files by the name they had: to be put back
	aside   []string          // folders that were moved away
	n       int
	trace   []string
}

func newSyncing(t *rapid.T) *syncing {
	all, err := cast()
	s := &syncing{T: t, held: map[string][]byte{}}
	s.ok(err)
	s.dir, err = os.MkdirTemp(scratch(), "p2ps-sync-")
	s.ok(err)
	s.me, s.bob = all[0], all[1]
	for name, data := range s.me.files {
		s.write("key/"+name, data)
	}
	for range 2 {
		h, err := home.Open(s.dir, home.Options{Now: func() time.Time { return time.Now().Add(s.skew) }, Wait: 5 * time.Second})
		s.ok(err)
		s.both = append(s.both, h)
	}
	s.ok(s.both[0].MakePlaces())
	_, _, err = s.both[0].People().AddFriend(s.bob.cert, keyring.AddOptions{Name: "Bob"})
	s.ok(err)
	for i := range 3 {
		s.sign(feed.Of(s.bob.cert.Fingerprint()), s.bob.secret, time.Date(2026, time.Month(1+i), 2, 3, 4, 5, 6e6, time.UTC), 1)
	}
	s.sign(feed.Mine, s.me.secret, time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), 1)
	return s
}

func (s *syncing) close() {
	for _, h := range s.both {
		_ = h.Close()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *syncing) ok(err error) {
	if err != nil {
		s.Helper()
		s.Fatalf("%v\n%s", err, strings.Join(s.trace, "\n"))
	}
}

func (s *syncing) did(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf(format, args...))
}

func (s *syncing) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *syncing) write(name string, data []byte) {
	s.ok(os.MkdirAll(filepath.Dir(s.path(name)), 0o700))
	s.ok(os.WriteFile(s.path(name), data, 0o600))
}

// sign puts a signed text at its place, as another machine brings it.
func (s *syncing) sign(t feed.Tree, by *pgp.Secret, at time.Time, revision int64) {
	s.n++
	position, err := post.NewPosition(at, strings.NewReader(strings.Repeat("x", 100)))
	s.ok(err)
	d := post.NewDraft("Note")
	d.Set("content", fmt.Sprintf("number %03d", s.n))
	x, err := post.Sign(d, post.Particulars{ID: post.ID{Author: by.Certificate().Fingerprint(), Position: position}, Published: at, Revision: revision,
		Audience: post.Audience{Friends: t == feed.Mine}, At: at}, by)
	s.ok(err)
	data, err := x.File()
	s.ok(err)
	if t != feed.Mine {
		data = bytes.Replace(data, []byte(`"bto"`), []byte(`"x"`), 1)
	}
	s.write(t.Path(position), data)
	s.held[t.Path(position)] = data
}

func (s *syncing) process() *home.Home { return s.both[rapid.IntRange(0, 1).Draw(s.T, "process")] }

// posts are the files in the trees, by name.
func (s *syncing) posts() (names []string) {
	for _, top := range []string{"feed", "feeds"} {
		_ = filepath.WalkDir(s.path(top), func(name string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(name, ".json") {
				rel, _ := filepath.Rel(s.dir, name)
				names = append(names, filepath.ToSlash(rel))
			}
			return nil
		})
	}
	slices.Sort(names)
	return names
}

// command is what p2ps does: failures are of what was done by hand before.
func (s *syncing) command() {
	h, ctx := s.process(), context.Background()
	what := rapid.SampledFrom([]string{"post", "post", "edit", "delete", "restore", "sign"}).Draw(s.T, "command")
	var err error
	var own []post.Position
	for _, name := range s.posts() {
		if p, ok := isPosition(name); ok && strings.HasPrefix(name, "feed/") {
			own = append(own, p)
		}
	}
	id := post.ID{Author: s.me.cert.Fingerprint()}
	if len(own) == 0 {
		what = "post"
	} else {
		id.Position = rapid.SampledFrom(own).Draw(s.T, "post")
	}
	switch what {
	case "post":
		d := post.NewDraft("Note")
		d.Set("content", fmt.Sprint("posted ", len(s.trace)))
		_, err = h.Post(ctx, d, post.Audience{Friends: true})
		s.ok(err)
	case "edit":
		_, err = h.Edit(ctx, id, func(d *post.Draft) error { d.Set("content", fmt.Sprint("edited ", len(s.trace))); return nil })
	case "delete":
		_, err = h.Delete(ctx, id)
	case "restore":
		_, err = h.Restore(ctx, id)
	case "sign":
		var pending []home.Pending
		pending, err = h.ByHand(ctx)
		s.ok(err)
		if len(pending) > 0 {
			_, err = h.SignPending(ctx, rapid.SampledFrom(pending).Draw(s.T, "pending"))
		}
	}
	s.did("%s %s: %v", what, id.Position, err)
}

// file does something to one file, in one of the ways of editors and sync tools.
func (s *syncing) file() {
	names := s.posts()
	if len(names) == 0 {
		s.Skip("no file")
	}
	name := rapid.SampledFrom(names).Draw(s.T, "file")
	path := s.path(name)
	data, err := os.ReadFile(path)
	s.ok(err)
	info, err := os.Stat(path)
	s.ok(err)
	if len(data) > 0 {
		s.held[name] = data
	}
	changed := bytes.Replace(data, []byte("number"), []byte("nombre"), 1) // of the same length
	longer := append(bytes.Clone(data), '\n')
	how := rapid.SampledFrom([]string{"in place", "in place, another length", "in place, mtime put back", "rename over", "rename over, mtime put back", "backup and rename", "half", "empty", "touch",
		"chmod", "remove", "put back", "put back by rename", "another name", "another month", "conflict copy", "link", "hard link", "twin", "junk", "another's text", "rename twice in a tick"}).Draw(s.T, "how")
	s.did("%s: %s", name, how)
	over := func(data []byte, mtime time.Time) {
		temp := filepath.Join(filepath.Dir(path), ".sync-tmp")
		s.ok(os.WriteFile(temp, data, 0o600))
		s.ok(os.Chtimes(temp, mtime, mtime))
		s.ok(os.Rename(temp, path))
	}
	stem := strings.TrimSuffix(path, ".json")
	s.inPlace = s.inPlace || strings.HasPrefix(how, "in place") || slices.Contains([]string{"half", "empty", "touch", "chmod", "put back", "junk", "another's text", "hard link"}, how)
	switch how {
	case "in place":
		s.ok(os.WriteFile(path, changed, 0o600))
	case "in place, another length":
		s.ok(os.WriteFile(path, longer, 0o600))
	case "in place, mtime put back":
		s.ok(os.WriteFile(path, changed, 0o600))
		s.ok(os.Chtimes(path, info.ModTime(), info.ModTime()))
	case "rename over":
		over(changed, time.Now())
	case "rename over, mtime put back":
		over(changed, info.ModTime())
	case "rename twice in a tick":
		over(changed, info.ModTime())
		over(data, info.ModTime())
	case "backup and rename":
		s.ok(os.Rename(path, path+"~"))
		s.ok(os.WriteFile(path, changed, 0o600))
	case "half":
		s.ok(os.WriteFile(path, data[:len(data)/2], 0o600))
	case "empty":
		s.ok(os.Truncate(path, 0))
	case "touch":
		s.ok(os.Chtimes(path, time.Now(), time.Now().Add(-time.Duration(s.n)*time.Hour)))
	case "chmod":
		s.ok(os.Chmod(path, 0o640))
	case "remove":
		s.ok(os.Remove(path))
	case "put back", "put back by rename":
		name = rapid.SampledFrom(slices.Sorted(maps.Keys(s.held))).Draw(s.T, "earlier")
		path = s.path(name)
		s.ok(os.MkdirAll(filepath.Dir(path), 0o700))
		if how == "put back" {
			s.ok(os.RemoveAll(path)) // there may be a link
			s.write(name, s.held[name])
		} else {
			over(s.held[name], time.Now())
		}
	case "another name":
		s.ok(os.Rename(path, filepath.Join(filepath.Dir(path), fmt.Sprintf("moved-%d.json", s.n))))
		s.n++
	case "another month":
		to := filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(path))), "2001", "01", filepath.Base(path))
		s.ok(os.MkdirAll(filepath.Dir(to), 0o700))
		s.ok(os.Rename(path, to))
	case "conflict copy":
		s.ok(os.WriteFile(stem+".sync-conflict-20260101-000000-ABCDEFG.json", changed, 0o600))
	case "twin":
		s.ok(os.WriteFile(filepath.Join(filepath.Dir(path), strings.ToUpper(filepath.Base(stem))+".json"), data, 0o600))
	case "link":
		s.ok(os.Rename(path, filepath.Join(s.dir, fmt.Sprint("elsewhere-", s.n))))
		s.ok(os.Symlink(filepath.Join(s.dir, fmt.Sprint("elsewhere-", s.n)), path))
		s.n++
	case "hard link":
		s.ok(os.Link(path, filepath.Join(s.dir, fmt.Sprint("hard-", s.n))))
		s.n++
	case "junk":
		s.ok(os.WriteFile(path, []byte(`{"type":"Note","type":"Note"}`), 0o600))
	case "another's text":
		s.ok(os.WriteFile(path, s.held[rapid.SampledFrom(slices.Sorted(maps.Keys(s.held))).Draw(s.T, "whose")], 0o600))
	}
}

// folder moves folders away and back, or removes them.
func (s *syncing) folder() {
	if len(s.aside) > 0 && rapid.Bool().Draw(s.T, "back") {
		name := s.aside[len(s.aside)-1]
		s.aside = s.aside[:len(s.aside)-1]
		if _, err := os.Lstat(s.path(name)); err != nil {
			s.did("%s is back", name)
			s.ok(os.MkdirAll(filepath.Dir(s.path(name)), 0o700))
			s.ok(os.Rename(s.path("aside/"+name), s.path(name)))
		} else {
			s.ok(os.RemoveAll(s.path("aside/" + name)))
		}
		return
	}
	var dirs []string
	for _, name := range s.posts() {
		for dir := filepath.ToSlash(filepath.Dir(name)); dir != "."; dir = filepath.ToSlash(filepath.Dir(dir)) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		s.Skip("no folder")
	}
	slices.Sort(dirs)
	name := rapid.SampledFrom(slices.Compact(dirs)).Draw(s.T, "folder")
	how := rapid.SampledFrom([]string{"away", "away", "removed", "a link"}).Draw(s.T, "how")
	s.did("%s is %s", name, how)
	switch how {
	case "removed":
		s.ok(os.RemoveAll(s.path(name)))
	default:
		to := s.path("aside/" + name)
		s.ok(os.MkdirAll(filepath.Dir(to), 0o700))
		s.ok(os.RemoveAll(to))
		s.ok(os.Rename(s.path(name), to))
		if how == "a link" && name != "feeds" { // which is nobody's folder
			rel, err := filepath.Rel(filepath.Dir(s.path(name)), to)
			s.ok(err)
			s.ok(os.Symlink(rel, s.path(name)))
			return
		}
		s.aside = append(s.aside, name)
	}
}

// beside does what leaves no post.
func (s *syncing) beside() {
	dir := "feed"
	if names := s.posts(); len(names) > 0 {
		dir = filepath.ToSlash(filepath.Dir(rapid.SampledFrom(names).Draw(s.T, "beside")))
	}
	name := dir + "/" + rapid.SampledFrom([]string{".x.json.swp", "x.json~", "#x.json#", "x.json.part", ".syncthing.x.json.tmp", "x.txt", "draft.json", "other.json"}).Draw(s.T, "name")
	s.did("%s is written", name)
	s.inPlace = true
	s.write(name, []byte(`{"type":"Note","content":"by hand"}`))
}

// jump sets the clock. What is long ago or far ahead is as racy as it seems.
func (s *syncing) jump() {
	s.skew = rapid.SampledFrom([]time.Duration{0, 0, time.Hour, -time.Hour, 3 * time.Second, 87600 * time.Hour, -87600 * time.Hour}).Draw(s.T, "skew")
	s.did("the clock is off by %s", s.skew)
}

func (s *syncing) lose() {
	s.did("the cache is lost")
	s.ok(os.RemoveAll(s.path("cache")))
	s.inPlace = false
}

// look has one process look, and compares the index with one made anew.
func (s *syncing) look(full bool) {
	h := s.process()
	s.did("look, full: %v", full)
	if full {
		s.ok(h.LookAtAll(context.Background()))
		s.inPlace = false
	} else if _, err := h.Timeline(context.Background(), home.View{}); err != nil {
		s.ok(err)
	}
	if s.inPlace {
		return
	}
	got := s.dump(h)
	s.ok(os.Rename(s.path("cache"), s.path("cache.aside")))
	fresh, err := home.Open(s.dir, home.Options{Now: func() time.Time { return time.Now().Add(s.skew) }, Wait: time.Second})
	s.ok(err)
	want := s.dump(fresh)
	s.ok(fresh.Close())
	s.ok(os.RemoveAll(s.path("cache")))
	s.ok(os.Rename(s.path("cache.aside"), s.path("cache")))
	for _, name := range slices.Sorted(maps.Keys(merged(got, want))) {
		if !alike(got[name], want[name]) {
			s.Fatalf("%s: the index says\n  %+v\nand made anew\n  %+v\n%s", name, got[name], want[name], strings.Join(s.trace, "\n"))
		}
	}
	found, _, err := h.Check(context.Background(), func() {})
	s.ok(err)
	for _, d := range found {
		if d.Index {
			s.Fatalf("check: %s: %s\n%s", d.Path, d.Why, strings.Join(s.trace, "\n"))
		}
	}
}

// A said is what an index says of one file.
type said struct {
	row   *index.Row
	stray *index.Stray
}

func (x said) String() string {
	switch {
	case x.row != nil:
		return fmt.Sprintf("%+v", *x.row)
	case x.stray != nil:
		return fmt.Sprintf("%+v", *x.stray)
	}
	return "nothing"
}

func merged(a, b map[string]said) map[string]said {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// alike compares what is said of a file with what an index made anew says, which
// remembers no text that is not there any more.
func alike(got, want said) bool {
	if got.row != nil && got.row.State > index.Tombstone {
		switch got.row.State {
		case index.Removed:
			return want == said{}
		case index.Older:
			return want.row != nil && want.row.State <= index.Tombstone && got.row.Standing().Beats(want.row.Standing())
		case index.Edited:
			return want.stray != nil && (want.stray.Kind == index.Made || want.stray.Kind == index.Moved)
		}
		return want.stray != nil && want.stray.Kind == index.Unread
	}
	if got.row != nil && want.row != nil {
		a, b := *got.row, *want.row
		if a.Stat.Ctime == 0 || b.Stat.Ctime == 0 { // too young to be trusted
			a.Stat = b.Stat
		}
		return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
	}
	if got.stray != nil && want.stray != nil {
		a, b := *got.stray, *want.stray
		if a.Stat.Ctime == 0 || b.Stat.Ctime == 0 {
			a.Stat = b.Stat
		}
		return a == b
	}
	return got == want
}

// dump is all that an index says of posts, by the file.
func (s *syncing) dump(h *home.Home) map[string]said {
	x, err := h.Index(context.Background())
	s.ok(err)
	all := map[string]said{}
	s.ok(x.View(context.Background(), func(v *index.View) error {
		for t, author := range map[feed.Tree]pgp.Fingerprint{feed.Mine: s.me.cert.Fingerprint(), feed.Of(s.bob.cert.Fingerprint()): s.bob.cert.Fingerprint()} {
			rows, err := v.Range(author, "", "3")
			if err != nil {
				return err
			}
			for i := range rows {
				if rows[i].State != index.Removed {
					all[t.Path(rows[i].ID.Position)] = said{row: &rows[i]}
				}
			}
		}
		strays, err := v.Strays()
		for i := range strays {
			name := strays[i].Dir + "/" + strays[i].Name
			if all[name].row != nil {
				s.Fatalf("%s is a post and a stray file\n%s", name, strings.Join(s.trace, "\n"))
			}
			all[name] = said{stray: &strays[i]}
		}
		return err
	}))
	return all
}
