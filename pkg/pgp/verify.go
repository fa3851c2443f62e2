package pgp

import (
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Verdict is what a good signature says.
type Verdict struct {
	Time    time.Time // when it was made, as its maker says, to the second
	Revoked bool      // the key has been hard-revoked: the secret may have been in other hands
}

// Verify checks a detached signature of c's owner over data: one binary packet
// of at most 8 KiB, of type 0x00, made for ctx by a key of c that may sign and
// was valid at the signature's own time. There is no look at today's clock: what
// was good when it was made stays good.
//
// ErrMalformed, ErrLimit, ErrWeak, ErrContext, ErrSignature, ErrExpired, or
// ErrRevoked if it was made after a soft revocation. A hard revocation is no
// error but a mark on the verdict: such posts are kept and flagged.
func (c *Certificate) Verify(ctx Context, data, sig []byte) (Verdict, error) {
	v, err := c.verify(ctx, data, sig)
	if err != nil {
		return Verdict{}, fmt.Errorf("signature of %s: %w", c.Fingerprint(), err)
	}
	return v, nil
}

func (c *Certificate) verify(ctx Context, data, sig []byte) (Verdict, error) {
	s, err := parseSignature(sig)
	if err != nil {
		return Verdict{}, err
	}
	k, err := c.check(ctx, s, func(k *component) error { return k.verify(s, data) })
	if err != nil {
		return Verdict{}, err
	}
	forever, err := c.maySign(k, s.CreationTime, 0)
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{Time: s.CreationTime.UTC(), Revoked: forever}, nil
}

// parseSignature reads exactly one signature packet.
func parseSignature(data []byte) (*packet.Signature, error) {
	if len(data) > maxSignature {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(data), maxSignature, ErrLimit)
	}
	f, rest, err := nextFrame(data)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 || f.tag != tagSignature || f.partial() {
		return nil, fmt.Errorf("not one signature packet alone: %w", ErrMalformed)
	}
	return readSignature(f)
}

// readSignature reads a signature packet.
func readSignature(f frame) (*packet.Signature, error) {
	const md5, ripemd = 1, 3 // the library does not even know them
	if len(f.body) > 3 && f.body[0] == 4 && (f.body[3] == md5 || f.body[3] == ripemd) {
		return nil, fmt.Errorf("broken hash %d: %w", f.body[3], ErrWeak)
	}
	p, err := f.parse()
	if err != nil {
		return nil, err
	}
	s, ok := p.(*packet.Signature)
	if !ok {
		return nil, fmt.Errorf("packet %d is no signature: %w", f.tag, ErrMalformed)
	}
	return s, nil
}

// check finds the key of c that made s for ctx, as verify says. Whether that key
// may sign, and was valid, is for maySign.
func (c *Certificate) check(ctx Context, s *packet.Signature, verify func(*component) error) (*component, error) {
	if err := checkForm(ctx, s); err != nil {
		return nil, err
	}
	for _, k := range c.keys {
		if isBy(s, k.key) {
			return k, verify(k)
		}
	}
	return nil, fmt.Errorf("by no key of this certificate: %w", ErrSignature)
}

// checkForm checks what a signature says of itself.
func checkForm(ctx Context, s *packet.Signature) error {
	if s.SigType != packet.SigTypeBinary {
		return fmt.Errorf("type %#02x, not 0x00: %w", uint8(s.SigType), ErrSignature)
	}
	if weakHash(s.Hash) {
		return fmt.Errorf("hash %v: %w", s.Hash, ErrWeak)
	}
	return checkContext(ctx, s.Notations)
}

// isBy tells whether s says that key made it.
func isBy(s *packet.Signature, key *packet.PublicKey) bool {
	return s.Version == key.Version && s.CheckKeyIdOrFingerprint(key)
}

// verify checks that the key p made s over data.
func (p *component) verify(s *packet.Signature, data []byte) error {
	h, err := s.PrepareVerify()
	if err != nil {
		return fmt.Errorf("hash: %w: %w", ErrMalformed, err)
	}
	_, _ = h.Write(data)
	if p.ed25519 != nil {
		if !p.ed25519.verify(h, s) {
			return ErrSignature
		}
		return nil
	}
	if err := p.key.VerifySignature(h, s); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// maySign checks that k was valid at t and that its owner gave it the right to
// sign; forever as in standing. A key without flags has no such right, and one to
// authenticate (protocol §1) never signs.
func (c *Certificate) maySign(k *component, t time.Time, slack time.Duration) (forever bool, err error) {
	self, forever, err := c.standing(k, t, slack)
	if err == nil && !k.signs(self) {
		err = fmt.Errorf("key %X is not for signing: %w", k.key.KeyId, ErrSignature)
	}
	return forever, err
}

// checkContext wants exactly one hashed notation context@p2ps, not critical and
// equal to ctx. (The library reads no notations from the unhashed part.) Others
// are ignored, unless critical: those nobody may ignore (RFC 9580 §5.2.3.24).
func checkContext(ctx Context, notations []*packet.Notation) error {
	found := 0
	for _, n := range notations {
		switch {
		case n.Name == contextNotation && (n.IsCritical || string(n.Value) != string(ctx)):
			return fmt.Errorf("made for %q, not %q: %w", n.Value, ctx, ErrContext)
		case n.Name == contextNotation:
			found++
		case n.IsCritical:
			return fmt.Errorf("unknown critical notation %q: %w", n.Name, ErrSignature)
		}
	}
	if found != 1 {
		return fmt.Errorf("%d notations %s, not 1: %w", found, contextNotation, ErrContext)
	}
	return nil
}
