package main

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
)

// listen begins to listen, and says what to do if that is not to be.
func (e *env) listen(ctx context.Context, address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, usage("give it as HOST:PORT, or :PORT for every address of this machine", "listen on %q: %w", address, err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fail(exitError, "choose another with --listen HOST:PORT", "listen on %s: %w", address, reasonOf(err))
	}
	return l, nil
}

// reachedAt guesses the addresses under which others reach a listener: the one
// it has, or those of this machine's interfaces, the internet's before those of
// the home network, IPv4 before IPv6, four at most. Without any it is this
// machine's own.
func reachedAt(listening string) []string {
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return []string{"http://" + net.JoinHostPort(host, port)}
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []netip.Addr
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if ip.IsGlobalUnicast() && !ip.IsLinkLocalUnicast() {
			ips = append(ips, ip)
		}
	}
	rank := func(ip netip.Addr) int {
		n := 0
		if ip.IsPrivate() {
			n += 2
		}
		if ip.Is6() {
			n++
		}
		return n
	}
	slices.SortStableFunc(ips, func(a, b netip.Addr) int { return cmp.Compare(rank(a), rank(b)) })
	ips = slices.Compact(ips)
	if len(ips) == 0 {
		ips = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	var list []string
	for _, ip := range ips[:min(len(ips), maxAddresses)] {
		list = append(list, "http://"+net.JoinHostPort(ip.String(), port))
	}
	return list
}
