package peer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
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
	AnswerSealed(ctx context.Context, body []byte) ([]byte, error)
	// Public answers a question as everybody may know it.
	Public(ctx context.Context, q wire.Question) (wire.Answer, error)
	// PublicPost returns a public post as it travels, and whether it is the
	// Tombstone of one; ErrNotFound else.
	PublicPost(ctx context.Context, p post.Position) (data []byte, gone bool, err error)
	// Key returns the armored certificate of the owner, if the fingerprint is
	// his, or, with "", if he has public posts; ErrNotFound else.
	Key(ctx context.Context, fingerprint string) ([]byte, error)
}

// Limits of a server (spec S8). The zero value of a member is its default.
type Limits struct {
	PerAddress     float64 // requests a second of one address: 1,000, bursts twice that
	PerKey         float64 // sealed requests a second of one key: 50, bursts four times that
	Connections    int     // in all: 1,024
	ConnectionsPer int     // of one address: 256
	Queue          int     // sealed requests that wait for a processor: 256
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
	set(&l.ConnectionsPer, 256)
	set(&l.Queue, 256)
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
	return &handler{a, limits, log, b, make(chan struct{}, n), make(chan struct{}, n+limits.Queue)}, nil
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
		h.page(w, r, h.service)
	case path == pathPosts:
		h.page(w, r, h.posts)
	case path == pathLines:
		h.page(w, r, h.lines)
	case path == pathKey:
		h.get(w, r, func(w http.ResponseWriter, r *http.Request) error { return h.key(w, r, "") })
	case strings.HasPrefix(path, pathKey+"/"):
		h.get(w, r, func(w http.ResponseWriter, r *http.Request) error { return h.key(w, r, path[len(pathKey)+1:]) })
	case strings.HasPrefix(path, pathPosts+"/"):
		h.get(w, r, func(w http.ResponseWriter, r *http.Request) error { return h.post(w, r, path[len(pathPosts)+1:]) })
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
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		problem(w, http.StatusBadRequest)
		return
	}
	if err := h.answerer.CheckSealed(body); err != nil {
		h.log.Debug("refused from the outside", "error", err)
		problem(w, http.StatusBadRequest)
		return
	}
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		h.busy(w, http.StatusServiceUnavailable)
		return
	}
	answer, err := h.inTurn(r.Context(), body)
	if err != nil {
		h.log.Debug("refused", "error", err)
		problem(w, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", typeSealed)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // who went away is told nothing more
}

func (h *handler) inTurn(ctx context.Context, body []byte) ([]byte, error) {
	select {
	case h.crypto <- struct{}{}:
		defer func() { <-h.crypto }()
		return h.answerer.AnswerSealed(ctx, body)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// page answers a GET of what is always there.
func (h *handler) page(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, *http.Request) error) {
	if wrongMethod(w, r) {
		return
	}
	h.get(w, r, answer)
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
func (h *handler) get(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, *http.Request) error) {
	err := answer(w, r)
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound):
		problem(w, http.StatusNotFound)
	case errors.Is(err, wire.ErrInvalid):
		problem(w, http.StatusBadRequest)
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

// show sends a public page. What it says depends on public posts alone, and so
// does changed, when it last did; zero if that is not known. Whoever has it
// already is told so by its ETag: a page may change back to an older one.
func show(w http.ResponseWriter, r *http.Request, status int, kind string, changed time.Time, body []byte) {
	if wrongMethod(w, r) {
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "max-age=60")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
	if !changed.IsZero() && !changed.After(time.Now()) { // HTTP knows no changes to come
		w.Header().Set("Last-Modified", changed.UTC().Format(http.TimeFormat))
	}
	if status == http.StatusOK {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// service is the document that says what is spoken here, and the limits.
func (h *handler) service(w http.ResponseWriter, r *http.Request) error {
	body, err := ijson.MarshalIndent(map[string]any{
		"p2ps":     1,
		"requests": []string{wire.RequestVersion},
		"kinds":    []string{wire.KindPosts, wire.KindManifest, wire.KindIDs},
		"limits": map[string]any{
			"request_bytes": wire.MaxRequest, "answer_bytes": wire.MaxAnswer, "page_items": wire.MaxItems, "page_bytes": wire.MaxPage,
			"ids": wire.MaxIDs, "months": wire.MaxMonths, "post_bytes": post.MaxSigned, "clock_seconds": int(wire.ClockSkew.Seconds()),
			"requests_per_second_per_address": h.limits.PerAddress, "requests_per_second_per_key": h.limits.PerKey,
		},
	})
	if err == nil {
		show(w, r, http.StatusOK, typePage, time.Time{}, body)
	}
	return err
}

// publicPage is a public page of posts or of lines.
type publicPage struct {
	Items  []ijson.Value `json:"items,omitzero"`
	Lines  []string      `json:"lines,omitzero"`
	More   bool          `json:"more"`
	Count  *int          `json:"count,omitzero"`
	Digest string        `json:"digest,omitzero"`
}

func (h *handler) posts(w http.ResponseWriter, r *http.Request) error {
	after, err := parameter(r, "after")
	if err != nil {
		return err
	}
	if _, err := wire.ParseAfter(after); err != nil {
		return err
	}
	return h.public(w, r, wire.Question{Kind: wire.KindPosts, After: after})
}

func (h *handler) lines(w http.ResponseWriter, r *http.Request) error {
	after, err := parameter(r, "after")
	if err != nil {
		return err
	}
	months, err := parameter(r, "months")
	if err != nil {
		return err
	}
	q := wire.Question{Kind: wire.KindManifest, After: after}
	if months != "" {
		q.Months = strings.Split(months, ",")
	}
	if err := q.Check(); err != nil {
		return err
	}
	return h.public(w, r, q)
}

// parameter is a value of the query, "" if it is not there: once, and not
// empty, since a typing error must not look like the end of a feed (spec S22).
func parameter(r *http.Request, name string) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fmt.Errorf("%w: the query: %w", wire.ErrInvalid, err)
	}
	values, there := query[name]
	if there && (len(values) != 1 || values[0] == "") {
		return "", fmt.Errorf("%w: %s is empty, or there twice", wire.ErrInvalid, name)
	}
	return query.Get(name), nil
}

func (h *handler) public(w http.ResponseWriter, r *http.Request, q wire.Question) error {
	a, err := h.answerer.Public(r.Context(), q)
	if err != nil {
		return err
	}
	p := publicPage{Items: a.Items, Lines: a.Lines, More: a.More, Count: a.Count, Digest: a.Digest}
	if q.Kind == wire.KindPosts && p.Items == nil {
		p.Items = []ijson.Value{}
	}
	body, err := ijson.Encode(p)
	if err == nil {
		show(w, r, http.StatusOK, typePage, a.Changed, body)
	}
	return err
}

func (h *handler) post(w http.ResponseWriter, r *http.Request, position string) error {
	p, err := post.ParsePosition(position)
	if err != nil {
		return ErrNotFound
	}
	data, gone, err := h.answerer.PublicPost(r.Context(), p)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if gone {
		status = http.StatusGone
	}
	show(w, r, status, typePost, changed(data), data)
	return nil
}

// changed is when a post says that it last changed.
func changed(data []byte) time.Time {
	var p struct {
		Published string `json:"published"`
		Updated   string `json:"updated"`
	}
	_ = ijson.UnmarshalTrusted(data, &p) // it was verified
	t, err := post.ParseTime(p.Updated)
	if err != nil {
		t, _ = post.ParseTime(p.Published)
	}
	return t
}

func (h *handler) key(w http.ResponseWriter, r *http.Request, fingerprint string) error {
	if _, err := pgp.ParseFingerprint(fingerprint); fingerprint != "" && err != nil || strings.HasSuffix(r.URL.Path, "/") {
		return ErrNotFound
	}
	armored, err := h.answerer.Key(r.Context(), fingerprint)
	if err == nil {
		show(w, r, http.StatusOK, typeKey, time.Time{}, armored)
	}
	return err
}
