package pgp

import (
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// alive checks that t lies within a key's lifetime, give or take slack.
func alive(key *packet.PublicKey, self *selfSignature, t time.Time, slack time.Duration) error {
	if key.CreationTime.After(t.Add(slack)) {
		return fmt.Errorf("key %X was made after that: %w", key.KeyId, ErrExpired)
	}
	if self == nil {
		return fmt.Errorf("no self-signature of key %X is in force: %w", key.KeyId, ErrExpired)
	}
	if over(key.CreationTime, self.KeyLifetimeSecs, t.Add(-slack)) {
		return fmt.Errorf("key %X expired: %w", key.KeyId, ErrExpired)
	}
	return nil
}

// primarySelf is the signature that speaks for the primary key at t: in v6 a
// direct one, in v4 that of the main user id.
func (c *Certificate) primarySelf(t time.Time) (*selfSignature, error) {
	if c.primary.key.Version == 6 {
		return c.primary.selfAt(t), nil
	}
	var best *selfSignature
	taken := false
	for _, id := range c.ids {
		self := id.selfAt(t)
		if self == nil {
			continue
		}
		if id.idRevoked(self, t) {
			taken = true
			continue
		}
		if best == nil || preferred(self, best) {
			best = self
		}
	}
	if best == nil && taken {
		return nil, fmt.Errorf("every user id: %w", ErrRevoked)
	}
	return best, nil
}

// preferred tells whether the user id that a vouches for goes before b's: the
// one its owner calls primary, then the newer.
func preferred(a, b *selfSignature) bool {
	if x, y := a.IsPrimaryId != nil && *a.IsPrimaryId, b.IsPrimaryId != nil && *b.IsPrimaryId; x != y {
		return x
	}
	return !a.CreationTime.Before(b.CreationTime)
}

// standing judges a key of c at t. Its self-signature says what the key is for;
// forever says that it, or the primary key, is hard-revoked, which is for the
// caller to judge. ErrExpired outside the lifetimes, ErrRevoked after a soft
// revocation. The slack is for both ends of a lifetime, where two clocks are
// compared; a revocation that is here has been made.
func (c *Certificate) standing(k *component, t time.Time, slack time.Duration) (self *selfSignature, forever bool, err error) {
	forever, since := c.primary.revokedAt(t)
	if since {
		return nil, forever, fmt.Errorf("primary key: %w", ErrRevoked)
	}
	self, err = c.primarySelf(t.Add(slack))
	if err != nil {
		return nil, forever, err
	}
	if err := alive(c.primary.key, self, t, slack); err != nil {
		return nil, forever, err
	}
	if direct := c.primary.selfAt(t.Add(slack)); direct != nil {
		if err := alive(c.primary.key, direct, t, slack); err != nil {
			return nil, forever, err
		}
	}
	if k == c.primary {
		return self, forever, nil
	}
	hardly, since := k.revokedAt(t)
	if since {
		return nil, forever, fmt.Errorf("subkey %X: %w", k.key.KeyId, ErrRevoked)
	}
	self = k.selfAt(t.Add(slack))
	return self, forever || hardly, alive(k.key, self, t, slack)
}
