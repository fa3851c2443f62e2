package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// served is what a home remembers while it answers.
type served struct {
	mu      sync.Mutex
	started time.Time
	nonces  map[[16]byte]int64 // of requests, and when they came, in Unix seconds
	swept   time.Time
	buckets map[pgp.Fingerprint]*rate.Limiter
	perKey  rate.Limit
	sums    map[string]summed // by what may be seen
	offered offeredMonths
	synced  lastSync
	waiting map[pgp.Fingerprint]int // answers held back
	sealed  sync.Pool               // *[]byte, where parts of files are sealed
	reached []string                // my addresses, of which friends are told
	met     func(Visit)             // told of who was answered; nil: nobody is
	asking  *asking                 // what friends are asked back; nil: nothing is
	looking atomic.Bool             // somebody follows the files, so that strangers' requests need not
}

// remember is how long a nonce is kept: a request is taken within ten minutes
// of its time on either side.
const remember = 2 * wire.ClockSkew

// start begins to answer: what was asked before is refused as a replay, since
// this process cannot know it. perKey is how many sealed requests a second one
// key may make.
func (s *served) start(now time.Time, perKey float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = now.Truncate(time.Second)
	s.nonces = map[[16]byte]int64{}
	s.buckets = map[pgp.Fingerprint]*rate.Limiter{}
	s.perKey = rate.Limit(perKey)
}

// fresh remembers a request, and tells whether it was surely not seen before.
func (s *served) fresh(from pgp.Fingerprint, nonce string, at, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.started) { // the clock was put back: else nobody is answered until it is as late again
		s.started = now.Truncate(time.Second)
	}
	if at.Before(s.started) {
		return false
	}
	if now.Sub(s.swept) > time.Minute || now.Before(s.swept) {
		s.swept = now
		for n, t := range s.nonces {
			if now.Unix()-t > int64(remember.Seconds()) {
				delete(s.nonces, n)
			}
		}
	}
	sum := sha256.Sum256([]byte(string(from) + nonce))
	key := [16]byte(sum[:16])
	if _, seen := s.nonces[key]; seen {
		return false
	}
	s.nonces[key] = now.Unix()
	return true
}

// allow takes from the bucket of a key. There are at most so many buckets: a
// stranger has any number of keys, and is bounded by his address.
func (s *served) allow(from pgp.Fingerprint, now time.Time) bool {
	const most, burst = 10_000, 4
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[from]
	if b == nil {
		if len(s.buckets) >= most {
			clear(s.buckets)
		}
		b = rate.NewLimiter(s.perKey, int(s.perKey*burst))
		s.buckets[from] = b
	}
	return b.AllowN(now, 1)
}

// CheckSealed looks at the outside of a sealed request, without the secret key.
func (h *Home) CheckSealed(body []byte) error {
	me, err := h.secret()
	if err != nil {
		return err
	}
	return pgp.CheckOuter(body, me)
}

// AnswerSealed answers a sealed request with a sealed answer. An error means
// that no signature has verified: then everybody gets one and the same refusal.
//
// Who would wait for news does so by pause; nil if nobody can.
func (h *Home) AnswerSealed(ctx context.Context, body []byte, pause peer.Pause) ([]byte, error) {
	me, err := h.secret()
	if err != nil {
		return nil, err
	}
	request, reply, err := wire.OpenSealed(body, me)
	if err != nil {
		return nil, err
	}
	if reply != nil {
		return h.hear(ctx, reply, me)
	}
	now := h.clock(me.Certificate())
	cert, err := h.certificateOf(ctx, request, now)
	if err != nil {
		return nil, err
	}
	a := h.answerTo(ctx, request, cert, me.Certificate(), now, pause)
	if a.Kind == wire.KindError {
		h.opt.Log.Info("answered with an error", "from", request.From, "code", a.Code)
	}
	if a.Part != nil {
		return h.sealPart(wire.Party{Me: me, Other: cert}, a, request)
	}
	return h.sealAsking(ctx, wire.Party{Me: me, Other: cert}, a, request)
}

// certificateOf is the certificate by which a request verifies: the one that came
// along, merged with what is known of a friend; it is stored then. Of everybody
// else, the blocked, the removed, the followed and the unknown, only what came
// along counts: what is known here must not show which of them he is.
func (h *Home) certificateOf(ctx context.Context, r *wire.Request, now time.Time) (*pgp.Certificate, error) {
	var known *pgp.Certificate
	if g, err := h.people.Grants(r.From); err == nil && g.Friend { // else the answer will be: busy
		if known, err = h.people.Certificate(r.From); err != nil && !errors.Is(err, keyring.ErrUnknown) {
			return nil, err
		}
	}
	cert, err := r.Certificate(known)
	if err != nil {
		return nil, err
	}
	if err := r.Verify(cert, now); err != nil {
		return nil, err
	}
	if err := cert.Usable(now); err != nil || known == nil || cert == known {
		return cert, err
	}
	err = h.Locked(ctx, func(k *keyring.Keyring) error { _, _, err := k.Merge(cert); return err })
	if err != nil {
		h.opt.Log.Warn("a friend's renewed key could not be stored", "friend", r.From, "error", err)
	}
	return cert, nil
}

