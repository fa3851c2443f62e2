package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
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
	sums    map[string]summed
	looking atomic.Bool // somebody follows the files, so that strangers' requests need not
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
func (h *Home) AnswerSealed(ctx context.Context, body []byte) ([]byte, error) {
	me, err := h.secret()
	if err != nil {
		return nil, err
	}
	request, err := wire.OpenRequest(body, me)
	if err != nil {
		return nil, err
	}
	cert, err := h.certificateOf(ctx, request)
	if err != nil {
		return nil, err
	}
	now := h.clock(me.Certificate())
	if err := request.Verify(cert, now); err != nil {
		return nil, err
	}
	if err := cert.Usable(now); err != nil {
		return nil, err
	}
	a := h.answerTo(ctx, request, me.Certificate(), now)
	if a.Kind == wire.KindError {
		h.opt.Log.Info("answered with an error", "from", request.From, "code", a.Code)
	}
	return h.sealer.SealAnswer(wire.Party{Me: me, Other: cert}, a, request.Re)
}

// certificateOf merges the key that came along with what is known of a friend.
// It is stored once the request has verified with it. Of everybody else, the
// blocked, the removed, the followed and the unknown, only what came along
// counts: what is known here must not show which of them he is.
func (h *Home) certificateOf(ctx context.Context, r *wire.Request) (*pgp.Certificate, error) {
	if g, err := h.people.Grants(r.From); err != nil || !g.Friend {
		return r.Key, nil //nolint:nilerr // the answer will be: busy
	}
	known, err := h.people.Certificate(r.From)
	if errors.Is(err, keyring.ErrUnknown) {
		return r.Key, nil
	}
	if err != nil {
		return nil, err
	}
	merged, err := known.Merge(r.Key)
	if err != nil || merged == known {
		return merged, err
	}
	if fails := r.Verify(merged, h.opt.Now()); fails != nil {
		return merged, nil //nolint:nilerr // the caller verifies, and says so
	}
	err = h.Locked(ctx, func(k *keyring.Keyring) error { _, _, err := k.Merge(r.Key); return err })
	if err != nil {
		h.opt.Log.Warn("a friend's renewed key could not be stored", "friend", r.From, "error", err)
	}
	return merged, nil
}

func (h *Home) answerTo(ctx context.Context, r *wire.Request, me *pgp.Certificate, now time.Time) wire.Answer {
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
	a, err := h.Answer(ctx, r.From, q, now)
	if err != nil {
		h.opt.Log.Error("an answer could not be made", "from", r.From, "error", err)
		return fail(wire.CodeBusy)
	}
	return a
}

// moments is how often an answer is tried whose files change under it.
const moments = 3

// errMoved: a file is no longer what the index says.
var errMoved = errors.New("a file changed meanwhile")

// Answer is what the reader may have now. The zero reader is everybody: what
// the public pages give. A pull, `timeline --as` and the pages are all answered
// here, by one rule.
func (h *Home) Answer(ctx context.Context, reader pgp.Fingerprint, q wire.Question, now time.Time) (wire.Answer, error) {
	me, err := h.mine()
	if err != nil {
		return wire.Answer{}, err
	}
	var a wire.Answer
	for range moments {
		err = h.withIndex(ctx, func(x *index.Index) error {
			g, rights := h.grants(reader)
			if rights != nil {
				return rights
			}
			if moved := errors.Is(err, errMoved); moved || g.Friend || !h.served.looking.Load() {
				if err := h.sync(ctx, x, moved, me); err != nil {
					return err
				}
			}
			return x.View(ctx, func(v *index.View) error {
				a, err = h.answer(v, me, g, q, now)
				return err
			})
		})
		if !errors.Is(err, errMoved) {
			break
		}
	}
	return a, err
}

func (h *Home) grants(reader pgp.Fingerprint) (post.Grants, error) {
	if reader == "" {
		return post.Grants{}, nil
	}
	return h.people.Grants(reader)
}

