package nearby

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// A Record is what an announcement says of who is announced (spec N3, N4):
// either fingerprint and name, or a salt and the hash of the fingerprint with
// it.
type Record struct {
	Fingerprint pgp.Fingerprint // "" in the announcement to friends
	Name        string          // as he calls himself, safe to show; may be ""
	salt, hash  string          // lower-case hexadecimal; "" in the announcement to everyone
}

// Names and sizes of what a record holds.
const (
	keyVersion, keySalt, keyHash, keyFingerprint, keyName = "v", "salt", "hash", "fpr", "name"

	version    = "1"
	saltSize   = 16
	maxName    = 128 // bytes; a string of a TXT record has 255
	maxStrings = 32
	maxString  = 255
)

var isSalt, isHash = text.NewPattern(`^[0-9a-f]{32}$`), text.NewPattern(`^[0-9a-f]{64}$`)

// openly is the record that everyone can read.
func openly(fpr pgp.Fingerprint, name string) Record {
	return Record{Fingerprint: fpr, Name: shown(name)}
}

// covertly is a record that only who knows the fingerprint recognises, with a
// salt of its own: two of them have nothing in common.
func covertly(fpr pgp.Fingerprint, rand io.Reader) (Record, error) {
	var salt [saltSize]byte
	if _, err := io.ReadFull(rand, salt[:]); err != nil {
		return Record{}, fmt.Errorf("a salt for the announcement: %w", err)
	}
	s := hex.EncodeToString(salt[:])
	return Record{salt: s, hash: hashOf(s, fpr)}, nil
}

// hashOf is the SHA-256 of three lines (spec N4):
//
//	printf 'p2ps-nearby\n%s\n%s\n' "$salt" "$fpr" | sha256sum
func hashOf(salt string, fpr pgp.Fingerprint) string {
	sum := sha256.Sum256([]byte("p2ps-nearby\n" + salt + "\n" + string(fpr) + "\n"))
	return hex.EncodeToString(sum[:])
}

// Is tells whether the record says that it is of the owner of that fingerprint.
func (r Record) Is(fpr pgp.Fingerprint) bool {
	if r.hash == "" {
		return r.Fingerprint != "" && r.Fingerprint == fpr
	}
	return subtle.ConstantTimeCompare([]byte(r.hash), []byte(hashOf(r.salt, fpr))) == 1
}

// members are what stands in the TXT record.
func (r Record) members() map[string]string {
	if r.hash != "" {
		return map[string]string{keyVersion: version, keySalt: r.salt, keyHash: r.hash}
	}
	m := map[string]string{keyVersion: version, keyFingerprint: string(r.Fingerprint)}
	if r.Name != "" {
		m[keyName] = r.Name
	}
	return m
}

// recordOf reads the members of a TXT record, which are anybody's. Unknown ones
// are ignored, so that version 1 can grow.
//
// Errors: errRecord.
func recordOf(m map[string]string) (Record, error) {
	if len(m) > maxStrings {
		return Record{}, invalid("%d members", len(m))
	}
	for key, value := range m {
		if len(key)+1+len(value) > maxString {
			return Record{}, invalid("a member of %d bytes", len(key)+1+len(value))
		}
	}
	if m[keyVersion] != version {
		return Record{}, invalid("version %.20q", m[keyVersion])
	}
	fingerprint, open := m[keyFingerprint]
	salt, salted := m[keySalt]
	hash, hashed := m[keyHash]
	switch {
	case open && (salted || hashed):
		return Record{}, invalid("it has a fingerprint and a hash")
	case open:
		fpr, err := pgp.ParseFingerprint(fingerprint)
		if err != nil || string(fpr) != fingerprint {
			return Record{}, invalid("the fingerprint %.80q", fingerprint)
		}
		return openly(fpr, m[keyName]), nil
	case !isSalt.MatchString(salt):
		return Record{}, invalid("the salt %.80q", salt)
	case !isHash.MatchString(hash):
		return Record{}, invalid("the hash %.80q", hash)
	}
	return Record{salt: salt, hash: hash}, nil
}

// shown makes a name fit to be shown and sent: what is safe on a terminal, of at
// most maxName bytes.
func shown(name string) string {
	name = text.PetName(strings.ToValidUTF8(name, ""))
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = text.PetName(name[:len(name)-size])
	}
	return name
}
