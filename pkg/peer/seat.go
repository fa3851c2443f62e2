package peer

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"
)

// A seat is what a sealed request takes up from its head to the end of its
// answer.
type seat struct {
	h       *handler
	control *http.ResponseController
	from    netip.Prefix
	asking  bool // it counts as one that is under way
}

func (s *seat) leave() {
	if s.asking {
		s.h.asking.give(s.from, 1)
		s.asking = false
	}
}

// pause is a Pause. Whoever waits holds a connection and a few kilobytes; the
// processor and the places in the queue are for others (spec S30).
func (s *seat) pause(ctx context.Context, until <-chan struct{}) bool {
	if !s.h.waiting.take(s.from, 1) {
		return false
	}
	defer s.h.waiting.give(s.from, 1)
	s.leave()
	<-s.h.crypto
	<-s.h.queue
	defer func() {
		s.h.queue <- struct{}{}
		s.h.crypto <- struct{}{}
		_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // what has no deadline is no connection
	}()
	_ = s.control.SetReadDeadline(time.Time{}) // nothing is to be read before the next request
	_ = s.control.SetWriteDeadline(time.Time{})
	select {
	case <-until:
	case <-ctx.Done():
		return errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	case <-s.h.ending:
		return false
	}
	return true
}

// end lets everybody who waits be answered, since the server ends. A handler may
// serve several.
func (h *handler) end() { h.endOnce.Do(func() { close(h.ending) }) }
