package wire

import (
	"fmt"
	"io"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// answer is the literal of an answer. Count and More are pointers because a
// reader must know a missing one from 0 and false.
type answer struct {
	P2PS   string        `json:"p2ps"`
	Kind   string        `json:"kind"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Time   string        `json:"time"`
	Re     string        `json:"re"`
	Code   string        `json:"code,omitzero"`
	Items  []ijson.Value `json:"items,omitzero"`
	Lines  []string      `json:"lines,omitzero"`
	More   *bool         `json:"more,omitzero"`
	Count  *int          `json:"count,omitzero"`
	Digest string        `json:"digest,omitzero"`
	Name   string        `json:"name,omitzero"`
	Trust  string        `json:"trust,omitzero"`
	Ask    ijson.Value   `json:"ask,omitzero"`

	Addresses ijson.Value `json:"addresses,omitzero"`
}

// gone is the item that tells a post was taken back.
type gone struct {
	Gone string `json:"gone"`
}

// SealAnswer signs a for p.Other and encrypts it to him alone.
func (s *Sealer) SealAnswer(p Party, a Answer, re string) ([]byte, error) {
	sent, err := s.SealAsking(p, a, re)
	if err != nil {
		return nil, err
	}
	return sent.Body, nil
}

// SealAsking is SealAnswer of an answer that asks back, or that answers what
// was asked back, and remembers what the next message must say.
func (s *Sealer) SealAsking(p Party, a Answer, re string) (*Sent, error) {
	literal, padding, err := a.padded(p, re)
	if err != nil {
		return nil, err
	}
	body, padded, err := s.seal(literal, padding, pgp.ContextAnswer, p, a.Time)
	if err != nil {
		return nil, err
	}
	sent := &Sent{Body: body, re: sum(padded), kind: KindAsk}
	if a.Ask != nil {
		sent.expects(*a.Ask)
	}
	return sent, nil
}

// padded is the literal of an answer, of whatever kind, and what it is padded
// with.
func (a Answer) padded(p Party, re string) (literal []byte, padding byte, err error) {
	if a.Part == nil {
		literal, err = a.literal(p, re)
		return literal, ' ', err
	}
	head, err := a.head(p, re)
	if err != nil {
		return nil, 0, err
	}
	literal = append(head, make([]byte, a.Part.length())...)
	_, err = io.ReadFull(a.Part.reader(), literal[len(head):])
	return literal, 0, err
}

func (a Answer) literal(p Party, re string) ([]byte, error) {
	m := answer{
		P2PS: AnswerVersion, Kind: a.Kind, From: string(p.Me.Certificate().Fingerprint()), To: string(p.Other.Fingerprint()),
		Time: post.FormatTime(a.Time), Re: re, Code: a.Code, Count: a.Count, Digest: a.Digest,
	}
	var err error
	if m.Addresses, err = writeAddresses(a.Addresses); err != nil {
		return nil, err
	}
	if a.Ask != nil {
		if m.Ask, err = a.Ask.encode(); err != nil {
			return nil, err
		}
	}
	switch a.Kind {
	case KindHello:
		m.hello(a)
	case KindManifest:
		m.More, m.Lines = &a.More, append([]string{}, a.Lines...)
	case KindPosts, KindIDs:
		m.More, m.Items = &a.More, make([]ijson.Value, 0, len(a.Gone)+len(a.Items))
		for _, id := range a.Gone {
			v, err := ijson.Encode(gone{id.String()})
			if err != nil {
				return nil, err
			}
			m.Items = append(m.Items, v)
		}
		m.Items = append(m.Items, a.Items...)
	}
	return ijson.Encode(m)
}

// OpenAnswer decrypts and verifies the answer to a request of mine: by whom it
// was asked of, to me, to that very request (spec M27).
func (s *Sent) OpenAnswer(body []byte, p Party, now time.Time) (Answer, error) {
	opened, err := open(body, p.Me, MaxAnswer)
	if err != nil {
		return Answer{}, err
	}
	m, at, err := readAnswer(opened.Literal)
	if err != nil {
		return Answer{}, err
	}
	a, err := s.believe(opened, m, at, p, now)
	if a.Ask != nil {
		a.Sum = sum(opened.Literal)
	}
	return a, err
}

// believe verifies an answer that was read. What counts is the later of the
// reader's clock and the answer's time: the answer is fresh because it names
// the request, and a reader whose clock is years behind must still be able to
// read that it is.
func (s *Sent) believe(opened *pgp.Opened, m answer, at time.Time, p Party, now time.Time) (Answer, error) {
	if at.After(now) {
		now = at
	}
	if err := opened.Verify(pgp.ContextAnswer, p.Other, at, now); err != nil {
		return Answer{}, err
	}
	return s.accept(m, at, p.Me.Certificate().Fingerprint(), p.Other.Fingerprint())
}

// readAnswer reads a literal, and when it was made, without believing it.
func readAnswer(literal []byte) (m answer, at time.Time, err error) {
	if err := read(literal, &m); err != nil {
		return m, at, err
	}
	if at, err = post.ParseTime(m.Time); err != nil {
		return m, at, fmt.Errorf("%w: time: %w", ErrInvalid, err)
	}
	return m, at, nil
}

// accept holds a verified answer to the request that it is to.
func (s *Sent) accept(m answer, at time.Time, me, other pgp.Fingerprint) (Answer, error) {
	switch {
	case m.P2PS != AnswerVersion:
		return Answer{}, fmt.Errorf("%w: %.40q", ErrVersion, m.P2PS)
	case m.From != string(other) || m.To != string(me) || m.Re != s.re:
		return Answer{}, ErrBinding
	case m.Kind != s.kind && m.Kind != KindError:
		return Answer{}, fmt.Errorf("%w: a %.40q to a %s", ErrBinding, m.Kind, s.kind)
	}
	return m.read(at)
}

// read takes what belongs to the kind of a verified answer.
func (m *answer) read(at time.Time) (Answer, error) {
	a := Answer{Kind: m.Kind, Time: at, Code: m.Code, Lines: m.Lines, Count: m.Count, Digest: m.Digest}
	missing := func(name string) (Answer, error) { return Answer{}, fmt.Errorf("%w: %s is missing", ErrInvalid, name) }
	switch {
	case m.Kind == KindError && m.Code == "":
		return missing("code")
	case m.Kind == KindError, m.Kind == KindAttachment: // whose part is read by itself
		return a, nil
	}
	var err error
	if a.Addresses, err = readAddresses(m.Addresses); err != nil {
		return Answer{}, err
	}
	if a.Ask, err = readAsk(m.Ask); err != nil {
		return Answer{}, err
	}
	switch {
	case m.Kind == KindAsk:
		return a, nil
	case m.Kind == KindHello:
		return a, m.met(&a)
	case m.More == nil:
		return missing("more")
	case m.Kind == KindManifest && m.Lines == nil:
		return missing("lines")
	case m.Kind != KindManifest && m.Items == nil:
		return missing("items")
	case m.Kind == KindPosts && !*m.More && (m.Count == nil || m.Digest == ""):
		return missing("count or digest")
	case len(m.Items) > MaxItems+MaxIDs:
		return Answer{}, fmt.Errorf("%w: more than %d items", ErrInvalid, MaxItems)
	}
	a.More = *m.More
	return a, a.split(m.Items)
}

// split takes the gone items, which come first, from the posts.
func (a *Answer) split(items []ijson.Value) error {
	for i, item := range items {
		var g gone
		if err := ijson.UnmarshalTrusted(item, &g); err != nil || g.Gone == "" {
			a.Items = items[i:]
			return nil //nolint:nilerr // it is a post, to be looked at later
		}
		id, err := post.ParseID(g.Gone)
		if err != nil {
			return fmt.Errorf("%w: gone: %w", ErrInvalid, err)
		}
		a.Gone = append(a.Gone, id)
	}
	return nil
}
