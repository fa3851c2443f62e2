package home_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An edit keeps what names the post, and the reader what was before.
//
// spec: P39, P40, P41, F7
func TestRuleEdit(t *testing.T) {
	d := newDuo(t)
	p := d.note("first", forFriends)
	d.pulls(1)
	old, err := os.ReadFile(d.path(p))
	d.check(err)
	d.tick(time.Minute)
	c, err := d.owner.Edit(t.Context(), p.ID(), func(draft *post.Draft) error { draft.Set("content", "second"); return nil })
	d.check(err)
	if c.Now.ID() != p.ID() || !c.Now.Published().Equal(p.Published()) || c.Now.Updated() != post.FormatTime(d.ownerClock) || c.Now.Revision() != 2 {
		t.Errorf("%s of %s, updated %s, revision %d", c.Now.ID(), c.Now.Published(), c.Now.Updated(), c.Now.Revision())
	}
	if got := d.pull(); got.Err != nil || !got.Complete || got.Changed != 1 {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "second")
	for _, dir := range []string{d.ownerDir, d.readerDir} {
		if found := files(t, dir, "history/"+string(p.ID().Author)+"/"+string(p.ID().Position)+".1.json"); len(found) != 1 {
			t.Errorf("history: %v", found)
		}
	}
	d.write(d.path(p), string(old)) // yesterday's backup
	d.tick(time.Minute)
	if got := d.pull(); got.Err != nil || got.Changed != 0 {
		t.Errorf("%+v", got)
	}
	d.wants("held after the backup", d.holds(), "second")
}

// A deletion replaces the post, is in no page, and the reader's copy goes to the
// trash.
//
// spec: P43, P44, P55, F7, W18
func TestRuleDeletion(t *testing.T) {
	d := newDuo(t)
	d.note("stays", forFriends)
	private, public := d.note("goes", forFriends), d.note("goes too", forAll)
	d.pulls(1)
	for _, p := range []*post.Post{private, public} {
		d.tick(time.Minute)
		c, err := d.owner.Delete(t.Context(), p.ID())
		d.check(err)
		stone, err := os.ReadFile(d.path(p))
		d.check(err)
		if c.Now.ID() != p.ID() || c.Now.Revision() != 2 || c.Now.FormerType() != "Note" || c.Now.Public() != p.Public() || strings.Contains(string(stone), "goes") {
			t.Errorf("the Tombstone is %s", stone)
		}
	}
	d.wants("served", d.sees(d.cert(d.reader)), "stays")
	for _, q := range []wire.Question{{Kind: wire.KindManifest, Months: []string{d.ownerClock.Format("200601")}}, {Kind: wire.KindIDs, Want: []post.ID{private.ID(), public.ID()}}} {
		if a := d.ask(d.cert(d.reader), q); len(a.Items) > 0 || len(a.Lines) > 1 {
			t.Errorf("%s: %v %v", q.Kind, a.Items, a.Lines)
		}
	}
	if got := d.pull(); got.Err != nil || !got.Complete || got.Withdrawn != 2 {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "stays")
	if found := files(t, d.readerDir, "trash/"+string(private.ID().Author)+"/"); len(found) != 2 {
		t.Errorf("in the trash: %v", found)
	}
}