func (h *Home) answer(v *index.View, me tree, g post.Grants, q wire.Question, now time.Time) (wire.Answer, error) {
	a := wire.Answer{Kind: q.Kind, Time: now.UTC().Truncate(time.Second)}
	var err error
	if g.Reader == "" {
		if a.Changed, err = v.Changed(me.cert.Fingerprint(), a.Time); err != nil {
			return a, err
		}
	}
	if a.Gone, err = h.gone(v, me, g, q.Have, a.Time); err != nil {
		return a, err
	}
	switch q.Kind {
	case wire.KindPosts:
		err = h.answerPosts(v, me, g, q, &a)
	case wire.KindManifest:
		err = h.answerManifest(v, me, g, q, &a)
	case wire.KindIDs:
		err = h.answerIDs(v, me, g, q, &a)
	default:
		err = fmt.Errorf("%w: %s", wire.ErrKind, q.Kind)
	}
	return a, err
}

func (h *Home) answerPosts(v *index.View, me tree, g post.Grants, q wire.Question, a *wire.Answer) error {
	after, err := wire.ParseAfter(q.After)
	if err != nil {
		return err
	}
	// There is always room for a post; who is not told of all that is gone asks
	// about the rest again (spec W4, W29).
	a.Gone = a.Gone[:min(len(a.Gone), max(1, h.opt.Items-1))]
	most := max(1, h.opt.Items-len(a.Gone))
	rows, err := v.Page(me.cert.Fingerprint(), g, after, most+1, a.Time)
	if err != nil {
		return err
	}
	if err := h.texts(a, me, rows, most); err != nil || a.More {
		return err
	}
	months, err := h.months(v, me, g, a.Time)
	if err != nil {
		return err
	}
	count, digest := months.Digest()
	a.Count, a.Digest = &count, digest
	return nil
}

// texts puts the texts of rows into a, as many as a page holds.
func (h *Home) texts(a *wire.Answer, me tree, rows []index.Row, most int) error {
	const gone = 120 // bytes of an item that says so, at most
	size := len(a.Gone) * gone
	for _, r := range rows {
		p, err := h.reopen(me, r)
		if err != nil {
			return err
		}
		text := p.Wire()
		if len(a.Items) == most || size+len(text) > wire.MaxPage && len(a.Items) > 0 {
			a.More = true
			return nil
		}
		size += len(text) + 1
		a.Items = append(a.Items, text)
	}
	return nil
}

// reopen reads the file of a row, which must be what the index saw.
func (h *Home) reopen(t tree, r index.Row) (*post.Post, error) {
	raw, stat, err := h.root.ReadFile(t.Path(r.ID.Position), post.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMoved, err)
	}
	if stat == r.Stat {
		if p, err := post.Reopen(raw, r.Version); err == nil {
			return p, nil
		}
	}
	open := post.Open
	if t.mine {
		open = post.OpenMine
	}
	p, err := open(raw, t.cert)
	if err != nil || p.Version() != r.Version {
		return nil, fmt.Errorf("%w: %s", errMoved, r.ID.Position)
	}
	if now, err := p.Audience(); t.mine && (err != nil) != (r.Why != "") || !sameAudience(now, r.Audience) {
		return nil, fmt.Errorf("%w: the audience of %s", errMoved, r.ID.Position)
	}
	return p, nil
}

func sameAudience(a, b post.Audience) bool { return fmt.Sprint(a.Members()) == fmt.Sprint(b.Members()) }

// months are the month lines of one reader. They are kept until a post changes
// or expires, since most that is asked is whether there is anything new.
func (h *Home) months(v *index.View, me tree, g post.Grants, at time.Time) (wire.Months, error) {
	changes, err := v.Changes(g)
	if err != nil {
		return nil, err
	}
	key := "" // all strangers are one
	if g.Friend {
		key = fmt.Sprint(g.Reader, g.Since, g.Groups)
	}
	if months, ok := h.served.kept(key, changes, at); ok {
		return months, nil
	}
	var failed error
	months := wire.SumMonths(v.Versions(me.cert.Fingerprint(), g, "", last, at, &failed))
	if failed != nil {
		return nil, failed
	}
	until, err := v.NextExpiry(me.cert.Fingerprint(), at)
	h.served.keep(key, summed{changes, at, until, months})
	return months, err
}

// summed are month lines and how long they hold.
type summed struct {
	changes     string
	from, until time.Time // until is zero if nothing expires
	months      wire.Months
}

