package post

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/testdata/vectors"
)

// flaws names the errors in the words of the vectors: the first whose sentinel
// and text both fit.
var flaws = []struct {
	err        error
	text, word string
}{
	{ErrAudience, "", "audience"},
	{ErrTooLarge, "", "size"},
	{ErrAuthor, "", "author"},
	{ErrUnsigned, "", "member"},
	{ijson.ErrDepth, "", "depth"},
	{ijson.ErrCase, "", "case"},
	{ijson.ErrPortable, "U+007F", "del"},
	{ijson.ErrPortable, "the name", "name"},
	{ijson.ErrPortable, "the number", "number"},
	{ijson.ErrSyntax, "duplicate object member name", "doubled"},
	{ijson.ErrSyntax, "invalid UTF-8", "utf8"},
	{ijson.ErrSyntax, "surrogate", "utf8"},
	{ErrInvalid, "the time", "time"},
	{ErrInvalid, "published is missing", "member"},
	{ErrInvalid, "revision", "revision"},
	{ErrInvalid, "signature is", "signature"},
	{ErrInvalid, "", "member"},
	{ErrID, "", "id"},
	{ijson.ErrSyntax, "", "json"},
}

func flaw(err error) string {
	for _, f := range flaws {
		if errors.Is(err, f.err) && strings.Contains(err.Error(), f.text) {
			return "refused " + f.word
		}
	}
	return "refused, but why: " + err.Error()
}

func judge(err error) string {
	if err != nil {
		return flaw(err)
	}
	return "accepted"
}

func TestVectorsCanonical(t *testing.T) {
	vectors.Run(t, "canonical", func(_ *testing.T, c vectors.Case) string {
		p, err := read(c.Input)
		if err != nil {
			return flaw(err)
		}
		return fmt.Sprintf("canonical %x %d", p.hash, len(p.signed))
	})
}

func TestVectorsShape(t *testing.T) {
	vectors.Run(t, "shape", func(_ *testing.T, c vectors.Case) string {
		_, err := received(c.Input)
		if c.Name == "no-revision" { // 0 and absent are one to a program of ours
			return strings.Replace(judge(err), "revision", "member", 1)
		}
		return judge(err)
	})
}

func TestVectorsReceived(t *testing.T) {
	vectors.Run(t, "received", func(_ *testing.T, c vectors.Case) string {
		_, err := received(c.Input)
		return judge(err)
	})
}

func TestVectorsAudience(t *testing.T) {
	vectors.Run(t, "audience", func(_ *testing.T, c vectors.Case) string {
		p, err := read(c.Input)
		if err != nil || p.audienceErr != nil {
			return "only me, damaged"
		}
		return say(p.audience)
	})
}

func say(a Audience) string {
	var words []string
	for _, m := range a.Members() {
		switch {
		case m == public:
			m = "public"
		case strings.HasPrefix(m, "openpgp4fpr:"):
			m = "reader " + strings.TrimPrefix(m, "openpgp4fpr:")
		case m != friends:
			m = "group " + m
		}
		words = append(words, m)
	}
	if len(words) == 0 {
		return "only me"
	}
	return strings.Join(words, ", ")
}

func TestVectorsVisible(t *testing.T) {
	vectors.Run(t, "visible", func(t *testing.T, c vectors.Case) string {
		var in struct {
			Position Position `json:"position"`
			To       Value    `json:"to"`
			Bto      Value    `json:"bto"`
			Reader   struct {
				Fingerprint pgp.Fingerprint     `json:"fingerprint"`
				Friend      bool                `json:"friend"`
				Blocked     bool                `json:"blocked"`
				History     Position            `json:"history"`
				Groups      map[string]Position `json:"groups"`
			} `json:"reader"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		a, err := parseAudience(in.To, in.Bto)
		if err != nil {
			t.Fatal(err)
		}
		history := func(p Position) Position {
			if p == "all" {
				return ""
			}
			return p
		}
		g := Grants{Reader: in.Reader.Fingerprint, Friend: in.Reader.Friend && !in.Reader.Blocked, Since: history(in.Reader.History),
			Groups: map[string]Position{}}
		for name, p := range in.Reader.Groups {
			g.Groups[name] = history(p)
		}
		if Visible(a, g, in.Position) {
			return "visible"
		}
		return "hidden"
	})
}

func TestVectorsPosition(t *testing.T) {
	vectors.Run(t, "position", func(_ *testing.T, c vectors.Case) string {
		id, err := ParseID(string(c.Input))
		if err == nil && id.String() != string(c.Input) {
			return "read as " + id.String()
		}
		return judge(err)
	})
}

func TestVectorsChoose(t *testing.T) {
	type text struct {
		Revision int64  `json:"revision"`
		SHA256   string `json:"sha256"`
		Updated  string `json:"updated"`
	}
	standing := func(t *testing.T, x text) Standing {
		s := Standing{Revision: x.Revision, Updated: x.Updated}
		if n, err := hex.Decode(s.Hash[:], []byte(x.SHA256)); err != nil || n != len(s.Hash) {
			t.Fatalf("%q is no hash: %v", x.SHA256, err)
		}
		return s
	}
	vectors.Run(t, "choose", func(t *testing.T, c vectors.Case) string {
		var in struct {
			A text `json:"a"`
			B text `json:"b"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		a, b := standing(t, in.A), standing(t, in.B)
		switch { // whichever came first
		case a.Beats(b) && !b.Beats(a):
			return "a"
		case b.Beats(a) && !a.Beats(b):
			return "b"
		}
		return "neither"
	})
}

func TestVectorsLine(t *testing.T) {
	vectors.Run(t, "line", func(t *testing.T, c vectors.Case) string {
		p, err := received(c.Input)
		if err != nil {
			t.Fatal(err)
		}
		return p.Version().String()
	})
}

func TestVectorsPost(t *testing.T) {
	words := []struct {
		err  error
		word string
	}{
		{ErrAudience, "audience"}, {ErrAuthor, "author"}, {ErrInvalid, "member"}, {pgp.ErrWeak, "weak"}, {pgp.ErrContext, "context"}, {pgp.ErrRevoked, "revoked"},
		{pgp.ErrExpired, "expired"}, {pgp.ErrSignature, "signature"}, {pgp.ErrMalformed, "malformed"},
	}
	vectors.Run(t, "post", func(t *testing.T, c vectors.Case) string {
		data, err := base64.StdEncoding.DecodeString(c.Get("certificate"))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := pgp.ParseCertificate(data)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(c.Input, cert)
		for _, w := range words {
			if errors.Is(err, w.err) {
				return "refused " + w.word
			}
		}
		switch {
		case err != nil:
			return err.Error()
		case p.Revoked():
			return "accepted, revoked"
		}
		return "accepted"
	})
}

func TestVectorsCounts(t *testing.T) {
	vectors.Run(t, "counts", func(t *testing.T, c vectors.Case) string {
		var in struct {
			Question Value `json:"question"`
			Answer   Value `json:"answer"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		question, err := received(in.Question)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := received(in.Answer)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Counts(question) {
			return "counts"
		}
		return "does not count"
	})
}
