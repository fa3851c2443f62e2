package home_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// Who may see a post is who is in the files when he asks.
//
// spec: P34, P37, S9, W10
func TestRuleAudienceOfTheMoment(t *testing.T) {
	d := newDuo(t)
	me, people := d.cert(d.reader), d.owner.People()
	d.check(people.CreateGroup("family"))
	d.note("family", post.Audience{Groups: []string{"family"}})
	d.note("friends", forFriends)
	d.note("all", forAll)
	d.wants("no member", d.sees(me), "friends, all")
	_, err := people.AddMember("family", me.Fingerprint(), "all")
	d.check(err)
	d.wants("a member", d.sees(me), "family, friends, all")
	d.check(os.Remove(filepath.Join(d.ownerDir, "groups", "family", string(me.Fingerprint())+".asc")))
	d.wants("taken out by hand", d.sees(me), "friends, all")
	d.write(filepath.Join(d.ownerDir, "blocked", string(me.Fingerprint())+".asc"), "")
	d.wants("blocked by hand", d.sees(me), "all")
	d.wants("everybody", d.sees(nil), "all")
}

// Nothing in an answer depends on what the asker may not see.
//
// spec: W6, S13
func TestRuleNothingOfOthers(t *testing.T) {
	d := newDuo(t)
	d.note("one", forFriends)
	d.note("two", forAll)
	answers := func() string {
		out := ""
		for _, q := range []wire.Question{{Kind: wire.KindPosts}, {Kind: wire.KindManifest}, {Kind: wire.KindManifest, Months: []string{d.ownerClock.Format("200601")}}} {
			for _, c := range []*pgp.Certificate{nil, d.cert(d.reader)} {
				a := d.ask(c, q)
				a.Time = time.Time{}
				text, err := json.Marshal(a)
				d.check(err)
				out += string(text) + "\n"
			}
		}
		return out
	}
	before := answers()
	_, head, body := get(t, d.url+"/p2ps/v1/posts")
	d.note("secret", post.Audience{})
	secret := d.note("secret", post.Audience{Readers: []pgp.Fingerprint{d.key.Certificate().Fingerprint()}})
	_, err := d.owner.Delete(t.Context(), secret.ID())
	d.check(err)
	if after := answers(); after != before {
		t.Errorf("got\n%s\nwant\n%s", after, before)
	}
	_, head2, body2 := get(t, d.url+"/p2ps/v1/posts")
	if body2 != body || head2.Get("ETag") != head.Get("ETag") || head2.Get("Last-Modified") != head.Get("Last-Modified") || head.Get("Last-Modified") == "" {
		t.Errorf("the public page: %v %s, before %v %s", head2, body2, head, body)
	}
}

// Last-Modified is when a public post was written, edited, deleted or expired.
//
// spec: S13, S16, S17
func TestRuleLastModified(t *testing.T) {
	d := newDuo(t)
	modified := func() string { _, h, _ := get(t, d.url+"/p2ps/v1/posts"); return h.Get("Last-Modified") }
	now := func() string { return d.ownerClock.Format(http.TimeFormat) }
	d.tick(-24 * time.Hour) // what is to come is not told
	d.wants("no posts", modified(), "")
	p := d.note("one", forAll)
	d.wants("written", modified(), now())
	at := now()
	d.tick(time.Minute)
	d.wants("later", modified(), at)
	d.tick(time.Minute)
	_, err := d.owner.Edit(t.Context(), p.ID(), func(d *post.Draft) error { d.Set("content", "more"); return nil })
	d.check(err)
	d.wants("edited", modified(), now())
	status, head, body := get(t, d.url+"/p2ps/v1/posts/"+string(p.ID().Position))
	if canonical, err := ijson.Canonical([]byte(body)); err != nil || string(canonical) != body || status != 200 || head.Get("Last-Modified") != now() {
		t.Errorf("the post: %d, %v, %s", status, head, body)
	}
	d.tick(time.Minute)
	end := d.ownerClock.Add(time.Hour)
	d.note("two", forAll, expires(end))
	d.tick(3 * time.Hour)
	d.wants("expired", modified(), end.Format(http.TimeFormat))
	_, err = d.owner.Delete(t.Context(), p.ID())
	d.check(err)
	d.wants("deleted", modified(), now())
	status, head, body = get(t, d.url+"/p2ps/v1/posts/"+string(p.ID().Position))
	stone, err := post.Open([]byte(body), d.key.Certificate())
	if err != nil || !stone.Tombstone() || status != 410 || head.Get("Last-Modified") != now() {
		t.Errorf("the Tombstone: %d, %v, %s, %v", status, head, body, err)
	}
}

