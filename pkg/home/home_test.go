package home_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

func newHome(t testing.TB, name string) *home.Home {
	t.Helper()
	h, err := home.Create(t.TempDir(), home.Options{Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	s, err := pgp.Generate(name, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	primary, err := s.Primary(nil)
	if err != nil {
		t.Fatal(err)
	}
	rev, err := s.Revocation(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.People().SaveIdentity(s, primary, rev); err != nil {
		t.Fatal(err)
	}
	return h
}

func served(t testing.TB, h *home.Home) string {
	t.Helper()
	if err := h.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	handler, err := peer.Handler(h, peer.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func befriend(t testing.TB, h, other *home.Home, address string) {
	t.Helper()
	cert, err := other.Me()
	if err != nil {
		t.Fatal(err)
	}
	opt := keyring.AddOptions{History: "all"}
	if address != "" {
		opt.Addresses = []string{address}
	}
	if _, _, err := h.People().AddFriend(cert, opt); err != nil {
		t.Fatal(err)
	}
}

func note(t *testing.T, h *home.Home, text string, words ...string) *post.Post {
	t.Helper()
	d := post.NewDraft("Note")
	d.Set("content", text)
	d.Set("mediaType", "text/plain")
	a, _, err := h.People().Resolve(words)
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Post(t.Context(), d, a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pullAll(t *testing.T, h *home.Home) home.Pulled {
	t.Helper()
	var last home.Pulled
	err := h.Pull(context.Background(), nil, home.PullOptions{Jobs: 1}, func(e home.Event) {
		if e.Pulled != nil {
			last = *e.Pulled
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if last.Err != nil {
		t.Fatal(last.Err)
	}
	return last
}

func TestTwoPeopleMeetAndRead(t *testing.T) {
	alice, bob := newHome(t, "Alice"), newHome(t, "Bob")
	url := served(t, alice)
	befriend(t, alice, bob, "")
	befriend(t, bob, alice, url)
	note(t, alice, "for friends", "friends")
	note(t, alice, "for me", "me")
	note(t, alice, "for all", "public")
	got := pullAll(t, bob)
	if got.New != 2 || !got.Complete || got.Requests != 1 {
		t.Fatalf("got %+v", got)
	}
	entries, err := bob.Timeline(t.Context(), home.View{})
	if err != nil || len(entries) != 2 || entries[0].Post.Content() != "for all" {
		t.Fatalf("got %v, %v", entries, err)
	}
	if got = pullAll(t, bob); got.New != 0 || !got.Complete || got.Requests != 1 {
		t.Fatalf("the second pull: got %+v", got)
	}
}
