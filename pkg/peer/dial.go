package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// dialer connects, after a look at the address that is really connected to: a
// name of the internet must not lead into the home network or to this machine,
// whatever its owner lets it resolve to.
func dialer(timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAddress, err)
		}
		near := isNear(host)
		d := net.Dialer{Timeout: timeout, Control: func(_, resolved string, _ syscall.RawConn) error {
			return checkIP(resolved, near)
		}}
		return d.DialContext(ctx, network, address)
	}
}

// isNear tells whether a host was written as one of this machine or the home
// network: as an IP address, a name without dots, or one of the domains that
// are reserved for such (RFC 6761, RFC 6762, RFC 8375).
func isNear(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, domain := range []string{".localhost", ".local", ".home.arpa", ".internal", ".lan"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}

// A Nearness is how near an address was written to be.
type Nearness int

// From the internet at large to this very machine.
const (
	Far     Nearness = iota
	Nearby           // the home network, by IP address or by a name of its own
	OnLocal          // this machine
)

// NearnessOf an address like http://host:7117. Names of the internet are Far,
// whatever they lead to: that is looked at when they are connected to.
func NearnessOf(address string) Nearness {
	u, err := url.Parse(address)
	if err != nil {
		return OnLocal
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		switch ip = ip.Unmap(); {
		case ip.IsLoopback(), isNever(ip), isNever(embedded(ip)):
			return OnLocal
		case ip.IsPrivate(), within(ip, local):
			return Nearby
		}
		return Far
	}
	switch {
	case host == "localhost", strings.HasSuffix(host, ".localhost"):
		return OnLocal
	case isNear(host):
		return Nearby
	}
	return Far
}

// NoNearer leaves of the addresses that somebody sent those that may be
// connected to: far ones, and near ones only of a kind that was given by hand
// (spec S26).
func NoNearer(sent, byHand []string) []string {
	allowed := map[Nearness]bool{Far: true}
	for _, a := range byHand {
		allowed[NearnessOf(a)] = true
	}
	kept := []string{}
	for _, a := range sent {
		if allowed[NearnessOf(a)] && !slices.Contains(kept, a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// checkIP refuses what is never a peer; near allows this machine and the home
// network.
func checkIP(resolved string, near bool) error {
	ap, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	ip := ap.Addr().Unmap().WithZone("")
	switch {
	case isNever(ip), isNever(embedded(ip)):
		return fmt.Errorf("%w: %s is never a peer's", ErrAddress, ip)
	case !near && (ip.IsLoopback() || ip.IsPrivate() || within(ip, local)):
		return fmt.Errorf("%w: a name of the internet leads to %s, an address of this machine or network", ErrAddress, ip)
	}
	return nil
}

func isNever(ip netip.Addr) bool {
	return !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || within(ip, never)
}

// embedded is the IPv4 address that a translator (NAT64, 6to4) would connect to
// in place of ip; ip itself if there is none.
func embedded(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case within(ip, nat64):
		return netip.AddrFrom4([4]byte(b[12:]))
	case within(ip, sixToFour):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// never: metadata services and reserved ranges. local: not private in the
// sense of RFC 1918, and yet no addresses of the internet, or a way around it.
var (
	never     = prefixes("169.254.0.0/16", "240.0.0.0/4", "fd00:ec2::254/128", "0.0.0.0/8")
	nat64     = prefixes("64:ff9b::/96")
	sixToFour = prefixes("2002::/16")

	local = prefixes("100.64.0.0/10", "198.18.0.0/15", "192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(ip netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