// Figures are of one moment: files that change under each of three tries are an
// answer that says busy.
//
// spec: W11, M22
func TestRuleOneMoment(t *testing.T) {
	d := newDuo(t)
	p := d.note("one", forFriends)
	d.note("two", forFriends)
	d.tick(3 * time.Second)
	d.wants("settled", d.sees(d.cert(d.reader)), "one, two")
	sent, err := new(wire.Sealer).SealRequest(wire.Party{Me: d.readerKey, Other: d.key.Certificate()}, wire.Question{Kind: wire.KindPosts}, d.readerClock, [16]byte{1})
	d.check(err)
	opened := 0
	d.hook.set(func(op disk.Op, name string) error {
		if op == disk.OpOpen && strings.HasSuffix(name, string(p.ID().Position)+".json") {
			opened++ // there when it is looked for, gone when it is to be sent
			return fs.ErrNotExist
		}
		return nil
	})
	body, err := d.owner.AnswerSealed(t.Context(), sent.Body, nil)
	d.hook.set(nil)
	d.check(err)
	a, err := sent.OpenAnswer(body, wire.Party{Me: d.readerKey, Other: d.key.Certificate()}, d.readerClock)
	if err != nil || a.Kind != wire.KindError || a.Code != wire.CodeBusy || opened != 3 {
		t.Errorf("got %+v, %v, after opening it %d times", a, err, opened)
	}
	d.pulls(1)
}

