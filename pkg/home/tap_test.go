package home_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A tap is a proxy before somebody's server that holds all keys: it opens every
// answer, and may change it before it goes on to the reader.
type tap struct {
	t       *testing.T
	owner   *pgp.Secret
	readers map[pgp.Fingerprint]*pgp.Secret
	next    http.Handler
	url     string

	// seen gets each answer as its reader can read it: headers and body; from is
	// "" of a public page.
	seen func(from pgp.Fingerprint, r *http.Request, header http.Header, body []byte)
	// change may change the members of an answer; nil leaves it as it is.
	change func(m map[string]json.RawMessage)
	// hides tells that a page of one post is not to be found; nil: never.
	hides func(body []byte) bool
}

// tapped serves h through a tap.
func tapped(t *testing.T, h *home.Home, limits peer.Limits, readers ...*pgp.Secret) *tap {
	t.Helper()
	if err := h.StartServing(t.Context(), 1e6); err != nil {
		t.Fatal(err)
	}
	handler, err := peer.Handler(h, limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &tap{t: t, owner: secretOf(t, h), readers: map[pgp.Fingerprint]*pgp.Secret{}, next: handler}
	for _, r := range readers {
		x.readers[r.Certificate().Fingerprint()] = r
	}
	s := httptest.NewServer(x)
	t.Cleanup(s.Close)
	x.url = s.URL
	return x
}

// secretOf reads the daily key of a home, as whoever stole it could.
func secretOf(t *testing.T, h *home.Home) *pgp.Secret {
	t.Helper()
	data, err := os.ReadFile(h.Path("key/daily.asc"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := pgp.ParseSecret(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (x *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := io.ReadAll(r.Body)
	if err != nil {
		x.t.Error(err)
	}
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(request)), int64(len(request))
	rec := httptest.NewRecorder()
	x.next.ServeHTTP(rec, again)
	body := rec.Body.Bytes()
	if strings.HasSuffix(r.URL.Path, "/sealed") && rec.Code == http.StatusOK {
		body = x.sealed(request, r, rec.Header(), body)
	} else {
		body = x.public(r, rec, body)
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

func (x *tap) sealed(request []byte, r *http.Request, header http.Header, body []byte) []byte {
	q, err := wire.OpenRequest(request, x.owner)
	if err != nil {
		x.t.Errorf("a request that was answered cannot be read: %v", err)
		return body
	}
	reader := x.readers[q.From]
	opened, err := pgp.Decrypt(body, reader, wire.MaxAnswer)
	if err != nil {
		x.t.Errorf("an answer cannot be read: %v", err)
		return body
	}
	if x.seen != nil {
		x.seen(q.From, r, header, opened.Literal)
	}
	literal, at, changed := x.changed(opened.Literal)
	if !changed {
		return body
	}
	body, err = pgp.Seal(literal, pgp.ContextAnswer, x.owner, reader.Certificate(), at, pgp.SealOptions{})
	if err != nil {
		x.t.Error(err)
	}
	return body
}

func (x *tap) public(r *http.Request, rec *httptest.ResponseRecorder, body []byte) []byte {
	if x.seen != nil {
		x.seen("", r, rec.Header(), body)
	}
	if strings.Contains(r.URL.Path, "/posts/") && x.hides != nil && x.hides(body) {
		rec.Code = http.StatusNotFound
	}
	if rec.Code != http.StatusOK || !strings.HasSuffix(r.URL.Path, "/posts") {
		return body
	}
	changed, _, _ := x.changed(body)
	return changed
}

// changed lets change have the members of an answer.
func (x *tap) changed(literal []byte) (_ []byte, at time.Time, changed bool) {
	if x.change == nil {
		return literal, at, false
	}
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(literal, &m); err != nil {
		x.t.Errorf("an answer is no JSON: %v", err)
		return literal, at, false
	}
	x.change(m)
	at, _ = post.ParseTime(strings.Trim(string(m["time"]), `"`)) // a public page has none, and needs none
	out, err := json.Marshal(m)
	if err != nil {
		x.t.Error(err)
	}
	return out, at, true
}
