package home_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// readerWrites has the reader of a duo write a post.
func (d *duo) readerWrites(text string, a post.Audience) *post.Post {
	d.t.Helper()
	d.tick(time.Second)
	draft := post.NewDraft("Note")
	draft.Set("content", text)
	p, err := d.reader.Post(d.t.Context(), draft, a)
	d.check(err)
	return p
}

// ownerHas lists what the owner has of the reader, oldest first.
func (d *duo) ownerHas() string {
	d.t.Helper()
	entries, err := d.owner.Timeline(d.t.Context(), home.View{Oldest: true})
	d.check(err)
	var out []string
	for _, e := range entries {
		if !e.Mine {
			out = append(out, e.Post.Content())
		}
	}
	return strings.Join(out, ", ")
}

// asksBack has the owner ask back, and lists the visits.
func (d *duo) asksBack() *[]home.Visit {
	var visits []home.Visit
	d.owner.AskBack(home.PullOptions{})
	d.owner.OnVisit(func(v home.Visit) { visits = append(visits, v) })
	return &visits
}

// The reader has no server; the owner has what he wrote after his pull, and
// nothing that was not for him: new, edited, deleted, and complete.
//
// spec: A1, A2, A3, A6, A7
func TestAskingBack(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	d.note("hello", forFriends)
	first := d.readerWrites("first", forFriends)
	d.readerWrites("for nobody", post.Audience{})
	second := d.readerWrites("second", forFriends)
	d.pulls(1)
	d.wants("the owner has", d.ownerHas(), "first, second")
	if n := len(*visits); n != 2 || !(*visits)[0].Asking || (*visits)[1].Kind != wire.KindAsk || (*visits)[1].Asking {
		t.Errorf("the visits: %+v", *visits)
	}
	d.tick(time.Second)
	_, err := d.reader.Edit(t.Context(), first.ID(), func(p *post.Draft) error { p.Set("content", "first, edited"); return nil })
	d.check(err)
	_, err = d.reader.Delete(t.Context(), second.ID())
	d.check(err)
	d.pulls(1)
	d.wants("after an edit and a deletion", d.ownerHas(), "first, edited")
	*visits = nil
	d.pulls(1) // nothing is new on either side
	if len(*visits) != 1 {
		t.Errorf("with nothing new: %+v", *visits)
	}
	s, err := d.owner.Status(t.Context())
	d.check(err)
	if p := s.People[0]; p.Message != "" || p.Unequal != 0 || p.Count != 1 || p.Reached.IsZero() {
		t.Errorf("it is not noted as complete: %+v", p)
	}
}

// Many posts come in pages that fit where requests come.
//
// spec: A4
func TestAskingBackInPages(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	long := strings.Repeat("x", 40<<10)
	var want []string
	for range 7 {
		d.readerWrites(long, forFriends)
		want = append(want, long)
	}
	huge := strings.Repeat("y", 63<<10)
	d.readerWrites(huge, forFriends)
	d.pulls(1)
	if d.ownerHas() != strings.Join(append(want, huge), ", ") {
		t.Error("not all of it is there")
	}
	if len(*visits) != 6 { // the pull, and pages of 2, 2, 2 and 1, and 1
		t.Errorf("%d visits", len(*visits))
	}
}

// Who is reached anyway, or is no friend, is not asked.
//
// spec: A8
func TestWhoIsNotAsked(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*duo)
		asked  bool
	}{
		"a friend without address": {func(*duo) {}, true},
		"a friend who was away": {func(d *duo) {
			d.check(d.owner.People().SetAddresses(d.readerKey.Certificate().Fingerprint(), []string{"http://127.0.0.1:1"}))
			d.check(d.owner.Pull(d.t.Context(), nil, home.PullOptions{}, func(home.Event) {}))
		}, true},
		"a friend who was reached": {func(d *duo) {
			handler, err := peer.Handler(d.reader, peer.Limits{}, nil)
			d.check(err)
			d.check(d.reader.StartServing(d.t.Context(), 1000))
			s := httptest.NewServer(handler)
			d.t.Cleanup(s.Close)
			d.tick(time.Second)
			d.check(d.owner.People().SetAddresses(d.readerKey.Certificate().Fingerprint(), []string{s.URL}))
			d.check(d.owner.Pull(d.t.Context(), nil, home.PullOptions{}, func(home.Event) {}))
		}, false},
		"a stranger": {func(d *duo) {
			_, err := d.owner.People().RemoveFriend(d.readerKey.Certificate().Fingerprint())
			d.check(err)
		}, false},
		"somebody blocked": {func(d *duo) { d.check(d.owner.People().Block(d.readerKey.Certificate().Fingerprint(), nil)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDuo(t)
			visits := d.asksBack()
			c.before(d)
			d.pulls(1)
			if got := len(*visits) > 1; got != c.asked {
				t.Errorf("asked: %v: %+v", got, *visits)
			}
		})
	}
}

