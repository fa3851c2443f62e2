package home_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	words "github.com/p2ps/p2ps/pkg/text"
	"github.com/p2ps/p2ps/pkg/wire"
)

// wires are posts as they travel, by id.
func wires(entries []home.Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, string(e.Post.Wire()))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// What the owner's timeline shows as a reader is to the byte what the reader
// holds after a pull, after any history of posts, edits, deletions, groups and
// blocks; what everybody gets is what the public pages give.
func TestAsIsWhatAPullBrings(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := newDuo(t)
		people, reader := d.owner.People(), d.cert(d.reader)
		d.check(errors.Join(people.CreateGroup("family"), people.CreateGroup("work")))
		var posts []post.ID
		audience := func() post.Audience {
			a := post.Audience{Public: r.IntN(5) == 0, Friends: r.IntN(3) == 0}
			for _, g := range []string{"family", "work"} {
				if r.IntN(3) == 0 {
					a.Groups = append(a.Groups, g)
				}
			}
			if r.IntN(5) == 0 {
				a.Readers = []pgp.Fingerprint{reader.Fingerprint()}
			}
			return a
		}
		for range 10 {
			for range 1 + r.IntN(6) {
				d.tick(time.Second)
				some := func() post.ID { return posts[r.IntN(len(posts))] }
				group := []string{"family", "work"}[r.IntN(2)]
				switch kind := r.IntN(12); {
				case kind < 6 || len(posts) == 0:
					posts = append(posts, d.note(fmt.Sprint("text ", len(posts)), audience()).ID())
				case kind < 7:
					_, err := d.owner.Edit(t.Context(), some(), func(draft *post.Draft) error { draft.Set("content", fmt.Sprint("edited ", r.IntN(1000))); return nil })
					if err != nil && !errors.Is(err, home.ErrNoPost) {
						t.Fatal(err)
					}
				case kind < 8:
					_, err := d.owner.Delete(t.Context(), some())
					d.check(err)
				case kind < 10:
					_, err := people.AddMember(group, reader.Fingerprint(), []string{"all", "none"}[r.IntN(2)])
					d.check(err)
				case kind < 11:
					_, err := people.RemoveMember(group, reader.Fingerprint())
					d.check(err)
				}
			}
			d.tick(5 * time.Second)
			got := d.pull()
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			held, err := d.reader.Timeline(t.Context(), home.View{From: []pgp.Fingerprint{d.key.Certificate().Fingerprint()}})
			d.check(err)
			var as []home.Entry
			d.check(d.owner.As(t.Context(), reader.Fingerprint(), home.View{}, func(e home.Entry) error { as = append(as, e); return nil }))
			offered := held[:0]
			for _, e := range held { // what is kept and no longer offered is no part of what a pull brings
				a := d.ask(reader, wire.Question{Kind: wire.KindIDs, Want: []post.ID{e.Post.ID()}})
				if len(a.Items) > 0 {
					offered = append(offered, e)
				}
			}
			if wires(as) != wires(offered) {
				t.Fatalf("seed %d:\nas\n%s\nheld\n%s", seed, wires(as), wires(offered))
			}
			for i := 1; i < len(as); i++ {
				if as[i].Post.ID().Position > as[i-1].Post.ID().Position {
					t.Errorf("seed %d: not newest first", seed)
				}
			}
		}
		d.check(people.Block(reader.Fingerprint(), reader))
		var blocked, public []home.Entry
		d.check(d.owner.As(t.Context(), reader.Fingerprint(), home.View{}, func(e home.Entry) error { blocked = append(blocked, e); return nil }))
		d.check(d.owner.As(t.Context(), "", home.View{Oldest: true}, func(e home.Entry) error { public = append(public, e); return nil }))
		var pages []string
		for _, item := range d.ask(nil, wire.Question{Kind: wire.KindPosts}).Items {
			pages = append(pages, string(item))
		}
		slices.Sort(pages)
		if want := strings.Join(pages, "\n"); wires(public) != want || wires(blocked) != want {
			t.Errorf("seed %d: everybody gets\n%s\n, the blocked\n%s\n, the pages\n%s", seed, wires(public), wires(blocked), want)
		}
	}
}

func contents(entries []home.Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Post.Content())
	}
	return strings.Join(out, ", ")
}

func (d *duo) unread() string {
	d.t.Helper()
	entries, err := d.reader.Timeline(d.t.Context(), home.View{Unread: true, Oldest: true})
	d.check(err)
	return contents(entries)
}

