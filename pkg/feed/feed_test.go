package feed

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/testdata/vectors"
)

const (
	author = "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"
	place  = post.Position("20261122-123456789-k3q5vx2m4f7da")
)

// Names are made from positions, and read back from them alone.
//
// spec: F1, F3, F7
func TestNames(t *testing.T) {
	v := post.Version{ID: post.ID{Author: author, Position: place}, Revision: 12}
	for got, want := range map[string]string{
		Mine.Path(place):             "feed/2026/11/20261122-123456789-k3q5vx2m4f7da.json",
		Of(author).Path(place):       "feeds/" + author + "/2026/11/20261122-123456789-k3q5vx2m4f7da.json",
		History(v):                   "history/" + author + "/20261122-123456789-k3q5vx2m4f7da.12.json",
		Trash(v):                     "trash/" + author + "/20261122-123456789-k3q5vx2m4f7da.12.json",
		Mine.Dir("20261199-9"):       "feed/2026/11",
		Aside("trash", v.ID.Author):  "trash/" + author,
		filepath.Base(Trash(v)) + "": "20261122-123456789-k3q5vx2m4f7da.12.json",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if p, revision, ok := ParseAside(filepath.Base(Trash(v))); !ok || p != place || revision != "12" {
		t.Errorf("read as %s, %s, %v", p, revision, ok)
	}
	for _, name := range []string{string(place) + ".json", "x.1.json", string(place) + ".1", ".1.json"} {
		if _, _, ok := ParseAside(name); ok && name != string(place)+".json" {
			t.Errorf("%s is read", name)
		}
	}
}

// What a file may be is said by its name and its folder.
//
// spec: F1, F4
func TestClassify(t *testing.T) {
	name := string(place) + ".json"
	for _, c := range []struct {
		dir, name string
		want      Kind
	}{
		{"feed/2026/11", name, Post}, {"feed/2026/12", name, JSON}, {"feed/2026", name, JSON}, {"feed", name, JSON}, {"feed/2026/11/x", name, JSON},
		{"feed/2026/11", "draft.json", JSON}, {"feed/2026/11", strings.ToUpper(name), Other}, {"feed/2026/11", "notes.txt", Other}, {"feed/2026/11", string(place), Other},
		{"feed/2026/11", "." + name, Other}, {"feed/2026/11", name + "~", Other}, {"feed/2026/11", name + ".part", Other}, {"feed/2026/11", "x~", Other},
		{"feed/2026/11", string(place) + ".sync-conflict-20261122-123456-ABCDEFG.json", Conflict}, {"feed/2026/11", "x (conflicted copy).json", Conflict},
		{"feed/2026/11", ".sync-conflict-x.json", Other},
	} {
		kind, p := Mine.Classify(c.dir, c.name)
		if kind != c.want || (p == place) != (c.want == Post) {
			t.Errorf("%s/%s: %v, %q, want %v", c.dir, c.name, kind, p, c.want)
		}
	}
}

func open(t *testing.T) (*disk.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := disk.Create(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root, dir
}

func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("{}"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// Only folders that changed are listed; all of them where every file is to be
// looked at; those that went are told.
func TestScan(t *testing.T) {
	root, dir := open(t)
	later := time.Now().Add(time.Hour) // nothing is too young to be trusted
	say := func(known map[string]Folder, full bool, now time.Time) (said []string, next map[string]Folder) {
		t.Helper()
		var listings []Listing
		err := Mine.Scan(root, Look{Known: known, Full: full, Now: now}, func(l Listing) error { listings = append(listings, l); return nil })
		if err != nil {
			t.Fatal(err)
		}
		next = map[string]Folder{}
		for name, s := range known {
			next[name] = s
		}
		for _, l := range listings {
			text := l.Dir
			if l.Gone {
				text += " gone"
				delete(next, l.Dir)
			} else {
				next[l.Dir] = l.Folder
			}
			for _, f := range l.Files(Mine) {
				text += " " + f.Name
			}
			said = append(said, text)
		}
		slices.Sort(said)
		return said, next
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	got, known := say(nil, false, later)
	expect("no feed", got)
	write(t, dir, Mine.Path(place), "feed/2026/10/draft.json", "feed/2026/10/x.txt", "feed/.hidden/x.json", "feed/a/b/c/d/x.json")
	got, known = say(known, false, later)
	expect("at first", got, "feed", "feed/2026", "feed/2026/10 draft.json", "feed/2026/11 "+string(place)+".json", "feed/a", "feed/a/b", "feed/a/b/c")
	got, known = say(known, false, later)
	expect("unchanged", got)
	write(t, dir, "feed/2026/10/new.json", "feed/2026/10/newer.json")
	got, known = say(known, false, later)
	expect("two added", got, "feed/2026/10 draft.json new.json newer.json")
	got, known = say(known, true, later)
	expect("all looked at", got)
	written := filepath.Join(dir, "feed", "2026", "10", "draft.json")
	if err := os.WriteFile(written, []byte("{ }"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _ = say(known, false, later)
	expect("one written in place", got)
	got, known = say(known, true, later)
	expect("one written in place, and all looked at", got, "feed/2026/10 draft.json new.json newer.json")
	if _, young := say(known, true, time.Now()); young["feed/2026/10"].Sum != 0 {
		t.Error("a file that has just changed is trusted")
	}
	if err := os.RemoveAll(filepath.Join(dir, "feed", "2026", "11")); err != nil {
		t.Fatal(err)
	}
	got, _ = say(known, false, later)
	expect("a month removed", got, "feed/2026", "feed/2026/11 gone")
	if _, again := say(nil, false, time.Now()); again["feed/2026/10"].Stat != (disk.Stat{}) {
		t.Error("a folder that has just changed is trusted")
	}
}

// Folders have their turn, some files at a time: what is edited in place in any
// of them is found within a round.
//
// spec: F6
func TestScanInTurn(t *testing.T) {
	root, dir := open(t)
	later := time.Now().Add(time.Hour)
	for _, month := range []string{"01", "02", "03"} {
		write(t, dir, "feed/2026/"+month+"/a.json", "feed/2026/"+month+"/b.json")
	}
	known := map[string]Folder{}
	scan := func(turn *Turn) (listed []string) {
		t.Helper()
		if err := Mine.Scan(root, Look{Known: known, Turn: turn, Now: later}, func(l Listing) error {
			listed = append(listed, l.Dir)
			known[l.Dir] = l.Folder
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return listed
	}
	scan(nil)
	for _, month := range []string{"01", "02", "03"} {
		if err := os.WriteFile(filepath.Join(dir, "feed", "2026", month, "a.json"), []byte("in place"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	turn := &Turn{After: "feed/2026/01", Files: 2}
	for _, want := range []string{"feed/2026/02", "feed/2026/03", "feed/2026/01"} { // at last around, past two folders without files
		if got := scan(turn); !slices.Equal(got, []string{want}) || turn.After != want {
			t.Errorf("got %q, and goes on after %s; want %s", got, turn.After, want)
		}
	}
	turn.Files = 1 // of two in each folder: every other turn is the one after it
	for _, want := range []string{"feed/2026/02", "feed/2026/02", "feed/2026/03", "feed/2026/03", "feed/2026/01"} {
		if got := scan(turn); len(got) > 0 || turn.After != want {
			t.Errorf("got %q, and goes on after %s; want %s", got, turn.After, want)
		}
	}
}

// A feed that cannot be listed is an error, and means nothing for what it holds.
func TestScanFails(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	root, err := disk.Create(dir, func(op disk.Op, name string) error {
		if op == disk.OpReadDir && name == "feed/2026/11" {
			return broken
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	write(t, dir, Mine.Path(place))
	for _, full := range []bool{false, true} {
		err := Mine.Scan(root, Look{Full: full, Now: time.Now()}, func(l Listing) error {
			if l.Dir == "feed/2026/11" {
				t.Errorf("got %v", l)
			}
			return nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	if p, err := Mine.Newest(root, "3"); !errors.Is(err, broken) || p != "" {
		t.Errorf("the newest: %q, %v", p, err)
	}
}

// spec: F8, W20
func TestNewest(t *testing.T) {
	root, dir := open(t)
	if p, err := Mine.Newest(root, "3"); p != "" || err != nil {
		t.Errorf("without a feed: %q, %v", p, err)
	}
	const far = post.Position("21990101-000000000-aaaaaaaaaaaaa")
	write(t, dir, Mine.Path(place), Mine.Path(far), Mine.Path("20251231-235959999-zzzzzzzzzzzzz"), "feed/2199/01/99999999.json", "feed/2027/01/draft.json", "feed/2026/12/"+string(place)+".json")
	for below, want := range map[post.Position]post.Position{"3": far, "2199": place, "20261122-123456789-k": "20251231-235959999-zzzzzzzzzzzzz", "2": ""} {
		if got, err := Mine.Newest(root, below); err != nil || got != want {
			t.Errorf("below %s: %q, %v, want %q", below, got, err, want)
		}
	}
}

// FuzzClassify: no name of a file leads out of its folder, or to another one.
func FuzzClassify(f *testing.F) {
	for _, c := range vectors.Read(f, "position") {
		_, p, _ := strings.Cut(string(c.Input), "/")
		f.Add("feed/2026/11", p+".json")
	}
	f.Fuzz(func(t *testing.T, dir, name string) {
		kind, p := Mine.Classify(dir, name)
		if kind == Post && (Mine.Path(p) != dir+"/"+name || strings.ContainsAny(name, "/\\\x00")) {
			t.Fatalf("%q in %q is %s", name, dir, p)
		}
	})
}
