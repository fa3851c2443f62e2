package peer

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// An address has its rate and its burst, and no other address shares them, but
// for the neighbours of an IPv6 network.
//
// spec: S8
func TestBuckets(t *testing.T) {
	b, err := newBuckets(Limits{}.orDefault().PerAddress, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	from := func(addr string) *http.Request { return &http.Request{RemoteAddr: addr} }
	count := func(addr string, at time.Time) (n int) {
		for b.allow(from(addr), at) && n < 5000 {
			n++
		}
		return n
	}
	for _, c := range []struct {
		name, addr string
		at         time.Time
		want       int
	}{
		{"a burst", "192.0.2.7:1", now, 2000},
		{"another port", "192.0.2.7:2", now, 0},
		{"the same as IPv6", "[::ffff:192.0.2.7]:1", now, 0},
		{"a neighbour", "192.0.2.8:1", now, 2000},
		{"a second later", "192.0.2.7:1", now.Add(time.Second), 1000},
		{"a day later", "192.0.2.7:1", now.Add(24 * time.Hour), 2000},
		{"IPv6", "[2001:db8:0:1::1]:1", now, 2000},
		{"IPv6, the same network", "[2001:db8:0:1:ffff::1]:1", now, 0},
		{"IPv6, the next network", "[2001:db8:0:2::1]:1", now, 2000},
	} {
		if got := count(c.addr, c.at); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestBucketsAreFew(t *testing.T) {
	b, err := newBuckets(1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range 3 * maxBuckets {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		b.allow(&http.Request{RemoteAddr: netip.AddrPortFrom(addr, 1).String()}, now.Add(time.Duration(i)*time.Millisecond))
		if len(b.of) > maxBuckets {
			t.Fatalf("%d buckets", len(b.of))
		}
	}
}

// What a header says is believed only of a proxy that was named.
//
// spec: S11
func TestForwardedFor(t *testing.T) {
	for _, c := range []struct {
		name, remote, header, want string
		proxies                    []string
	}{
		{"no proxy", "192.0.2.7:1", "198.51.100.1", "192.0.2.7", nil},
		{"from elsewhere", "192.0.2.7:1", "198.51.100.1", "192.0.2.7", []string{"127.0.0.0/8"}},
		{"a proxy", "127.0.0.1:1", "198.51.100.1", "198.51.100.1", []string{"127.0.0.0/8"}},
		{"two proxies", "127.0.0.1:1", "198.51.100.1, 127.0.0.2", "198.51.100.1", []string{"127.0.0.0/8"}},
		{"who lies to the proxy", "127.0.0.1:1", "203.0.113.9, 198.51.100.1", "198.51.100.1", []string{"127.0.0.0/8"}},
		{"a proxy that says nothing", "127.0.0.1:1", "", "127.0.0.1", []string{"127.0.0.0/8"}},
		{"a proxy that says nonsense", "127.0.0.1:1", "x", "127.0.0.1", []string{"127.0.0.0/8"}},
		{"a proxy by IPv6", "[::1]:1", "2001:db8::7", "2001:db8::7", []string{"::1/128"}},
		{"a proxy as one address", "192.0.2.7:1", "198.51.100.1", "198.51.100.1", []string{"192.0.2.7"}},
		{"a proxy as one IPv6 address", "[2001:db8::1]:1", "198.51.100.1", "198.51.100.1", []string{"2001:db8::1"}},
		{"a proxy as an IPv4 address in IPv6", "192.0.2.7:1", "198.51.100.1", "198.51.100.1", []string{"::ffff:192.0.2.7"}},
		{"the neighbour of a proxy", "192.0.2.8:1", "198.51.100.1", "192.0.2.8", []string{"192.0.2.7"}},
		{"a lie in a line of its own", "127.0.0.1:1", "203.0.113.9|198.51.100.1", "198.51.100.1", []string{"127.0.0.0/8"}},
		{"two proxies, a line each", "127.0.0.1:1", "203.0.113.9|198.51.100.1|127.0.0.2", "198.51.100.1", []string{"127.0.0.0/8"}},
	} {
		b, err := newBuckets(1, c.proxies)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": strings.Split(c.header, "|"), "X-Real-Ip": {"203.0.113.1"}, "Forwarded": {"for=203.0.113.1"}}}
		if got := b.address(r).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if _, err := newBuckets(1, []string{"localhost"}); err == nil {
		t.Error("localhost is taken for a prefix")
	}
}

// running serves until stop is called; done gives what Serve returned.
func running(t *testing.T, handler http.Handler, limits Limits) (addr string, stop func(), done chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done = make(chan error, 1)
	go func() { done <- Serve(ctx, l, handler, limits, nil) }()
	return l.Addr().String(), cancel, done
}

// Told to stop it takes nobody new, and whoever is being answered is answered.
//
// spec: S12
func TestDrain(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	addr, stop, done := running(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- true
		<-leave
		_, _ = io.WriteString(w, "whole")
	}), Limits{})
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	stop()
	for { // until the listener is closed
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(leave)
	if got := <-answer; got != "whole" {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

// What is over the number of connections is closed at once, and makes room for
// nobody; who goes makes room.
//
// spec: S2
func TestConnections(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, limits := range map[string]Limits{"in all": {Connections: 2}, "of one address": {ConnectionsPer: 2}} {
		addr, stop, done := running(t, ok, limits)
		dial := func() (net.Conn, bool) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				_ = resp.Body.Close()
			}
			return conn, err == nil
		}
		a, okA := dial()
		b, okB := dial()
		c, okC := dial()
		if !okA || !okB || okC {
			t.Errorf("%s: answered %v %v %v, want two of three", name, okA, okB, okC)
		}
		_ = a.Close()
		for { // until the server has seen that one went
			d, ok := dial()
			_ = d.Close()
			if ok {
				break
			}
		}
		_, _ = b.Close(), c.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Counting is by address, and nothing is left of who gave back all.
func TestShares(t *testing.T) {
	c := newShares(3, 2)
	one, two := network(netip.MustParseAddr("192.0.2.1")), network(netip.MustParseAddr("192.0.2.2"))
	for i, step := range []struct {
		from netip.Prefix
		want bool
	}{{one, true}, {one, true}, {one, false}, {two, true}, {two, false}} {
		if got := c.take(step.from, 1); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	c.give(one, 2)
	c.give(two, 1)
	if c.take(one, 3) {
		t.Error("more than there is for one address")
	}
	if c.all != 0 || len(c.of) != 0 {
		t.Errorf("left: %d, %v", c.all, c.of)
	}
}

// The slow are not waited for.
func TestTimeouts(t *testing.T) {
	s := newServer(nil, nil)
	for name, d := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if d <= 0 || d > time.Minute {
			t.Errorf("the %s timeout is %s", name, d)
		}
	}
	if s.Protocols.HTTP2() || s.Protocols.UnencryptedHTTP2() || !s.Protocols.HTTP1() {
		t.Error("not HTTP/1.1 alone")
	}
}

// FuzzRoutes: no spelling of a path or a query makes the server fail, and none
// but the real one leads to a post.
func FuzzRoutes(f *testing.F) {
	for _, target := range []string{"/p2ps/v1", "/p2ps/v1/posts/" + public, "/p2ps/v1/key/" + fingerprint, "/p2ps/v1/posts?after=" + public, "//p2ps/v1/posts/%2e%2e", "/p2ps/v1/manifest?months=202611"} {
		f.Add("GET", target)
	}
	handler, err := Handler(&house{}, Limits{PerAddress: 1e9}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d", method, target, w.Code)
		}
		if strings.HasPrefix(w.Body.String(), aPost) && !strings.Contains(target, "/p2ps/v1/posts/"+public) {
			t.Errorf("%s %q leads to the post", method, target)
		}
	})
}
