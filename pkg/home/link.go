package home

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// MaxRun is how many bytes one pull takes from one person.
const MaxRun = 256 << 20

var (
	// ErrKeyChanged: another key than the friend's answers where he lived.
	ErrKeyChanged = errors.New("another key answers")
	// ErrUntrusted: an answer that is not proved to be his.
	ErrUntrusted = errors.New("the answer cannot be trusted")
	// ErrAnother: another p2ps answers where a person was reached.
	ErrAnother = errors.New("somebody else lives there")
	// ErrNoAddress: it is not known where he is reached.
	ErrNoAddress = errors.New("no address is known")
)

// keyChanged is ErrKeyChanged, with the key that answered.
type keyChanged struct{ other, his pgp.Fingerprint }

func (e *keyChanged) Error() string {
	return fmt.Sprintf("%v: %s, instead of %s", ErrKeyChanged, e.other, e.his)
}
func (e *keyChanged) Unwrap() error { return ErrKeyChanged }

// A link carries questions to one person and answers back.
type link interface {
	Ask(ctx context.Context, q wire.Question) (wire.Answer, error)
	Renew(ctx context.Context) (*pgp.Certificate, error)
	Back(ctx context.Context, a wire.Answer) (Given, error) // gives what a asks back
	Room(q wire.Question) int                               // for marked ids in the first question
	Bytes() int64
}

// oneAtATime is a link over which a key may be renewed while a page is fetched.
type oneAtATime struct {
	link
	mu sync.Mutex
}

func (o *oneAtATime) Ask(ctx context.Context, q wire.Question) (wire.Answer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.link.Ask(ctx, q)
}

func (o *oneAtATime) Renew(ctx context.Context) (*pgp.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.link.Renew(ctx)
}

// place is where a person is reached, and how much came from there.
type place struct {
	h         *Home
	client    *peer.Client
	addresses []string
	base      string // of addresses: the one that answered
	cert      *pgp.Certificate
	bytes     int64
	fileBytes int64 // of files, which MaxRun does not bound

	ctx    context.Context // of the pull, for hints
	hints  func() []string // more addresses, if none of those answers; nil if there are none
	hinted bool            // base is one of them
}

func (p *place) Bytes() int64 { return p.bytes }

// try calls ask with the address that answered before, or with each until one
// does.
func (p *place) try(ask func(base string) error) error {
	if p.base != "" {
		return p.hearsay(ask(p.base))
	}
	err := p.tryKnown(ask)
	if err == nil || p.hints == nil || !isAway(err) {
		return err
	}
	return p.tryHints(err, ask)
}

func (p *place) tryKnown(ask func(base string) error) error {
	if len(p.addresses) == 0 {
		return ErrNoAddress
	}
	var errs []error
	for _, base := range p.addresses {
		err := ask(base)
		if err == nil {
			p.base = base
			return nil
		}
		if !errors.Is(err, peer.ErrUnreachable) && !errors.Is(err, peer.ErrAddress) {
			return err
		}
		errs = append(errs, fmt.Errorf("%s: %w", base, err))
	}
	return errors.Join(errs...)
}

// limit is what is left of MaxRun for the next answer.
func (p *place) limit(most int64) (int64, error) {
	left := min(most, MaxRun-p.bytes)
	if left <= 0 {
		return 0, fmt.Errorf("%w: more than %d MiB in one pull; pull again for the rest", peer.ErrAnswer, MaxRun>>20)
	}
	return left, nil
}

// Renew fetches the person's certificate from where he lives, and merges it.
func (p *place) Renew(ctx context.Context) (*pgp.Certificate, error) {
	fpr := p.cert.Fingerprint()
	err := p.try(func(base string) error {
		data, err := p.client.Key(ctx, base, string(fpr))
		if errors.Is(err, peer.ErrNotFound) {
			return fmt.Errorf("%w: %w", ErrAnother, err)
		}
		if err != nil {
			return err
		}
		cert, err := pgp.ParseCertificate(data)
		if err != nil {
			return fmt.Errorf("%w: his key: %w", ErrUntrusted, err)
		}
		if cert.Fingerprint() != fpr {
			return &keyChanged{other: cert.Fingerprint(), his: fpr}
		}
		return p.h.Locked(ctx, func(k *keyring.Keyring) error {
			merged, _, err := k.Merge(cert)
			if errors.Is(err, keyring.ErrUnknown) { // he is to be a friend, and is none yet
				merged, err = p.cert.Merge(cert)
			}
			if err == nil {
				p.cert = merged
			}
			return err
		})
	})
	return p.cert, err
}

func ignoreUnreachable(err error) error {
	if errors.Is(err, peer.ErrUnreachable) {
		return nil
	}
	return err
}

// sealedLink asks a friend.
type sealedLink struct {
	place
	me    *pgp.Secret
	mine  []string      // where I am reached now, which he is told; nil if nowhere
	shift time.Duration // of his clock, if he says that mine is wrong

	room []byte // memory for the next part of a file
}