func (d *duo) readAll() {
	d.t.Helper()
	var ids []post.ID
	d.check(d.reader.Read(d.t.Context(), home.View{Unread: true}, func(e home.Entry) error { ids = append(ids, e.Post.ID()); return nil }))
	d.check(d.reader.MarkRead(d.t.Context(), ids))
}

// Marks are of posts: what comes late is unread, however old; what was read
// stays so through edits and a lost index; lost marks lose no post.
func TestUnread(t *testing.T) {
	d := newDuo(t)
	late := d.note("late", post.Audience{})
	first := d.note("first", forFriends)
	d.note("second", forFriends)
	d.pulls(1)
	d.wants("all", d.unread(), "first, second")
	d.check(d.reader.MarkRead(t.Context(), []post.ID{first.ID()}))
	d.wants("one read", d.unread(), "second")
	d.readAll()
	d.wants("all read", d.unread(), "")

	d.rewrite(d.path(late), func(s string) string {
		return strings.Replace(s, `"revision": 1,`, `"revision": 1,`+"\n  \"bto\": [\n    \"friends\"\n  ],", 1)
	})
	_, err := d.owner.Edit(t.Context(), first.ID(), func(draft *post.Draft) error { draft.Set("content", "first again"); return nil })
	d.check(err)
	d.tick(5 * time.Second)
	d.pull()
	d.wants("what came late", d.unread(), "late")
	d.wants("held", d.holds(), "late, first again, second")
	d.check(os.RemoveAll(filepath.Join(d.readerDir, "cache")))
	d.wants("after the index was lost", d.unread(), "late")
	d.readAll()
	d.check(os.Remove(filepath.Join(d.readerDir, "state", "read")))
	d.wants("after the marks were lost", d.unread(), "late, first again, second")
	d.wants("held", d.holds(), "late, first again, second")

	d.readAll()
	path := filepath.Join(d.readerDir, "state", "read")
	data, err := os.ReadFile(path)
	d.check(err)
	lines := strings.SplitAfter(strings.TrimSuffix(string(data), "\n")+"\n", "\n")
	slices.Reverse(lines)
	d.write(path, "nonsense\n"+strings.Join(lines, ""))
	d.wants("after the marks were written anew by hand", d.unread(), "")
}

