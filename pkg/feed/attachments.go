package feed

import (
	"fmt"
	"strings"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// Attachments is the folder of the files that posts name, each under its
// SHA-256: attachments/ab/<sha256>.
const Attachments = "attachments"

// Attachment is where a file lies. The hash must be one: 64 digits of lower-case
// hexadecimal.
func Attachment(sha256 string) string { return Attachments + "/" + sha256[:2] + "/" + sha256 }

// Arriving is where a file lies while it comes from somebody: under a dot name,
// in parts that were verified, until its hash is found right. Each has a place of
// his own, so that nobody spoils what comes from another.
func Arriving(sha256 string, from pgp.Fingerprint) string {
	return fmt.Sprintf("%s/%s/.%s.%s.part", Attachments, sha256[:2], sha256, from)
}

// ParseArriving reads the hash out of the name of a file that is on its way.
func ParseArriving(name string) (sha256 string, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 4 || parts[0] != "" || parts[3] != "part" {
		return "", false
	}
	_, err := pgp.ParseFingerprint(parts[2])
	return parts[1], err == nil && len(parts[1]) == 64
}
