package home_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An answer waits for what is news to its reader, and for nothing else.
//
// spec: M43
func TestAnAnswerWaitsForNews(t *testing.T) {
	alice := newHome(t, "Alice")
	if err := alice.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	bob, eve := newAsker(t, "Bob"), newAsker(t, "Eve")
	if _, _, err := alice.People().AddFriend(bob.secret.Certificate(), keyring.AddOptions{History: "all"}); err != nil {
		t.Fatal(err)
	}
	old := note(t, alice, "old", "friends")
	newest := old
	now := func(a *asker) wire.Question {
		known, _ := a.ask(alice, wire.Question{Kind: wire.KindPosts})
		return wire.Question{Kind: wire.KindPosts, After: string(newest.ID().Position), Wait: 30, Digest: known.Digest}
	}
	edit := func(d *post.Draft) error { d.Set("content", "new"); return nil }
	for _, c := range []struct {
		name    string
		who     *asker
		change  func(*wire.Question)
		happens func() error // while he waits; then nothing more does
		pauses  int
		items   int
		differs bool // the digest, from the one known
	}{
		{"nothing happens", bob, nil, nil, 1, 0, false},
		{"he does not wait", bob, func(q *wire.Question) { q.Wait = 0 }, nil, 0, 0, false},
		{"he lacks something", bob, func(q *wire.Question) { q.After = "" }, nil, 0, 1, false},
		{"he has something else", bob, func(q *wire.Question) { q.Digest = q.Digest[1:] + "0" }, nil, 0, 0, true},
		{"a stranger", eve, nil, nil, 0, 0, false},
		{"a post for others", bob, nil, func() error { note(t, alice, "mine", "me"); return nil }, 2, 0, false},
		{"a post for him", bob, nil, func() error { newest = note(t, alice, "yours", "friends"); return nil }, 1, 1, true},
		{"an edit", bob, nil, func() error { _, err := alice.Edit(t.Context(), old.ID(), edit); return err }, 1, 0, true},
		{"a deletion", bob, nil, func() error { _, err := alice.Delete(t.Context(), old.ID()); return err }, 1, 0, true},
	} {
		q := now(c.who)
		if c.change != nil {
			c.change(&q)
		}
		pauses := 0
		a, _ := c.who.await(alice, q, func(ctx context.Context, changed <-chan struct{}) bool {
			if pauses++; pauses > 1 || c.happens == nil {
				return false
			}
			if err := c.happens(); err != nil {
				t.Error(err)
			}
			select {
			case <-changed:
				return true
			case <-ctx.Done():
				t.Errorf("%s: nobody is told of it", c.name)
				return false
			}
		})
		if a.Kind != wire.KindPosts || pauses != c.pauses || (len(a.Items) > 0) != (c.items > 0) || (a.Digest != q.Digest) != c.differs {
			t.Errorf("%s: %d pauses, %d items, digest %v: %+v", c.name, pauses, len(a.Items), a.Digest != q.Digest, a)
		}
	}
}

// One friend takes few of the places to wait, and gets them back.
//
// spec: S8
func TestFewWaitsOfOneKey(t *testing.T) {
	alice := newHome(t, "Alice")
	if err := alice.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	bob := newAsker(t, "Bob")
	if _, _, err := alice.People().AddFriend(bob.secret.Certificate(), keyring.AddOptions{History: "all"}); err != nil {
		t.Fatal(err)
	}
	known, _ := bob.ask(alice, wire.Question{Kind: wire.KindPosts})
	q := wire.Question{Kind: wire.KindPosts, Wait: 30, Digest: known.Digest}
	for range 2 {
		waits := 0
		var pause peer.Pause
		pause = func(context.Context, <-chan struct{}) bool { // and meanwhile he asks again
			if waits++; waits < 10 {
				bob.await(alice, q, pause)
			}
			return false
		}
		if bob.await(alice, q, pause); waits != 4 {
			t.Errorf("he waits %d times", waits)
		}
	}
}

// A deaf home does not know of waiting, like one of before there was any.
type deaf struct{ *home.Home }

func (d deaf) AnswerSealed(ctx context.Context, body []byte, _ peer.Pause) ([]byte, error) {
	return d.Home.AnswerSealed(ctx, body, nil)
}

// A standing pull brings each change as it happens, from who can wait, who
// cannot, whose feed is followed, and who becomes a friend meanwhile; and the
// home is not locked by it.
//
// spec: M43
func TestStandingPull(t *testing.T) {
	alice, carl, dora, ella, bob := newHome(t, "Alice"), newHome(t, "Carl"), newHome(t, "Dora"), newHome(t, "Ella"), newHome(t, "Bob")
	befriend(t, alice, bob, "")
	befriend(t, bob, alice, served(t, alice))
	befriend(t, carl, bob, "")
	befriend(t, bob, carl, servedDeaf(t, carl))
	followed(t, bob, dora, served(t, dora))
	befriend(t, ella, bob, "")

	ctx, cancel := context.WithCancelCause(t.Context())
	told, over := make(chan home.Event, 1000), make(chan error, 1)
	go func() { over <- bob.PullBriskly(ctx, nil, func(e home.Event) { told <- e }) }()
	next := func(what string, is func(home.Event) bool) {
		t.Helper()
		for patience := time.After(20 * time.Second); ; {
			select {
			case e := <-told:
				if is(e) {
					return
				}
			case err := <-over:
				t.Fatalf("%s: it ended: %v", what, err)
			case <-patience:
				t.Fatalf("%s does not come", what)
			}
		}
	}
	comes := func(id post.ID, changed bool) func(home.Event) bool {
		return func(e home.Event) bool { return e.Post != nil && e.Post.ID() == id && e.Changed == changed }
	}
	over3 := 0
	next("the first pull", func(e home.Event) bool {
		if e.Pulled != nil {
			over3++
		}
		return over3 == 3
	})
	one := note(t, alice, "one", "friends")
	next("a friend's post", comes(one.ID(), false))
	next("a post of who cannot wait", comes(note(t, carl, "two", "friends").ID(), false))
	next("a public post", comes(note(t, dora, "three", "public").ID(), false))
	if _, err := alice.Edit(t.Context(), one.ID(), func(d *post.Draft) error { d.Set("content", "one, edited"); return nil }); err != nil {
		t.Fatal(err)
	}
	next("an edit", comes(one.ID(), true))
	befriend(t, bob, ella, served(t, ella))
	next("a new friend's post", comes(note(t, ella, "four", "friends").ID(), false))
	pullAll(t, bob) // beside it
	if _, err := bob.People().RemoveFriend(one.ID().Author); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	cancel(enough)
	if err := <-over; !errors.Is(err, enough) {
		t.Error(err)
	}
}

func servedDeaf(t *testing.T, h *home.Home) string {
	t.Helper()
	if err := h.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	handler, err := peer.Handler(deaf{h}, peer.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}
