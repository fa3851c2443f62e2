// Package nearby is the local network: it announces a home by DNS-SD over
// multicast DNS (RFC 6763, RFC 6762) as _p2ps._tcp, and looks for others.
//
// What is announced is a hint and never a proof: whoever is on the link can say
// that he is anybody. Who answers there must sign like anybody else. What comes
// from the link is foreign: a Record is held to its form, and a Peer has only
// addresses of the very link on which it was heard.
//
// brutella/dnssd speaks the protocol, as a guest of this package alone. What it
// leaves to its caller is here: names that are never the machine's own
// (responder.go), a new beginning when the network changes (announce.go),
// questions that are asked again (look.go).
package nearby

import (
	"errors"
	"fmt"
)

// Service is the type of service that is announced and looked for (spec N1).
const Service = "_p2ps._tcp"

// domain is that of multicast DNS.
const domain = "local"

// A Mode says to whom a home is announced.
type Mode string

// Off: to nobody. Friends: to whoever knows the fingerprint. Everyone: by name
// and fingerprint.
const (
	Off      Mode = "off"
	Friends  Mode = "friends"
	Everyone Mode = "everyone"
)

// Modes are all of them, the most private first.
func Modes() []string { return []string{string(Off), string(Friends), string(Everyone)} }

var (
	// errRecord: what is announced is no record of p2ps.
	errRecord = errors.New("not an announcement of p2ps")
	// ErrLink: this machine is on no network that can be looked at.
	ErrLink = errors.New("no local network")
)

// invalid is errRecord with what is wrong.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRecord}, args...)...)
}
