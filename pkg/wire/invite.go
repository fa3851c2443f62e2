package wire

import (
	"encoding/base32"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// inviteStart begins every invite of version 1.
const inviteStart = "P2PS:1/"

// MaxInvite is above every invite, in bytes.
const MaxInvite = 1200

// An Invite is a link by which two people meet (spec I):
//
//	P2PS:1/<FINGERPRINT>/<TOKEN>/<HOST:PORT>[+<HOST:PORT>…]
//
// It is written in capitals alone, so that a QR code of it is small. Its
// fingerprint commits to the key, which never goes in. Without token it is a
// card: it proves nothing but whose it is, and never ends.
type Invite struct {
	Fingerprint pgp.Fingerprint
	Token       string   // 26 of A-Z and 2-7; "" of a card
	Addresses   []string // http(s)://host[:port], 1 to 4; of a card 0 to 4
}

// Token writes 128 random bits as an invite does.
func Token(random [16]byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:])
}

// IsInvite tells whether a text is meant as an invite, of whatever version.
func IsInvite(s string) bool { return len(s) >= 5 && strings.EqualFold(s[:5], "P2PS:") }

// String is the link. What ParseInvite would not read comes out as an empty
// text: an address that has no form in a link.
func (i Invite) String() string {
	places := make([]string, len(i.Addresses))
	for n, a := range i.Addresses {
		if places[n] = placeOf(a); places[n] == "" {
			return ""
		}
	}
	s := inviteStart + string(i.Fingerprint) + "/" + i.Token + "/" + strings.Join(places, "+")
	if _, err := ParseInvite(s); err != nil {
		return ""
	}
	return s
}

// HasPlace tells whether an address has a form in a link: http on any port, or
// https on 443.
func HasPlace(address string) bool {
	_, err := parsePlace(placeOf(address))
	return err == nil
}

// ParseInvite reads a link in its one form. ErrVersion of a later version,
// ErrInvite of all else.
func ParseInvite(s string) (Invite, error) {
	bad := func(format string, args ...any) (Invite, error) {
		return Invite{}, fmt.Errorf("%w: "+format, append([]any{ErrInvite}, args...)...)
	}
	rest, ok := strings.CutPrefix(s, inviteStart)
	switch {
	case len(s) > MaxInvite:
		return bad("it is too long")
	case !ok && laterInvite.MatchString(s):
		return Invite{}, fmt.Errorf("%w: the invite %.20q", ErrVersion, s)
	case !ok:
		return bad("it does not begin with %s", inviteStart)
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 {
		return bad("it has not three parts after %s", inviteStart)
	}
	i := Invite{Token: parts[1]}
	var err error
	if i.Fingerprint, err = pgp.ParseFingerprint(parts[0]); err != nil {
		return bad("%v", err) // in words: what is wrong is the invite
	}
	if i.Token != "" && !isToken(i.Token) {
		return bad("its token is not 26 of A-Z and 2-7")
	}
	if parts[2] == "" {
		if i.Token != "" {
			return bad("it does not say where")
		}
		return i, nil
	}
	places := strings.Split(parts[2], "+")
	if len(places) > MaxAddresses {
		return bad("it has more than %d addresses", MaxAddresses)
	}
	for _, p := range places {
		a, err := parsePlace(p)
		if err != nil {
			return Invite{}, err
		}
		i.Addresses = append(i.Addresses, a)
	}
	return i, nil
}

// isToken holds a token to its one form: the last letter of 26 has two bits
// of 130 that are nobody's, and are 0.
func isToken(s string) bool {
	if !tokenPattern.MatchString(s) {
		return false
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	return err == nil && len(raw) == 16 && Token([16]byte(raw)) == s
}

var (
	laterInvite = text.NewPattern(`^P2PS:([2-9]|[1-9][0-9]{1,3})/`)
	hostPattern = text.NewPattern(`^[A-Z0-9]([A-Z0-9.-]*[A-Z0-9])?$`)
	portPattern = text.NewPattern(`^[1-9][0-9]{0,4}$`)
)

// parsePlace reads HOST:PORT, an IPv6 address without brackets, as an address.
// Port 443 means https.
func parsePlace(s string) (address string, err error) {
	bad := func() (string, error) { return "", fmt.Errorf("%w: %.80q is not HOST:PORT in capitals", ErrInvite, s) }
	at := strings.LastIndexByte(s, ':')
	if at < 1 {
		return bad()
	}
	host, port := s[:at], s[at+1:]
	if n, err := strconv.Atoi(port); err != nil || n > 65535 || !portPattern.MatchString(port) {
		return bad()
	}
	if strings.Contains(host, ":") {
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Is4In6() || ip.Zone() != "" || strings.ToUpper(ip.String()) != host {
			return bad()
		}
		host = "[" + ip.String() + "]"
	} else if len(host) > 253 || strings.Contains(host, "..") || !hostPattern.MatchString(host) {
		return bad()
	}
	host = strings.ToLower(host)
	if port == "443" {
		return "https://" + host, nil
	}
	return "http://" + host + ":" + port, nil
}

// placeOf is the way back; "" if there is none.
func placeOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := u.Port()
	switch {
	case u.Scheme == "https" && (port == "" || port == "443"):
		port = "443"
	case u.Scheme == "http" && port == "":
		port = "80"
	case u.Scheme != "http" || port == "443":
		return ""
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	}
	return strings.ToUpper(host) + ":" + port
}
