package pgp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/testdata/vectors"
)

// The vectors whose bytes are OpenPGP are made here, because only here hostile
// ones can be made. They are made once and committed: go test ./pkg/pgp -update
// makes them anew, with the keys of testdata/keys, which it makes if they are
// missing.
var update = flag.Bool("update", false, "make the vectors with OpenPGP in them anew")

const (
	vectorRoot = "../../testdata/vectors/"
	vectorKeys = "../../testdata/keys/"
)

// A vector is one case to be written.
type vector struct {
	name, rule, expect, why string
	extra                   string // further headers, each with its line feed
	input                   []byte
}

func (v vector) bytes() []byte {
	head := fmt.Sprintf("rule: %s\nexpect: %s\nwhy: %s\n%s\n", v.rule, v.expect, v.why, v.extra)
	return append([]byte(head), v.input...)
}

// folders are those made here, each by a function of its own.
func folders(t *testing.T) map[string][]vector {
	return map[string][]vector{
		"post": postVectors(t), "sealed-request": requestVectors(t), "sealed-answer": answerVectors(t), "certificate": certificateVectors(t), "merge": mergeVectors(t),
	}
}

// What is committed is what is made here: the same cases with the same
// expectations, though with other random bytes.
func TestVectorsAreMadeHere(t *testing.T) {
	for folder, all := range folders(t) {
		if *update {
			writeVectors(t, folder, all)
		}
		want := map[string]string{}
		for _, v := range all {
			if _, twice := want[v.name]; twice {
				t.Errorf("%s/%s is made twice", folder, v.name)
			}
			want[v.name] = v.rule + "\n" + settled(v.expect) + "\n" + v.why
		}
		for _, c := range vectors.Read(t, folder) {
			if got := c.Get("rule") + "\n" + settled(c.Expect()) + "\n" + c.Get("why"); got != want[c.Name] {
				t.Errorf("%s/%s says\n%s\nand is made with\n%s", folder, c.Name, got, want[c.Name])
			}
			delete(want, c.Name)
		}
		for name := range want {
			t.Errorf("%s/%s is missing: go test ./pkg/pgp -update", folder, name)
		}
	}
}

// settled leaves out what is another for each making: a new key's fingerprint.
func settled(expect string) string {
	word, rest, _ := strings.Cut(expect, " ")
	if word == "accepted" && strings.Contains(rest, " ") {
		return word
	}
	return expect
}

func writeVectors(t *testing.T, folder string, all []vector) {
	t.Helper()
	dir := filepath.Join(vectorRoot, folder)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if err := os.WriteFile(filepath.Join(dir, v.name), v.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// vectorKey reads a committed test key, and makes it where it is missing.
func vectorKey(t *testing.T, name string) *Secret {
	t.Helper()
	path := vectorKeys + strings.ToLower(name) + ".asc"
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && *update {
		s := must(Generate("Test key of p2ps, "+name+" (worthless)", strings.ToLower(name)+"@example.org", noon))(t)
		data = must(s.Primary(nil))(t)
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return must(ParseSecret(data, nil))(t)
}

func certificateHeader(c *Certificate) string {
	return "certificate: " + base64.StdEncoding.EncodeToString(c.Bytes()) + "\n"
}

// word names an error in the words of the vectors.
func word(err error) string {
	for _, e := range []struct {
		err  error
		word string
	}{
		{nil, "accepted"}, {ErrWeak, "refused weak"}, {ErrLimit, "refused limit"}, {ErrContext, "refused context"}, {ErrRecipient, "refused recipient"},
		{ErrRevoked, "refused revoked"}, {ErrExpired, "refused expired"}, {ErrSecret, "refused secret"}, {ErrOtherKey, "refused other-key"},
		{ErrSignature, "refused signature"}, {ErrMalformed, "refused malformed"},
	} {
		if errors.Is(err, e.err) {
			return e.word
		}
	}
	return err.Error()
}

func TestVectorsFingerprint(t *testing.T) {
	vectors.Run(t, "fingerprint", func(_ *testing.T, c vectors.Case) string {
		if fpr, err := ParseFingerprint(string(c.Input)); err != nil || string(fpr) != string(c.Input) {
			return "refused fingerprint"
		}
		return "accepted"
	})
}

func TestVectorsCertificate(t *testing.T) {
	vectors.Run(t, "certificate", func(_ *testing.T, c vectors.Case) string {
		cert, err := ParseCertificate(c.Input)
		if err != nil {
			return word(err)
		}
		return fmt.Sprintf("accepted %s %d", cert.Fingerprint(), len(cert.Bytes()))
	})
}

func TestVectorsMerge(t *testing.T) {
	vectors.Run(t, "merge", func(t *testing.T, c vectors.Case) string {
		held := must(ParseCertificate(must(base64.StdEncoding.DecodeString(c.Get("certificate")))(t)))(t)
		came := must(ParseCertificate(c.Input))(t)
		merged, err := held.Merge(came)
		if err != nil {
			return word(err)
		}
		if err := merged.Usable(noon); err != nil {
			return strings.Replace(word(err), "refused", "merged,", 1)
		}
		if bytes.Equal(merged.Bytes(), held.Bytes()) {
			return "merged, nothing new"
		}
		return "merged"
	})
}

func hexSum(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
