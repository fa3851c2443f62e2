package home_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A proxy stands before a server and holds all keys: it reads every answer for
// what must not be in it, and spoils some as the network, or a hostile owner,
// could.
type proxy struct {
	p    *actor
	next http.Handler
}

// A fault is what becomes of the answers to one pull.
type fault struct {
	kind string
	at   int // the answer it concerns
	item int
	page bool // it befell a page of posts
	done bool
}

var canaryPattern = regexp.MustCompile(`canary-\d+-`)

func (x *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := x.p
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	rec := httptest.NewRecorder()
	ask := func() {
		rec = httptest.NewRecorder()
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		x.next.ServeHTTP(rec, again)
	}
	turn := p.requests
	p.requests++
	now := p.fault.kind != "" && turn == p.fault.at
	if now && p.fault.kind == "request twice" {
		ask()
		p.fault.done = true
	}
	ask()
	answer := rec.Body.Bytes()
	if r.URL.Path == "/p2ps/v1/sealed" && rec.Code == http.StatusOK {
		answer = x.sealed(body, answer, now)
	} else {
		p.inspect("", "", answer)
		if sha, is := strings.CutPrefix(r.URL.Path, "/p2ps/v1/attachments/"); is && rec.Code < 300 && !p.givesFile("", "", sha) {
			p.fail("everybody gets the file %s", sha)
		}
	}
	if now && p.fault.kind == "lost" || answer == nil {
		p.fault.done = true
		panic(http.ErrAbortHandler)
	}
	for name, v := range rec.Header() {
		w.Header()[name] = v
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	w.Header().Set("Date", p.clock.UTC().Format(http.TimeFormat))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(answer)
}

// sealed opens an answer, looks at it, and spoils it if it is its turn.
func (x *proxy) sealed(request, answer []byte, now bool) []byte {
	p := x.p
	q, err := wire.OpenRequest(request, p.secret)
	if err != nil {
		p.fail("a request cannot be read: %v", err)
		return answer
	}
	reader := p.other(q.From)
	opened, err := pgp.Decrypt(answer, reader.secret, wire.MaxAnswer)
	if err != nil {
		p.fail("an answer cannot be read: %v", err)
		return answer
	}
	p.inspect(q.From, string(request), opened.Literal)
	if asked, err := q.Question(p.fpr, p.clock); err == nil && asked.File != nil {
		return x.part(reader, asked.File, answer, opened.Literal)
	}
	if wire.Size(len(answer)) != len(answer) {
		p.fail("an answer of %d bytes is not padded", len(answer))
	}
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(opened.Literal, &m); err != nil {
		p.fail("an answer is no JSON: %v", err)
		return answer
	}
	before := p.last[q.From]
	p.last[q.From] = answer
	hostile := x.hostile(reader, m)
	if !now {
		return x.seal(reader, m, answer, hostile)
	}
	if p.fault.kind == "repeated" && before != nil {
		p.fault.done = true
		return before
	}
	asked, _ := q.Question(p.fpr, p.clock)
	spoiled := x.spoil(reader, asked, m)
	p.fault.done, p.fault.page = spoiled, string(m["kind"]) == `"posts"`
	return x.seal(reader, m, answer, hostile || spoiled)
}

// seal seals an answer that was changed anew, as the owner could.
func (x *proxy) seal(reader *actor, m map[string]json.RawMessage, answer []byte, changed bool) []byte {
	p := x.p
	if !changed {
		return answer
	}
	literal, _ := json.Marshal(m)
	at, _ := post.ParseTime(strings.Trim(string(m["time"]), `"`))
	spoiled, err := pgp.Seal(literal, pgp.ContextAnswer, p.secret, reader.cert, at, pgp.SealOptions{})
	if err != nil {
		p.fail("sealing: %v", err)
	}
	return spoiled
}

// hostile breaks the signatures of the posts that the owner means to be
// unverifiable, in every answer, and counts what is walked.
func (x *proxy) hostile(reader *actor, m map[string]json.RawMessage) (changed bool) {
	var items []json.RawMessage
	_ = json.Unmarshal(m["items"], &items)
	for i, item := range items {
		var id struct{ ID string }
		_ = json.Unmarshal(item, &id)
		parsed, err := post.ParseID(id.ID)
		if err == nil && string(m["kind"]) == `"posts"` {
			x.p.walked++
		}
		if err == nil && x.p.hostile[parsed.Position] {
			items[i], changed = x.unverifiable(reader, item), true
		}
	}
	if changed {
		m["items"], _ = json.Marshal(items)
	}
	return changed
}

// spoil changes the members of an answer. It tells whether it could.
func (x *proxy) spoil(reader *actor, asked wire.Question, m map[string]json.RawMessage) bool {
	p := x.p
	var all, gone, items []json.RawMessage
	_ = json.Unmarshal(m["items"], &all)
	for _, item := range all {
		if bytes.HasPrefix(item, []byte(`{"gone"`)) {
			gone = append(gone, item)
		} else {
			items = append(items, item)
		}
	}
	put := func() bool {
		m["items"], _ = json.Marshal(append(append([]json.RawMessage{}, gone...), items...))
		return true
	}
	n := 0
	if len(items) > 0 {
		n = p.fault.item % len(items)
	}
	switch kind := p.fault.kind; {
	case kind == "gone dropped" && len(gone) > 0:
		gone = nil
		return put()
	case kind == "gone unasked" && m["items"] != nil:
		for _, c := range p.holding(reader) {
			if id := (post.ID{Author: p.fpr, Position: c.pos}); !slices.Contains(asked.Have, id) {
				gone = append(gone, json.RawMessage(fmt.Sprintf(`{"gone":"%s"}`, id)))
			}
		}
		return put()
	case len(items) == 0:
		return false
	case kind == "item dropped":
		items = append(items[:n:n], items[n+1:]...)
		if more := string(m["more"]); more == "true" && len(items) == 0 {
			return false
		}
		return put()
	case kind == "page cut" && len(items) > 1:
		items = items[:1]
		m["more"] = json.RawMessage("true")
		delete(m, "count")
		delete(m, "digest")
		return put()
	case kind == "disordered" && len(items) > 1:
		items[0], items[1] = items[1], items[0]
		return put()
	case kind == "doubled":
		items = append(items, items[n])
		return put()
	case kind == "unverifiable":
		items[n] = x.unverifiable(reader, items[n])
		return put()
	case kind == "no post at all":
		var id struct{ ID string }
		_ = json.Unmarshal(items[n], &id)
		items[n] = json.RawMessage(fmt.Sprintf(`{"id":%q,"type":[]}`, id.ID))
		reader.mayRefuse(p, id.ID)
		return put()
	case kind == "another text":
		var id struct{ ID string }
		_ = json.Unmarshal(items[n], &id)
		reader.mayRefuse(p, id.ID)
		items[n] = canaryPattern.ReplaceAll(items[n], []byte("forged"))
		return put()
	case kind == "another's post":
		items[n] = bytes.ReplaceAll(items[n], []byte(p.fpr), []byte(reader.fpr))
		return put()
	case kind == "malformed id":
		items[n] = bytes.Replace(items[n], []byte(`"p2ps:`), []byte(`"p2ps:x`), 1)
		return put()
	case kind == "more of nothing":
		gone, items = nil, nil
		m["more"] = json.RawMessage("true")
		delete(m, "count")
		delete(m, "digest")
		return put()
	}
	return false
}

// unverifiable breaks a signature, and leaves the line as it is: a reader who
// has refused it has no reason to ask again.
func (x *proxy) unverifiable(reader *actor, item json.RawMessage) json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal(item, &m)
	var id string
	_ = json.Unmarshal(m["id"], &id)
	m["signature"] = json.RawMessage(`"AAAA"`)
	reader.mayRefuse(x.p, id)
	out, _ := json.Marshal(m)
	return out
}

