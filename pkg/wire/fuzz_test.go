package wire

import (
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/testdata/vectors"
)

// FuzzRequest: no literal of a stranger makes the server fail, and what comes
// out keeps the limits.
func FuzzRequest(f *testing.F) {
	for _, c := range vectors.Read(f, "request") {
		f.Add(c.Input)
	}
	const me = pgp.Fingerprint("6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D")
	f.Fuzz(func(t *testing.T, literal []byte) {
		r, err := readRequest(literal)
		if err != nil {
			return
		}
		if _, err := pgp.ParseFingerprint(string(r.From)); err != nil || len(r.key) == 0 || len(r.key) > maxKey || r.Time.IsZero() && !strings.Contains(string(literal), "0001-01-01") {
			t.Fatalf("from %q at %s with %d bytes of key", r.From, r.Time, len(r.key))
		}
		q, err := r.Question(me, noon)
		if err != nil {
			return
		}
		if len(q.Want)+len(q.Have) > MaxIDs || len(q.Months) > MaxMonths || len(r.Nonce) != 32 || noon.Sub(r.Time).Abs() > ClockSkew {
			t.Fatalf("%+v, nonce %q, at %s", q, r.Nonce, r.Time)
		}
		if q.Kind == KindHello && (q.Addresses == nil || len(q.Name) > MaxName || q.Token != "" && !isToken(q.Token)) {
			t.Fatalf("%+v", q)
		}
		if q.Kind == KindManifest && q.Check() != nil {
			t.Fatalf("%+v: %v", q, q.Check())
		}
	})
}

// FuzzAnswer: no literal of an owner makes the reader fail.
func FuzzAnswer(f *testing.F) {
	for _, c := range vectors.Read(f, "answer") {
		f.Add(c.Input, c.Get("kind"), c.Get("re"))
	}
	const asker, owner = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334", "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"
	f.Fuzz(func(t *testing.T, literal []byte, kind, re string) {
		m, at, err := readAnswer(literal)
		if err != nil {
			return
		}
		a, err := (&Sent{re: re, kind: kind}).accept(m, at, asker, owner)
		if err != nil {
			return
		}
		if m.From != owner || m.To != asker || m.Re != re || a.Kind != kind && a.Kind != KindError {
			t.Fatalf("%s is taken", literal)
		}
		if a.Kind == KindPosts && !a.More && (a.Count == nil || a.Digest == "") {
			t.Fatalf("%s is a last page without figures", literal)
		}
		if a.Ask != nil {
			v, err := a.Ask.encode()
			if err != nil {
				t.Fatalf("what is asked back cannot be written: %v", err)
			}
			if again, err := readAsk(v); err != nil || again.Kind != a.Ask.Kind || again.After != a.Ask.After || len(again.Want) != len(a.Ask.Want) ||
				(again.File == nil) != (a.Ask.File == nil) || again.File != nil && *again.File != *a.Ask.File {
				t.Fatalf("%s is read as %+v, %v", v, again, err)
			}
		}
		if len(a.Addresses) > MaxAddresses || len(a.Name) > MaxName {
			t.Fatalf("%d addresses, a name of %d bytes", len(a.Addresses), len(a.Name))
		}
		for _, item := range a.Items {
			if !ijson.Value(item).IsValid() {
				t.Fatalf("an item is %q", item)
			}
		}
	})
}

// FuzzLines: a line is read in one form only.
func FuzzLines(f *testing.F) {
	for _, c := range vectors.Read(f, "digest") {
		for s := range strings.Lines(string(c.Input)) {
			f.Add(strings.TrimSuffix(s, "\n"))
		}
		for _, s := range c.Header["expect"] {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseLine(s); err == nil && v.String() != s {
			t.Fatalf("%q is read as %q", s, v)
		}
		if m, err := ParseMonth(s); err == nil && m.String() != s {
			t.Fatalf("the month %q is read as %q", s, m)
		}
	})
}

// FuzzAfter: every place that after names is one that positions compare with.
func FuzzAfter(f *testing.F) {
	for _, c := range vectors.Read(f, "after") {
		f.Add(string(c.Input))
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseAfter(s)
		if err == nil && s != "" && len(p) != 18 && len(p) != 32 {
			t.Fatalf("%q is %q", s, p)
		}
	})
}

// FuzzPart: what is taken of an answer with a part of a file lies within it, and
// within the file.
func FuzzPart(f *testing.F) {
	for _, c := range vectors.Read(f, "part") {
		f.Add(c.Input)
	}
	f.Fuzz(func(t *testing.T, literal []byte) {
		m, _, part, err := readPartAnswer(literal)
		if err != nil || m.Kind != KindAttachment {
			return
		}
		s := Sent{offset: 3}
		if p, err := s.readPart(part); err == nil && (p.Offset != 3 || p.Offset+int64(len(p.Data)) > p.Size || len(p.Data) > len(literal)) {
			t.Errorf("%d bytes from %d on, of %d", len(p.Data), p.Offset, p.Size)
		}
	})
}
