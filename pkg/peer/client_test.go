package peer

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/wire"
)

// What comes back, and what it means.
//
// spec: M38, S24, S25, S27
func TestClientUnderstands(t *testing.T) {
	const limit = 100
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  error
	}{
		{"an answer", reply(200, typeSealed, "x"), nil},
		{"an answer at the limit", reply(200, typeSealed, strings.Repeat("x", limit)), nil},
		{"with a parameter", reply(200, typeSealed+"; x=y", "x"), nil},
		{"a refusal", reply(400, typeProblem, "x"), ErrRefused},
		{"too many", reply(429, typeProblem, "x"), ErrOverloaded},
		{"no time", reply(503, typeProblem, "x"), ErrOverloaded},
		{"a captive portal", reply(200, "text/html", "Welcome to the hotel"), ErrUnreachable},
		{"nothing that says what it is", reply(200, "", ""), ErrUnreachable},
		{"another server", reply(404, "text/html", "x"), ErrUnreachable},
		{"a server in need", reply(500, "text/plain", "x"), ErrUnreachable},
		{"created", reply(201, typeSealed, "x"), ErrUnreachable},
		{"too long, and it says so", reply(200, typeSealed, strings.Repeat("x", limit+1)), ErrAnswer},
		{"too long, in parts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeSealed)
			for range limit + 1 {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
		}, ErrAnswer},
		{"without end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeSealed)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, ErrAnswer},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeSealed)
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "x")
		}, ErrUnreachable},
		{"compressed, though nobody asked", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeSealed)
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		}, ErrAnswer},
		{"huge headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 32<<10)) }, ErrUnreachable},
		{"hanging up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(c.serve)
			defer s.Close()
			client := NewClient(0)
			defer client.Close()
			body, err := client.Sealed(t.Context(), s.URL, []byte("question"), limit)
			if !errors.Is(err, c.want) || (err == nil) != (len(body) > 0) {
				t.Errorf("got %q, %v, want %v", body, err, c.want)
			}
		})
	}
}

func reply(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// What the client says of itself: what it wants, and no content coding.
//
// spec: S24
func TestClientAsks(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s type=%s coding=%s length=%d agent=%s %s", r.Method, r.URL, r.Proto, r.Header.Get("Content-Type"),
			r.Header.Get("Accept-Encoding"), r.ContentLength, r.Header.Get("User-Agent"), body)
		w.Header().Set("Content-Type", typeSealed)
	}))
	defer s.Close()
	if _, err := NewClient(0).Sealed(t.Context(), s.URL, []byte("question"), 10); err != nil {
		t.Fatal(err)
	}
	if want := "POST /p2ps/v1/sealed HTTP/1.1 type=application/pgp-encrypted coding= length=8 agent=p2ps question"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A redirect is not followed, neither to another host nor within one.
//
// spec: S24
func TestClientFollowsNoRedirect(t *testing.T) {
	visited := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/there" {
				visited = true
			}
			target := elsewhere.URL
			if r.Method == http.MethodGet {
				target = "/there"
			}
			http.Redirect(w, r, target, status)
		}))
		client := NewClient(0)
		if _, err := client.Sealed(t.Context(), s.URL, []byte("x"), 10); !errors.Is(err, ErrUnreachable) || visited {
			t.Errorf("%d: got %v, followed %v", status, err, visited)
		}
		if _, err := client.Key(t.Context(), s.URL, fingerprint); !errors.Is(err, ErrUnreachable) || visited {
			t.Errorf("%d for a key: got %v, followed %v", status, err, visited)
		}
		client.Close()
		s.Close()
	}
}

