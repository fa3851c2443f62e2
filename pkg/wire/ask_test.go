package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Bob pulls from Alice, who asks back for a part of a file; what he gives her is
// taken only if it is that part.
//
// spec: A1, A2, A9, A10
func TestPartsBack(t *testing.T) {
	alice, bob, mallory := key(t, "Alice"), key(t, "Bob"), key(t, "Mallory")
	toBob, toAlice := Party{alice, bob.Certificate()}, Party{bob, alice.Certificate()}
	id := post.ID{Author: bob.Certificate().Fingerprint(), Position: "20261122-123456789-k3q5vx2m4f7da"}
	file := FileQuestion{ID: id, SHA256: sum([]byte("a file")), Offset: 3}
	var sealer Sealer
	asking := func(q *Question) (*Sent, Answer) {
		t.Helper()
		request, err := sealer.SealRequest(toAlice, Question{Kind: KindPosts}, noon, [16]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		zero := 0
		asked, err := sealer.SealAsking(toBob, Answer{Kind: KindPosts, Time: noon, Count: &zero, Digest: sum(nil), Ask: q}, request.re)
		if err != nil {
			t.Fatal(err)
		}
		a, err := request.OpenAnswer(asked.Body, toAlice, noon)
		if err != nil {
			t.Fatal(err)
		}
		return asked, a
	}
	asked, a := asking(&Question{Kind: KindAttachment, File: &file})
	if a.Ask == nil || a.Ask.Kind != KindAttachment || a.Ask.File == nil || *a.Ask.File != file || a.Sum != asked.Re() {
		t.Fatalf("asked is %+v", a.Ask)
	}
	posts, _ := asking(&Question{Kind: KindPosts})

	give := func(by *pgp.Secret, p *Part, re string) (*Sent, *Reply) {
		t.Helper()
		sent, err := sealer.SealAsking(Party{by, alice.Certificate()}, Answer{Kind: KindAttachment, Time: noon, Part: p}, re)
		if err != nil {
			t.Fatal(err)
		}
		if len(sent.Body) > MaxRequest {
			t.Fatalf("a part of %d bytes has a body of %d", len(p.Data), len(sent.Body))
		}
		_, r, err := OpenSealed(sent.Body, alice)
		if err != nil || r == nil {
			t.Fatalf("it is no answer: %v, %v", r, err)
		}
		return sent, r
	}
	most := bytes.Repeat([]byte("{\n"), MaxPartBack/2)
	for _, data := range [][]byte{[]byte("x"), []byte("\n"), most} {
		sent, r := give(bob, &Part{Size: 1 << 20, Offset: 3, Data: data}, a.Sum)
		got, err := r.Verify(asked, toBob, noon)
		if err != nil || got.Part == nil || got.Part.Size != 1<<20 || got.Part.Offset != 3 || !bytes.Equal(got.Part.Data, data) {
			t.Errorf("of %d bytes: %+v, %v", len(data), got.Part, err)
		}
		if n := len(sent.Body); n != Size(n) {
			t.Errorf("a body of %d bytes is not padded", n)
		}
		reply, err := sealer.SealAnswer(toBob, Answer{Kind: KindAsk, Time: noon}, r.Sum)
		if err != nil {
			t.Fatal(err)
		}
		if next, err := sent.OpenAnswer(reply, toAlice, noon); err != nil || next.Ask != nil {
			t.Errorf("the reply to it: %+v, %v", next, err)
		}
	}
	for _, c := range []struct {
		what string
		by   *pgp.Secret
		to   *Sent
		part Part
		want error
	}{
		{"a byte too many", bob, asked, Part{Size: 1 << 20, Offset: 3, Data: append(bytes.Clone(most), 'x')}, ErrInvalid},
		{"from another byte on", bob, asked, Part{Size: 9, Offset: 2, Data: []byte("x")}, ErrBinding},
		{"no bytes, although there are more", bob, asked, Part{Size: 9, Offset: 3}, ErrInvalid},
		{"more than there is", bob, asked, Part{Size: 4, Offset: 3, Data: []byte("xy")}, ErrInvalid},
		{"where posts were asked for", bob, posts, Part{Size: 9, Offset: 0, Data: []byte("x")}, ErrBinding},
		{"by another", mallory, asked, Part{Size: 9, Offset: 3, Data: []byte("x")}, pgp.ErrSignature},
	} {
		_, r := give(c.by, &c.part, c.to.Re())
		if _, err := r.Verify(c.to, toBob, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
	_, r := give(bob, &Part{Size: 9, Offset: 3, Data: []byte("x")}, sum(nil))
	if _, err := r.Verify(asked, toBob, noon); !errors.Is(err, ErrBinding) {
		t.Errorf("to another question: %v", err)
	}
	gcm, err := sealer.SealPart(nil, toAlice, Answer{Kind: KindAttachment, Time: noon, Part: &Part{Size: 9, Offset: 3, Data: []byte("x")}}, a.Sum, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenSealed(gcm, alice); !errors.Is(err, pgp.ErrMalformed) {
		t.Errorf("sealed as nobody asked for: %v", err)
	}
}

// A request for a file, which may end in a line feed, is no answer.
//
// spec: M13, A2
func TestRequestIsNoReply(t *testing.T) {
	alice, bob := key(t, "Alice"), key(t, "Bob")
	p := Party{bob, alice.Certificate()}
	q := Question{Kind: KindAttachment, File: &FileQuestion{ID: post.ID{Author: alice.Certificate().Fingerprint(), Position: "20261122-123456789-k3q5vx2m4f7da"}, SHA256: sum(nil)}}
	literal, err := Literal(p, q, noon, [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "\n", "  \n\n"} {
		body, err := pgp.Seal(append(bytes.Clone(literal), end...), pgp.ContextRequest, bob, alice.Certificate(), noon, pgp.SealOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if request, reply, err := OpenSealed(body, alice); request == nil || reply != nil || err != nil {
			t.Errorf("ended by %q: %v, %v, %v", end, request, reply, err)
		}
	}
}
