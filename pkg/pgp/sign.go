package pgp

import (
	"bytes"
	"fmt"
	"hash"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Sign gives a detached signature over data: one binary packet, made at the
// given time (to the second) by the newest signing key that is valid then. It
// may be called by many at once.
//
// The library adds a random notation to each: so two signatures differ, and a
// flipped bit in the computation does not give the key away. Do not use the
// bytes of a signature as a name.
func (s *Secret) Sign(ctx Context, data []byte, at time.Time) ([]byte, error) {
	key, err := s.signingKey(at)
	if err != nil {
		return nil, err
	}
	sig, err := makeSignature(ctx, data, key, at)
	if err != nil {
		return nil, err
	}
	return serialize(sig)
}

// signingKey is the newest key that may sign at t and whose secret is here.
func (s *Secret) signingKey(t time.Time) (*packet.PrivateKey, error) {
	best, why := s.cert.pick(s.held(), (*component).signs, t)
	switch {
	case best != nil:
		return s.secretOf(best), nil
	case why != nil:
		return nil, fmt.Errorf("key %s: %w: %w", s.cert.Fingerprint(), ErrNoSigning, why)
	}
	return nil, fmt.Errorf("key %s: %w", s.cert.Fingerprint(), ErrNoSigning)
}

// makeSignature signs data for ctx.
func makeSignature(ctx Context, data []byte, key *packet.PrivateKey, at time.Time) (*packet.Signature, error) {
	sig, h, err := beginSignature(ctx, key, at)
	if err != nil {
		return nil, err
	}
	_, _ = h.Write(data)
	if err := sig.Sign(h, key, settings()); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return sig, nil
}

// beginSignature is a signature for ctx over what is written to the hash.
func beginSignature(ctx Context, key *packet.PrivateKey, at time.Time) (*packet.Signature, hash.Hash, error) {
	sig := newSignature(packet.SigTypeBinary, &key.PublicKey, at)
	sig.Notations = []*packet.Notation{{Name: contextNotation, Value: []byte(ctx), IsHumanReadable: true}}
	h, err := sig.PrepareSign(settings())
	if err != nil {
		return nil, nil, fmt.Errorf("signing: %w", err)
	}
	return sig, h, nil
}

// newSignature is an unsigned signature packet.
func newSignature(kind packet.SignatureType, by *packet.PublicKey, at time.Time) *packet.Signature {
	return &packet.Signature{
		Version:      by.Version,
		SigType:      kind,
		PubKeyAlgo:   by.PubKeyAlgo,
		Hash:         hashFor(by),
		CreationTime: at,
		IssuerKeyId:  &by.KeyId,
	}
}

// serialize gives the packet's bytes. It also finds out whether the signature
// was made at all, for the library's Sign keeps some failures to itself.
func serialize(sig *packet.Signature) ([]byte, error) {
	var out bytes.Buffer
	if err := sig.Serialize(&out); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return out.Bytes(), nil
}
