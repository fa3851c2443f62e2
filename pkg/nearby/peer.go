package nearby

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// A Peer is somebody who is announced on the local network, or says so.
type Peer struct {
	Record
	Addresses []string // http://host:port, IPv4 first, at most maxAddresses
}

// What one look takes, whoever shouts.
const (
	maxPeers     = 128
	maxAddresses = 4
	maxIPs       = 32 // of one answer that are looked at
)

// isNear tells whether an address lies on one of the networks of the interface
// on which it was heard: nobody on the link can send us to another place (spec
// N7).
func isNear(ip netip.Addr, link []netip.Prefix) bool {
	if !ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() || ip.IsLoopback() || ip.Zone() != "" {
		return false
	}
	return slices.ContainsFunc(link, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// networksOf are those that an interface is in; none if it is not there.
func networksOf(name string) []netip.Prefix {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil
	}
	addresses, err := i.Addrs()
	if err != nil {
		return nil
	}
	var list []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()).Masked())
		}
	}
	return list
}

// places are those of the addresses of an answer that may be connected to.
func places(ips []net.IP, port int, link []netip.Prefix) []netip.AddrPort {
	if port < 1 || port > 0xFFFF {
		return nil
	}
	var list []netip.AddrPort
	for _, raw := range ips[:min(len(ips), maxIPs)] {
		if ip, ok := netip.AddrFromSlice(raw); ok && isNear(ip.Unmap(), link) {
			list = append(list, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
		}
	}
	return list
}

// inOrder puts IPv4 before IPv6, each once.
func inOrder(list []netip.AddrPort) []netip.AddrPort {
	slices.SortFunc(list, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()), a.Compare(b))
	})
	return slices.Compact(list)
}

// urls are places as addresses of peers.
func urls(list []netip.AddrPort) []string {
	var out []string
	for _, p := range list[:min(len(list), maxAddresses)] {
		out = append(out, "http://"+net.JoinHostPort(p.Addr().String(), strconv.Itoa(int(p.Port()))))
	}
	return out
}
