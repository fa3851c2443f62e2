package pgp

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A Fingerprint names a person: the full fingerprint of the primary key in
// upper-case hexadecimal, 40 digits (v4) or 64 (v6). Never a key id.
type Fingerprint string

const uriScheme = "openpgp4fpr:"

// ParseFingerprint takes the exact form only: no spaces, no lower case, no 0x.
func ParseFingerprint(s string) (Fingerprint, error) {
	if len(s) != 40 && len(s) != 64 {
		return "", fmt.Errorf("fingerprint of %d digits, not 40 or 64: %w", len(s), ErrMalformed)
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return "", fmt.Errorf("fingerprint %q is not upper-case hexadecimal: %w", s, ErrMalformed)
		}
	}
	return Fingerprint(s), nil
}

// ParseURI takes the form that [Fingerprint.URI] gives, and no other.
func ParseURI(s string) (Fingerprint, error) {
	digits, ok := strings.CutPrefix(s, uriScheme)
	if !ok {
		return "", fmt.Errorf("%q does not begin with %s: %w", s, uriScheme, ErrMalformed)
	}
	return ParseFingerprint(digits)
}

// URI is the fingerprint as it stands in posts: openpgp4fpr:<FINGERPRINT>.
func (f Fingerprint) URI() string { return uriScheme + string(f) }

func fingerprintOf(b []byte) Fingerprint {
	return Fingerprint(strings.ToUpper(hex.EncodeToString(b)))
}
