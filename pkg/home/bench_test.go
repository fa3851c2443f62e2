package home_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// BenchmarkAnswer is a sealed request of a friend with nothing new for him:
// opened, verified, rights read afresh, answered, sealed.
func BenchmarkAnswer(b *testing.B) {
	h := newHome(b, "Alice")
	me, err := h.Me()
	if err != nil {
		b.Fatal(err)
	}
	if err := h.StartServing(b.Context(), 1e6); err != nil {
		b.Fatal(err)
	}
	reader, _ := pgp.Generate("Bob", "", time.Now())
	if _, _, err := h.People().AddFriend(reader.Certificate(), keyring.AddOptions{History: "all"}); err != nil {
		b.Fatal(err)
	}
	var sealer wire.Sealer
	requests := make([][]byte, 0, 2000)
	for range cap(requests) {
		var nonce [16]byte
		_, _ = rand.Read(nonce[:])
		sent, err := sealer.SealRequest(wire.Party{Me: reader, Other: me}, wire.Question{Kind: wire.KindPosts}, time.Now(), nonce)
		if err != nil {
			b.Fatal(err)
		}
		requests = append(requests, sent.Body)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := h.AnswerSealed(b.Context(), requests[i%len(requests)], nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPull is a first pull of 1,000 posts, both sides in one process.
func BenchmarkPull(b *testing.B) {
	alice, bob := newHome(b, "Alice"), newHome(b, "Bob")
	me, err := bob.Me()
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := alice.People().AddFriend(me, keyring.AddOptions{History: "all"}); err != nil {
		b.Fatal(err)
	}
	const n = 1000
	for i := range n {
		d := post.NewDraft("Note")
		d.Set("content", fmt.Sprint(i, strings.Repeat(" all work and no play", 15)))
		if _, err := alice.Post(b.Context(), d, post.Audience{Friends: true}); err != nil {
			b.Fatal(err)
		}
	}
	url := served(b, alice)
	cert, err := alice.Me()
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := bob.People().AddFriend(cert, keyring.AddOptions{Addresses: []string{url}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		for _, dir := range []string{"feeds", "cache"} {
			if err := os.RemoveAll(bob.Path(dir)); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		err := bob.Pull(b.Context(), nil, home.PullOptions{}, func(e home.Event) {
			if p := e.Pulled; p != nil && (p.Err != nil || p.New != n || !p.Complete) {
				b.Fatalf("the pull ended with %+v", *p)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "posts/s")
}