// Two commands that mark at once lose no mark.
func TestMarksAtOnce(t *testing.T) {
	d := newDuo(t)
	for i := range 12 {
		d.note(fmt.Sprint(i), forFriends)
	}
	d.pulls(1)
	entries, err := d.reader.Timeline(t.Context(), home.View{})
	d.check(err)
	var wg sync.WaitGroup
	for i := range entries {
		wg.Go(func() {
			h, err := home.Open(d.readerDir, home.Options{Wait: time.Minute, Now: func() time.Time { return d.readerClock }})
			if err == nil {
				err = errors.Join(h.MarkRead(t.Context(), []post.ID{entries[i].Post.ID()}), h.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d.wants("unread", d.unread(), "")
	if data, err := os.ReadFile(filepath.Join(d.readerDir, "state", "read")); err != nil || len(data) != 12*17 {
		t.Errorf("%d bytes of marks, %v", len(data), err)
	}
}

func (d *duo) search(query ...string) string {
	d.t.Helper()
	var q index.Query
	for _, s := range query {
		phrase, begins := words.AsQuery(s)
		q.Want = append(q.Want, index.Phrase{Words: phrase, Begins: begins})
	}
	var found []home.Entry
	d.check(d.reader.Search(d.t.Context(), q, home.View{}, nil, func(e home.Entry) error { found = append(found, e); return nil }))
	return contents(found)
}

// A search finds what is shown, as it is now: no earlier text, nothing deleted,
// expired, of the muted, the blocked or in drafts.
func TestSearchFindsWhatIsShown(t *testing.T) {
	d := newDuo(t)
	edited := d.note("old lake", forFriends)
	deleted := d.note("deleted lake", forFriends)
	d.note("expired lake", forFriends, expires(d.ownerClock.Add(time.Hour)))
	d.note("**Lake** [map](http://hidden.example)", forFriends, func(p *post.Draft) { p.Set("mediaType", "text/markdown") })
	d.note("<p class=hidden>L&auml;ke</p>", forFriends, func(p *post.Draft) { p.Set("mediaType", "text/html") })
	d.pulls(1)
	d.wants("all", d.search("lake"), "<p class=hidden>L&auml;ke</p>, **Lake** [map](http://hidden.example), expired lake, deleted lake, old lake")
	d.wants("what is not shown", d.search("hidden"), "")
	_, err := d.owner.Edit(t.Context(), edited.ID(), func(p *post.Draft) error { p.Set("content", "new sea"); return nil })
	d.check(err)
	_, err = d.owner.Delete(t.Context(), deleted.ID())
	d.check(err)
	d.tick(2 * time.Hour)
	d.pull()
	d.wants("what is left", d.search("lake"), "<p class=hidden>L&auml;ke</p>, **Lake** [map](http://hidden.example)")
	d.wants("the new text", d.search("sea"), "new sea")
	fpr := d.key.Certificate().Fingerprint()
	d.check(d.reader.People().SetMuted(fpr, true))
	d.wants("of the muted", d.search("sea"), "")
	d.check(d.reader.People().SetMuted(fpr, false))
	d.wants("again", d.search("sea"), "new sea")
	d.check(d.reader.People().Block(fpr, d.key.Certificate()))
	d.wants("of the blocked", d.search("sea"), "")
}

// answer writes an answer of the owner's to any id.
func (d *duo) answer(content, to string) *post.Post {
	return d.note(content, forFriends, func(p *post.Draft) { p.Set("inReplyTo", to) })
}

func (d *duo) thread(id post.ID) (string, home.Thread) {
	d.t.Helper()
	var out []string
	t, err := d.owner.Thread(d.t.Context(), id, func(b home.Branch) error {
		out = append(out, fmt.Sprintf("%d%s/%d/%d", b.Depth, b.Post.Content(), b.Answers, b.Likes))
		return nil
	})
	d.check(err)
	return strings.Join(out, " "), t
}

// Whichever post of a thread is named, it is the same tree.
func TestThread(t *testing.T) {
	d := newDuo(t)
	a := d.note("a", forFriends)
	b := d.answer("b", a.ID().String())
	c := d.answer("c", a.ID().String())
	e := d.answer("e", b.ID().String())
	like := post.NewDraft("Like")
	like.Set("object", a.ID().String())
	liked, err := d.owner.Post(t.Context(), like, forFriends)
	d.check(err)
	for _, p := range []*post.Post{a, b, c, e, liked} {
		if got, _ := d.thread(p.ID()); got != "0a/2/1 1b/1/0 2e/0/0 1c/0/0" {
			t.Errorf("of %q: %s", p.Content(), got)
		}
	}
	missing := "p2ps:" + string(d.cert(d.reader).Fingerprint()) + "/20200101-000000000-aaaaaaaaaaaaa"
	f, g := d.answer("f", missing), d.answer("g", missing)
	for _, p := range []*post.Post{f, g} {
		if got, th := d.thread(p.ID()); got != "0f/0/0 0g/0/0" || th.Missing != missing {
			t.Errorf("of %q: %s, missing %s", p.Content(), got, th.Missing)
		}
	}
	if err := func() error {
		_, err := d.owner.Thread(t.Context(), post.ID{Author: a.ID().Author, Position: "20200101-000000000-aaaaaaaaaaaaa"}, nil)
		return err
	}(); !errors.Is(err, home.ErrNoPost) {
		t.Errorf("of no post: %v", err)
	}
}

// Answers that go round in a circle end.
func TestThreadCircle(t *testing.T) {
	d := newDuo(t)
	a := d.note("a", forFriends)
	b := d.answer("b", a.ID().String())
	c := d.answer("c", b.ID().String())
	_, err := d.owner.Edit(t.Context(), a.ID(), func(p *post.Draft) error { p.Set("inReplyTo", c.ID().String()); return nil })
	d.check(err)
	for _, p := range []*post.Post{a, b, c} {
		if got, _ := d.thread(p.ID()); got != "0a/1/0 1b/1/0 2c/1/0" {
			t.Errorf("of %q: %s", p.Content(), got)
		}
	}
	var shown []string
	d.check(d.owner.ReadThreads(t.Context(), home.View{}, func(b home.Branch) error {
		shown = append(shown, fmt.Sprint(b.Depth, b.Post.Content()))
		return nil
	}))
	d.wants("the timeline", strings.Join(shown, " "), "0c 1a 2b")
}

// A long chain of answers is walked without any recursion.
func TestThreadIsDeep(t *testing.T) {
	d := newDuo(t)
	d.check(d.owner.Close())
	last := d.chain(2000)
	d.owner, _ = d.home(d.ownerDir, &d.ownerClock, "Owner")
	deepest, n := 0, 0
	_, err := d.owner.Thread(t.Context(), last, func(b home.Branch) error {
		deepest, n = max(deepest, b.Depth), n+1
		return nil
	})
	d.check(err)
	if deepest != 1999 || n != 2000 {
		t.Errorf("%d posts, the deepest at %d", n, deepest)
	}
}

// chain writes files of answers, each to the one before.
func (d *duo) chain(n int) (id post.ID) {
	d.t.Helper()
	for i := range n {
		d.tick(time.Millisecond)
		position, err := post.NewPosition(d.ownerClock, strings.NewReader(strings.Repeat("x", 16)))
		d.check(err)
		draft := post.NewDraft("Note")
		draft.Set("content", fmt.Sprint(i))
		if i > 0 {
			draft.Set("inReplyTo", id.String())
		}
		id = post.ID{Author: d.key.Certificate().Fingerprint(), Position: position}
		p, err := post.Sign(draft, post.Particulars{ID: id, Published: d.ownerClock, Revision: 1, Audience: forFriends, At: d.ownerClock}, d.key)
		d.check(err)
		data, err := p.File()
		d.check(err)
		path := filepath.Join(d.ownerDir, "feed", string(position[:4]), string(position[4:6]), string(position)+".json")
		d.check(os.MkdirAll(filepath.Dir(path), 0o700))
		d.check(os.WriteFile(path, data, 0o600))
	}
	return id
}

// A timeline longer than what is read at once is whole and in order.
func TestLongTimeline(t *testing.T) {
	d := newDuo(t)
	d.check(d.owner.Close())
	d.chain(600)
	d.owner, _ = d.home(d.ownerDir, &d.ownerClock, "Owner")
	for _, v := range []home.View{{}, {Limit: 300}, {Oldest: true}} {
		var got []string
		d.check(d.owner.Read(t.Context(), v, func(e home.Entry) error { got = append(got, e.Post.Content()); return nil }))
		want := 600
		if v.Limit > 0 {
			want = v.Limit
		}
		for i, c := range got {
			if n := 599 - i; !v.Oldest && c != fmt.Sprint(n) || v.Oldest && c != fmt.Sprint(i) {
				t.Fatalf("%+v: %q at %d", v, c, i)
			}
		}
		if len(got) != want {
			t.Errorf("%+v: %d posts", v, len(got))
		}
	}
}

// A followed timeline shows each post once: what is written, pulled or copied
// there while it runs, also when the index is made anew.
func TestFollow(t *testing.T) {
	d := newDuo(t)
	d.note("before", forFriends)
	ctx, cancel := context.WithCancel(t.Context())
	shown := make(chan string, 100)
	h, err := home.Open(d.ownerDir, home.Options{Wait: time.Minute, Now: time.Now})
	d.check(err)
	done := make(chan error)
	go func() {
		done <- h.Follow(ctx, home.View{Oldest: true}, func(e home.Entry) error { shown <- e.Post.Content(); return nil }, func() error { return nil })
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-shown:
			d.wants("shown", got, want)
		case <-time.After(20 * time.Second):
			t.Fatalf("%q is not shown", want)
		}
	}
	next("before")
	d.note("written", forFriends)
	next("written")
	d.check(os.RemoveAll(filepath.Join(d.ownerDir, "cache")))
	d.chain(1)
	next("0")
	edited := d.note("last", forFriends)
	next("last")
	_, err = d.owner.Edit(t.Context(), edited.ID(), func(p *post.Draft) error { p.Set("content", "last, edited"); return nil })
	d.check(err)
	d.note("end", forFriends)
	next("end")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if len(shown) > 0 {
		t.Errorf("%q is shown again", <-shown)
	}
	d.check(h.Close())
}

// Who gets a post is told by the code that answers: history rules and expiry
// count.
func TestWhoGets(t *testing.T) {
	d := newDuo(t)
	p, gone := d.note("a", forFriends), d.note("b", forFriends, expires(d.ownerClock.Add(time.Minute)))
	d.tick(time.Hour)
	for id, want := range map[post.ID]int{p.ID(): 1, gone.ID(): 0} {
		who, err := d.owner.WhoGets(t.Context(), id)
		d.check(err)
		if len(who) != want || want == 1 && who[0].Name != "reader" {
			t.Errorf("%s: %v", id, who)
		}
	}
}