func (s *served) kept(key, changes string, at time.Time) (wire.Months, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.sums[key]
	ok = ok && m.changes == changes && !at.Before(m.from) && (m.until.IsZero() || at.Before(m.until))
	return m.months, ok
}

func (s *served) keep(key string, m summed) {
	const most = 1000 // readers; a stranger has any number of keys, but no rights of his own
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sums == nil || len(s.sums) >= most {
		s.sums = map[string]summed{}
	}
	s.sums[key] = m
}

func (h *Home) answerManifest(v *index.View, me tree, g post.Grants, q wire.Question, a *wire.Answer) error {
	a.Lines = []string{}
	size := 0
	add := func(line string) bool {
		if line <= q.After {
			return true
		}
		if size += len(line) + 3; size > wire.MaxPage {
			a.More = true
			return false
		}
		a.Lines = append(a.Lines, line)
		return true
	}
	if q.Months == nil {
		months, err := h.months(v, me, g, a.Time)
		for _, m := range months {
			if !add(m.String()) {
				break
			}
		}
		return err
	}
	first, end := post.Position(slices.Min(q.Months)), post.Position(slices.Max(q.Months)+"~")
	if last, err := wire.ParseLine(q.After); err == nil {
		first = max(first, last.ID.Position) // what was sent is not looked at again
	}
	var failed error
	for ver := range v.Versions(me.cert.Fingerprint(), g, first, end, a.Time, &failed) {
		if slices.Contains(q.Months, ver.ID.Position.Month()) && !add(ver.String()) {
			return nil
		}
	}
	return failed
}

func (h *Home) answerIDs(v *index.View, me tree, g post.Grants, q wire.Question, a *wire.Answer) error {
	var rows []index.Row
	for _, id := range q.Want {
		row, ok, err := v.Row(id)
		if err != nil {
			return err
		}
		if ok && id.Author == me.cert.Fingerprint() && offered(row, g, a.Time) {
			rows = append(rows, row)
		}
	}
	// In order and each once, whatever the question (spec W14).
	slices.SortFunc(rows, func(a, b index.Row) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
	rows = slices.CompactFunc(rows, func(a, b index.Row) bool { return a.ID == b.ID })
	return h.texts(a, me, rows, max(1, h.opt.Items-len(a.Gone)))
}

// offered tells whether a post is given to the reader of g at a moment.
func offered(r index.Row, g post.Grants, at time.Time) bool {
	return r.State == index.Live && (r.Expires.IsZero() || r.Expires.After(at)) && post.Visible(r.Audience, g, r.ID.Position)
}

// gone tells which of the posts that the reader holds were taken back from
// him: there is a Tombstone, or a text in order whose audience surely does not
// name him. Anything that may be a file not yet copied, a draft, a typing
// mistake or a history rule takes nothing back (spec W15, W16).
func (h *Home) gone(v *index.View, me tree, g post.Grants, have []post.ID, at time.Time) ([]post.ID, error) {
	var gone []post.ID
	for _, id := range have {
		if id.Author != me.cert.Fingerprint() {
			continue
		}
		row, ok, err := v.Row(id)
		if err != nil {
			return nil, err
		}
		if !ok || row.State > index.Tombstone || row.Why != "" || !g.Friend && (row.State != index.Tombstone || !row.Public) {
			continue
		}
		if row.State == index.Live {
			back, err := h.takenBack(row, g, at)
			if err != nil {
				return nil, err
			}
			if !back {
				continue
			}
		}
		if _, err := h.reopen(me, row); err != nil {
			return nil, err
		}
		gone = append(gone, id)
	}
	return gone, nil
}

func (h *Home) takenBack(r index.Row, g post.Grants, at time.Time) (bool, error) {
	if offered(r, g, at) || !r.Expires.IsZero() && !r.Expires.After(at) || r.Audience.Public || r.Audience.Friends {
		return false, nil
	}
	for _, reader := range r.Audience.Readers {
		if reader == g.Reader {
			return false, nil
		}
	}
	for _, group := range r.Audience.Groups {
		known, maybe, err := h.people.MayBeMember(g.Reader, group)
		if err != nil || !known || maybe {
			return false, err
		}
	}
	return true, nil
}