// What nobody asked for is refused, as all that cannot be understood: of the
// right friend at the wrong time, twice, of another, to another question.
//
// spec: A5
func TestUnaskedAnswers(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	d.readerWrites("mine", forFriends)
	party := wire.Party{Me: d.readerKey, Other: d.key.Certificate()}
	var sealer wire.Sealer
	ask := func(nonce byte) wire.Answer {
		sent, err := sealer.SealRequest(party, wire.Question{Kind: wire.KindPosts}, d.ownerClock, [16]byte{nonce})
		d.check(err)
		body, err := d.owner.AnswerSealed(t.Context(), sent.Body, nil)
		d.check(err)
		a, err := sent.OpenAnswer(body, party, d.ownerClock)
		d.check(err)
		if a.Ask == nil || a.Sum == "" {
			t.Fatalf("it does not ask: %+v", a)
		}
		return a
	}
	given, err := d.reader.Answer(t.Context(), d.key.Certificate().Fingerprint(), wire.Question{Kind: wire.KindPosts}, d.readerClock)
	d.check(err)
	send := func(p wire.Party, a wire.Answer, re string) error {
		sent, err := sealer.SealAsking(p, a, re)
		d.check(err)
		_, err = d.owner.AnswerSealed(t.Context(), sent.Body, nil)
		return err
	}
	refused := func(what string, err error, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
		d.wants(what, d.ownerHas(), "")
	}
	refused("to no question", send(party, given, strings.Repeat("0", 64)), wire.ErrBinding)
	a := ask(1)
	_, other := d.home(t.TempDir(), &d.readerClock, "Other")
	refused("of another", send(wire.Party{Me: other, Other: d.key.Certificate()}, given, a.Sum), wire.ErrBinding)
	lines := wire.Answer{Kind: wire.KindManifest, Time: d.readerClock}
	refused("of another kind", send(party, lines, a.Sum), wire.ErrBinding)
	asking := given
	asking.Ask = &wire.Question{Kind: wire.KindPosts}
	refused("that asks itself", send(party, asking, a.Sum), wire.ErrInvalid)
	b := ask(2)
	refused("to a question before the last", send(party, given, a.Sum), wire.ErrBinding)
	_, err = d.owner.People().RemoveFriend(d.readerKey.Certificate().Fingerprint())
	d.check(err)
	refused("of a friend no more", send(party, given, b.Sum), wire.ErrBinding)
}

// The same answer counts once.
//
// spec: A5
func TestAnswersCountOnce(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	d.readerWrites("mine", forFriends)
	var bodies [][]byte
	handler, err := peer.Handler(d, peer.Limits{}, nil)
	d.check(err)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		d.check(err)
		bodies = append(bodies, body)
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		handler.ServeHTTP(w, again)
	}))
	t.Cleanup(s.Close)
	d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), []string{s.URL}))
	d.pulls(1)
	d.wants("the owner has", d.ownerHas(), "mine")
	if len(bodies) != 2 {
		t.Fatalf("%d messages", len(bodies))
	}
	if _, err := d.owner.AnswerSealed(t.Context(), bodies[1], nil); !errors.Is(err, wire.ErrBinding) {
		t.Errorf("a second time: %v", err)
	}
}

// While a pull of the owner's own is under way, he asks nobody back, and one
// between two answers ends the walk: they would take from each other.
//
// spec: A7
func TestAskingBackAndPulling(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	d.readerWrites("mine", forFriends)
	unlock := lockOf(t, d.ownerDir, "state/pull.lock")
	d.pulls(1)
	if len(*visits) != 1 || (*visits)[0].Asking {
		t.Errorf("beside a pull: %+v", *visits)
	}
	unlock()
	d.pulls(1)
	d.wants("after it", d.ownerHas(), "mine")
}

// lockOf holds a lock of a home, as another process does.
func lockOf(t *testing.T, dir, name string) (unlock func()) {
	t.Helper()
	root, err := disk.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	free, err := root.Lock(t.Context(), name, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return func() { free(); _ = root.Close() }
}
