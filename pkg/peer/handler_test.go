package peer

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

const (
	fingerprint = "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"
	public      = "20261122-123456789-k3q5vx2m4f7da"
	tombstone   = "20261122-123456789-aaaaaaaaaaaaa"
	private     = "20261122-123456789-bbbbbbbbbbbbb"
	unknown     = "20261122-123456789-ccccccccccccc"
	aPost       = `{"content":"x","published":"2026-11-22T12:34:56Z"}`
	aStone      = `{"published":"2026-11-22T12:34:56Z","type":"Tombstone","updated":"2026-11-23T08:00:00Z"}`
)

// A house answers what the tests let it, and counts what it is asked.
type house struct {
	check, answer func(body []byte) error
	sealed        int
	noPublic      bool
	asked         []wire.Question
	fail          error
	reply         string // a sealed answer
}

func (h *house) CheckSealed(body []byte) error {
	if h.check == nil {
		return nil
	}
	return h.check(body)
}

func (h *house) AnswerSealed(_ context.Context, body []byte, _ Pause) ([]byte, error) {
	h.sealed++
	if h.answer != nil {
		if err := h.answer(body); err != nil {
			return nil, err
		}
	}
	return []byte(cmp.Or(h.reply, "an answer")), nil
}

func (h *house) Sent([]byte) {}

func (h *house) Public(_ context.Context, q wire.Question) (wire.Answer, error) {
	h.asked = append(h.asked, q)
	if h.fail != nil || h.noPublic {
		return wire.Answer{}, h.fail
	}
	changed, err := post.ParseTime("2026-11-23T08:00:00Z")
	if q.Kind == wire.KindManifest {
		return wire.Answer{Lines: []string{}, Changed: changed}, err
	}
	count := 1
	return wire.Answer{Items: []ijson.Value{ijson.Value(aPost)}, Count: &count, Digest: "d", Changed: changed}, err
}

func (h *house) PublicState(context.Context) (string, error) { return "", nil }

func (h *house) PublicPost(_ context.Context, p post.Position) ([]byte, bool, error) {
	switch p {
	case public:
		return []byte(aPost), false, nil
	case tombstone:
		return []byte(aStone), true, nil
	}
	return nil, false, ErrNotFound
}

func (h *house) PublicFile(_ context.Context, sha256 string) (File, error) {
	if sha256 != publicFile {
		return File{}, ErrNotFound
	}
	changed, err := post.ParseTime("2026-11-22T12:34:56Z")
	return File{Content: content{strings.NewReader(aFile)}, Size: int64(len(aFile)), Type: "image/png", Name: "a picture.png", SHA256: sha256, Changed: changed}, err
}

func (h *house) Key(_ context.Context, fpr string) ([]byte, error) {
	if fpr == fingerprint || fpr == "" && !h.noPublic {
		return []byte("a key"), nil
	}
	return nil, ErrNotFound
}

// served is a running server of a house.
func served(t *testing.T, h *house, limits Limits) *httptest.Server {
	t.Helper()
	handler, err := Handler(h, limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config = newServer(handler, nil)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// raw sends bytes as they are, and gives the whole answer without its Date.
func raw(t *testing.T, s *httptest.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, request) // who is refused early reads no further
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return "no answer"
	}
	defer func() { _ = resp.Body.Close() }()
	resp.Header.Del("Date")
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	_ = resp.Header.Write(&head)
	return resp.Status + "\n" + head.String() + string(body)
}

func ask(method, target string, header ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(header, ""), "\r\n") + "\r\n"
}

func sealed(body string, header ...string) string {
	header = append(header, "Content-Type: application/pgp-encrypted", fmt.Sprintf("Content-Length: %d", len(body)))
	return ask("POST", "/p2ps/v1/sealed", header...) + body
}

func status(answer string) string { s, _, _ := strings.Cut(answer, " "); return s }

