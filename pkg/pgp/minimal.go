package pgp

import "fmt"

// Minimal is what comes along with a request (protocol §4): the primary key, the
// newest user id, the newest signing and encryption subkeys, each with its
// newest self-signature, and every revocation with the key it is about; binary,
// at most 24 KiB, else ErrLimit.
func (c *Certificate) Minimal() ([]byte, error) {
	least := &Certificate{primary: shortened(c.primary)}
	if id := c.newestID(); id != nil {
		least.ids = append(least.ids, shortened(id))
	}
	signing := c.newestSubkey((*component).signs)
	sealing := c.newestSubkey((*component).sealable)
	for _, k := range c.subkeys {
		forever, since := k.revokedAt(endOfTime())
		if k == signing || k == sealing || forever || since {
			least.subkeys = append(least.subkeys, shortened(k))
		}
	}
	if n := len(least.assembled().bytes); n > maxMinimal {
		return nil, fmt.Errorf("shortened certificate of %d bytes, at most %d: %w", n, maxMinimal, ErrLimit)
	}
	return least.bytes, nil
}

// shortened is the component with its newest self-signature and its revocations.
func shortened(p *component) *component {
	least := bare(p)
	newest := p.newest()
	for _, s := range p.sigs {
		if s == newest || revokes(s.Signature) {
			least.sigs = append(least.sigs, s)
		}
	}
	return least
}

// newestSubkey is the newest unrevoked subkey fit for a purpose, or nil.
func (c *Certificate) newestSubkey(fit func(*component, *selfSignature) bool) *component {
	var best *component
	for _, k := range c.subkeys {
		self := k.newest()
		if self == nil || !fit(k, self) {
			continue
		}
		if forever, since := k.revokedAt(endOfTime()); forever || since {
			continue
		}
		if best == nil || !k.key.CreationTime.Before(best.key.CreationTime) {
			best = k
		}
	}
	return best
}