// What is told gone, to whom, and what never is.
//
// spec: W15, W16, W17
func TestRuleGone(t *testing.T) {
	d := newDuo(t)
	me, stranger := d.cert(d.reader), d.key.Certificate() // the owner is no friend of his own
	other := post.Audience{Readers: []pgp.Fingerprint{stranger.Fingerprint()}}
	d.check(d.owner.People().CreateGroup("late"))
	d.check(d.owner.People().CreateGroup("lost"))
	delete := func(p *post.Post) { _, err := d.owner.Delete(t.Context(), p.ID()); d.check(err) }
	by := func(p *post.Post, change func(string) string) { d.rewrite(d.path(p), change) }
	for _, c := range []struct {
		name             string
		audience         post.Audience
		edits            []func(*post.Draft)
		then             func(*post.Post)
		friend, stranger bool
	}{
		{"as it was", forFriends, nil, func(*post.Post) {}, false, false},
		{"deleted", forFriends, nil, delete, true, false},
		{"deleted, public", forAll, nil, delete, true, true},
		{"for another now", forFriends, nil, func(p *post.Post) { by(p, swap(`"friends"`, `"`+stranger.Fingerprint().URI()+`"`)) }, true, false},
		{"only mine now", forFriends, nil, func(p *post.Post) {
			by(p, func(s string) string {
				return strings.Replace(s, s[strings.Index(s, `  "bto"`):strings.Index(s, `  "signature"`)], "", 1)
			})
		}, true, false},
		{"never for him", other, nil, func(*post.Post) {}, true, false},
		{"missing", forFriends, nil, func(p *post.Post) { d.check(os.Remove(d.path(p))) }, false, false},
		{"broken", forFriends, nil, func(p *post.Post) { by(p, func(s string) string { return s[:len(s)/2] }) }, false, false},
		{"a draft", forFriends, nil, func(p *post.Post) { by(p, swap("a draft", "another")) }, false, false},
		{"damaged audience", forFriends, nil, func(p *post.Post) { by(p, swap(`"friends"`, `"Friends"`)) }, false, false},
		{"two audiences", forFriends, nil, func(p *post.Post) { by(p, swap(`"bto"`, `"cc": [], "bto"`)) }, false, false},
		{"expired", forFriends, []func(*post.Draft){expires(d.ownerClock.Add(-time.Hour))}, func(*post.Post) {}, false, false},
		{"expired, for another", other, []func(*post.Draft){expires(d.ownerClock.Add(-time.Hour))}, func(*post.Post) {}, false, false},
		{"hidden by history alone", post.Audience{Groups: []string{"late"}}, nil, func(*post.Post) {
			_, err := d.owner.People().AddMember("late", me.Fingerprint(), "none")
			d.check(err)
		}, false, false},
		{"of a group that is gone", post.Audience{Groups: []string{"lost"}}, nil, func(*post.Post) { d.check(os.RemoveAll(filepath.Join(d.ownerDir, "groups", "lost"))) }, false, false},
	} {
		p := d.note(c.name, c.audience, c.edits...)
		d.ask(me, wire.Question{Kind: wire.KindPosts})
		c.then(p)
		d.tick(3 * time.Second)
		q := wire.Question{Kind: wire.KindIDs, Have: []post.ID{p.ID()}}
		if got := len(d.ask(me, q).Gone) == 1; got != c.friend {
			t.Errorf("%s: a friend is told gone: %v", c.name, got)
		}
		if got := len(d.ask(stranger, q).Gone) == 1; got != c.stranger {
			t.Errorf("%s: a stranger is told gone: %v", c.name, got)
		}
	}
	unknown := post.ID{Author: stranger.Fingerprint(), Position: "20200101-000000000-aaaaaaaaaaaaa"}
	foreign := post.ID{Author: me.Fingerprint(), Position: "20200101-000000000-aaaaaaaaaaaaa"}
	if a := d.ask(me, wire.Question{Kind: wire.KindIDs, Have: []post.ID{unknown, foreign}}); len(a.Gone) > 0 {
		t.Errorf("%v of what was never there", a.Gone)
	}
}