// Each path in exactly one spelling, each with its methods.
//
// spec: S4, S18, S19
func TestRoutes(t *testing.T) {
	h := &house{}
	s := served(t, h, Limits{})
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/p2ps/v1", "200"}, {"HEAD", "/p2ps/v1", "200"}, {"POST", "/p2ps/v1", "405"}, {"OPTIONS", "/p2ps/v1", "405"},
		{"GET", "/p2ps/v1/", "404"}, {"GET", "//p2ps/v1", "404"}, {"GET", "/P2PS/v1", "404"}, {"GET", "/p2ps%2Fv1", "404"}, {"GET", "/p2ps/v1/./posts", "404"},
		{"GET", "/p2ps/v1/x/../posts", "404"}, {"GET", "/p2ps//v1/posts", "404"}, {"GET", "/%702ps/v1/posts", "404"}, {"GET", "/", "404"}, {"GET", "/p2ps/v2", "404"},
		{"GET", "/p2ps/v1;x", "404"}, {"GET", "/p2ps/v1%00", "404"},
		{"GET", "/p2ps/v1/posts", "200"}, {"PUT", "/p2ps/v1/posts", "405"}, {"get", "/p2ps/v1/posts", "405"}, {"GET", "/p2ps/v1/Posts", "404"},
		{"GET", "/p2ps/v1/manifest", "200"}, {"DELETE", "/p2ps/v1/manifest", "405"}, {"GET", "/p2ps/v1/manifest/", "404"},
		{"GET", "/p2ps/v1/posts/" + public, "200"}, {"POST", "/p2ps/v1/posts/" + public, "405"}, {"GET", "/p2ps/v1/posts/" + tombstone, "410"},
		{"GET", "/p2ps/v1/posts/" + public + "/", "404"}, {"GET", "/p2ps/v1/posts/%32" + public[1:], "404"}, {"GET", "/p2ps/v1/posts/" + strings.ToUpper(public), "404"},
		{"GET", "/p2ps/v1/posts/" + public + ".json", "404"}, {"GET", "/p2ps/v1/posts//" + public, "404"}, {"GET", "/p2ps/v1/posts/%2e%2e/" + public, "404"},
		{"GET", "/p2ps/v1/posts/", "404"},
		{"GET", "/p2ps/v1/key", "200"}, {"POST", "/p2ps/v1/key", "405"}, {"GET", "/p2ps/v1/key/", "404"},
		{"GET", "/p2ps/v1/key/" + fingerprint, "200"}, {"GET", "/p2ps/v1/key/" + strings.ToLower(fingerprint), "404"}, {"GET", "/p2ps/v1/key/%36" + fingerprint[1:], "404"},
		{"GET", "/p2ps/v1/key/" + fingerprint[24:], "404"}, {"GET", "/p2ps/v1/key/" + fingerprint + "/", "404"}, {"GET", "/p2ps/v1/key/openpgp4fpr:" + fingerprint, "404"},
		{"GET", "/p2ps/v1/key/" + strings.Repeat("0", 40), "404"},
		{"GET", "/p2ps/v1/sealed", "405"}, {"HEAD", "/p2ps/v1/sealed", "405"}, {"PUT", "/p2ps/v1/sealed", "405"}, {"GET", "/p2ps/v1/sealed/", "404"}, {"GET", "/p2ps/v1/sealed?x", "404"},
		{"GET", "/p2ps/v1/attachments/" + strings.Repeat("0", 64), "404"},
	} {
		h.asked = nil
		if got := status(raw(t, s, ask(c.method, c.target, "Content-Length: 0"))); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.target, got, c.want)
		}
		if c.want == "405" && len(h.asked) > 0 {
			t.Errorf("%s %s: a page is made for it", c.method, c.target)
		}
	}
}

// What is private, unknown or malformed is one 404, byte for byte.
//
// spec: S18, S19, S23
func TestOneNotFound(t *testing.T) {
	s := served(t, &house{}, Limits{})
	malformed := []string{"x", public + "x", "20261322-123456789-k3q5vx2m4f7da", "%", "%2e%2e", "..", strings.Repeat("9", 3000), "../key/" + fingerprint, public + "%00", ""}
	headers := [][]string{{}, {"Accept: text/html"}, {"Range: bytes=0-1"}, {"If-None-Match: *"}, {"If-Modified-Since: Sun, 22 Nov 2026 00:00:00 GMT"},
		{"Accept-Encoding: gzip"}, {"Transfer-Encoding: chunked"}, {"Content-Length: 0"}, {"X-Forwarded-For: 127.0.0.1"}, {"Origin: https://example.org"}, {"Connection: close"}}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"} {
		for _, header := range headers {
			body := ""
			if strings.HasPrefix(strings.Join(header, ""), "Transfer") {
				body = "0\r\n\r\n"
			}
			get := func(target string) string { return raw(t, s, ask(method, target, header...)+body) }
			want := get("/p2ps/v1/posts/" + private)
			if !strings.HasPrefix(want, "404 ") || method != "HEAD" && !strings.HasSuffix(want, `{"title":"Not Found","status":404}`) {
				t.Fatalf("%s %v: got %s", method, header, want)
			}
			targets := []string{"/p2ps/v1/posts/" + unknown, "/p2ps/v1/posts/" + private + "?after=x", "/p2ps/v1/key/" + strings.Repeat("F", 40), "/p2ps/v1/key/x", "/elsewhere"}
			if method == "GET" {
				for _, m := range malformed {
					if !strings.HasSuffix(m, "%") {
						targets = append(targets, "/p2ps/v1/posts/"+m)
					}
				}
			}
			for _, target := range targets {
				if got := get(target); got != want {
					t.Errorf("%s %.60s %v:\n%s\nwant\n%s", method, target, header, got, want)
				}
			}
		}
	}
}