// tries is how often a friend who is busy is asked again.
const tries = 3

// Ask implements link: it asks once more with his time if he finds mine wrong,
// with his renewed key if he does not understand, and later if he is busy.
func (l *sealedLink) Ask(ctx context.Context, q wire.Question) (wire.Answer, error) {
	busy, shifted, renewed := 0, false, false
	for {
		a, err := l.once(ctx, q)
		switch {
		case (errors.Is(err, peer.ErrRefused) || isKeyFault(err)) && !renewed:
			renewed = true
			if _, renewErr := l.Renew(ctx); renewErr != nil {
				return a, fmt.Errorf("%w (after: %w)", renewErr, err)
			}
			continue
		case isKeyFault(err), errors.Is(err, wire.ErrBinding), errors.Is(err, pgp.ErrMalformed), errors.Is(err, pgp.ErrRecipient):
			return a, fmt.Errorf("%w: %w", ErrUntrusted, err)
		case errors.Is(err, peer.ErrOverloaded) || err == nil && a.Kind == wire.KindError && a.Code == wire.CodeBusy:
			if busy++; busy == tries {
				return a, fmt.Errorf("%w: %w", peer.ErrUnreachable, peer.ErrOverloaded)
			}
			if err := pause(ctx, time.Duration(busy)*300*time.Millisecond); err != nil {
				return a, err
			}
			continue
		case err != nil || a.Kind != wire.KindError:
			return a, err
		case q.File != nil && (a.Code == wire.CodeNotFound || a.Code == wire.CodeKind):
			return a, peer.ErrNotFound
		case (a.Code == wire.CodeClock || a.Code == wire.CodeReplay) && !shifted:
			shifted = true
			l.shift = a.Time.Sub(l.h.clock(l.me.Certificate()))
			continue
		case a.Code == wire.CodeSpent:
			return a, keyring.ErrSpent
		case a.Code == wire.CodeNotFound:
			return a, keyring.ErrNoInvite
		case a.Code == wire.CodeVersion:
			return a, fmt.Errorf("%w: the peer speaks another version of the protocol", wire.ErrVersion)
		}
		return a, fmt.Errorf("%w: it says %.20q", wire.ErrInvalid, a.Code)
	}
}

func isKeyFault(err error) bool {
	return errors.Is(err, pgp.ErrSignature) || errors.Is(err, pgp.ErrExpired) || errors.Is(err, pgp.ErrRevoked)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (l *sealedLink) once(ctx context.Context, q wire.Question) (a wire.Answer, err error) {
	if q.Addresses == nil {
		q.Addresses = l.mine
	}
	sent, party, err := l.seal(q)
	if err != nil {
		return a, err
	}
	if q.File != nil {
		return l.oncePart(ctx, sent, party)
	}
	return l.exchange(ctx, sent, party, wire.MaxAnswer)
}

// seal makes a request of a question, as of now by his clock.
func (l *sealedLink) seal(q wire.Question) (sent *wire.Sent, party wire.Party, err error) {
	party = wire.Party{Me: l.me, Other: l.cert}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, party, err
	}
	if sent, err = l.h.sealer.SealRequest(party, q, l.h.clock(l.me.Certificate()).Add(l.shift), nonce); err != nil {
		err = fmt.Errorf("sealing the request: %w", err)
	}
	return sent, party, err
}

// exchange sends what is sealed, and opens the answer of at most so many bytes.
func (l *sealedLink) exchange(ctx context.Context, sent *wire.Sent, party wire.Party, most int64) (a wire.Answer, err error) {
	err = l.try(func(base string) error {
		limit, err := l.limit(most)
		if err != nil {
			return err
		}
		body, err := l.client.Sealed(ctx, base, sent.Body, limit)
		if err != nil {
			return err
		}
		l.bytes += int64(len(body) + len(sent.Body))
		a, err = sent.OpenAnswer(body, party, l.h.opt.Now())
		return err
	})
	return a, err
}

// oncePart sends a question for a file.
func (l *sealedLink) oncePart(ctx context.Context, sent *wire.Sent, party wire.Party) (a wire.Answer, err error) {
	err = l.try(func(base string) error {
		body, err := l.client.SealedInto(ctx, base, sent.Body, l.room, wire.MaxPartAnswer)
		if err != nil {
			return err
		}
		l.room = body
		l.fileBytes += int64(len(body) + len(sent.Body))
		a, err = sent.OpenPart(body, party, l.h.opt.Now())
		return err
	})
	return a, err
}

// Room is how many ids have room in the size that the request has anyway.
func (l *sealedLink) Room(q wire.Question) int {
	q.Addresses = l.mine
	literal, err := wire.Literal(wire.Party{Me: l.me, Other: l.cert}, q, l.h.opt.Now(), [16]byte{})
	if err != nil {
		return 1
	}
	return wire.Room(len(literal))
}
