package wire

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// key reads one of the test keys, or makes one of ours.
func key(tb testing.TB, name string) *pgp.Secret {
	tb.Helper()
	if !strings.HasSuffix(name, ".asc") {
		s, err := pgp.Generate(name, "", noon)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	data, err := os.ReadFile("../../testdata/keys/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := pgp.ParseSecret(data, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// spec: M5, M18, M21, M25, M26, M27
func TestRequestAndAnswer(t *testing.T) {
	var sealer Sealer
	for _, c := range []struct{ asker, owner string }{{"Alice", "Bob"}, {"gpg-ed25519.asc", "Bob"}, {"Alice", "gpg-rsa4096.asc"}, {"gpg-rsa4096.asc", "gpg-ed25519.asc"}} {
		t.Run(c.asker+" asks "+c.owner, func(t *testing.T) {
			asker, owner := key(t, c.asker), key(t, c.owner)
			id := post.ID{Author: owner.Certificate().Fingerprint(), Position: "20261122-123456789-k3q5vx2m4f7da"}
			q := Question{Kind: KindIDs, Want: []post.ID{id}, Have: []post.ID{id}}
			sent, err := sealer.SealRequest(Party{asker, owner.Certificate()}, q, noon, [16]byte{1})
			if err != nil {
				t.Fatal(err)
			}
			if err := pgp.CheckOuter(sent.Body, owner); err != nil {
				t.Error(err)
			}
			r, err := OpenRequest(sent.Body, owner)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := r.Certificate(nil)
			if err != nil || r.From != asker.Certificate().Fingerprint() || !r.Time.Equal(noon) || cert.Fingerprint() != r.From {
				t.Fatalf("from %s at %s with %v, %v", r.From, r.Time, cert, err)
			}
			if known, err := r.Certificate(asker.Certificate()); known != asker.Certificate() || err != nil {
				t.Errorf("what is known is read again: %v", err)
			}
			if err := r.Verify(cert, noon); err != nil {
				t.Error(err)
			}
			if err := r.Verify(owner.Certificate(), noon); !errors.Is(err, pgp.ErrSignature) {
				t.Errorf("with another certificate: got %v", err)
			}
			got, err := r.Question(owner.Certificate().Fingerprint(), noon)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(q) || r.Nonce != "01"+strings.Repeat("0", 30) {
				t.Errorf("got %+v, nonce %s, %v", got, r.Nonce, err)
			}
			a := Answer{Kind: KindIDs, Time: noon, Gone: []post.ID{id}, Items: []ijson.Value{ijson.Value(`{"id":"x"}`)}, More: true}
			body, err := sealer.SealAnswer(Party{owner, cert}, a, r.Re)
			if err != nil {
				t.Fatal(err)
			}
			back, err := sent.OpenAnswer(body, Party{asker, owner.Certificate()}, noon)
			if err != nil || fmt.Sprint(back) != fmt.Sprint(a) {
				t.Errorf("got %+v, %v", back, err)
			}
		})
	}
}

// Everything small is 2,048 bytes, and everything else of few sizes: with every
// kind of key, from the first message on.
//
// spec: M34
func TestSizes(t *testing.T) {
	for _, c := range []struct{ from, to string }{{"Alice", "Bob"}, {"gpg-rsa4096.asc", "Bob"}, {"Alice", "gpg-rsa4096.asc"}, {"gpg-ed25519.asc", "Bob"}} {
		var sealer Sealer
		p := Party{key(t, c.from), key(t, c.to).Certificate()}
		for _, n := range []int{0, 1, 100, 600, 1200, 1999, 2000, 2048, 5000, 65536, 1 << 20} {
			if strings.Contains(c.from, "rsa") && n > 600 {
				continue // its signatures are slow
			}
			a := Answer{Kind: KindPosts, Time: noon, More: true, Items: []ijson.Value{ijson.Quote(strings.Repeat("x", n))}}
			body, err := sealer.SealAnswer(p, a, strings.Repeat("0", 64))
			if err != nil {
				t.Fatal(err)
			}
			if len(body) != Size(len(body)) || n <= 100 && len(body) != MinSize || len(body) > MaxAnswer {
				t.Errorf("%s to %s, %d bytes: the body has %d, not %d", c.from, c.to, n, len(body), Size(len(body)))
			}
		}
	}
}

// spec: M33, M34, W6
func TestSmallMessagesLookAlike(t *testing.T) {
	var sealer Sealer
	p := Party{key(t, "Alice"), key(t, "Bob").Certificate()}
	zero := 0
	for name, a := range map[string]Answer{
		"nothing new":     {Kind: KindPosts, Time: noon, Count: &zero, Digest: strings.Repeat("0", 64)},
		"nothing for you": {Kind: KindPosts, Time: noon, Count: &zero, Digest: strings.Repeat("f", 64)},
		"no months":       {Kind: KindManifest, Time: noon},
		"an error":        {Kind: KindError, Time: noon, Code: CodeBusy},
	} {
		if body, err := sealer.SealAnswer(p, a, strings.Repeat("0", 64)); err != nil || len(body) != MinSize {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
	}
	sent, err := sealer.SealRequest(p, Question{Kind: KindPosts, After: "20261122-123456789-k3q5vx2m4f7da"}, noon, [16]byte{})
	if err != nil || len(sent.Body) != MinSize {
		t.Errorf("a request: %d bytes, %v", len(sent.Body), err)
	}
}

// A body of any size is read, padded or not, with spaces or newlines.
//
// spec: M13, M35
func TestAnySize(t *testing.T) {
	me, other := key(t, "Alice"), key(t, "Bob")
	sent := &Sent{re: strings.Repeat("0", 64), kind: KindPosts}
	a := Answer{Kind: KindPosts, Time: noon, More: true, Items: []ijson.Value{ijson.Value(`{}`)}}
	literal, err := a.literal(Party{other, me.Certificate()}, sent.re)
	if err != nil {
		t.Fatal(err)
	}
	for padding, want := range map[string]error{"": nil, "\n": nil, "  \n \n": nil, strings.Repeat(" ", 3333): nil, "\t": ErrInvalid, "\r\n": ErrInvalid, "x": ErrInvalid, " {}": ijson.ErrSyntax, "\x00": ErrInvalid} {
		body, err := pgp.Seal(append(bytes.Clone(literal), padding...), pgp.ContextAnswer, other, me.Certificate(), noon, pgp.SealOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sent.OpenAnswer(body, Party{me, other.Certificate()}, noon); !errors.Is(err, want) {
			t.Errorf("padded with %.9q: got %v, want %v", padding, err, want)
		}
	}
}

// An answer belongs to one question, of one person, to one.
//
// spec: M25, M26, M27, M10, M11
func TestAnswerIsBound(t *testing.T) {
	alice, bob, mallory := key(t, "Alice"), key(t, "Bob"), key(t, "Mallory")
	var sealer Sealer
	ask := func(kind string, nonce byte) *Sent {
		sent, err := sealer.SealRequest(Party{alice, bob.Certificate()}, Question{Kind: kind}, noon, [16]byte{nonce})
		if err != nil {
			t.Fatal(err)
		}
		return sent
	}
	sent, other, lines := ask(KindPosts, 1), ask(KindPosts, 2), ask(KindManifest, 1)
	zero := 0
	nothing := Answer{Kind: KindPosts, Time: noon, Count: &zero, Digest: "d"}
	seal := func(from, to *pgp.Secret, s *Sent, a Answer) []byte {
		body, err := sealer.SealAnswer(Party{from, to.Certificate()}, a, s.re)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	literal, err := nothing.literal(Party{bob, alice.Certificate()}, sent.re)
	if err != nil {
		t.Fatal(err)
	}
	by := func(signer *pgp.Secret, context pgp.Context, at time.Time) []byte {
		body, err := pgp.Seal(literal, context, signer, alice.Certificate(), at, pgp.SealOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	toMallory := strings.Replace(string(literal), string(alice.Certificate().Fingerprint()), string(mallory.Certificate().Fingerprint()), 1)
	relayed, err := pgp.Seal([]byte(toMallory), pgp.ContextAnswer, bob, alice.Certificate(), noon, pgp.SealOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		body []byte
		want error
	}{
		{"good", seal(bob, alice, sent, nothing), nil},
		{"good, made by hand", by(bob, pgp.ContextAnswer, noon), nil},
		{"signed a minute away", by(bob, pgp.ContextAnswer, noon.Add(time.Minute)), nil},
		{"to another question of the same", seal(bob, alice, other, nothing), ErrBinding},
		{"of another kind", seal(bob, alice, sent, Answer{Kind: KindManifest, Time: noon}), ErrBinding},
		{"to the same at another time", seal(bob, alice, lines, Answer{Kind: KindManifest, Time: noon}), ErrBinding},
		{"to somebody else, who passes it on", relayed, ErrBinding},
		{"not for me", seal(bob, mallory, sent, nothing), pgp.ErrRecipient},
		{"by somebody else", seal(mallory, alice, sent, nothing), pgp.ErrSignature},
		{"my own words", seal(alice, alice, sent, nothing), pgp.ErrSignature},
		{"his words signed by another", by(mallory, pgp.ContextAnswer, noon), pgp.ErrSignature},
		{"his words as a request", by(bob, pgp.ContextRequest, noon), pgp.ErrContext},
		{"his words as a post", by(bob, pgp.ContextPost, noon), pgp.ErrContext},
		{"signed 61 s away", by(bob, pgp.ContextAnswer, noon.Add(61*time.Second)), pgp.ErrSignature},
		{"my request, reflected", sent.Body, pgp.ErrRecipient},
		{"cut off", by(bob, pgp.ContextAnswer, noon)[:500], pgp.ErrMalformed},
	} {
		if _, err := sent.OpenAnswer(c.body, Party{alice, bob.Certificate()}, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// The asker's clock does not matter: what is fresh says so by naming the
// question, and the key must be alive at the answer's time or his own, whichever
// is later.
//
// spec: M12, M27
func TestAnswerWhateverTheClock(t *testing.T) {
	alice, bob := key(t, "Alice"), key(t, "Bob")
	sent := &Sent{re: strings.Repeat("0", 64), kind: KindPosts}
	var sealer Sealer
	body, err := sealer.SealAnswer(Party{bob, alice.Certificate()}, Answer{Kind: KindError, Code: CodeClock, Time: noon}, sent.re)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{noon, noon.AddDate(-7, 0, 0), noon.AddDate(20, 0, 0)} {
		if a, err := sent.OpenAnswer(body, Party{alice, bob.Certificate()}, now); err != nil || a.Code != CodeClock || !a.Time.Equal(noon) {
			t.Errorf("at %s: got %+v, %v", now, a, err)
		}
	}
}

// The size that sealing adds is learnt, and met within 20 tries by many at once.
func TestSealerIsShared(t *testing.T) {
	var sealer Sealer
	p := Party{key(t, "Alice"), key(t, "Bob").Certificate()}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			body, err := sealer.SealAnswer(p, Answer{Kind: KindError, Code: strings.Repeat("x", i*40), Time: noon}, "r")
			if err != nil || len(body) != Size(len(body)) {
				t.Errorf("%d: %d bytes, %v", i, len(body), err)
			}
		})
	}
	wg.Wait()
}

// As many ids have room as make no request larger.
//
// spec: W29
func TestRoom(t *testing.T) {
	var sealer Sealer
	p := Party{key(t, "Alice"), key(t, "Bob").Certificate()}
	q := Question{Kind: KindPosts, After: "20261122-123456789-k3q5vx2m4f7da"}
	literal, err := Literal(p, q, noon, [16]byte{})
	if err != nil {
		t.Fatal(err)
	}
	n := Room(len(literal))
	for range n {
		q.Have = append(q.Have, post.ID{Author: p.Other.Fingerprint(), Position: "20261122-123456789-k3q5vx2m4f7da"})
	}
	if sent, err := sealer.SealRequest(p, q, noon, [16]byte{}); err != nil || n < 1 || len(sent.Body) != MinSize {
		t.Errorf("with %d ids the request has %d bytes, %v", n, len(sent.Body), err)
	}
}

// The greatest page fits into an answer.
//
// spec: S10, W5
func TestGreatestAnswer(t *testing.T) {
	const around = 16 << 10 // names, commas, what sealing adds
	if n := Size(MaxPage + MaxItems*120 + around); n > MaxAnswer {
		t.Errorf("it would have %d bytes", n)
	}
}

// Certificates of more than 24 KiB do not come along, whatever is in them.
//
// spec: M17
func TestKeyTooLarge(t *testing.T) {
	for n, want := range map[int]bool{maxKey: true, maxKey + 1: false} {
		literal := fmt.Sprintf(`{"from":%q,"time":"2026-11-22T12:00:00Z","key":%q}`, strings.Repeat("A", 40), base64Of(n))
		if _, err := readRequest([]byte(literal)); (err == nil) != want {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func base64Of(n int) string {
	return strings.Repeat("AAAA", n/3) + [...]string{"", "AA==", "AAA="}[n%3]
}

// An address that is none does not make a message unreadable.
func TestOddAddressesAreLeftOut(t *testing.T) {
	v, err := writeAddresses([]string{"http://example.org:7117/", "http://[fe80::1%eth0]:7117", "http://a.example", "http://b.example", "http://c.example", "http://d.example", "http://e.example"})
	if want := `["http://a.example","http://b.example","http://c.example","http://d.example"]`; err != nil || string(v) != want {
		t.Errorf("got %s, %v, want %s", v, err, want)
	}
	if _, err := readAddresses(v); err != nil {
		t.Error(err)
	}
	if v, err := writeAddresses([]string{"ftp://a"}); err != nil || string(v) != "[]" {
		t.Errorf("got %s, %v", v, err)
	}
}
