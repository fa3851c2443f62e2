package peer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/wire"
)

// A slow reader takes nothing of its answer until it is let, or for ever.
type slow struct {
	*httptest.ResponseRecorder
	reading chan bool // told when the first bytes are there to be read
	let     chan bool
}

func newSlow() *slow {
	return &slow{httptest.NewRecorder(), make(chan bool), make(chan bool)}
}

func (s *slow) Write(data []byte) (int, error) {
	s.reading <- true
	<-s.let
	return s.ResponseRecorder.Write(data)
}

// posted is a sealed request from an address.
func posted(from, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/p2ps/v1/sealed", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/pgp-encrypted")
	r.RemoteAddr = from + ":1"
	return r
}

func handlerOf(t *testing.T, h *house, limits Limits) *handler {
	t.Helper()
	server, err := Handler(h, limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	inside, ok := server.(*handler)
	if !ok {
		t.Fatal("not the handler")
	}
	return inside
}

func answered(h *handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// refusedForNow: 503, and when to come again.
func refusedForNow(w *httptest.ResponseRecorder) bool {
	return w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "1"
}

// Who reads slowly holds no place of those who wait for a processor.
//
// spec: S8
func TestSlowReaderHoldsNoPlace(t *testing.T) {
	h := handlerOf(t, &house{}, Limits{})
	h.crypto, h.queue = make(chan struct{}, 1), make(chan struct{}, 1)
	w, done := newSlow(), make(chan bool)
	go func() { h.ServeHTTP(w, posted("192.0.2.1", "x")); close(done) }()
	<-w.reading
	if second := answered(h, posted("192.0.2.1", "x")); second.Code != http.StatusOK {
		t.Errorf("while another reads: %d", second.Code)
	}
	close(w.let)
	<-done
}

// Great answers that are being read are bounded, in all and for one address.
//
// spec: S5, S8
func TestGreatAnswersUnderWay(t *testing.T) {
	great := strings.Repeat("x", greatAnswer+1)
	people := &house{reply: great}
	for _, c := range []struct {
		name        string
		limits      Limits
		from        string
		reply       string
		unavailable bool
	}{
		{"of one address", Limits{AnswersPer: len(great) + 1}, "192.0.2.1", great, true},
		{"of another address", Limits{AnswersPer: len(great) + 1}, "192.0.2.2", great, false},
		{"in all", Limits{Answers: len(great) + 1}, "192.0.2.2", great, true},
		{"two of one address", Limits{AnswersPer: 2 * len(great)}, "192.0.2.1", great, false},
		{"one that is not great", Limits{Answers: len(great)}, "192.0.2.1", great[1:], false},
	} {
		h := handlerOf(t, people, c.limits)
		people.reply = great
		w, done := newSlow(), make(chan bool)
		go func() { h.ServeHTTP(w, posted("192.0.2.1", "x")); close(done) }()
		<-w.reading
		people.reply = c.reply
		if got := answered(h, posted(c.from, "x")); refusedForNow(got) != c.unavailable || !c.unavailable && got.Body.String() != c.reply {
			t.Errorf("%s: got %d, unavailable should be %v", c.name, got.Code, c.unavailable)
		}
		close(w.let)
		<-done
		people.reply = great
		if got := answered(h, posted(c.from, "x")); got.Code != http.StatusOK || h.answers.all != 0 {
			t.Errorf("%s: when it was read: got %d, %d bytes left", c.name, got.Code, h.answers.all)
		}
	}
}

// Public pages are great answers as well.
//
// spec: S8
func TestGreatPagesUnderWay(t *testing.T) {
	h := handlerOf(t, &house{}, Limits{})
	h.answers = newShares(1, 1)
	p := newPage(http.StatusOK, typePage, time.Time{}, make([]byte, greatAnswer+1))
	for method, want := range map[string]int{http.MethodGet: http.StatusServiceUnavailable, http.MethodHead: http.StatusOK} {
		w := httptest.NewRecorder()
		h.show(w, httptest.NewRequest(method, "/p2ps/v1/posts", nil), p)
		if w.Code != want || (want == http.StatusOK) != (w.Header().Get("ETag") != "") {
			t.Errorf("%s: %d, %v", method, w.Code, w.Header())
		}
	}
}

// One address has few sealed requests under way, whatever they wait for.
//
// spec: S2, S5, S8
func TestSealedOfOneAddress(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	people := &house{answer: func(body []byte) error {
		if string(body) == "slow" {
			entered <- true
			<-leave
		}
		return nil
	}}
	h := handlerOf(t, people, Limits{SealedPer: 1})
	h.crypto = make(chan struct{}, 2)
	done := make(chan bool)
	go func() { answered(h, posted("192.0.2.1", "slow")); close(done) }()
	<-entered
	people.check = func([]byte) error { t.Error("its body is looked at"); return nil }
	if got := answered(h, posted("192.0.2.1", "x")); !refusedForNow(got) {
		t.Errorf("the same address: got %d, %v", got.Code, got.Header())
	}
	people.check = nil
	if got := answered(h, posted("192.0.2.2", "x")); got.Code != http.StatusOK {
		t.Errorf("another address: got %d", got.Code)
	}
	close(leave)
	<-done
	if got := answered(h, posted("192.0.2.1", "x")); got.Code != http.StatusOK || h.asking.all != 0 {
		t.Errorf("afterwards: got %d, %d under way", got.Code, h.asking.all)
	}
}

func TestDefaultLimits(t *testing.T) {
	got, want := Limits{}.orDefault(), Limits{PerAddress: 1000, PerKey: 50, Connections: 1024, ConnectionsPer: 64, Queue: 256, SealedPer: 8, Answers: 64 << 20, AnswersPer: 8 << 20}
	if got.Proxies != nil || got.PerAddress != want.PerAddress || got.PerKey != want.PerKey || got.Connections != want.Connections || got.ConnectionsPer != want.ConnectionsPer ||
		got.Queue != want.Queue || got.SealedPer != want.SealedPer || got.Answers != want.Answers || got.AnswersPer != want.AnswersPer {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// drops is a body that breaks off, and notes how much was asked for at once.
type drops struct{ greatest int }

func (d *drops) Read(p []byte) (int, error) {
	d.greatest = max(d.greatest, len(p))
	return 0, io.ErrUnexpectedEOF
}

func (d *drops) Close() error { return nil }

// A head that promises much gets no memory for it.
//
// spec: S2
func TestBodyTakesWhatArrives(t *testing.T) {
	people := &house{check: func([]byte) error { t.Error("a part is looked at"); return nil }}
	r, body := posted("192.0.2.1", ""), &drops{}
	r.Body, r.ContentLength = body, wire.MaxRequest
	if got := answered(handlerOf(t, people, Limits{}), r); got.Code != http.StatusBadRequest || body.greatest == 0 || body.greatest > 4096 {
		t.Errorf("got %d, %d bytes made ready", got.Code, body.greatest)
	}
	short := posted("192.0.2.1", "x")
	short.ContentLength = 2
	if got := answered(handlerOf(t, people, Limits{}), short); got.Code != http.StatusBadRequest {
		t.Errorf("a body that is too short: got %d", got.Code)
	}
}

// A connection notes when its answer is to be written, and what is.
type connection struct {
	*httptest.ResponseRecorder
	said []string
}

func (c *connection) SetWriteDeadline(at time.Time) error {
	if until := time.Until(at); until <= 0 || until > pieceTimeout {
		c.said = append(c.said, "a deadline in "+until.String())
	}
	c.said = append(c.said, "deadline")
	return nil
}

func (c *connection) Write(data []byte) (int, error) {
	c.said = append(c.said, strconv.Itoa(len(data)))
	return c.ResponseRecorder.Write(data)
}

// A great answer is written in pieces, each with a deadline of its own; none
// goes without.
//
// spec: S10
func TestPieces(t *testing.T) {
	if pieceSize != 64<<10 || pieceTimeout != 5*time.Second {
		t.Errorf("pieces of %d in %s", pieceSize, pieceTimeout)
	}
	body := strings.Repeat("x", 2*pieceSize+1)
	w := &connection{ResponseRecorder: httptest.NewRecorder()}
	h := handlerOf(t, &house{reply: body}, Limits{})
	h.ServeHTTP(w, posted("192.0.2.1", "x"))
	if got := strings.Join(w.said, " "); got != "deadline 65536 deadline 65536 deadline 1" || w.Body.String() != body {
		t.Errorf("a sealed answer: %s", got)
	}
	for _, status := range []int{http.StatusOK, http.StatusGone} {
		w = &connection{ResponseRecorder: httptest.NewRecorder()}
		h.show(w, httptest.NewRequest(http.MethodGet, "/", nil), newPage(status, typePage, time.Time{}, []byte(body)))
		if len(w.said) < 6 || w.Body.String() != body || w.Code != status {
			t.Errorf("%d: %d, %v", status, w.Code, w.said)
		}
		for i, what := range w.said {
			if n, _ := strconv.Atoi(what); (i%2 == 0) != (what == "deadline") || n > pieceSize {
				t.Errorf("%d: %v", status, w.said)
				break
			}
		}
	}
}

// A part of a page is had as before, and its head.
func TestPartOfAPage(t *testing.T) {
	s := served(t, &house{}, Limits{})
	got := raw(t, s, ask("GET", "/p2ps/v1/posts/"+public, "Range: bytes=1-3"))
	if status(got) != "206" || !strings.HasSuffix(got, "\r\n"+aPost[1:4]) {
		t.Errorf("got %s", got)
	}
	got = raw(t, s, ask("HEAD", "/p2ps/v1/posts/"+public))
	if status(got) != "200" || !strings.Contains(got, "Content-Length: "+strconv.Itoa(len(aPost))+"\r\n") || !strings.HasSuffix(got, "\r\n") {
		t.Errorf("got %s", got)
	}
}