func swap(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

// However many are gone, there is room for a post.
//
// spec: W4, W14
func TestRuleRoomBesideGone(t *testing.T) {
	d := newDuo(t)
	var gone, want []post.ID
	for i := range 3 {
		gone = append(gone, d.note(fmt.Sprint("gone ", i), forFriends).ID())
	}
	for i := range 3 {
		want = append(want, d.note(fmt.Sprint("stays ", i), forFriends).ID())
	}
	for _, id := range gone {
		_, err := d.owner.Delete(t.Context(), id)
		d.check(err)
	}
	small, err := home.Open(d.ownerDir, home.Options{Items: 3, Wait: time.Minute, Now: func() time.Time { return d.ownerClock }})
	d.check(err)
	defer func() { _ = small.Close() }()
	a, err := small.Answer(t.Context(), d.cert(d.reader).Fingerprint(), wire.Question{Kind: wire.KindPosts, Have: gone}, d.ownerClock)
	if err != nil || len(a.Gone)+len(a.Items) > 3 || len(a.Items) == 0 || !a.More {
		t.Errorf("%d gone, %d items, more %v, %v", len(a.Gone), len(a.Items), a.More, err)
	}
	disorder := []post.ID{want[2], want[0], want[2], want[1]}
	a, err = small.Answer(t.Context(), d.cert(d.reader).Fingerprint(), wire.Question{Kind: wire.KindIDs, Want: disorder}, d.ownerClock)
	if err != nil || len(a.Items) != 3 || a.More || !strings.Contains(string(a.Items[0]), "stays 0") || !strings.Contains(string(a.Items[2]), "stays 2") {
		t.Errorf("by name: %d items, more %v, %s, %v", len(a.Items), a.More, a.Items, err)
	}
}

// A post that does not verify is refused once, and counted as it was offered.
//
// spec: W19, W24
func TestRuleRefusedOnce(t *testing.T) {
	d := newDuo(t)
	d.note("one", forFriends)
	d.note("two", forFriends)
	d.note("three", forFriends)
	forged := func(items []ijson.Value) {
		for i, item := range items {
			items[i] = ijson.Value(strings.Replace(string(item), `"two"`, `"zwei"`, 1))
		}
	}
	d.spoil = func(q wire.Question, a *wire.Answer) {
		all := d.ask(d.cert(d.reader), wire.Question{Kind: wire.KindPosts}).Items
		forged(all)
		forged(a.Items)
		d.figures(a, all)
	}
	if got := d.pulls(1); got.Refused != 1 || got.New != 2 {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "one, three")
	if got := d.pulls(1); got.Refused != 0 {
		t.Errorf("asked for again: %+v", got)
	}
}

// Nobody speaks in another's feed: what he signed himself is dropped, and the
// rest of the page kept.
//
// spec: W22, P26, P50
func TestRuleForeignPosts(t *testing.T) {
	d := newDuo(t)
	d.note("one", forFriends)
	draft := post.NewDraft("Note")
	draft.Set("content", "by the reader himself")
	draft.Set("inReplyTo", "p2ps:"+string(d.key.Certificate().Fingerprint())+"/20260101-000000000-aaaaaaaaaaaaa")
	d.tick(time.Second)
	foreign, err := d.reader.Post(t.Context(), draft, forAll)
	d.check(err)
	d.note("two", forFriends)
	mine := foreign.ID()
	d.spoil = func(q wire.Question, a *wire.Answer) {
		if len(a.Items) == 2 {
			a.Items = []ijson.Value{a.Items[0], foreign.Wire(), a.Items[1]}
		}
	}
	if got := d.pulls(1); got.New != 2 {
		t.Errorf("%+v", got)
	}
	d.wants("held", d.holds(), "one, by the reader himself, two")
	if n := len(files(t, d.readerDir, "feeds/"+string(mine.Author))); n > 0 {
		t.Errorf("%d files of another author", n)
	}
}

// Both sides leave out what has expired, by the owner's clock, without asking.
//
// spec: W25, P42
func TestRuleExpiry(t *testing.T) {
	d := newDuo(t)
	d.note("for ever", forFriends)
	short := d.note("an hour", forFriends, expires(d.ownerClock.Add(time.Hour)))
	if got := d.pulls(1); got.Count != 2 {
		t.Errorf("%+v", got)
	}
	d.ownerClock = d.ownerClock.Add(time.Hour + 5*time.Minute) // his clock decides, though the reader's is behind
	d.readerClock = d.readerClock.Add(58 * time.Minute)
	if got := d.pulls(1); got.Count != 1 {
		t.Errorf("%+v", got)
	}
	d.readerClock = d.ownerClock
	d.wants("shown", d.holds(), "for ever")
	if _, err := os.Stat(d.copied(short)); err != nil {
		t.Errorf("the copy was not kept: %v", err)
	}
	d.wants("served", d.sees(d.cert(d.reader)), "for ever")
}

// Once may be chance; the second pull that does not come to agree is a failure.
//
// spec: W30, W31
func TestRuleTwiceUnequal(t *testing.T) {
	d := newDuo(t)
	d.note("one", forFriends)
	month := d.ownerClock.Format("200601")
	lost := wire.Month{Month: month, Count: 2}.String()
	d.spoil = func(q wire.Question, a *wire.Answer) {
		if a.Count != nil {
			*a.Count = 2
		}
		if q.Kind == wire.KindManifest && q.Months == nil {
			a.Lines = []string{lost}
		}
	}
	if got := d.pull(); got.Err != nil || got.Complete {
		t.Errorf("the first: %+v", got)
	}
	if got := d.pull(); !errors.Is(got.Err, home.ErrIncomplete) {
		t.Errorf("the second: %+v", got)
	}
	d.spoil = nil
	if got := d.pull(); got.Err != nil || !got.Complete {
		t.Errorf("the third, with the truth: %+v", got)
	}
}

// Of a stranger who asks nothing is stored.
//
// spec: M19, M33
func TestRuleStrangersLeaveNoTrace(t *testing.T) {
	d := newDuo(t)
	d.note("friends", forFriends)
	d.note("all", forAll)
	_, err := d.owner.People().RemoveFriend(d.cert(d.reader).Fingerprint())
	d.check(err)
	if got := d.pulls(1); got.Count != 1 {
		t.Errorf("%+v", got)
	}
	if found := files(t, d.ownerDir, string(d.cert(d.reader).Fingerprint())); len(found) > 0 {
		t.Errorf("of a stranger there is %v", found)
	}
}

// A wrong clock costs one more request, in whichever direction and however far.
//
// spec: M28, M11
func TestRuleWrongClock(t *testing.T) {
	for _, wrong := range []time.Duration{11 * time.Minute, -11 * time.Minute, 26 * time.Hour, -200 * 24 * time.Hour, 20 * 365 * 24 * time.Hour} {
		d := newDuo(t)
		d.note("one", forFriends)
		d.readerClock = d.ownerClock.Add(wrong)
		d.requests = 0
		if got := d.pull(); got.Err != nil || !got.Complete || d.requests != 2 {
			t.Errorf("%s: %+v after %d requests", wrong, got, d.requests)
		}
	}
}

// A second refusal of the clock ends the attempt.
//
// spec: M28
func TestRuleClockTwice(t *testing.T) {
	for _, code := range []string{wire.CodeClock, wire.CodeReplay} {
		d := newDuo(t)
		d.spoil = func(_ wire.Question, a *wire.Answer) {
			*a = wire.Answer{Kind: wire.KindError, Code: code, Time: a.Time}
		}
		if got := d.pull(); !errors.Is(got.Err, wire.ErrInvalid) || d.requests != 2 {
			t.Errorf("%s: %v after %d requests", code, got.Err, d.requests)
		}
	}
}

// Another key at a friend's address is an alarm, and never stored; nobody of
// that name there is merely absence.
//
// spec: M36, M37, M38
func TestRuleAnotherKey(t *testing.T) {
	d := newDuo(t)
	mallory, err := pgp.Generate("Owner", "", d.ownerClock.AddDate(-1, 0, 0))
	d.check(err)
	for _, c := range []struct {
		name string
		key  http.HandlerFunc
		want error
		asks int
	}{
		{"another primary key", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/pgp-keys")
			_, _ = w.Write(mallory.Certificate().Armor())
		}, home.ErrKeyChanged, 2},
		{"nobody of that name", http.NotFound, peer.ErrUnreachable, 2},
		{"the same key", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/pgp-keys")
			_, _ = w.Write(d.key.Certificate().Armor())
		}, peer.ErrRefused, 3}, // asked once more, and refused again
	} {
		asks := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asks++
			if r.Method == http.MethodGet {
				c.key(w, r)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
		}))
		d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), []string{s.URL}))
		if got := d.pull(); !errors.Is(got.Err, c.want) || asks != c.asks {
			t.Errorf("%s: got %v after %d requests, want %v after %d", c.name, got.Err, asks, c.want, c.asks)
		}
		s.Close()
	}
	if found := files(t, d.readerDir, string(mallory.Certificate().Fingerprint())); len(found) > 0 {
		t.Errorf("the other key is in %v", found)
	}
	held, err := d.reader.People().Certificate(d.key.Certificate().Fingerprint())
	if err != nil || string(held.Bytes()) != string(d.key.Certificate().Bytes()) {
		t.Errorf("the friend's key has changed: %v", err)
	}
}

// A post of mine that comes back without its audience is for me alone, unless
// it says itself that it is public.
//
// spec: P30, P38
func TestRuleComesBack(t *testing.T) {
	d := newDuo(t)
	private, public := d.note("private", forFriends), d.note("public", forAll)
	for _, p := range []*post.Post{private, public} {
		d.write(d.path(p), string(p.Wire()))
	}
	d.tick(3 * time.Second)
	d.wants("a friend", d.sees(d.cert(d.reader)), "public")
}