// A sealed request is refused by its head for these reasons alone, before
// anything of it is looked at.
//
// spec: S2, S3, S4, S7
func TestSealedByItsHead(t *testing.T) {
	big := strings.Repeat("x", wire.MaxRequest)
	for _, c := range []struct{ name, request, want string }{
		{"good", sealed("x"), "200"},
		{"the greatest", sealed(big), "200"},
		{"empty", sealed(""), "200"}, // the outer packets say no
		{"a byte too many", sealed(big + "x"), "413"},
		{"no length", ask("POST", "/p2ps/v1/sealed", "Content-Type: application/pgp-encrypted", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n", "411"},
		{"no type", ask("POST", "/p2ps/v1/sealed", "Content-Length: 1") + "x", "415"},
		{"another type", ask("POST", "/p2ps/v1/sealed", "Content-Type: application/json", "Content-Length: 1") + "x", "415"},
		{"capitals in the type", ask("POST", "/p2ps/v1/sealed", "Content-Type: Application/PGP-Encrypted", "Content-Length: 1") + "x", "415"},
		{"a parameter", ask("POST", "/p2ps/v1/sealed", "Content-Type: application/pgp-encrypted; charset=x", "Content-Length: 1") + "x", "415"},
		{"the method before the type", ask("PUT", "/p2ps/v1/sealed", "Content-Length: 1") + "x", "405"},
		{"the type before the length", ask("POST", "/p2ps/v1/sealed", "Content-Length: 999999999"), "415"},
	} {
		h := &house{}
		h.check = func([]byte) error {
			if c.want != "200" {
				t.Errorf("%s: the body is looked at", c.name)
			}
			return nil
		}
		got := raw(t, served(t, h, Limits{}), c.request)
		if status(got) != c.want || (c.want == "200") != (h.sealed == 1) {
			t.Errorf("%s: %s, answered %d times, want %s", c.name, got, h.sealed, c.want)
		}
		if c.want == "200" && (!strings.HasSuffix(got, "an answer") || !strings.Contains(got, "Content-Type: application/pgp-encrypted\r\n") ||
			!strings.Contains(got, "Content-Length: 9\r\n")) {
			t.Errorf("%s: got %s", c.name, got)
		}
	}
}

// Whatever fails before a signature has verified is refused by one and the same
// answer.
//
// spec: S3, S6
func TestOneRefusal(t *testing.T) {
	flaw := errors.New("a flaw")
	outer := &house{check: func([]byte) error { return flaw }}
	want := raw(t, served(t, outer, Limits{}), sealed("x"))
	if outer.sealed > 0 {
		t.Error("decrypted although the outer packets are wrong")
	}
	if !strings.HasPrefix(want, "400 Bad Request\n") || !strings.HasSuffix(want, "\r\n"+`{"title":"Bad Request","status":400}`) ||
		!strings.Contains(want, "Content-Type: application/problem+json\r\n") || strings.Contains(want, "flaw") {
		t.Errorf("got %s", want)
	}
	for _, size := range []int{1, 2048, wire.MaxRequest} {
		inner := &house{answer: func([]byte) error { return flaw }}
		if got := raw(t, served(t, inner, Limits{}), sealed(strings.Repeat("x", size))); got != want {
			t.Errorf("%d bytes: got %s\nwant %s", size, got, want)
		}
	}
}

// Too many at once are told to come again.
//
// spec: S2, S5
func TestQueue(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	h := &house{answer: func([]byte) error { entered <- true; <-leave; return nil }}
	server := handlerOf(t, h, Limits{})
	server.crypto, server.queue = make(chan struct{}, 1), make(chan struct{}, 1)
	request := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/p2ps/v1/sealed", strings.NewReader("x"))
		r.Header.Set("Content-Type", "application/pgp-encrypted")
		return r
	}
	first := httptest.NewRecorder()
	done := make(chan bool)
	go func() { server.ServeHTTP(first, request()); close(done) }()
	<-entered
	second := httptest.NewRecorder()
	server.ServeHTTP(second, request())
	if second.Code != http.StatusServiceUnavailable || second.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, %v", second.Code, second.Header())
	}
	leave <- true
	<-done
	if first.Code != http.StatusOK || h.sealed != 1 {
		t.Errorf("the first got %d, %d were answered", first.Code, h.sealed)
	}
}