func (r *actor) mayRefuse(o *actor, id string) {
	parsed, err := post.ParseID(id)
	if err != nil {
		return
	}
	if r.refused[o.fpr] == nil {
		r.refused[o.fpr] = map[post.Position]bool{}
	}
	r.refused[o.fpr][parsed.Position] = true
}

func (p *actor) fail(format string, args ...any) {
	p.w.faults = append(p.w.faults, p.name+": "+fmt.Sprintf(format, args...))
}

// inspect looks for what the reader ("" is everybody) must not receive: texts
// that he may not see now, names of groups, other people's fingerprints.
func (p *actor) inspect(reader pgp.Fingerprint, _ string, literal []byte) {
	allowed := map[string]bool{}
	for pos, t := range p.entitled(reader, p.clock.Truncate(time.Second)) {
		allowed[t.canary] = true
		if p.given[reader] == nil {
			p.given[reader] = map[post.Position]bool{}
		}
		if bytes.Contains(literal, []byte(pos)) {
			p.given[reader][pos] = true
		}
	}
	for _, c := range canaryPattern.FindAll(literal, -1) {
		if !allowed[string(c)] {
			p.fail("%s received %s, which he may not see", reader, c)
		}
	}
	for _, name := range groupNames {
		if bytes.Contains(literal, []byte(name)) {
			p.fail("%s received the name of a group", reader)
		}
	}
	for _, other := range p.w.people {
		if other.fpr != reader && other.fpr != p.fpr && bytes.Contains(literal, []byte(other.fpr)) {
			p.fail("%s received the fingerprint of %s", reader, other.name)
		}
	}
}
