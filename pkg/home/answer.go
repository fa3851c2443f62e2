package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

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
			if err := h.catchUp(ctx, x, me, errors.Is(err, errMoved), g.Friend); err != nil {
				return err
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

// catchUp has the index follow my files before somebody is answered: for who is no
// friend only if nobody follows them, and every file if one has moved.
func (h *Home) catchUp(ctx context.Context, x *index.Index, me tree, moved, friend bool) error {
	switch {
	case moved:
		return h.sync(ctx, x, true, me)
	case friend || !h.served.looking.Load():
		return h.syncMine(ctx, x, me)
	}
	return nil
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
	if g.Friend {
		a.Addresses = h.served.reached
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
	case wire.KindAttachment:
		err = h.answerFile(v, me, g, q, &a)
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
	if err := h.texts(a, me, rows, most, q.Limit); err != nil || a.More {
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

// texts puts the texts of rows into a, as many as a page of so many bytes holds.
func (h *Home) texts(a *wire.Answer, me tree, rows []index.Row, most, limit int) error {
	if limit == 0 {
		limit = wire.MaxPage
	}
	const gone = 120 // bytes of an item that says so, at most
	size := len(a.Gone) * gone
	for _, r := range rows {
		text, err := h.text(me, r)
		if err != nil {
			return err
		}
		if len(a.Items) == most || size+len(text) > limit && len(a.Items) > 0 {
			a.More = true
			return nil
		}
		size += len(text) + 1
		a.Items = append(a.Items, text)
	}
	return nil
}

// text is the wire form of a row's file, which must be what the index saw.
func (h *Home) text(t tree, r index.Row) ([]byte, error) {
	raw, stat, err := h.root.ReadFile(t.Path(r.ID.Position), post.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMoved, err)
	}
	if sha256.Sum256(raw) == r.Sum {
		return post.WireOf(raw)
	}
	p, err := h.read(t, r, raw, stat)
	if err != nil {
		return nil, err
	}
	return p.Wire(), nil
}

// reopen reads the file of a row, which must be what the index saw.
func (h *Home) reopen(t tree, r index.Row) (*post.Post, error) {
	raw, stat, err := h.root.ReadFile(t.Path(r.ID.Position), post.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMoved, err)
	}
	return h.read(t, r, raw, stat)
}

func (h *Home) read(t tree, r index.Row, raw []byte, stat disk.Stat) (*post.Post, error) {
	if stat == r.Stat {
		if p, err := post.Reopen(raw, r.Version); err == nil {
			return p, nil
		}
	}
	key, err := t.key()
	if err != nil {
		return nil, err
	}
	p, err := opener(t.mine)(raw, key)
	if err != nil || p.Version() != r.Version {
		return nil, fmt.Errorf("%w: %s", errMoved, r.ID.Position)
	}
	if now, err := p.Audience(); t.mine && (err != nil) != (r.Why != "") || !sameAudience(now, r.Audience) {
		return nil, fmt.Errorf("%w: the audience of %s", errMoved, r.ID.Position)
	}
	return p, nil
}

func sameAudience(a, b post.Audience) bool { return fmt.Sprint(a.Members()) == fmt.Sprint(b.Members()) }

// months are the month lines of one reader, and of all who see the same. They are
// kept until a post changes or expires, since most that is asked is whether there
// is anything new; and then only the months that changed are worked out anew.
func (h *Home) months(v *index.View, me tree, g post.Grants, at time.Time) (wire.Months, error) {
	changes, err := v.Changes(g)
	if err != nil {
		return nil, err
	}
	if before, ok := h.served.kept(changes); ok && before.holds(at) {
		return before.months, nil
	}
	now := summed{from: at}
	perMonth, expiring, err := v.MonthChanges(me.cert.Fingerprint(), g)
	if err != nil {
		return nil, err
	}
	for _, month := range slices.Sorted(maps.Keys(perMonth)) {
		sum := func() (wire.Month, error) { return h.month(v, me, g, month, at) }
		var m wire.Month
		if slices.Contains(expiring, month) {
			m, err = sum()
		} else {
			m, err = h.offeredMonth(v, offeredMonth{month, perMonth[month]}, sum)
		}
		if err != nil {
			return nil, err
		}
		if m.Count > 0 {
			now.months = append(now.months, m)
		}
	}
	if now.until, err = v.NextExpiry(me.cert.Fingerprint(), g, at); err != nil {
		return nil, err
	}
	h.served.keep(changes, now)
	return now.months, nil
}

func (h *Home) month(v *index.View, me tree, g post.Grants, month string, at time.Time) (m wire.Month, err error) {
	m = wire.SumMonth(month, v.Versions(me.cert.Fingerprint(), g, post.Position(month), post.Position(month+"~"), at, &err))
	return m, err
}

func (h *Home) answerManifest(v *index.View, me tree, g post.Grants, q wire.Question, a *wire.Answer) error {
	a.Lines = []string{}
	size, limit := 0, wire.MaxPage
	if q.Limit > 0 {
		limit = q.Limit
	}
	add := func(line string) bool {
		if line <= q.After {
			return true
		}
		if size += len(line) + 3; size > limit {
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
		if id.Author != me.cert.Fingerprint() {
			continue // looking would take the longer, the more of his posts I hold
		}
		row, ok, err := v.Row(id)
		if err != nil {
			return err
		}
		if ok && offered(row, g, a.Time) {
			rows = append(rows, row)
		}
	}
	// In order and each once, whatever the question (spec W14).
	slices.SortFunc(rows, func(a, b index.Row) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
	rows = slices.CompactFunc(rows, func(a, b index.Row) bool { return a.ID == b.ID })
	return h.texts(a, me, rows, max(1, h.opt.Items-len(a.Gone)), q.Limit)
}

// offered tells whether a post is given to the reader of g at a moment.
func offered(r index.Row, g post.Grants, at time.Time) bool {
	return r.State == index.Live && (r.Expires.IsZero() || r.Expires.After(at)) && post.Visible(r.Audience, g, r.ID.Position)
}