// Too many of one address are told to come again, before anything else.
//
// spec: S5, S8
func TestTooMany(t *testing.T) {
	h := &house{}
	s := served(t, h, Limits{PerAddress: 1e-9}) // so that none is left
	for _, request := range []string{ask("GET", "/p2ps/v1"), ask("PUT", "/nowhere", "Content-Length: 0"), sealed("x")} {
		if got := raw(t, s, request); status(got) != "429" || !strings.Contains(got, "Retry-After: 1\r\n") || h.sealed > 0 {
			t.Errorf("got %s", got)
		}
	}
}

// spec: S1
func TestOnlyHTTP11(t *testing.T) {
	h := &house{}
	s := served(t, h, Limits{})
	for name, request := range map[string]string{
		"1.0":                        "GET /p2ps/v1 HTTP/1.0\r\n\r\n",
		"2 with prior knowledge":     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"3":                          "GET /p2ps/v1 HTTP/3.0\r\nHost: x\r\n\r\n",
		"0.9":                        "GET /p2ps/v1\r\n\r\n",
		"1.1 without its one header": "GET /p2ps/v1 HTTP/1.1\r\n\r\n",
	} {
		if got := raw(t, s, request); got != "no answer" && got[0] != '4' && got[0] != '5' {
			t.Errorf("%s: got %s", name, got)
		}
	}
	upgrade := ask("GET", "/p2ps/v1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
	if got := raw(t, s, upgrade); status(got) != "200" {
		t.Errorf("an offer to change is not ignored: %s", got)
	}
}

// spec: S2
func TestHeaders(t *testing.T) {
	s := served(t, &house{}, Limits{})
	for _, c := range []struct {
		size int
		want string
	}{{14 << 10, "200"}, {17 << 10, "431"}, {1 << 20, "431"}} {
		got := raw(t, s, ask("GET", "/p2ps/v1", "X: "+strings.Repeat("x", c.size)))
		if status(got) != c.want && (c.size < 1<<20 || got != "no answer") { // it may be cut off while it still sends
			t.Errorf("%d bytes of headers: got %s, want %s", c.size, got, c.want)
		}
	}
}

// spec: S13, S14, S15, S16, S17
func TestPublicPages(t *testing.T) {
	s := served(t, &house{}, Limits{})
	for _, c := range []struct{ target, kind, changed, body string }{
		{"/posts", "application/json", "Mon, 23 Nov 2026 08:00:00 GMT", `{"items":[` + aPost + `],"more":false,"count":1,"digest":"d"}`},
		{"/manifest", "application/json", "Mon, 23 Nov 2026 08:00:00 GMT", `{"lines":[],"more":false}`},
		{"/posts/" + public, "application/activity+json", "Sun, 22 Nov 2026 12:34:56 GMT", aPost},
		{"/posts/" + tombstone, "application/activity+json", "Mon, 23 Nov 2026 08:00:00 GMT", aStone},
		{"/key", "application/pgp-keys", "", "a key"},
		{"/key/" + fingerprint, "application/pgp-keys", "", "a key"},
	} {
		got := raw(t, s, ask("GET", "/p2ps/v1"+c.target))
		if !strings.HasSuffix(got, "\r\n"+c.body) || !strings.Contains(got, "\nContent-Type: "+c.kind+"\r\n") ||
			!strings.Contains(got, "Cache-Control: max-age=60\r\n") || !strings.Contains(got, "X-Content-Type-Options: nosniff\r\n") {
			t.Errorf("%s: got %s", c.target, got)
		}
		if modified := "Last-Modified: " + c.changed + "\r\n"; strings.Contains(got, "Last-Modified") != (c.changed != "") || c.changed != "" && !strings.Contains(got, modified) {
			t.Errorf("%s: got %s, want %s", c.target, got, modified)
		}
		_, tag, _ := strings.Cut(got, "Etag: ")
		tag, _, _ = strings.Cut(tag, "\r\n")
		again := raw(t, s, ask("GET", "/p2ps/v1"+c.target, "If-None-Match: "+tag))
		if want := "304"; !strings.HasPrefix(got, "410") && status(again) != want {
			t.Errorf("%s: with its ETag %s: got %s", c.target, tag, again)
		}
		if other := raw(t, s, ask("GET", "/p2ps/v1"+c.target, `If-None-Match: "x"`)); other != got {
			t.Errorf("%s: with another ETag: got %s", c.target, other)
		}
		if later := raw(t, s, ask("GET", "/p2ps/v1"+c.target, "If-Modified-Since: Mon, 23 Nov 2026 09:00:00 GMT")); later != got {
			t.Errorf("%s: If-Modified-Since is obeyed, though a page may change back: got %s", c.target, later)
		}
	}
}

// spec: S20
func TestKeyNeedsPublicPosts(t *testing.T) {
	s := served(t, &house{noPublic: true}, Limits{})
	want := raw(t, s, ask("GET", "/p2ps/v1/posts/"+private))
	for _, method := range []string{"GET", "POST"} {
		if got := raw(t, s, ask(method, "/p2ps/v1/key", "Content-Length: 0")); got != want {
			t.Errorf("%s: got %s", method, got)
		}
	}
	if got := raw(t, s, ask("GET", "/p2ps/v1/key/"+fingerprint)); status(got) != "200" {
		t.Errorf("got %s", got)
	}
}

// It is the same for everybody, since it is made of limits alone.
//
// spec: S21
func TestServiceDocument(t *testing.T) {
	a := raw(t, served(t, &house{}, Limits{}), ask("GET", "/p2ps/v1"))
	b := raw(t, served(t, &house{noPublic: true, fail: errors.New("no")}, Limits{}), ask("GET", "/p2ps/v1"))
	if a != b || !strings.Contains(a, `"kinds": [`) || !strings.Contains(a, `"request_bytes": 131072`) {
		t.Errorf("got %s\nand %s", a, b)
	}
}

// spec: S22, S23, W2
func TestQueries(t *testing.T) {
	line := "p2ps:" + fingerprint + "/" + public + " 1 " + strings.Repeat("0", 64)
	for _, c := range []struct {
		target string
		want   string
		asked  wire.Question
	}{
		{"/posts?after=" + public, "200", wire.Question{Kind: "posts", After: public}},
		{"/posts?after=2021-01-15T00:00:00Z", "200", wire.Question{Kind: "posts", After: "2021-01-15T00:00:00Z"}},
		{"/posts?later=7", "200", wire.Question{Kind: "posts"}},
		{"/manifest?months=202611,202610", "200", wire.Question{Kind: "manifest", Months: []string{"202611", "202610"}}},
		{"/manifest?months=202611&after=" + url.QueryEscape(line), "200", wire.Question{Kind: "manifest", Months: []string{"202611"}, After: line}},
		{"/posts?after=", "400", wire.Question{}},
		{"/posts?after=7", "400", wire.Question{}},
		{"/posts?after=%zz", "400", wire.Question{}},
		{"/posts?after=" + public + "&after=" + public, "400", wire.Question{}},
		{"/posts?after=20261122-123456789", "400", wire.Question{}},
		{"/posts?x;y", "400", wire.Question{}},
		{"/manifest?months=", "400", wire.Question{}},
		{"/manifest?months=2026", "400", wire.Question{}},
		{"/manifest?months=202611,", "400", wire.Question{}},
		{"/manifest?months=202613", "400", wire.Question{}},
		{"/manifest?months=" + strings.Repeat("202611,", 500) + "202611", "400", wire.Question{}},
		{"/manifest?after=" + public, "400", wire.Question{}},
	} {
		h := &house{}
		got := raw(t, served(t, h, Limits{}), ask("GET", "/p2ps/v1"+c.target))
		if status(got) != c.want || c.want == "400" && (!strings.HasSuffix(got, `{"title":"Bad Request","status":400}`) || len(h.asked) > 0) {
			t.Errorf("%s: got %s, want %s", c.target, got, c.want)
		}
		if c.want == "200" && (len(h.asked) != 1 || h.asked[0].Kind != c.asked.Kind || h.asked[0].After != c.asked.After || !slices.Equal(h.asked[0].Months, c.asked.Months)) {
			t.Errorf("%s: asked %+v, want %+v", c.target, h.asked, c.asked)
		}
	}
	h := &house{fail: errors.New("disk")}
	if got := raw(t, served(t, h, Limits{}), ask("GET", "/p2ps/v1/posts")); status(got) != "503" || !strings.Contains(got, "Retry-After") || strings.Contains(got, "disk") {
		t.Errorf("a failure of ours: got %s", got)
	}
}
