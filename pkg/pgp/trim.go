package pgp

import "slices"

// What is kept of a component's signatures. The newest count today, the oldest
// from the beginning; what lies between are renewals that were renewed.
const (
	keptNewest      = 3
	keptOldest      = 1
	keptRevocations = 16
)

// trim drops what need not be kept, so that nothing grows by merging. It is the
// same whatever the order in which signatures were met, and p.sigs is replaced,
// not changed.
func (p *component) trim() {
	var vouching, revoking []*selfSignature
	for _, s := range slices.SortedFunc(slices.Values(p.sigs), older) {
		if revokes(s.Signature) {
			revoking = append(revoking, s)
		} else {
			vouching = append(vouching, s)
		}
	}
	var drop []*selfSignature
	if len(vouching) > keptOldest+keptNewest {
		drop = vouching[keptOldest : len(vouching)-keptNewest]
	}
	drop = append(slices.Clone(drop), idle(revoking)...)
	if len(drop) == 0 {
		return
	}
	var kept []*selfSignature
	for _, s := range p.sigs {
		if !slices.Contains(drop, s) {
			kept = append(kept, s)
		}
	}
	p.sigs = kept
}

// idle are the revocations, of those given oldest first, that can go: none of
// the first soft one, the first hard one and the newest, which say all that the
// others say.
func idle(revoking []*selfSignature) []*selfSignature {
	if len(revoking) <= keptRevocations {
		return nil
	}
	isHard := func(s *selfSignature) bool { return hard(s.Signature) }
	isSoft := func(s *selfSignature) bool { return !hard(s.Signature) }
	soft, firm := slices.IndexFunc(revoking, isSoft), slices.IndexFunc(revoking, isHard)
	excess := len(revoking) - keptRevocations
	var idle []*selfSignature
	for i := len(revoking) - 2; i >= 0 && len(idle) < excess; i-- {
		if i != soft && i != firm {
			idle = append(idle, revoking[i])
		}
	}
	return idle
}
