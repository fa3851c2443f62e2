package home

import (
	"runtime/debug"
	"slices"
	"sync"
)

// A collector sets how often the garbage of this process is collected, for works
// that overlap: the one that needs it most often counts, and after the last of
// them it is as it was.
type collector struct {
	mu     sync.Mutex
	usual  int
	wanted []int
}

// How often, as debug.SetGCPercent has it, where a work is not as most are.
const (
	tightGC = 30
	easyGC  = 200
	looseGC = 400
)

// at is for one work, which calls done in its end. percent is that of
// debug.SetGCPercent.
func (c *collector) at(percent int) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = append(c.wanted, percent)
	before := debug.SetGCPercent(slices.Min(c.wanted))
	if len(c.wanted) == 1 {
		c.usual = before
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.wanted, percent)
		c.wanted = slices.Delete(c.wanted, i, i+1)
		next := c.usual
		if len(c.wanted) > 0 {
			next = slices.Min(c.wanted)
		}
		debug.SetGCPercent(next)
	}
}
