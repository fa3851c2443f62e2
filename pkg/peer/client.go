// Package peer is HTTP, both ends: a server that answers sealed requests and
// shows public posts, and a client that asks. Of what a message says it knows
// nothing.
package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths of the interface (spec/server.md).
const (
	pathService = "/p2ps/v1"
	pathSealed  = pathService + "/sealed"
	pathPosts   = pathService + "/posts"
	pathLines   = pathService + "/manifest"
	pathKey     = pathService + "/key"
)

// Content types.
const (
	typeSealed   = "application/pgp-encrypted"
	typeKey      = "application/pgp-keys"
	typePage     = "application/json"
	typePost     = "application/activity+json"
	typeProblem  = "application/problem+json"
	maxKeyAnswer = 96 << 10
)

var (
	// ErrUnreachable: nobody answers there, or somebody who is no p2ps: a captive
	// portal, another person's server. Later may work.
	ErrUnreachable = errors.New("cannot be reached")
	// ErrRefused: the request was not understood (400): the peer may have another
	// key now.
	ErrRefused = errors.New("the request was refused")
	// ErrOverloaded: the peer has no time now (429, 503).
	ErrOverloaded = errors.New("the peer is overloaded")
	// ErrAnswer: the answer breaks the limits of the client.
	ErrAnswer = errors.New("the answer is over the limits")
	// ErrAddress: an address that is not, or must not be, connected to.
	ErrAddress = errors.New("not an address to connect to")
)

// A Client asks peers. It is safe for concurrent use.
type Client struct {
	http *http.Client
	idle time.Duration
}

// Limits of a client.
const (
	idleTimeout    = 60 * time.Second // without a byte
	connectTimeout = 10 * time.Second
	slowest        = 4 << 10          // bytes a second of an answer
	answerTimeout  = 10 * time.Minute // for a whole answer, however great
)

// NewClient makes a client. timeout bounds the wait for a connection and for
// each byte; 0 is the default of 10 and 60 seconds.
func NewClient(timeout time.Duration) *Client {
	connect, idle := connectTimeout, idleTimeout
	if timeout > 0 {
		connect, idle = min(timeout, connect), min(timeout, idle)
	}
	transport := &http.Transport{
		DialContext:            dialer(connect),
		DisableCompression:     true, // nothing is compressed, and a bomb could be
		MaxResponseHeaderBytes: 16 << 10,
		ResponseHeaderTimeout:  idle,
		TLSHandshakeTimeout:    connect,
		MaxIdleConnsPerHost:    2, // while a part of a file is opened, two may be fetched
		IdleConnTimeout:        10 * time.Second,
	}
	return &Client{idle: idle, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// CheckAddress holds an address to the form http(s)://host[:port].
func CheckAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || len(address) > 300 {
		return "", fmt.Errorf("%w: %.300q is not like http://host:7117", ErrAddress, address)
	}
	return u.Scheme + "://" + u.Host, nil
}

// Sealed posts a sealed request of at most limit bytes of answer.
func (c *Client) Sealed(ctx context.Context, base string, body []byte, limit int64) ([]byte, error) {
	return c.sealed(ctx, base, body, nil, limit)
}

func (c *Client) sealed(ctx context.Context, base string, body, room []byte, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+pathSealed, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	req.Header.Set("Content-Type", typeSealed)
	answer, err := c.doInto(req, limit, room, nil)
	switch {
	case err != nil:
		return nil, err
	case answer.Status == http.StatusOK && answer.Type == typeSealed:
		return answer.Body, nil
	case answer.Status == http.StatusBadRequest:
		return nil, ErrRefused
	}
	return nil, answer.failure()
}

// A Page is what a GET brought.
type Page struct {
	Status int
	Type   string
	Body   []byte
	Date   time.Time // by the server's clock; zero if it does not say
}

func (p *Page) failure() error {
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return ErrOverloaded
	case http.StatusOK:
		return fmt.Errorf("%w: what answers there is no p2ps (it sent %.40q)", ErrUnreachable, p.Type)
	}
	return fmt.Errorf("%w: what answers there is no p2ps (status %d)", ErrUnreachable, p.Status)
}

