package home

import "sync"

// A change is a signal to any number of waiters.
type change struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed by the next tell.
func (c *change) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch == nil {
		c.ch = make(chan struct{})
	}
	return c.ch
}

func (c *change) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ch != nil {
		close(c.ch)
		c.ch = nil
	}
}

// Changed is closed when something may have changed in what others get from this
// home: a post of mine was written, edited, removed or signed, by this process,
// another one or an editor, or somebody became or is no more a friend, member or
// blocked. What it was is not said, nor whether it concerns anybody: ask again.
//
// Take the channel before asking, so that nothing falls in between:
//
//	for {
//		changed := h.Changed()
//		if answer := ask(); answer.isNews() {
//			return answer
//		}
//		select {
//		case <-changed:
//		case <-ctx.Done():
//			return nothing
//		}
//	}
//
// Changes by others are noticed while KeepLooking runs: at once where the system
// tells of them, else within a second.
func (h *Home) Changed() <-chan struct{} { return h.changed.next() }
