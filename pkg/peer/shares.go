package peer

import (
	"net/netip"
	"sync"
)

// shares are what there is of something, in all and for one address.
type shares struct {
	most, per int

	mu  sync.Mutex
	all int
	of  map[netip.Prefix]int
}

func newShares(most, per int) *shares {
	return &shares{most: most, per: per, of: map[netip.Prefix]int{}}
}

// take takes n for an address, or nothing and is false.
func (s *shares) take(from netip.Prefix, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all+n > s.most || s.of[from]+n > s.per {
		return false
	}
	s.all += n
	s.of[from] += n
	return true
}

func (s *shares) give(from netip.Prefix, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all -= n
	if s.of[from] -= n; s.of[from] <= 0 {
		delete(s.of, from)
	}
}
