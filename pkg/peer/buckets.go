package peer

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// buckets bound the requests of each address: of an IPv4 address, of an IPv6
// network of 64 bits.
type buckets struct {
	perSecond rate.Limit
	proxies   []netip.Prefix

	mu sync.Mutex
	of map[netip.Prefix]*bucket
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// maxBuckets bounds the memory of an attack from many addresses.
const maxBuckets = 20_000

func newBuckets(perSecond float64, proxies []string) (*buckets, error) {
	b := &buckets{perSecond: rate.Limit(perSecond), of: map[netip.Prefix]*bucket{}}
	for _, s := range proxies {
		p, err := proxy(s)
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q is not like 127.0.0.0/8: %w", s, err)
		}
		b.proxies = append(b.proxies, p)
	}
	return b, nil
}

// proxy reads a network, or one address as a network of its own.
func proxy(s string) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.ParsePrefix(s)
	}
	addr = addr.Unmap()
	return addr.Prefix(addr.BitLen())
}

func (b *buckets) allow(r *http.Request, now time.Time) bool {
	net := network(b.address(r))
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.of[net]
	if one == nil {
		if len(b.of) >= maxBuckets {
			b.sweep(now)
		}
		one = &bucket{Limiter: rate.NewLimiter(b.perSecond, int(2*b.perSecond))}
		b.of[net] = one
	}
	one.used = now
	return one.AllowN(now, 1)
}

// sweep forgets the addresses that were quiet for some seconds: their buckets
// are full again.
func (b *buckets) sweep(now time.Time) {
	for net, one := range b.of {
		if now.Sub(one.used) > 3*time.Second {
			delete(b.of, net)
		}
	}
	if len(b.of) >= maxBuckets {
		clear(b.of)
	}
}

// address is whom a request is from. What a header says is believed only of a
// configured proxy.
func (b *buckets) address(r *http.Request) netip.Addr {
	addr := hostOf(r.RemoteAddr)
	// All lines of it are one list; the first may be a lie of who asks.
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && within(addr, b.proxies); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(forwarded[i]))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr
}

func hostOf(remote string) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap().WithZone("")
}

func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero Prefix is a bucket too
	return p
}
