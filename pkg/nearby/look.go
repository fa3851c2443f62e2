package nearby

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brutella/dnssd"
	"github.com/brutella/dnssd/log"
)

// A look asks several times, since the library asks once, and one packet may be
// lost: each round has a memory of its own, which ends with it.
const lookTime = 1500 * time.Millisecond

// rounds say when it is asked.
func rounds() []time.Duration { return []time.Duration{0, 400 * time.Millisecond, time.Second} }

// Look asks who is announced on the local network, and listens for a second and
// a half, or until ctx ends: the addresses of one peer may come in several
// packets. The order is that of the addresses.
//
// Errors: ErrLink.
func Look(ctx context.Context) ([]Peer, error) {
	log.Info.Disable() // it writes to stdout
	if len(dnssd.MulticastInterfaces()) == 0 {
		return nil, ErrLink
	}
	// The library's readers end when their context is cancelled, and never by a
	// deadline: they would turn round and round.
	asking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h := &heard{peers: map[string]*sighting{}}
	var running sync.WaitGroup
	for _, after := range rounds() {
		running.Go(func() {
			if pause(asking, after) {
				// What it returns is that it was stopped, or that a socket was not to be
				// had, and then nobody is found.
				_ = dnssd.LookupType(asking, Service+"."+domain+".", h.add, func(dnssd.BrowseEntry) {})
			}
		})
	}
	pause(ctx, lookTime)
	stop()
	running.Wait()
	return h.list(), nil
}

func pause(ctx context.Context, d time.Duration) (whole bool) {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// heard is what came in so far.
type heard struct {
	mu    sync.Mutex
	peers map[string]*sighting // by instance name
}

// A sighting is one announcement, as all that came of it together.
type sighting struct {
	record Record
	places []netip.AddrPort
}

// add takes an answer that the library has put together; it is anybody's.
func (h *heard) add(e dnssd.BrowseEntry) { h.take(e, networksOf(e.IfaceName)) }

// take takes an answer that was heard on a link with these networks.
func (h *heard) take(e dnssd.BrowseEntry, link []netip.Prefix) {
	s, ok := sightingOf(e, link)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.peers[e.Name]
	switch {
	case was == nil && len(h.peers) >= maxPeers:
		return
	case was == nil:
		h.peers[e.Name] = &s
	case was.record == s.record && len(was.places) < maxIPs:
		was.places = inOrder(append(was.places, s.places...))
	} // and of another one by that name the first is kept
}

func sightingOf(e dnssd.BrowseEntry, link []netip.Prefix) (sighting, bool) {
	if len(e.Name) > 255 || len(e.Text) > maxStrings {
		return sighting{}, false
	}
	members := map[string]string{}
	for key, value := range e.Text {
		members[strings.ToLower(unescaped(key))] = unescaped(value)
	}
	r, err := recordOf(members)
	if err != nil {
		return sighting{}, false
	}
	s := sighting{r, inOrder(places(e.IPs, e.Port, link))}
	return s, len(s.places) > 0
}

// list is who was heard, in the order of their first address.
func (h *heard) list() []Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []sighting
	for _, s := range h.peers {
		found = append(found, *s)
	}
	slices.SortFunc(found, func(a, b sighting) int {
		if c := a.places[0].Compare(b.places[0]); c != 0 {
			return c
		}
		return strings.Compare(string(a.record.Fingerprint)+a.record.hash, string(b.record.Fingerprint)+b.record.hash)
	})
	var peers []Peer
	for _, s := range found {
		peers = append(peers, Peer{Record: s.record, Addresses: urls(s.places)})
	}
	return peers
}