// Who sends no byte is given up on: before the head, and in the middle.
//
// spec: S25
func TestClientStalls(t *testing.T) {
	if idleTimeout != time.Minute {
		t.Errorf("it waits %s for a byte", idleTimeout)
	}
	for name, head := range map[string]string{"before the head": "", "in the middle": "HTTP/1.1 200 OK\r\nContent-Type: application/pgp-encrypted\r\nContent-Length: 10\r\n\r\nx"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if conn, err := l.Accept(); err == nil {
				_, _ = io.WriteString(conn, head)
				_, _ = io.Copy(io.Discard, conn) // until the client goes
			}
		}()
		client := NewClient(50 * time.Millisecond)
		if _, err := client.Sealed(t.Context(), "http://"+l.Addr().String(), []byte("x"), 10); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: got %v", name, err)
		}
		client.Close()
		_ = l.Close()
	}
}

// A byte now and then is not waited for without end.
//
// spec: S25
func TestClientDripped(t *testing.T) {
	if got := NewClient(0).patience(wire.MaxAnswer); got != time.Minute+512*time.Second {
		t.Errorf("the patience for the greatest answer is %s", got)
	}
	if got := NewClient(0).patience(1 << 30); got != 10*time.Minute {
		t.Errorf("the patience for any answer is %s", got)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", typeSealed)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer s.Close()
	client := NewClient(500 * time.Millisecond) // it is never quiet as long
	defer client.Close()
	_, err := client.Sealed(t.Context(), s.URL, []byte("x"), 4<<10) // more than 4 s
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no whole answer") {
		t.Errorf("got %v", err)
	}
}

// The caller's end is the caller's, not the peer's.
func TestClientIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
	defer s.Close()
	if _, err := NewClient(0).Key(ctx, s.URL, ""); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// spec: M38
func TestClientPages(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.String() {
		case "/p2ps/v1/posts?after=" + public, "/p2ps/v1/manifest?months=202610%2C202611", "/p2ps/v1/posts":
			reply(200, typePage, "{}")(w, r)
		case "/p2ps/v1/posts/" + public:
			reply(200, typePost, aPost)(w, r)
		case "/p2ps/v1/posts/" + tombstone:
			reply(410, typePost, aStone)(w, r)
		case "/p2ps/v1/key":
			reply(200, typeKey, "a key")(w, r)
		default:
			reply(404, typeProblem, "{}")(w, r)
		}
	}))
	defer s.Close()
	c := NewClient(0)
	defer c.Close()
	ctx := t.Context()
	status := func(p *Page, err error) string {
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(p.Status, " ", string(p.Body))
	}
	for want, got := range map[string]string{
		"200 {}":        status(c.Posts(ctx, s.URL, public, 10)),
		"200 {} ":       status(c.Posts(ctx, s.URL, "", 10)) + " ",
		"200 {}  ":      status(c.Lines(ctx, s.URL, []string{"202610", "202611"}, 10)) + "  ",
		"200 " + aPost:  status(c.Post(ctx, s.URL, public, 100)),
		"410 " + aStone: status(c.Post(ctx, s.URL, tombstone, 100)),
		"404 {}":        status(c.Post(ctx, s.URL, unknown, 10)),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if key, err := c.Key(ctx, s.URL, ""); err != nil || string(key) != "a key" {
		t.Errorf("got %q, %v", key, err)
	}
	if _, err := c.Key(ctx, s.URL, fingerprint); !errors.Is(err, ErrUnreachable) {
		t.Errorf("the key of somebody else: got %v", err)
	}
}

