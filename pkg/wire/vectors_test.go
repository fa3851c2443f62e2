package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/testdata/vectors"
)

func TestVectorsAfter(t *testing.T) {
	vectors.Run(t, "after", func(_ *testing.T, c vectors.Case) string {
		q := Question{Kind: KindPosts}
		if err := (&request{After: ijson.Quote(string(c.Input))}).read(&q); err != nil {
			return code(err)
		}
		p, err := ParseAfter(q.After)
		if err != nil {
			return code(err)
		}
		return "[" + string(p) + "]"
	})
}

func TestVectorsPadding(t *testing.T) {
	vectors.Run(t, "padding", func(t *testing.T, c vectors.Case) string {
		n, err := strconv.Atoi(string(c.Input))
		if err != nil {
			t.Fatal(err)
		}
		return strconv.Itoa(Size(n))
	})
}

func TestVectorsDigest(t *testing.T) {
	vectors.Run(t, "digest", func(t *testing.T, c vectors.Case) string {
		var lines []post.Version
		for s := range strings.Lines(string(c.Input)) {
			v, err := ParseLine(strings.TrimSuffix(s, "\n"))
			if err != nil || v.String()+"\n" != s {
				t.Fatalf("%q is read as %q: %v", s, v, err)
			}
			lines = append(lines, v)
		}
		slices.SortFunc(lines, func(a, b post.Version) int { return strings.Compare(a.String(), b.String()) })
		months := SumMonths(slices.Values(lines))
		var out strings.Builder
		for _, m := range months {
			if again, err := ParseMonth(m.String()); err != nil || again != m {
				t.Errorf("%q is read as %q: %v", m, again, err)
			}
			out.WriteString(m.String() + "\n")
		}
		count, digest := months.Digest()
		return fmt.Sprintf("%s%d %s", &out, count, digest)
	})
}

// code is the code of the sealed answer to a request with this fault.
func code(err error) string {
	for _, e := range []struct {
		err  error
		code string
	}{{ErrVersion, CodeVersion}, {ErrKind, CodeKind}, {ErrClock, CodeClock}, {ErrInvalid, CodeInvalid}} {
		if errors.Is(err, e.err) {
			return "error " + e.code
		}
	}
	return "no code for " + err.Error()
}

// What the memory of the server decides, replays, is tested where it is: in
// pkg/home.
func TestVectorsRequest(t *testing.T) {
	vectors.Run(t, "request", func(t *testing.T, c vectors.Case) string {
		now, err := post.ParseTime(c.Get("now"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := readRequest(c.Input)
		if err != nil {
			return "refused"
		}
		if _, err := r.Question(pgp.Fingerprint(c.Get("me")), now); err != nil {
			return code(err)
		}
		if c.Expect() == "error replay" {
			return c.Expect()
		}
		return "accepted"
	})
}

func TestVectorsAnswer(t *testing.T) {
	vectors.Run(t, "answer", func(_ *testing.T, c vectors.Case) string {
		s := Sent{re: c.Get("re"), kind: c.Get("kind")}
		m, at, err := readAnswer(c.Input)
		if err == nil {
			_, err = s.accept(m, at, pgp.Fingerprint(c.Get("asker")), pgp.Fingerprint(c.Get("owner")))
		}
		switch {
		case err == nil:
			return "accepted"
		case errors.Is(err, ErrBinding):
			return "refused binding"
		case errors.Is(err, ErrVersion):
			return "refused version"
		case errors.Is(err, ijson.ErrCase):
			return "refused case"
		case errors.Is(err, ErrInvalid), errors.Is(err, ijson.ErrSyntax):
			return "refused member"
		}
		return err.Error()
	})
}

func TestVectorsPart(t *testing.T) {
	vectors.Run(t, "part", func(t *testing.T, c vectors.Case) string {
		offset, err := strconv.ParseInt(c.Get("offset"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s := Sent{re: c.Get("re"), kind: c.Get("kind"), offset: offset}
		m, at, part, err := readPartAnswer(c.Input)
		var a Answer
		if err == nil {
			a, err = s.accept(m, at, pgp.Fingerprint(c.Get("asker")), pgp.Fingerprint(c.Get("owner")))
		}
		if err == nil && a.Kind == KindError {
			return "error " + a.Code
		}
		if err == nil {
			a.Part, err = s.readPart(part)
		}
		switch {
		case err == nil:
			return fmt.Sprintf("accepted %d of %d: %s", a.Part.Offset, a.Part.Size, strings.ReplaceAll(string(a.Part.Data), "\n", `\n`))
		case errors.Is(err, ErrBinding):
			return "refused binding"
		case errors.Is(err, ErrInvalid), errors.Is(err, ijson.ErrSyntax):
			return "refused member"
		}
		return err.Error()
	})
}

// fault names an error of a sealed message in the words of the vectors.
func fault(err error) string {
	for _, e := range []struct {
		err  error
		word string
	}{
		{pgp.ErrNoEncryption, "encryption"}, {pgp.ErrWeak, "weak"}, {pgp.ErrLimit, "limit"}, {pgp.ErrContext, "context"}, {pgp.ErrRecipient, "recipient"},
		{pgp.ErrRevoked, "revoked"}, {pgp.ErrExpired, "expired"}, {pgp.ErrSignature, "signature"}, {ErrInvalid, "member"}, {ErrBinding, "binding"}, {pgp.ErrMalformed, "malformed"},
	} {
		if errors.Is(err, e.err) {
			return "refused " + e.word
		}
	}
	return err.Error()
}

func moment(t *testing.T, c vectors.Case) time.Time {
	t.Helper()
	now, err := post.ParseTime(c.Get("now"))
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func TestVectorsSealedRequest(t *testing.T) {
	vectors.Run(t, "sealed-request", func(t *testing.T, c vectors.Case) string {
		now := moment(t, c)
		r, err := OpenRequest(c.Input, key(t, c.Get("recipient")))
		if err != nil {
			return fault(err)
		}
		cert, err := r.Certificate(nil)
		if err == nil {
			err = r.Verify(cert, now)
		}
		if err == nil {
			err = cert.Usable(now)
		}
		if err != nil {
			return fault(err)
		}
		return "accepted"
	})
}

func TestVectorsSealedAnswer(t *testing.T) {
	vectors.Run(t, "sealed-answer", func(t *testing.T, c vectors.Case) string {
		data, err := base64.StdEncoding.DecodeString(c.Get("certificate"))
		if err != nil {
			t.Fatal(err)
		}
		owner, err := pgp.ParseCertificate(data)
		if err != nil {
			t.Fatal(err)
		}
		s := Sent{re: c.Get("re"), kind: c.Get("kind")}
		if _, err := s.OpenAnswer(c.Input, Party{key(t, c.Get("asker")), owner}, moment(t, c)); err != nil {
			return fault(err)
		}
		return "accepted"
	})
}
