package nearby

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/brutella/dnssd"
)

// links describes the networks this machine is on: when it differs, the network
// has changed.
func links() string {
	var lines []string
	for _, i := range dnssd.MulticastInterfaces() {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			lines = append(lines, fmt.Sprintf("%d %s %s", i.Index, i.Name, a))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// interfaceOf is the name of the interface that has an address; "" if none has.
func interfaceOf(ip netip.Addr) string {
	for _, i := range dnssd.MulticastInterfaces() {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == ip {
				return i.Name
			}
		}
	}
	return ""
}

// listening is where a server is reached from the local network.
type listening struct {
	ip   netip.Addr // not valid: at every address of the machine
	port int
}

// listeningAt reads the address of a listener; false if nobody else can reach
// it there.
func listeningAt(a net.Addr) (l listening, ok bool) {
	tcp, isTCP := a.(*net.TCPAddr)
	if !isTCP || tcp.Port == 0 {
		return l, false
	}
	l.port = tcp.Port
	ip, given := netip.AddrFromSlice(tcp.IP)
	if ip = ip.Unmap(); !given || ip.IsUnspecified() {
		return l, true
	}
	l.ip = ip
	return l, l.ip.IsGlobalUnicast()
}

// Reachable tells whether a listener can be announced: not if it listens on this
// machine alone.
func Reachable(a net.Addr) bool {
	_, ok := listeningAt(a)
	return ok
}
