package home_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// asker is somebody with a key who asks without a home.
type asker struct {
	t      *testing.T
	secret *pgp.Secret
	sealer wire.Sealer
	at     time.Time
}

func newAsker(t *testing.T, name string) *asker {
	t.Helper()
	s, err := pgp.Generate(name, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &asker{t: t, secret: s, at: time.Now()}
}

func (a *asker) ask(h *home.Home, q wire.Question) (wire.Answer, int) {
	a.t.Helper()
	return a.await(h, q, nil)
}

// await is ask, of an owner who may hold his answer back.
func (a *asker) await(h *home.Home, q wire.Question, pause peer.Pause) (wire.Answer, int) {
	a.t.Helper()
	cert, err := h.Me()
	if err != nil {
		a.t.Fatal(err)
	}
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	party := wire.Party{Me: a.secret, Other: cert}
	sent, err := a.sealer.SealRequest(party, q, a.at, nonce)
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := h.AnswerSealed(a.t.Context(), sent.Body, pause)
	if err != nil {
		a.t.Fatal(err)
	}
	answer, err := sent.OpenAnswer(body, party, a.at)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer, len(body)
}

// On the path, "nothing new", "nothing for you", what a stranger gets, what the
// blocked gets and an error are one: 2,048 bytes.
//
// spec: M34, M36
func TestSmallAnswersLookAlike(t *testing.T) {
	alice := newHome(t, "Alice")
	if err := alice.StartServing(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	friend, stranger, blocked, wrong := newAsker(t, "Friend"), newAsker(t, "Stranger"), newAsker(t, "Blocked"), newAsker(t, "Wrong")
	if _, _, err := alice.People().AddFriend(friend.secret.Certificate(), keyring.AddOptions{History: "all"}); err != nil {
		t.Fatal(err)
	}
	if err := alice.People().Block(blocked.secret.Certificate().Fingerprint(), nil); err != nil {
		t.Fatal(err)
	}
	note(t, alice, "not for any of them", "me")
	wrong.at = wrong.at.Add(time.Hour)
	for _, c := range []struct {
		who  string
		a    *asker
		kind string
	}{{"a friend", friend, "posts"}, {"a stranger", stranger, "posts"}, {"the blocked", blocked, "posts"}, {"a wrong clock", wrong, "error"}} {
		for range 20 {
			answer, size := c.a.ask(alice, wire.Question{Kind: wire.KindPosts})
			if answer.Kind != c.kind || size != wire.MinSize {
				t.Fatalf("%s got %+v in %d bytes", c.who, answer, size)
			}
			if c.kind == "posts" && (*answer.Count != 0 || answer.More || len(answer.Items) > 0) {
				t.Fatalf("%s got %+v", c.who, answer)
			}
		}
	}
}