// spec: S26
func TestCheckIP(t *testing.T) {
	const never, far, always = "never", "only as given by hand", "always"
	for _, c := range []struct{ ip, want string }{
		{"93.184.216.34", always}, {"2606:2800:220:1::1", always}, {"::ffff:93.184.216.34", always},
		{"127.0.0.1", far}, {"127.8.8.8", far}, {"::1", far}, {"::ffff:127.0.0.1", far}, {"10.0.0.1", far}, {"172.16.0.1", far}, {"192.168.1.1", far},
		{"fd12:3456::1", far}, {"100.64.0.1", far}, {"100.127.255.255", far}, {"198.18.0.1", far}, {"198.19.255.255", far}, {"192.0.0.1", far},
		{"64:ff9b::7f00:1", far}, {"64:ff9b::5db8:d822", far}, {"64:ff9b:1::1", far}, {"2002:7f00:1::1", far}, {"2001::1", far},
		{"100.63.255.255", always}, {"100.128.0.1", always}, {"172.32.0.1", always},
		{"169.254.169.254", never}, {"169.254.1.1", never}, {"::ffff:169.254.169.254", never}, {"fe80::1", never}, {"fd00:ec2::254", never}, {"64:ff9b::a9fe:a9fe", never},
		{"2002:a9fe:a9fe::1", never}, {"0.0.0.0", never}, {"0.1.2.3", never}, {"::", never}, {"224.0.0.1", never}, {"ff02::1", never}, {"240.0.0.1", never}, {"255.255.255.255", never},
	} {
		addr := netip.AddrPortFrom(netip.MustParseAddr(c.ip), 7117).String()
		near, name := checkIP(addr, true), checkIP(addr, false)
		if (near == nil) != (c.want != never) || (name == nil) != (c.want == always) {
			t.Errorf("%s: near %v, by name %v, want %s", c.ip, near, name, c.want)
		}
		for _, err := range []error{near, name} {
			if err != nil && !errors.Is(err, ErrAddress) {
				t.Errorf("%s: got %v", c.ip, err)
			}
		}
	}
	if err := checkIP("[fe80::1%eth0]:1", true); !errors.Is(err, ErrAddress) {
		t.Errorf("with a zone: got %v", err)
	}
}

func TestIsNear(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "localhost": true, "LOCALHOST": true, "nas": true, "nas.local": true, "nas.local.": true, "box.home.arpa": true, "x.localhost": true,
		"example.org": false, "example.org.": false, "localhost.example.org": false, "nas.local.example.org": false, "127.0.0.1.example.org": false, "0x7f.1": false,
	} {
		if isNear(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

// A name of the internet that leads to this machine is not connected to,
// whatever its owner says.
//
// spec: S26
func TestNameThatLeadsHome(t *testing.T) {
	visited := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer s.Close()
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: loopbackDNS(t)}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	if addrs, err := net.DefaultResolver.LookupHost(t.Context(), "rebind.example.org"); err != nil || len(addrs) != 1 || addrs[0] != "127.0.0.1" {
		t.Fatalf("the test's own name server: %v, %v", addrs, err)
	}
	_, err := NewClient(0).Sealed(t.Context(), "http://rebind.example.org:"+port, []byte("x"), 10)
	if !errors.Is(err, ErrAddress) || visited {
		t.Errorf("got %v, visited %v", err, visited)
	}
}

// loopbackDNS answers every question for an A record with 127.0.0.1.
func loopbackDNS(t *testing.T) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12 // the question: labels, type, class
			for end < n && buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			end += 5
			out := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, buf[12:end]...)
			if binary.BigEndian.Uint16(buf[end-4:]) == 1 {
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
			}
			_, _ = udp.WriteTo(out, from)
		}
	}()
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", udp.LocalAddr().String())
	}
}

// spec: M24
func TestCheckAddress(t *testing.T) {
	for in, want := range map[string]string{
		"http://192.0.2.7:7117": "http://192.0.2.7:7117", "https://example.org": "https://example.org", "http://[::1]:7117/": "http://[::1]:7117", "http://nas": "http://nas",
	} {
		if got, err := CheckAddress(in); err != nil || got != want {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "example.org", "ftp://example.org", "http://", "http://:80", "http://a:b@example.org", "http://example.org/x", "http://example.org?x", "http://example.org#x",
		"file:///etc/passwd", "http://" + strings.Repeat("x", 300), "javascript:alert(1)", "http://exa mple.org"} {
		if got, err := CheckAddress(in); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
}
