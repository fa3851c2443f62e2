package pgp

import (
	"strings"
	"testing"
)

func TestParseFingerprint(t *testing.T) {
	v4, v6 := strings.Repeat("0A", 20), strings.Repeat("9F", 32)
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"v4", v4, nil},
		{"v6", v6, nil},
		{"empty", "", ErrMalformed},
		{"key id", v4[:16], ErrMalformed},
		{"lower case", strings.ToLower(v4), ErrMalformed},
		{"spaces as gpg prints them", strings.Repeat("0A0A ", 8), ErrMalformed},
		{"0x in front", "0x" + v4[:38], ErrMalformed},
		{"a letter after F", v4[:39] + "G", ErrMalformed},
		{"one digit too many", v4 + "0", ErrMalformed},
		{"line end", v4[:39] + "\n", ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := ParseFingerprint(c.in)
			wantError(t, err, c.want)
			if want := c.in; err == nil && string(f) != want {
				t.Errorf("got %q, want %q", f, want)
			}
		})
	}
}

func TestParseURI(t *testing.T) {
	f := Fingerprint(strings.Repeat("0A", 20))
	got, err := ParseURI(f.URI())
	if err != nil || got != f {
		t.Errorf("got %q, %v", got, err)
	}
	for _, in := range []string{string(f), "OPENPGP4FPR:" + string(f), "openpgp4fpr: " + string(f), "openpgp4fpr:" + strings.ToLower(string(f)), f.URI() + "#x"} {
		_, err := ParseURI(in)
		wantError(t, err, ErrMalformed)
	}
}
