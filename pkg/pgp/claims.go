package pgp

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A claim is what the primary key is said to have signed about a component, not
// verified yet: one content in as many packets as were met, for what is not
// hashed anybody can add to.
type claim struct {
	copies []*selfSignature // not tried yet, the shortest first
	good   *selfSignature   // verified
	first  *selfSignature   // the one met first
}

// claim takes note of a signature; a packet met twice is one.
func (r *certificateReader) claim(about *component, s *selfSignature) {
	if r.claims == nil {
		r.claims = make(map[*component][]*claim)
	}
	for _, c := range r.claims[about] {
		if !bytes.Equal(c.first.HashSuffix, s.HashSuffix) {
			continue
		}
		if !slices.ContainsFunc(c.copies, func(have *selfSignature) bool { return bytes.Equal(have.raw, s.raw) }) {
			c.copies = append(c.copies, s)
			slices.SortStableFunc(c.copies, func(a, b *selfSignature) int { return len(a.raw) - len(b.raw) })
		}
		return
	}
	r.claims[about] = append(r.claims[about], &claim{copies: []*selfSignature{s}, first: s})
}

// settle verifies claims until enough is known: every revocation and the newest
// self-signature of each component, and as much of what it replaced as the work
// still allows. ErrLimit if not even the former can be paid.
func (r *certificateReader) settle() error {
	parts := r.c.components()
	sorted := make(map[*component][]*claim)
	for _, p := range parts {
		sorted[p] = slices.SortedFunc(slices.Values(r.claims[p]), func(a, b *claim) int { return older(a.first, b.first) })
	}
	for _, p := range parts {
		err := r.prove(p, sorted[p], revokes, maxSignatures)
		if err == nil {
			err = r.prove(p, reversed(sorted[p]), vouches, 1)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range parts {
		err := r.prove(p, reversed(sorted[p]), vouches, keptNewest)
		if err == nil {
			err = r.prove(p, sorted[p], vouches, 1)
		}
		if err != nil && !errors.Is(err, ErrLimit) {
			return err
		}
	}
	for _, p := range parts {
		for _, c := range r.claims[p] { // in the order they were met
			if c.good != nil {
				p.sigs = append(p.sigs, c.good)
			}
		}
		p.trim()
	}
	return nil
}

// prove verifies claims of one kind in their order until n are proven.
func (r *certificateReader) prove(about *component, claims []*claim, kind func(*packet.Signature) bool, n int) error {
	for _, c := range claims {
		if n == 0 {
			return nil
		}
		if !kind(c.first.Signature) {
			continue
		}
		if err := r.try(about, c); err != nil {
			return err
		}
		if c.good != nil {
			n--
		}
	}
	return nil
}

// try verifies the copies of one claim until one is good. What is known costs
// nothing.
func (r *certificateReader) try(about *component, c *claim) error {
	primary := r.c.primary.key
	for c.good == nil && len(c.copies) > 0 {
		s := c.copies[0]
		if !r.knows(about, s) {
			cost := workOf(primary, about, s.Signature)
			if r.work+cost > maxWork {
				return tooMuchWork()
			}
			r.work += cost
			if err := verifySelf(primary, about, s.Signature); err != nil {
				c.copies = c.copies[1:]
				continue
			}
		}
		c.good = s
	}
	return nil
}

// older orders self-signatures by time, and those of one second by content, so
// that the order in which they are met does not count.
func older(a, b *selfSignature) int {
	if n := a.CreationTime.Compare(b.CreationTime); n != 0 {
		return n
	}
	return strings.Compare(string(a.HashSuffix), string(b.HashSuffix))
}

func reversed(claims []*claim) []*claim {
	claims = slices.Clone(claims)
	slices.Reverse(claims)
	return claims
}
