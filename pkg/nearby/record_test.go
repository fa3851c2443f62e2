package nearby

import (
	"bytes"
	"crypto/rand"
	"errors"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/brutella/dnssd"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

const (
	alice = pgp.Fingerprint("6F3A0A112B3C4D5E6F708192A3B4C5D6E7F80910")
	bob   = pgp.Fingerprint("0000000000000000000000000000000000000B0B")
)

// spec: N4
func TestHash(t *testing.T) {
	// printf 'p2ps-nearby\n%s\n%s\n' 000102030405060708090a0b0c0d0e0f 6F3A0A112B3C4D5E6F708192A3B4C5D6E7F80910 | sha256sum
	const want = "67a1f2f7e1bc77b6f8f2c2b9dee4b18c329a87af12fa3b8df491068a8c2f4d9e"
	r, err := covertly(alice, bytes.NewReader([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}))
	if err != nil || r.salt != "000102030405060708090a0b0c0d0e0f" || r.hash != want {
		t.Errorf("salt %s, hash %s, %v; want %s", r.salt, r.hash, err, want)
	}
}

// spec: N4, N5
func TestCovertRecords(t *testing.T) {
	one, err := covertly(alice, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	two, err := covertly(alice, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !one.Is(alice) || !two.Is(alice) || one.Is(bob) || one.Is("") {
		t.Error("a record is recognised by who knows the fingerprint, and by nobody else")
	}
	for key, value := range one.members() {
		if key != keyVersion && (two.members()[key] == value || strings.Contains(strings.ToUpper(value), string(alice[:8]))) {
			t.Errorf("%s=%s joins two records, or shows whose they are", key, value)
		}
	}
	if len(one.members()) != 3 {
		t.Errorf("a record for friends says %v", one.members())
	}
	if _, err := covertly(alice, bytes.NewReader(nil)); err == nil {
		t.Error("a record without a salt")
	}
}

// spec: N3, N4
func TestRecordsReturn(t *testing.T) {
	covert, err := covertly(alice, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Record{covert, openly(alice, "Alice Müller"), openly(alice, ""), openly(alice, strings.Repeat("ü", 200))} {
		if got, err := recordOf(r.members()); err != nil || got != r {
			t.Errorf("%+v came back as %+v, %v", r, got, err)
		}
		for key, value := range r.members() {
			if len(key)+1+len(value) > maxString {
				t.Errorf("%s has %d bytes", key, len(value))
			}
		}
	}
	if r := openly(alice, "x"); !r.Is(alice) || r.Is(bob) || r.Is("") || (Record{}).Is("") {
		t.Error("an open record is of its fingerprint")
	}
}

// spec: N3, N6
func TestRecordRefuses(t *testing.T) {
	good := openly(alice, "Alice").members()
	covert, err := covertly(alice, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hidden := covert.members()
	for _, c := range []struct {
		name   string
		from   map[string]string
		change map[string]string // "-" takes out
	}{
		{"no version", good, map[string]string{"v": "-"}},
		{"a later version", good, map[string]string{"v": "2"}},
		{"no fingerprint", good, map[string]string{"fpr": "-"}},
		{"a short fingerprint", good, map[string]string{"fpr": string(alice[:16])}},
		{"a fingerprint in lower case", good, map[string]string{"fpr": strings.ToLower(string(alice))}},
		{"a fingerprint and a hash", good, hidden},
		{"no salt", hidden, map[string]string{"salt": "-"}},
		{"a short salt", hidden, map[string]string{"salt": "00"}},
		{"a salt in capitals", hidden, map[string]string{"salt": strings.Repeat("AB", 16)}},
		{"no hash", hidden, map[string]string{"hash": "-"}},
		{"a short hash", hidden, map[string]string{"hash": hidden["hash"][:32]}},
		{"a long member", good, map[string]string{"more": strings.Repeat("x", 255)}},
	} {
		m := maps.Clone(c.from)
		for key, value := range c.change {
			if m[key] = value; value == "-" {
				delete(m, key)
			}
		}
		if r, err := recordOf(m); !errors.Is(err, errRecord) {
			t.Errorf("%s: %+v, %v; want %v", c.name, r, err, errRecord)
		}
	}
	many := maps.Clone(good)
	for i := range maxStrings {
		many[strings.Repeat("x", i+1)] = ""
	}
	if _, err := recordOf(many); !errors.Is(err, errRecord) {
		t.Errorf("many members: %v", err)
	}
	more := maps.Clone(good)
	more["later"] = "unknown ones are ignored"
	if _, err := recordOf(more); err != nil {
		t.Errorf("a member that is not known: %v", err)
	}
}

// spec: N6
func TestForeignNamesAreSafe(t *testing.T) {
	for _, raw := range []string{"a\x1b[31mb", "a\nb", "a\u202eb", "\xff\xfe", "../../x", strings.Repeat("x", 5000), "a\u0000b", "6F3A0A112B3C4D5E"} {
		r, err := recordOf(map[string]string{"v": "1", "fpr": string(alice), "name": raw[:min(len(raw), 250)]})
		if err != nil || r.Name != text.PetName(r.Name) || len(r.Name) > maxName || !utf8.ValidString(r.Name) {
			t.Errorf("%q: %q, %v", raw, r.Name, err)
		}
	}
}

func TestUnescaped(t *testing.T) {
	for raw, want := range map[string]string{
		"plain": "plain", `J\195\188rg`: "Jürg", `a\"b`: `a"b`, `a\\b`: `a\b`, `\`: `\`, `\2`: "2", `\25`: "25", `\999`: "999", `\000`: "\x00", `x\0651`: "xA1",
	} {
		if got := unescaped(raw); got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}

// spec: N2, N5
func TestNames(t *testing.T) {
	drawn := regexp.MustCompile(`^p2ps-[a-z2-7]{16}$`)
	o := Options{Mode: Friends, Fingerprint: alice, Name: "Alice", Rand: rand.Reader}
	one, err := newNames(o)
	if err != nil {
		t.Fatal(err)
	}
	two, err := newNames(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []named{one, two} {
		if !drawn.MatchString(n.instance) || !drawn.MatchString(n.host) || n.instance == n.host || n.record.Fingerprint != "" || n.record.Name != "" {
			t.Errorf("a friend finds %+v", n)
		}
	}
	if one.instance == two.instance || one.host == two.host {
		t.Errorf("%+v and %+v have a name in common", one, two)
	}
	for name, want := range map[string]string{"Alice Müller": "Alice-Mller-6F3A0A11", "": "6F3A0A11", "日本": "6F3A0A11", strings.Repeat("x", 64): strings.Repeat("x", 40) + "-6F3A0A11"} {
		o := Options{Mode: Everyone, Fingerprint: alice, Name: name, Rand: rand.Reader}
		n, err := newNames(o)
		if err != nil || n.instance != want || !drawn.MatchString(n.host) || n.record != openly(alice, name) {
			t.Errorf("%q is announced as %+v, %v; want %s", name, n, err, want)
		}
	}
	if _, err := newNames(Options{Mode: Friends, Fingerprint: alice, Rand: bytes.NewReader(make([]byte, 25))}); err == nil {
		t.Error("names without randomness")
	}
}

// spec: N7
func TestOnlyTheLink(t *testing.T) {
	link := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd77::/64"), netip.MustParsePrefix("fe80::/64"), netip.MustParsePrefix("127.0.0.0/8")}
	for ip, want := range map[string]bool{
		"10.77.0.9": true, "fd77::9": true,
		"10.78.0.9": false, "8.8.8.8": false, "169.254.169.254": false, "127.0.0.1": false, "::1": false, "fe80::1": false, "224.0.0.251": false, "0.0.0.0": false, "fd78::9": false, "2001:db8::1": false,
	} {
		got := places([]net.IP{net.ParseIP(ip)}, 7117, link)
		if (len(got) == 1) != want {
			t.Errorf("%s: %v, want %v", ip, got, want)
		}
	}
	for _, port := range []int{0, -1, 65536} {
		if got := places([]net.IP{net.ParseIP("10.77.0.9")}, port, link); got != nil {
			t.Errorf("port %d: %v", port, got)
		}
	}
	if got := places(make([]net.IP, 1000), 1, link); got != nil {
		t.Errorf("no addresses are %v", got)
	}
}

// spec: N7
func TestManyAnswers(t *testing.T) {
	link := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/16"), netip.MustParsePrefix("fd77::/64")}
	entry := func(name string, ips ...string) dnssd.BrowseEntry {
		e := dnssd.BrowseEntry{Name: name, Port: 7117, Text: openly(alice, "Alice").members()}
		for _, ip := range ips {
			e.IPs = append(e.IPs, net.ParseIP(ip))
		}
		return e
	}
	h := &heard{peers: map[string]*sighting{}}
	h.take(entry("a", "fd77::1"), link)
	h.take(entry("a", "10.77.0.1", "fd77::1"), link) // the rest of it
	other := entry("a", "10.77.0.66")
	other.Text = openly(bob, "Bob").members()
	h.take(other, link) // another by that name
	h.take(entry("far", "8.8.8.8"), link)
	h.take(dnssd.BrowseEntry{Name: "no text", Port: 1, IPs: []net.IP{net.ParseIP("10.77.0.1")}}, link)
	got := h.list()
	if len(got) != 1 || got[0].Fingerprint != alice || strings.Join(got[0].Addresses, " ") != "http://10.77.0.1:7117 http://[fd77::1]:7117" {
		t.Errorf("heard: %+v", got)
	}
	for i := range 2 * maxPeers {
		h.take(entry(strings.Repeat("x", i+1), "10.77.0.2", "10.77.0.3", "10.77.0.4", "10.77.0.5", "10.77.0.6"), link)
	}
	if got = h.list(); len(got) != maxPeers || len(got[1].Addresses) != maxAddresses {
		t.Errorf("%d are heard, the second at %v", len(got), got[1].Addresses)
	}
}

func TestListening(t *testing.T) {
	for at, want := range map[string]bool{"0.0.0.0": true, "::": true, "": true, "10.0.0.1": true, "fd77::1": true, "127.0.0.1": false, "::1": false, "fe80::1": false} {
		if got := Reachable(&net.TCPAddr{IP: net.ParseIP(at), Port: 7117}); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
	if Reachable(&net.TCPAddr{}) || Reachable(&net.UnixAddr{}) {
		t.Error("no port, or no network, can be reached")
	}
}

// FuzzRecord: whatever the library makes of what somebody sends, what is kept is
// in its form.
func FuzzRecord(f *testing.F) {
	f.Add("v", "1", "fpr", string(alice), "name", `Al\195\173ce`, []byte{10, 77, 0, 9}, 7117)
	f.Add("v", "1", "salt", strings.Repeat("0", 32), "hash", strings.Repeat("f", 64), []byte(net.ParseIP("fd77::9")), 1)
	f.Add("V", "1", "FPR", string(alice), "name", "\x1b]0;x\a\u202e", []byte{8, 8, 8, 8}, 70000)
	link := []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd77::/64")}
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, k3, v3 string, ip []byte, port int) {
		s, ok := sightingOf(dnssd.BrowseEntry{Name: k3, Text: map[string]string{k1: v1, k2: v2, k3: v3}, IPs: []net.IP{ip}, Port: port}, link)
		if !ok {
			return
		}
		r := s.record
		if (r.Fingerprint == "") == (r.hash == "") || r.Name != text.PetName(r.Name) || len(r.Name) > maxName {
			t.Errorf("the record is %+v", r)
		}
		if again, err := recordOf(r.members()); err != nil || again != r {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
		for _, p := range s.places {
			if !isNear(p.Addr(), link) || p.Port() == 0 {
				t.Errorf("the place is %s", p)
			}
		}
	})
}