// The place of a file follows from its id; what is not a post at its place is
// left as it is, told by its name, and nobody hears of it.
//
// spec: F1, F3, F4, F5, F9, P31
func TestRuleFeedFiles(t *testing.T) {
	d := newDuo(t)
	p := d.note("good", forFriends)
	pos := string(p.ID().Position)
	if want := filepath.Join(d.ownerDir, "feed", pos[:4], pos[4:6], pos+".json"); d.path(p) != want {
		t.Errorf("it lies at %s", d.path(p))
	}
	dir := filepath.Dir(d.path(p))
	data, err := os.ReadFile(d.path(p))
	d.check(err)
	other := func(name, with string) string { return strings.Replace(string(data), pos, name, 1) + with }
	next := pos[:19] + "bbbbbbbbbbbbb"
	for name, text := range map[string]string{
		".hidden.json": string(data), pos + ".json~": string(data), pos + ".json.part": string(data), pos + ".sync-conflict-20261122-123456-ABCDEFG.json": string(data),
		"notes.txt": "x", "copy.json": string(data), next + ".json": string(data), pos[:19] + "ccccccccccccc.json": other(pos[:19]+"ccccccccccccc", ""),
		pos[:19] + "ddddddddddddd.json": string(data)[:40], "draft.json": `{"type":"Note","content":"draft","to":["public"]}`,
		pos[:19] + "eeeeeeeeeeeee.json": `{"type":"Note","type":"Note"}`,
	} {
		d.check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	d.check(os.Mkdir(filepath.Join(dir, pos[:19]+"fffffffffffff.json"), 0o700))
	d.check(os.Symlink(d.path(p), filepath.Join(dir, pos[:19]+"ggggggggggggg.json")))
	d.tick(3 * time.Second)
	d.wants("served", d.sees(d.cert(d.reader)), "good")
	d.wants("to everybody", d.sees(nil), "")
	pending, err := d.owner.ByHand(t.Context())
	d.check(err)
	told := map[string]string{}
	for _, x := range pending {
		told[filepath.Base(x.Path)] = x.What
	}
	for name, want := range map[string]string{
		".hidden.json": "", pos + ".json~": "", pos + ".json.part": "", "notes.txt": "", pos + ".json": "", pos[:19] + "fffffffffffff.json": "",
		pos + ".sync-conflict-20261122-123456-ABCDEFG.json": home.IsConflict, "copy.json": home.WasMoved, "draft.json": home.WasMade, next + ".json": home.WasMoved,
		pos[:19] + "ddddddddddddd.json": home.IsBroken, pos[:19] + "eeeeeeeeeeeee.json": home.IsBroken, pos[:19] + "ggggggggggggg.json": home.IsBroken,
	} {
		d.wants(name, told[name], want)
	}
}

// An earlier text that lies elsewhere in feed/ is not brought back by a rename:
// signed, it is a new revision, above the one that replaced it.
//
// spec: F9
func TestEarlierTextMoved(t *testing.T) {
	d := newDuo(t)
	p := d.note("text", forFriends)
	earlier, err := os.ReadFile(d.path(p))
	d.check(err)
	edited, err := d.owner.Edit(t.Context(), p.ID(), func(x *post.Draft) error { x.Set("content", "edited"); return nil })
	d.check(err)
	d.wants("edited", d.sees(d.cert(d.reader)), "edited")
	d.check(os.Remove(d.path(p)))
	d.check(os.WriteFile(filepath.Join(filepath.Dir(d.path(p)), "found.json"), earlier, 0o600))
	d.tick(3 * time.Second)
	pending, err := d.owner.ByHand(t.Context())
	d.check(err)
	for _, x := range pending {
		if x.What != home.WasMoved {
			continue
		}
		signed, err := d.owner.SignPending(t.Context(), x)
		d.check(err)
		if !signed.Standing().Beats(edited.Now.Standing()) {
			t.Errorf("signed as revision %d, which does not beat revision %d", signed.Revision(), edited.Now.Revision())
		}
		d.wants("signed", d.sees(d.cert(d.reader)), "text")
		return
	}
	t.Errorf("by hand: %+v, want one that was moved", pending)
}

// By hand: a draft is nothing before it is signed; a removed file is no
// deletion; a changed bto counts at once.
//
// spec: F9, F10, F11, F12, F13
func TestRuleByHand(t *testing.T) {
	d := newDuo(t)
	me := d.cert(d.reader)
	p, kept := d.note("text", forFriends), d.note("other", forFriends)
	d.pulls(1)
	have := wire.Question{Kind: wire.KindIDs, Have: []post.ID{p.ID(), kept.ID()}}
	sign := func(what string) (*post.Post, error) {
		d.t.Helper()
		pending, err := d.owner.ByHand(t.Context())
		d.check(err)
		for _, x := range pending {
			if x.What == what {
				return d.owner.SignPending(t.Context(), x)
			}
		}
		t.Fatalf("by hand: %+v, want one that is %s", pending, what)
		return nil, nil
	}
	d.rewrite(d.path(p), swap(`"text"`, `"edited"`))
	d.wants("an edit that is not signed", d.sees(me), "other")
	if a := d.ask(me, have); len(a.Gone) > 0 {
		t.Errorf("gone is told of a draft: %v", a.Gone)
	}
	if _, err := sign(home.WasChanged); err != nil {
		t.Fatal(err)
	}
	d.wants("signed", d.sees(me), "edited, other")

	d.rewrite(d.path(p), swap(`"friends"`, `"`+me.Fingerprint().URI()+`"`))
	d.wants("bto changed", d.sees(me), "edited, other")
	d.rewrite(d.path(p), func(s string) string { return s[:strings.Index(s, `  "bto"`)] + s[strings.Index(s, `  "signature"`):] })
	d.wants("bto taken out", d.sees(me), "other")
	d.rewrite(d.path(p), swap(`  "signature"`, "  \"bto\": [\"friends\"],\n  \"signature\""))
	d.wants("bto put in", d.sees(me), "edited, other")

	d.check(os.Remove(d.path(kept)))
	d.wants("removed", d.sees(me), "edited")
	if a := d.ask(me, have); len(a.Gone) > 0 {
		t.Errorf("gone is told of a file that is missing: %v", a.Gone)
	}
	stone, err := sign(home.WasRemoved)
	d.check(err)
	if !stone.Tombstone() || stone.ID() != kept.ID() || len(d.ask(me, have).Gone) != 1 {
		t.Errorf("%s is %s", stone.ID(), stone.Type())
	}

	made := filepath.Join(filepath.Dir(d.path(p)), "my words.json")
	d.write(made, `{"type":"Note","content":"by hand","to":["nobody-of-that-name"]}`)
	d.wants("a draft", d.sees(me), "edited")
	if _, err := sign(home.WasMade); !errors.Is(err, keyring.ErrUnknown) {
		t.Errorf("an unknown word: %v", err)
	}
	d.wants("not signed", d.sees(me), "edited")
	d.write(made, `{"type":"Note","content":"by hand","to":["reader"]}`)
	d.tick(time.Second)
	if _, err := sign(home.WasMade); err != nil {
		t.Fatal(err)
	}
	d.wants("signed", d.sees(me), "edited, by hand")
	d.wants("for nobody else", d.sees(d.key.Certificate()), "")
}

// Copies are copies: what is changed or removed there comes back.
//
// spec: F6, W24
func TestRuleCopiesComeBack(t *testing.T) {
	d := newDuo(t)
	var posts []*post.Post
	for _, text := range []string{"one", "two", "three", "four"} {
		posts = append(posts, d.note(text, forFriends))
	}
	d.pulls(1)
	copied, err := os.ReadFile(d.copied(posts[0]))
	d.check(err)
	if p, err := post.Open(copied, d.key.Certificate()); err != nil || strings.Contains(string(copied), `"bto"`) || p.ID() != posts[0].ID() {
		t.Errorf("a copy is %s, %v", copied, err)
	}
	d.check(os.Remove(d.copied(posts[0])))
	d.rewrite(d.copied(posts[1]), swap(`"two"`, `"zwei"`))
	d.write(d.copied(posts[2]), "{")
	d.tick(time.Minute)
	if got := d.pull(); got.Err != nil || !got.Complete {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "one, two, three, four")
}

// What can be made again may be deleted: nothing is lost, and nothing withdrawn.
//
// spec: F24, W26
func TestRuleDeletedState(t *testing.T) {
	d := newDuo(t)
	d.check(d.owner.People().CreateGroup("family"))
	_, err := d.owner.People().AddMember("family", d.cert(d.reader).Fingerprint(), "all")
	d.check(err)
	d.note("family", post.Audience{Groups: []string{"family"}})
	d.note("friends", forFriends)
	d.pulls(1)
	for _, dir := range []string{d.ownerDir, d.readerDir} {
		for _, top := range []string{"cache", "state"} {
			d.check(os.RemoveAll(filepath.Join(dir, top)))
		}
	}
	if got := d.pull(); got.Err != nil || !got.Complete || got.Withdrawn+got.New+got.Unoffered > 0 {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "family, friends")
	d.wants("served", d.sees(d.cert(d.reader)), "family, friends")
}

// The folders that make a person, copied by any tool, make him elsewhere.
//
// spec: F26
func TestRuleCopiedHome(t *testing.T) {
	d := newDuo(t)
	d.check(d.owner.People().CreateGroup("family"))
	_, err := d.owner.People().AddMember("family", d.cert(d.reader).Fingerprint(), "all")
	d.check(err)
	d.note("family", post.Audience{Groups: []string{"family"}})
	d.note("friends", forFriends)
	d.note("mine", post.Audience{})
	elsewhere := t.TempDir()
	for _, top := range []string{"key", "friends", "follows", "groups", "blocked", "feed"} {
		if _, err := os.Stat(filepath.Join(d.ownerDir, top)); err == nil {
			d.check(os.CopyFS(filepath.Join(elsewhere, top), os.DirFS(filepath.Join(d.ownerDir, top))))
		}
	}
	d.check(os.Chmod(filepath.Join(elsewhere, "key"), 0o700))
	for _, key := range files(t, elsewhere, "key/") {
		d.check(os.Chmod(filepath.Join(elsewhere, key), 0o600))
	}
	want := d.ask(d.cert(d.reader), wire.Question{Kind: wire.KindPosts})
	d.owner, _ = d.home(elsewhere, &d.ownerClock, "")
	got := d.ask(d.cert(d.reader), wire.Question{Kind: wire.KindPosts})
	if got.Digest != want.Digest || *got.Count != 2 {
		t.Errorf("%d posts there, %d here", *got.Count, *want.Count)
	}
	d.check(d.owner.StartServing(t.Context(), 100))
	d.tick(time.Second)
	d.note("new", forFriends)
	d.pulls(1)
	d.wants("held", d.holds(), "family, friends, new")
}

// A new id is later than every other that lies at most a day ahead.
//
// spec: F8
func TestRuleNewIDs(t *testing.T) {
	d := newDuo(t)
	last := d.note("now", forFriends).ID().Position
	d.ownerClock = d.ownerClock.Add(-23 * time.Hour) // put back
	for range 3 {
		p := d.note("later", forFriends).ID().Position
		if p <= last || p.Time().After(last.Time().Add(time.Second)) {
			t.Errorf("%s after %s", p, last)
		}
		last = p
	}
	d.ownerClock = d.ownerClock.Add(-10 * 24 * time.Hour) // now the others lie more than a day ahead
	if p := d.note("by the clock", forFriends).ID().Position; p.Stamp() != post.PositionAt(d.ownerClock) {
		t.Errorf("%s, at %s", p, d.ownerClock)
	}
}

// A page is written in the order of its posts, each durable before it counts;
// what cannot be written ends the walk there, and the next begins after it.
//
// spec: F25, F27, W21
func TestRuleKeptInOrder(t *testing.T) {
	d := newDuo(t)
	for _, text := range []string{"one", "two", "three", "four"} {
		d.note(text, post.Audience{Readers: []pgp.Fingerprint{d.cert(d.reader).Fingerprint()}})
	}
	var did []string
	d.readerHook.set(func(op disk.Op, name string) error {
		if strings.HasPrefix(name, "feeds/") && strings.HasSuffix(name, ".json") && op == disk.OpRename {
			if did = append(did, name); len(did) == 3 {
				return syscall.ENOSPC
			}
		}
		return nil
	})
	if got := d.pull(); !errors.Is(got.Err, syscall.ENOSPC) {
		t.Errorf("%+v", got)
	}
	d.readerHook.set(nil)
	if !slices.IsSorted(did) || len(did) != 3 {
		t.Errorf("renamed %v", did)
	}
	d.wants("kept", d.holds(), "one, two")
	if got := d.pulls(1); got.New != 2 {
		t.Errorf("the next pull: %+v", got)
	}
}