// Key fetches the certificate of a fingerprint, or, with "", that of whoever
// lives there. A 404 means: somebody else.
func (c *Client) Key(ctx context.Context, base, fingerprint string) ([]byte, error) {
	path := pathKey
	if fingerprint != "" {
		path += "/" + fingerprint
	}
	p, err := c.get(ctx, base, path, maxKeyAnswer)
	switch {
	case err != nil:
		return nil, err
	case p.Status == http.StatusOK && p.Type == typeKey:
		return p.Body, nil
	case p.Status == http.StatusNotFound:
		return nil, fmt.Errorf("%w: there is no such key at that address (%w)", ErrUnreachable, ErrNotFound)
	}
	return nil, p.failure()
}

// Posts fetches a public page after a position.
func (c *Client) Posts(ctx context.Context, base, after string, limit int64) (*Page, error) {
	return c.page(ctx, base, pathPosts, "after", after, limit)
}

// Lines fetches the public month lines, or the post lines of some months.
func (c *Client) Lines(ctx context.Context, base string, months []string, limit int64) (*Page, error) {
	return c.page(ctx, base, pathLines, "months", strings.Join(months, ","), limit)
}

func (c *Client) page(ctx context.Context, base, path, parameter, value string, limit int64) (*Page, error) {
	if value != "" {
		path += "?" + parameter + "=" + url.QueryEscape(value)
	}
	p, err := c.get(ctx, base, path, limit)
	if err == nil && (p.Status != http.StatusOK || p.Type != typePage) {
		return nil, p.failure()
	}
	return p, err
}

// Post fetches one public post: 200 with it, 410 with its Tombstone, 404.
func (c *Client) Post(ctx context.Context, base, position string, limit int64) (*Page, error) {
	p, err := c.get(ctx, base, pathPosts+"/"+position, limit)
	if err != nil {
		return nil, err
	}
	switch p.Status {
	case http.StatusOK, http.StatusGone:
		if p.Type == typePost {
			return p, nil
		}
	case http.StatusNotFound:
		return p, nil
	}
	return nil, p.failure()
}

func (c *Client) get(ctx context.Context, base, path string, limit int64) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return c.do(req, limit)
}

// patience is how long an answer of at most limit bytes may take in all: a byte
// now and then must not hold a pull for ever.
func (c *Client) patience(limit int64) time.Duration {
	return c.idle + min(time.Duration(limit)*time.Second/slowest, answerTimeout-c.idle)
}

func (c *Client) do(req *http.Request, limit int64) (*Page, error) {
	return c.doInto(req, limit, nil, nil)
}

// doInto sends a request and reads the whole answer, as long as bytes keep coming
// and there is patience left. header sees those of the answer.
func (c *Client) doInto(req *http.Request, limit int64, room []byte, header func(http.Header)) (*Page, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	stalled := time.AfterFunc(c.idle, func() { cancel(fmt.Errorf("%w: no byte for %s", ErrUnreachable, c.idle)) })
	defer stalled.Stop()
	patience := c.patience(limit)
	late := time.AfterFunc(patience, func() { cancel(fmt.Errorf("%w: no whole answer in %s", ErrUnreachable, patience.Round(time.Second))) })
	defer late.Stop()
	req = req.WithContext(ctx)
	req.Header.Set("User-Agent", "p2ps")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	p := &Page{Status: resp.StatusCode}
	p.Type, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	p.Date, _ = http.ParseTime(resp.Header.Get("Date"))
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes", ErrAnswer, resp.ContentLength)
	}
	body := &watched{r: resp.Body, stalled: stalled, idle: c.idle}
	if header != nil {
		header(resp.Header)
	}
	p.Body, err = readAll(io.LimitReader(body, limit+1), room[:0], resp.ContentLength)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	if int64(len(p.Body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, limit)
	}
	return p, nil
}

// readAll reads to the end. What is said to come, within the limit, finds its
// place at once: a long answer is not copied while it grows.
func readAll(r io.Reader, room []byte, length int64) ([]byte, error) {
	if length >= int64(cap(room)) {
		room = make([]byte, 0, length+1) // the one more finds the end
	}
	for {
		if len(room) == cap(room) {
			room = append(room, 0)[:len(room)]
		}
		n, err := r.Read(room[len(room):cap(room)])
		room = room[:len(room)+n]
		if errors.Is(err, io.EOF) {
			return room, nil
		}
		if err != nil {
			return room, err
		}
	}
}

// unreachable tells our own stall and the caller's end from the network's
// failures.
func unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, ErrAddress) {
		return err
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// watched puts the stall off with every byte.
type watched struct {
	r       io.Reader
	stalled *time.Timer
	idle    time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.stalled.Reset(w.idle)
	}
	return n, err
}
