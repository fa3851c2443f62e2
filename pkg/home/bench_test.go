package home_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// BenchmarkAnswer is a sealed request of a friend with nothing new for him:
// opened, verified, rights read afresh, answered, sealed.
func BenchmarkAnswer(b *testing.B) {
	h, err := home.Create(b.TempDir(), home.Options{Wait: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	me, _ := pgp.Generate("Alice", "", time.Now())
	primary, _ := me.Primary(nil)
	if err := h.People().SaveIdentity(me, primary, nil); err != nil {
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
		sent, err := sealer.SealRequest(wire.Party{Me: reader, Other: me.Certificate()}, wire.Question{Kind: wire.KindPosts}, time.Now(), nonce)
		if err != nil {
			b.Fatal(err)
		}
		requests = append(requests, sent.Body)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := h.AnswerSealed(b.Context(), requests[i%len(requests)]); err != nil {
			b.Fatal(err)
		}
	}
}
