package post

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/testdata/vectors"
)

// FuzzPost: what is read as a post keeps its meaning whenever it is read again,
// as it travels and as a file, and is never wider than it was.
func FuzzPost(f *testing.F) {
	for _, folder := range []string{"canonical", "shape", "received", "audience", "line", "post"} {
		for _, c := range vectors.Read(f, folder) {
			f.Add(c.Input)
		}
	}
	cert := secret(f, "Alice").Certificate()
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parse(raw)
		if err != nil {
			if _, open := OpenMine(raw, cert); open == nil {
				t.Fatal("opened, though it is not read")
			}
			return
		}
		if _, err := Open(raw, cert); err == nil {
			t.Fatal("verified with a key that never signed")
		}
		wire, err := received(p.Wire())
		if err == nil && (wire.Version() != p.Version() || len(wire.audience.private()) > 0) {
			t.Fatalf("%s travels as %s, for %v", p.Version(), wire.Version(), wire.audience)
		}
		file, err := p.File()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(file)
		if err != nil || again.Version() != p.Version() || !slices.Equal(again.audience.Members(), p.audience.Members()) {
			t.Fatalf("the file %s is read as %v: %v", file, again, err)
		}
		if bytes.ContainsAny(file, "\x1b\x7f\u0080\u009b\u202e\u2066") {
			t.Fatalf("the file holds what a terminal obeys: %q", file)
		}
	})
}

// FuzzID: an id is read in one form only, and makes a name without surprises.
func FuzzID(f *testing.F) {
	for _, c := range vectors.Read(f, "position") {
		f.Add(string(c.Input))
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		if id.String() != s || strings.ContainsAny(string(id.Position), "/\\.\x00") || len(id.Position) != 32 {
			t.Fatalf("%q is read as %q", s, id)
		}
		if at := PositionAt(id.Position.Time()); len(at) < 18 || id.Position.Month() != s[strings.Index(s, "/")+1:][:6] {
			t.Fatalf("%q: month %s, time %s", s, id.Position.Month(), at)
		}
	})
}

// FuzzAudience: an audience is read in one form only; damaged it is nobody's.
func FuzzAudience(f *testing.F) {
	for _, c := range vectors.Read(f, "audience") {
		f.Add(c.Input)
	}
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(`{"bto":["family"]}`))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := read(raw)
		if err != nil {
			return
		}
		a := p.audience
		if p.audienceErr != nil && len(a.Members()) > 0 {
			t.Fatalf("%s is damaged and for %v", raw, a)
		}
		if back, err := AudienceOf(a.Members()); err != nil || !slices.Equal(back.Members(), a.Members()) {
			t.Fatalf("%v is read as %v: %v", a, back, err)
		}
		stranger := Grants{Reader: pgp.Fingerprint(strings.Repeat("0", 40))}
		if Visible(a, stranger, "20261122-123456789-k3q5vx2m4f7da") != a.Public {
			t.Fatalf("%s: a stranger", raw)
		}
		var to []string
		if a.Public && (ijson.UnmarshalTrusted(p.doc.To, &to) != nil || !slices.Equal(to, []string{public})) {
			t.Fatalf("%s is public", raw)
		}
	})
}
