package pgp

import (
	"fmt"
	"slices"
	"time"
)

// measure checks a merged certificate against the limits.
func (c *Certificate) measure() error {
	switch {
	case len(c.bytes) > maxCertificate:
		return fmt.Errorf("%d bytes, at most %d: %w", len(c.bytes), maxCertificate, ErrLimit)
	case len(c.ids) > maxUserIDs:
		return fmt.Errorf("more than %d user ids: %w", maxUserIDs, ErrLimit)
	case len(c.subkeys) > maxSubkeys:
		return fmt.Errorf("more than %d subkeys: %w", maxSubkeys, ErrLimit)
	case c.work() > maxWork:
		return tooMuchWork()
	case c.signatures() > maxSignatures:
		return fmt.Errorf("more than %d self-signatures: %w", maxSignatures, ErrLimit)
	}
	return nil
}

func (c *Certificate) signatures() (n int) {
	for _, p := range c.components() {
		n += len(p.sigs)
	}
	return n
}

// prune drops, one by one and oldest first, what can best be missed, until the
// certificate keeps within the limits or nothing is left to drop.
func (c *Certificate) prune() {
	for c.measure() != nil {
		switch {
		case len(c.ids) > maxUserIDs && dropOldest(&c.ids):
		case len(c.subkeys) > maxSubkeys && dropOldest(&c.subkeys):
		case c.dropReplaced():
		case len(c.ids) > 1 && dropOldest(&c.ids):
		case c.primary.revoked() && len(c.subkeys) > 0: // that the key is revoked goes before all
			c.subkeys = c.subkeys[1:]
		default:
			return
		}
		c.assembled()
	}
}

// dropReplaced drops the oldest self-signature that has a newer one beside it.
func (c *Certificate) dropReplaced() bool {
	var from *component
	at := -1
	for _, p := range c.components() {
		newest := p.newest()
		for i, s := range p.sigs {
			if revokes(s.Signature) || s == newest {
				continue
			}
			if at < 0 || s.CreationTime.Before(from.sigs[at].CreationTime) {
				from, at = p, i
			}
		}
	}
	if at < 0 {
		return false
	}
	from.sigs = slices.Delete(slices.Clone(from.sigs), at, at+1)
	return true
}

// dropOldest drops the component whose newest self-signature is oldest; those
// with a revocation stay.
func dropOldest(list *[]*component) bool {
	at, oldest := -1, time.Time{}
	for i, p := range *list {
		if p.revoked() {
			continue
		}
		if self := p.newest(); at < 0 || self.CreationTime.Before(oldest) {
			at, oldest = i, self.CreationTime
		}
	}
	if at < 0 {
		return false
	}
	*list = slices.Delete(*list, at, at+1)
	return true
}
