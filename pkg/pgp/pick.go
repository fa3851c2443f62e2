package pgp

import (
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// sealable tells whether self says that the key is for encryption.
func (k *component) sealable(self *selfSignature) bool {
	return k.key.PubKeyAlgo.CanEncrypt() && self.FlagsValid && (self.FlagEncryptCommunications || self.FlagEncryptStorage)
}

// signs tells whether self says that the key may sign data.
func (k *component) signs(self *selfSignature) bool {
	return k.key.CanSign() && self.FlagsValid && self.FlagSign
}

// pick is the newest of the keys that is valid at t, give or take the leeway,
// and fit by its self-signature; a subkey goes before the primary key. If there
// is none, why may say what is wrong with one that would fit.
func (c *Certificate) pick(keys []*component, fit func(*component, *selfSignature) bool, t time.Time) (best *component, why error) {
	for _, k := range keys {
		if newest := k.newest(); k != c.primary && (newest == nil || !fit(k, newest)) {
			continue
		}
		self, forever, err := c.standing(k, t, leeway)
		if err == nil && forever {
			err = fmt.Errorf("key %X: %w", k.key.KeyId, ErrRevoked)
		}
		switch {
		case err != nil:
			why = err
		case !fit(k, self):
		case best == nil || best == c.primary || !k.key.CreationTime.Before(best.key.CreationTime):
			best = k
		}
	}
	return best, why
}

// encryptionKey is the newest key of c that a message can be sealed to at t.
func (c *Certificate) encryptionKey(t time.Time) (*packet.PublicKey, error) {
	best, why := c.pick(c.keys, (*component).sealable, t)
	switch {
	case best != nil:
		return best.key, nil
	case why != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoEncryption, why)
	}
	return nil, ErrNoEncryption
}

// Usable tells whether mail can go to c now, give or take ten minutes:
// ErrExpired, ErrRevoked or ErrNoEncryption.
func (c *Certificate) Usable(now time.Time) error {
	_, forever, err := c.standing(c.primary, now, leeway)
	if err == nil && forever {
		err = ErrRevoked
	}
	if err == nil {
		_, err = c.encryptionKey(now)
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", c.Fingerprint(), err)
	}
	return nil
}

// wasFor tells whether any self-signature ever made k fit for a purpose.
func (c *Certificate) wasFor(k *component, fit func(*component, *selfSignature) bool) bool {
	parts := []*component{k}
	if k == c.primary {
		parts = append(parts, c.ids...)
	}
	for _, p := range parts {
		for _, s := range p.sigs {
			if !revokes(s.Signature) && fit(k, s) {
				return true
			}
		}
	}
	return false
}
