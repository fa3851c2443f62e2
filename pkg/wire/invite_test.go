package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/testdata/vectors"
)

func TestVectorsInvite(t *testing.T) {
	vectors.Run(t, "invite", func(t *testing.T, c vectors.Case) string {
		i, err := ParseInvite(string(c.Input))
		switch {
		case errors.Is(err, ErrVersion):
			return "refused version"
		case errors.Is(err, ErrInvite):
			return "refused invite"
		case err != nil:
			return err.Error()
		}
		if again := i.String(); again != string(c.Input) {
			t.Errorf("it is written as %q", again)
		}
		token := i.Token
		if token == "" {
			token = "-"
		}
		return strings.Join(append([]string{string(i.Fingerprint), token}, i.Addresses...), " ")
	})
}

// What has no form in a link is not put into one.
//
// spec: I4
func TestHasPlace(t *testing.T) {
	for address, want := range map[string]bool{
		"http://host": true, "http://host:7117": true, "https://host": true, "https://host:443": true, "http://[2001:db8::7]:7117": true,
		"http://Host.Example:7117": true, "https://host:8443": false, "http://host:443": false, "http://a_b:7117": false, "": false, "x": false,
		"http://[fe80::1%25eth0]:7117": false, "ftp://host": false, "http://host:0": false,
	} {
		if got := HasPlace(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if got := (Invite{Fingerprint: "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D", Addresses: []string{"https://host:8443"}}).String(); got != "" {
		t.Errorf("got %q", got)
	}
}

// A token is 128 bits, and read as it is written.
//
// spec: I3
func TestToken(t *testing.T) {
	for _, random := range [][16]byte{{}, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, {1, 2, 3}} {
		if token := Token(random); len(token) != 26 || !isToken(token) {
			t.Errorf("%v is %q", random, token)
		}
	}
}

// FuzzInvite: what is read as an invite is written as it was read, in capitals,
// and every address in it is one that a request may name.
func FuzzInvite(f *testing.F) {
	for _, c := range vectors.Read(f, "invite") {
		f.Add(string(c.Input))
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInvite(s)
		if err != nil {
			return
		}
		if again := i.String(); again != s || strings.ToUpper(s) != s || len(s) > MaxInvite {
			t.Fatalf("%q is read as %+v and written as %q", s, i, again)
		}
		if i.Token == "" && len(i.Addresses) > MaxAddresses || i.Token != "" && len(i.Addresses) == 0 {
			t.Fatalf("%q leads to %v", s, i.Addresses)
		}
		for _, a := range i.Addresses {
			if !addressPattern.MatchString(a) {
				t.Fatalf("%q leads to %q", s, a)
			}
		}
	})
}