func (h *Home) answerTo(ctx context.Context, r *wire.Request, cert, me *pgp.Certificate, now time.Time, pause peer.Pause) wire.Answer {
	fail := func(code string) wire.Answer { return wire.Answer{Kind: wire.KindError, Code: code, Time: now} }
	q, err := r.Question(me.Fingerprint(), now)
	switch {
	case errors.Is(err, wire.ErrVersion):
		return fail(wire.CodeVersion)
	case errors.Is(err, wire.ErrKind):
		return fail(wire.CodeKind)
	case errors.Is(err, wire.ErrClock):
		return fail(wire.CodeClock)
	case err != nil:
		return fail(wire.CodeInvalid)
	case !h.served.allow(r.From, now): // before the nonce is remembered: who is told busy is given nothing
		return fail(wire.CodeBusy)
	case !h.served.fresh(r.From, r.Nonce, r.Time, now):
		return fail(wire.CodeReplay)
	}
	if q.Kind == wire.KindHello {
		return h.greet(ctx, q, cert, me, now)
	}
	h.relocate(ctx, r.From, q.Addresses)
	a, err := h.inTime(ctx, r.From, q, now, pause)
	if err != nil {
		h.opt.Log.Error("an answer could not be made", "from", r.From, "error", err)
		return fail(wire.CodeBusy)
	}
	return a
}

// mostWait is how long an answer without news is held back, whatever is asked.
const mostWait = 30 * time.Second

// inTime is the Answer, at once or as soon as there is news, or when the time is
// over that the reader would wait. Strangers wait for nothing: there are any
// number of them, and not of places to wait (spec M43).
func (h *Home) inTime(ctx context.Context, reader pgp.Fingerprint, q wire.Question, now time.Time, pause peer.Pause) (wire.Answer, error) {
	g, err := h.grants(reader)
	if q.Wait == 0 || pause == nil || err != nil || !g.Friend || !h.served.wait(reader, 1) {
		return h.Answer(ctx, reader, q, now)
	}
	defer h.served.wait(reader, -1)
	waits, cancel := context.WithTimeout(ctx, min(time.Duration(q.Wait)*time.Second, mostWait))
	defer cancel()
	began := h.opt.Now()
	for {
		changed := h.Changed()
		a, err := h.Answer(ctx, reader, q, now.Add(h.opt.Now().Sub(began)))
		if err != nil || waits.Err() != nil || a.News(q) || !pause(waits, changed) {
			return a, err
		}
	}
}

// wait takes n places to wait for a key, or gives them back; false: it has as
// many as it may.
func (s *served) wait(from pgp.Fingerprint, n int) bool {
	const most = 4 // machines of one person
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[pgp.Fingerprint]int{}
	}
	if s.waiting[from]+n > most {
		return false
	}
	if s.waiting[from] += n; s.waiting[from] == 0 {
		delete(s.waiting, from)
	}
	return true
}

// summed are month lines and how long they hold.
type summed struct {
	from, until time.Time // until is zero if nothing expires
	months      wire.Months
}

func (m summed) holds(at time.Time) bool {
	return !at.Before(m.from) && (m.until.IsZero() || at.Before(m.until))
}

// kept is what was summed up, by index.View.Changes: what may be seen, as it is
// now.
func (s *served) kept(changes string) (m summed, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok = s.sums[changes]
	return m, ok
}

func (s *served) keep(changes string, m summed) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sums == nil || len(s.sums) >= most {
		s.sums = map[string]summed{}
	}
	s.sums[changes] = m
}

// StartServing makes ready to answer: a stat of every file of mine, old
// temporary files swept, requests from before refused as replays.
func (h *Home) StartServing(ctx context.Context, perKey float64) error {
	if _, err := h.secret(); err != nil {
		return err
	}
	h.served.start(h.opt.Now(), perKey)
	if err := h.Sweep(); err != nil {
		h.opt.Log.Warn("old temporary files could not be swept", "error", err)
	}
	if _, err := h.people.Problems(); err != nil { // members that came by hand are noticed now, not when they first ask
		h.opt.Log.Warn("the people cannot all be read", "error", err)
	}
	return h.look(ctx, true)
}
