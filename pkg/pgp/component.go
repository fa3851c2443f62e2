package pgp

import (
	"slices"
	"time"
)

// add adds a signature; of two over the same content the shorter packet stays,
// for what is not hashed anybody can add to.
func (p *component) add(s *selfSignature) {
	for i, have := range p.sigs {
		if string(have.HashSuffix) == string(s.HashSuffix) {
			if len(s.raw) < len(have.raw) {
				p.sigs[i] = s
			}
			return
		}
	}
	p.sigs = append(p.sigs, s)
}

// hasSelf tells whether anything vouches for the component.
func (p *component) hasSelf() bool {
	for _, s := range p.sigs {
		if !revokes(s.Signature) {
			return true
		}
	}
	return false
}

// revoked tells whether anything takes the component back, whenever.
func (p *component) revoked() bool {
	return slices.ContainsFunc(p.sigs, func(s *selfSignature) bool { return revokes(s.Signature) })
}

// selfAt is the self-signature that counts at t: the newest that was made by
// then. If there is none, the oldest counts: gpg and our own Minimal strip older
// ones, and what the owner says later of his key holds for it from its beginning.
func (p *component) selfAt(t time.Time) *selfSignature {
	var newest, oldest *selfSignature
	for _, s := range p.sigs {
		switch {
		case revokes(s.Signature) || over(s.CreationTime, s.SigLifetimeSecs, t):
		case s.CreationTime.After(t):
			if oldest == nil || s.CreationTime.Before(oldest.CreationTime) {
				oldest = s
			}
		case newest == nil || !s.CreationTime.Before(newest.CreationTime):
			newest = s
		}
	}
	if newest != nil {
		return newest
	}
	return oldest
}

// newest is the newest self-signature, whatever the time.
func (p *component) newest() *selfSignature {
	var newest *selfSignature
	for _, s := range p.sigs {
		if !revokes(s.Signature) && (newest == nil || !s.CreationTime.Before(newest.CreationTime)) {
			newest = s
		}
	}
	return newest
}

// revokedAt tells whether a key is revoked for ever, or since a time up to t.
func (p *component) revokedAt(t time.Time) (forever, since bool) {
	for _, s := range p.sigs {
		if !revokes(s.Signature) {
			continue
		}
		forever = forever || hard(s.Signature)
		since = since || !hard(s.Signature) && !s.CreationTime.After(t)
	}
	return forever, since
}

// idRevoked tells whether a user id is taken back at t and not vouched for anew.
func (p *component) idRevoked(self *selfSignature, t time.Time) bool {
	for _, s := range p.sigs {
		if revokes(s.Signature) && !s.CreationTime.After(t) && !s.CreationTime.Before(self.CreationTime) {
			return true
		}
	}
	return false
}

// over tells whether a lifetime (nil and 0: endless) has ended at t.
func over(from time.Time, seconds *uint32, t time.Time) bool {
	return seconds != nil && *seconds != 0 && !t.Before(from.Add(time.Duration(*seconds)*time.Second))
}
