package post

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func secret(t testing.TB, name string) *pgp.Secret {
	t.Helper()
	s, err := pgp.Generate(name, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s *pgp.Secret, d *Draft, a Audience) *Post {
	t.Helper()
	id := ID{s.Certificate().Fingerprint(), "20261122-120000000-k3q5vx2m4f7da"}
	p, err := Sign(d, Particulars{ID: id, Published: noon, Revision: 1, Audience: a, At: noon}, s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func note(text string) *Draft {
	d := NewDraft("Note")
	d.Set("content", text)
	return d
}

// A file has its members in one order, and is read in any; it holds the
// audience, which never travels.
//
// spec: F2, P28, P29
func TestFile(t *testing.T) {
	s := secret(t, "Alice")
	d := note("\u202eeverything\x1b")
	for name, text := range map[string]string{"zeta": "last of the others", "alpha": "first of them", "expires": "2027-01-01T00:00:00Z", "name": "n", "summary": "s", "mediaType": "text/plain",
		"inReplyTo": "https://example.org/1", "context": "https://example.org/0"} {
		d.Set(name, text)
	}
	a := Audience{Public: true, Friends: true, Groups: []string{"work", "family"}, Readers: []pgp.Fingerprint{s.Certificate().Fingerprint()}}
	p := sign(t, s, d, a)
	file, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^  "(\w+)"`).FindAllSubmatch(file, -1) {
		order = append(order, string(m[1]))
	}
	want := "id type attributedTo published name summary content mediaType inReplyTo context alpha zeta expires revision to bto signature"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("order %s\nwant  %s", got, want)
	}
	if !bytes.HasPrefix(file, []byte("{\n  \"id\": ")) || !bytes.HasSuffix(file, []byte("\n}\n")) || bytes.ContainsAny(file, "\x1b\u202e") {
		t.Errorf("the file is\n%s", file)
	}
	var packed bytes.Buffer
	for line := range bytes.Lines(file) { // another layout
		packed.Write(bytes.TrimSpace(line))
	}
	for _, raw := range [][]byte{file, packed.Bytes()} {
		back, err := OpenMine(raw, s.Certificate())
		if err != nil || !back.SameFile(p) || back.Content() != "\u202eeverything\x1b" {
			t.Errorf("read back: %v", err)
		}
		if got, err := back.Audience(); err != nil || strings.Join(got.Members(), " ") != strings.Join(a.Members(), " ") {
			t.Errorf("its audience: %v, %v", got, err)
		}
	}
	wire := p.Wire()
	if canonical, err := ijson.Canonical(wire); err != nil || !bytes.Equal(canonical, wire) || bytes.Contains(wire, []byte("family")) || bytes.Contains(wire, []byte("bto")) {
		t.Errorf("it travels as %s", wire)
	}
	if _, err := Open(wire, s.Certificate()); err != nil {
		t.Error(err)
	}
}

// Whatever its audience, a file of mine opens; who may see it is only me where
// it is not in order.
//
// spec: P31, P32
func TestDamagedAudience(t *testing.T) {
	s := secret(t, "Alice")
	p := sign(t, s, note("x"), Audience{Friends: true})
	file, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	spoiled := strings.Replace(string(file), `"friends"`, `"friends", "friends"`, 1)
	got, err := OpenMine([]byte(spoiled), s.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	if a, err := got.Audience(); !errors.Is(err, ErrAudience) || len(a.Members()) > 0 || got.Public() {
		t.Errorf("got %+v, %v", a, err)
	}
	if _, err := Open([]byte(spoiled), s.Certificate()); !errors.Is(err, ErrAudience) {
		t.Errorf("from somebody else: got %v", err)
	}
}

// What is passed on is proved by its own author's key, and by no other.
//
// spec: P52, P53
func TestOriginal(t *testing.T) {
	alice, bob := secret(t, "Alice"), secret(t, "Bob")
	public, private := sign(t, alice, note("said by Alice"), Audience{Public: true}), sign(t, alice, note("secret"), Audience{})
	announce := func(original []byte) (*Post, error) {
		d := NewDraft("Announce")
		d.SetValue("object", original)
		id := ID{bob.Certificate().Fingerprint(), "20261122-120000001-k3q5vx2m4f7da"}
		return Sign(d, Particulars{ID: id, Published: noon, Revision: 1, Audience: Audience{Friends: true}, At: noon}, bob)
	}
	p, err := announce(public.Wire())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Original(alice.Certificate()); err != nil || got.Content() != "said by Alice" || p.About() != public.ID().String() {
		t.Errorf("with her key: %v", err)
	}
	if got, err := p.Original(nil); !errors.Is(err, ErrAuthor) || got.Content() != "said by Alice" {
		t.Errorf("without a key: %v", err)
	}
	if got, err := p.Original(bob.Certificate()); !errors.Is(err, ErrAuthor) || got != nil {
		t.Errorf("with another's: %v", err)
	}
	forged, err := announce(bytes.Replace(public.Wire(), []byte("Alice"), []byte("Boris"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := forged.Original(alice.Certificate()); !errors.Is(err, pgp.ErrSignature) || got != nil {
		t.Errorf("forged: %v", err)
	}
	if _, err := announce(private.Wire()); !errors.Is(err, ErrInvalid) {
		t.Errorf("a private post: %v", err)
	}
}

// The Tombstone keeps the audience that is seen, and says what was there.
//
// spec: P43, P55
func TestBury(t *testing.T) {
	s := secret(t, "Alice")
	p := sign(t, s, note("x"), Audience{Public: true})
	d := Bury(p, noon.Add(time.Hour))
	if got := d.Text("formerType") + d.Text("deleted") + d.Text("content"); got != "Note2026-11-22T13:00:00Z" {
		t.Errorf("got %s", got)
	}
	stone := sign(t, s, d, Audience{Public: true})
	if again := Bury(stone, noon); again.Text("formerType") != "Note" || !stone.Tombstone() || !stone.Public() {
		t.Errorf("buried twice it was a %s", again.Text("formerType"))
	}
}

// spec: P38, P26
func TestReopen(t *testing.T) {
	s := secret(t, "Alice")
	p := sign(t, s, note("x"), Audience{Friends: true})
	if again, err := Reopen(p.Wire(), p.Version()); err != nil || len(again.audience.Members()) > 0 {
		t.Errorf("without its bto it is for %v, %v", again.audience.Members(), err)
	}
	for name, raw := range map[string][]byte{
		"another text": bytes.Replace(p.Wire(), []byte(`"x"`), []byte(`"y"`), 1), "unsigned": regexp.MustCompile(`"signature":"[^"]*",`).ReplaceAll(p.Wire(), nil),
	} {
		if _, err := Reopen(raw, p.Version()); err == nil {
			t.Errorf("%s is taken for what was verified", name)
		}
	}
}

func TestNewPositionsAscend(t *testing.T) {
	bits := bytes.NewReader(bytes.Repeat([]byte{0xff, 0, 0x5a}, 300))
	var all []string
	for i := range 50 {
		p, err := NewPosition(noon.Add(time.Duration(i)*time.Millisecond), bits)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePosition(string(p)); err != nil || !p.Time().Equal(noon.Add(time.Duration(i)*time.Millisecond)) || p.Stamp() != PositionAt(p.Time()) || p.Month() != "202611" {
			t.Errorf("%s: %v, %s", p, err, p.Time())
		}
		all = append(all, string(p))
	}
	if !slices.IsSorted(all) {
		t.Error("not ascending")
	}
	if _, err := NewPosition(noon, bytes.NewReader(nil)); err == nil {
		t.Error("made of no bits")
	}
}

// A member may have any name in ASCII, and none at all is one.
func TestEmptyName(t *testing.T) {
	me := secret(t, "Alice")
	d := NewDraft("Note")
	d.Set("content", "Hello")
	d.SetValue("", Value(`{"x":1}`))
	p := sign(t, me, d, Audience{Friends: true})
	file, err := p.File()
	if err != nil {
		t.Fatal(err)
	}
	wire, err := WireOf(file)
	if err != nil || !bytes.Equal(wire, p.Wire()) || !bytes.Contains(wire, []byte(`{"":{"x":1},`)) {
		t.Fatalf("%s, %v", wire, err)
	}
	for _, raw := range [][]byte{file, wire} {
		if again, err := OpenMine(raw, me.Certificate()); err != nil || again.Hash() != p.Hash() {
			t.Fatalf("of %s: %v", raw, err)
		}
	}
}
