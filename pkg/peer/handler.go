package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// ErrNotFound: there is no such thing, or none that everybody may see: the two
// are never told apart.
var ErrNotFound = errors.New("not found")

// An Answerer is whose posts are served. *home.Home is one.
type Answerer interface {
	// CheckSealed looks at the outside of a sealed request, cheaply.
	CheckSealed(body []byte) error
	// AnswerSealed returns a sealed answer; an error before a signature verified.
	// Who has nothing to tell yet may wait by pause, which may be nil.
	AnswerSealed(ctx context.Context, body []byte, pause Pause) ([]byte, error)
	// Sent takes back the memory of such an answer.
	Sent(answer []byte)
	// Public answers a question as everybody may know it.
	Public(ctx context.Context, q wire.Question) (wire.Answer, error)
	// PublicPost returns a public post as it travels, and whether it is the
	// Tombstone of one; ErrNotFound else.
	PublicPost(ctx context.Context, p post.Position) (data []byte, gone bool, err error)
	// PublicState names the state of the public posts: what was made of them
	// holds as long as it is the same, and no longer than a second.
	PublicState(ctx context.Context) (string, error)
	// PublicFile opens a file that a public post names; ErrNotFound else.
	PublicFile(ctx context.Context, sha256 string) (File, error)
	// Key returns the armored certificate of the owner, if the fingerprint is
	// his, or, with "", if he has public posts; ErrNotFound else.
	Key(ctx context.Context, fingerprint string) ([]byte, error)
}

// A Pause holds an answer back until something is closed or ctx ends, and needs
// neither processor nor place meanwhile. It is false if the answer is to be
// given at once: there is no room to wait, the server ends, or who asked went.
type Pause func(ctx context.Context, until <-chan struct{}) bool

// Limits of a server (spec S8). The zero value of a member is its default.
type Limits struct {
	PerAddress     float64 // requests a second of one address: 1,000, bursts twice that
	PerKey         float64 // sealed requests a second of one key: 50, bursts four times that
	Connections    int     // in all: 1,024
	ConnectionsPer int     // of one address: 64
	Queue          int     // sealed requests that wait for a processor: 256
	SealedPer      int     // sealed requests under way of one address: 8
	Answers        int     // bytes of great answers under way in all: 64 MiB
	AnswersPer     int     // of one address: 8 MiB
	Waiting        int     // sealed requests that wait for news: 512
	WaitingPer     int     // of one address: 32
	Proxies        []string
}

func (l Limits) orDefault() Limits {
	set := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	if l.PerAddress == 0 {
		l.PerAddress = 1000
	}
	if l.PerKey == 0 {
		l.PerKey = 50
	}
	set(&l.Connections, 1024)
	set(&l.ConnectionsPer, 64)
	set(&l.Queue, 256)
	set(&l.SealedPer, 8)
	set(&l.Answers, 64<<20)
	set(&l.AnswersPer, 8<<20)
	set(&l.Waiting, 512)
	set(&l.WaitingPer, 32)
	return l
}

// A handler answers HTTP requests, the cheapest refusal first (spec S2).
type handler struct {
	answerer Answerer
	limits   Limits
	log      *slog.Logger
	buckets  *buckets
	crypto   chan struct{} // one place a processor
	queue    chan struct{}
	asking   *shares // sealed requests, from their head to the end of their answer
	answers  *shares // bytes of great answers, which slow readers hold
	waiting  *shares // sealed requests that wait for news
	ending   chan struct{}
	endOnce  sync.Once
	pages    *pages
}

// Handler serves a. A proxy in limits.Proxies is believed whom it forwards for.
func Handler(a Answerer, limits Limits, log *slog.Logger) (http.Handler, error) {
	limits = limits.orDefault()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b, err := newBuckets(limits.PerAddress, limits.Proxies)
	if err != nil {
		return nil, err
	}
	n := runtime.GOMAXPROCS(0)
	return &handler{
		answerer: a,
		limits:   limits,
		log:      log,
		buckets:  b,
		crypto:   make(chan struct{}, n),
		queue:    make(chan struct{}, n+limits.Queue),
		asking:   newShares(limits.Connections, limits.SealedPer),
		answers:  newShares(limits.Answers, limits.AnswersPer),
		waiting:  newShares(limits.Waiting, limits.WaitingPer),
		ending:   make(chan struct{}),
		pages:    newPages(max(1, n/2)),
	}, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox")
	switch {
	case !h.buckets.allow(r, time.Now()):
		h.busy(w, http.StatusTooManyRequests)
		return
	case !r.ProtoAtLeast(1, 1):
		problem(w, http.StatusHTTPVersionNotSupported)
		return
	}
	// The path as it was written: no other spelling of it leads anywhere.
	path := r.URL.EscapedPath()
	switch {
	case path == pathSealed && r.URL.RawQuery == "":
		h.sealed(w, r)
	case path == pathService:
		h.always(w, r, h.service)
	case path == pathPosts:
		h.always(w, r, h.posts)
	case path == pathLines:
		h.always(w, r, h.lines)
	case path == pathKey:
		h.get(w, r, func(r *http.Request) (*page, error) { return h.key(r, "") })
	case strings.HasPrefix(path, pathKey+"/"):
		h.get(w, r, func(r *http.Request) (*page, error) { return h.key(r, path[len(pathKey)+1:]) })
	case strings.HasPrefix(path, pathPosts+"/"):
		h.get(w, r, func(r *http.Request) (*page, error) { return h.post(r, path[len(pathPosts)+1:]) })
	case strings.HasPrefix(path, pathFiles+"/") && r.URL.RawQuery == "":
		h.file(w, r, path[len(pathFiles)+1:])
	default:
		problem(w, http.StatusNotFound)
	}
}

