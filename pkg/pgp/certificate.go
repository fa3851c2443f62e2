package pgp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Certificate is somebody's public key: the primary key, names, subkeys, and
// what the primary key itself signed about them. It never changes.
type Certificate struct {
	primary *component
	ids     []*component // in the order they were met
	subkeys []*component
	keys    []*component // the primary key, then the subkeys
	bytes   []byte       // all of it, as packets
}

// A component is the primary key, a user id or a subkey, with the signatures
// of the primary key about it, each verified, in the order they were met.
type component struct {
	tag  byte
	body []byte            // of its packet
	raw  []byte            // its packet
	key  *packet.PublicKey // nil for a user id
	sigs []*selfSignature

	ed25519 *ed25519Key // key, to verify with; nil if it is of another algorithm
}

// A selfSignature is a verified signature of the primary key.
type selfSignature struct {
	raw []byte // its packet
	*packet.Signature
}

// ParseCertificate reads exactly one certificate, binary (at most 64 KiB) or
// armored (at most 96 KiB, lines of at most 1,000 bytes). It keeps, of
// each component, the revocations, the newest three self-signatures and the
// oldest, as far as they verify; signatures of others, photos, and subkeys of
// unknown or weak kinds are left out.
//
// ErrSecret if it is a secret key; ErrLimit for more than 32 user ids, user ids
// over 1 KiB, more than 16 subkeys or 256 self-signatures, or if what must be
// verified costs more than 96 verifications of Ed25519 (16 of P-384); ErrWeak for
// DSA, ElGamal, secp256k1, brainpool, RSA outside 2048–8192 bits or nothing but
// SHA-1 to prove the name; else ErrMalformed.
func ParseCertificate(data []byte) (*Certificate, error) {
	c, err := parseCertificate(data, nil)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return c, nil
}

func parseCertificate(data []byte, known *Certificate) (*Certificate, error) {
	packets, kind, err := dearmor(data)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "", armorPublic:
		return readCertificate(packets, known)
	case armorSecret:
		return nil, ErrSecret
	}
	return nil, fmt.Errorf("a %s: %w", kind, ErrMalformed)
}

// Fingerprint names the person: the primary key's fingerprint.
func (c *Certificate) Fingerprint() Fingerprint { return fingerprintOf(c.primary.key.Fingerprint) }

// UserID is the newest user id that is not revoked, raw: it may hold anything,
// so sanitise it before it is shown. A v6 certificate may have none ("").
func (c *Certificate) UserID() string {
	if id := c.newestID(); id != nil {
		return string(id.body)
	}
	return ""
}

// Name is the part of the UserID before the address; raw, may be empty.
func (c *Certificate) Name() string {
	name, _ := splitUserID(c.UserID())
	return name
}

// Email is the address in the UserID; raw, may be empty.
func (c *Certificate) Email() string {
	_, email := splitUserID(c.UserID())
	return email
}

// Created is when the primary key was made, as its owner says.
func (c *Certificate) Created() time.Time { return c.primary.key.CreationTime.UTC() }

// Algorithm is the primary key's: ed25519, rsa4096, nistp256 and so on.
func (c *Certificate) Algorithm() string { return algorithmName(c.primary.key) }

// Bytes is the certificate as binary packets, each as it was met.
func (c *Certificate) Bytes() []byte { return bytes.Clone(c.bytes) }

// Armor is the certificate as text.
func (c *Certificate) Armor() []byte {
	text, err := enarmor(armorPublic, nil, c.bytes)
	if err != nil {
		panic(err) // cannot be: it is written into memory
	}
	return text
}

// components are all of it, in the order of [Certificate.Bytes].
func (c *Certificate) components() []*component {
	all := append([]*component{c.primary}, c.ids...)
	return append(all, c.subkeys...)
}

// assembled gives c what follows from its components.
func (c *Certificate) assembled() *Certificate {
	c.keys = append([]*component{c.primary}, c.subkeys...)
	var out []byte
	for _, part := range c.components() {
		out = append(out, part.raw...)
		for _, s := range part.sigs {
			out = append(out, s.raw...)
		}
	}
	c.bytes = out
	return c
}