// sealed answers a sealed request. Until its signature has verified, whoever
// sent it learns nothing but that it was not understood.
func (h *handler) sealed(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed)
		return
	case r.Header.Get("Content-Type") != typeSealed:
		problem(w, http.StatusUnsupportedMediaType)
		return
	case r.ContentLength < 0 || len(r.TransferEncoding) > 0:
		problem(w, http.StatusLengthRequired)
		return
	case r.ContentLength > wire.MaxRequest:
		problem(w, http.StatusRequestEntityTooLarge)
		return
	}
	from := network(h.buckets.address(r))
	if !h.asking.take(from, 1) {
		h.busy(w, http.StatusServiceUnavailable)
		return
	}
	at := &seat{h: h, control: http.NewResponseController(w), from: from, asking: true}
	defer at.leave()
	// What has arrived is what costs memory, not what the head promises.
	body, err := io.ReadAll(io.LimitReader(r.Body, wire.MaxRequest))
	if err != nil || int64(len(body)) != r.ContentLength {
		problem(w, http.StatusBadRequest)
		return
	}
	answer, err := h.answer(r.Context(), body, at)
	switch {
	case errors.Is(err, errBusy):
		h.busy(w, http.StatusServiceUnavailable)
	case err != nil:
		h.log.Debug("refused", "error", err)
		problem(w, http.StatusBadRequest)
	default:
		h.send(w, r, answer, func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", typeSealed)
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = w.Write(answer) // who went away is told nothing more
		})
		h.answerer.Sent(answer)
	}
}

// errBusy: too much is under way; the other side may come again.
var errBusy = errors.New("too much is under way")

// answer waits for a processor. Its places are free again when it returns: who
// reads slowly keeps nobody else from being answered.
func (h *handler) answer(ctx context.Context, body []byte, at *seat) ([]byte, error) {
	if err := h.answerer.CheckSealed(body); err != nil {
		return nil, err
	}
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, errBusy
	}
	select {
	case h.crypto <- struct{}{}:
		defer func() { <-h.crypto }()
		return h.answerer.AnswerSealed(ctx, body, at.pause)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// always answers a GET of what is always there.
func (h *handler) always(w http.ResponseWriter, r *http.Request, find func(*http.Request) (*page, error)) {
	if wrongMethod(w, r) {
		return
	}
	h.get(w, r, find)
}

// wrongMethod refuses what is neither GET nor HEAD.
func wrongMethod(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	w.Header().Set("Allow", "GET, HEAD")
	problem(w, http.StatusMethodNotAllowed)
	return true
}

// get answers a GET of what may not be there. Then the method is not looked at:
// whatever it is, the refusal is the same (spec S18).
func (h *handler) get(w http.ResponseWriter, r *http.Request, find func(*http.Request) (*page, error)) {
	p, err := find(r)
	switch {
	case err == nil:
		if !wrongMethod(w, r) {
			h.show(w, r, p)
		}
	case errors.Is(err, ErrNotFound):
		problem(w, http.StatusNotFound)
	case errors.Is(err, wire.ErrInvalid):
		problem(w, http.StatusBadRequest)
	case errors.Is(err, errBusy):
		h.busy(w, http.StatusServiceUnavailable)
	case r.Context().Err() != nil: // who asked has gone
	default:
		h.log.Error("a public page could not be made", "path", r.URL.Path, "error", err)
		h.busy(w, http.StatusServiceUnavailable)
	}
}

func (h *handler) busy(w http.ResponseWriter, status int) {
	w.Header().Set("Retry-After", "1")
	problem(w, status)
}

// problem is RFC 9457 problem details, nothing but the status in it.
func problem(w http.ResponseWriter, status int) {
	body := fmt.Sprintf(`{"title":%q,"status":%d}`, http.StatusText(status), status)
	w.Header().Set("Content-Type", typeProblem)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
