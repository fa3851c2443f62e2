package home

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
)

// ErrIncomplete: twice in a row a pull did not come to agree with the owner.
var ErrIncomplete = errors.New("what is held is not what the owner says he offers")

// A Tally counts what one pull from one person did.
type Tally struct {
	New, Changed, Withdrawn, Unoffered, Refused int
}

// An Event is one thing that a pull did, told when it is durable.
type Event struct {
	Person  keyring.Person
	Post    *post.Post // kept
	Path    string     // of its file
	Changed bool       // it replaces an earlier text
	Gone    *post.ID   // withdrawn
	File    *Arrived   // a file that a post names has come
	Pulled  *Pulled    // the pull from this person is over
	More    bool       // of the same page: told right after it
}

// Pulled is how the pull from one person went.
type Pulled struct {
	Person keyring.Person
	Tally
	Requests int
	Bytes    int64
	Complete bool
	Count    int      // posts that he offers me
	Differ   []string // months that do not agree, if not Complete
	Files    int      // that came
	Waiting  int      // files that could not be had, or are too great
	Given    Given    // to him, who asked back
	Err      error

	turn feed.Turn   // of the look at his copies
	asks wire.Answer // the last one that asked back
}

// PullOptions say how to pull.
type PullOptions struct {
	Full    bool // from the beginning, and every copy looked at
	Jobs    int  // friends at once
	Timeout time.Duration

	NoMedia  bool  // files are not fetched
	MaxBytes int64 // greater files are not; 0 is no limit

	turn   int                      // copies of each person that are looked at in turn
	follow func(*index.Index) error // has the index follow my own feed, once
}

// runTime is how long the pull from one person may take: who sends a byte now
// and then must not keep the others waiting.
const runTime = 30 * time.Minute

// Pull fetches from some people, or from all whose posts I read. One who fails
// stops nobody; only an error that concerns the whole pull is returned. tell is
// called from one goroutine at a time.
func (h *Home) Pull(ctx context.Context, people []keyring.Person, opt PullOptions, tell func(Event)) error {
	unlock, err := h.root.Lock(ctx, pullLockFile, h.opt.Wait)
	if err != nil {
		return err
	}
	defer unlock()
	if people == nil {
		if people, err = h.readable(); err != nil {
			return err
		}
	}
	mine, err := h.Reached(ctx)
	if err != nil {
		return err
	}
	opt.turn, opt.follow = inTurn/max(1, len(people)), h.following(ctx)
	defer h.keepOffered(context.WithoutCancel(ctx))
	defer h.collector.at(easyGC)() // of a page, little is left
	client := peer.NewClient(opt.Timeout)
	defer client.Close()
	sought := &seeker{h: h}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, opt.Jobs))
	for _, p := range people {
		g.Go(func() error {
			done := h.pullOne(ctx, client, sought, p, mine, opt, func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				e.Person = p
				tell(e)
			})
			if err := context.Cause(ctx); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			tell(Event{Person: p, Pulled: &done})
			return nil
		})
	}
	return g.Wait()
}

func (h *Home) pullOne(ctx context.Context, client *peer.Client, sought *seeker, p keyring.Person, mine []string, opt PullOptions, tell func(Event)) Pulled {
	all := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, runTime, fmt.Errorf("%w: the pull took longer than %s", peer.ErrUnreachable, runTime))
	defer cancel()
	done := Pulled{Person: p, turn: feed.Turn{Files: opt.turn}}
	done.Err = h.withIndex(ctx, func(x *index.Index) error {
		if p.Alarm != "" { // until it is settled
			return h.remember(ctx, x, &done, &keyChanged{pgp.Fingerprint(p.Alarm), p.Fingerprint})
		}
		cert, err := h.people.Certificate(p.Fingerprint)
		if err != nil {
			return err
		}
		l, err := h.linkTo(ctx, client, sought, p, cert, mine)
		if err != nil {
			return err
		}
		if err = h.walk(ctx, x, l, cert, opt, &done, tell); err == nil {
			h.giveBack(all, l, &done)
		}
		done.Bytes = l.Bytes()
		if err == nil && !opt.NoMedia {
			err = h.fetchFiles(all, x, l, cert, opt.MaxBytes, &done, tell)
		}
		return h.remember(ctx, x, &done, err)
	})
	return done
}

func (h *Home) linkTo(ctx context.Context, client *peer.Client, sought *seeker, p keyring.Person, cert *pgp.Certificate, mine []string) (link, error) {
	at := place{h: h, client: client, addresses: p.Addresses, cert: cert}
	if p.Follow {
		return &publicLink{at}, nil
	}
	me, err := h.secret()
	if err != nil {
		return nil, err
	}
	if h.opt.PullNearby { // of what is public, what is left out would not show: that is asked where its owner said
		at.ctx, at.hints = ctx, func() []string { return sought.seek(ctx, p.Fingerprint) }
	}
	return &sealedLink{place: at, me: me, mine: mine}, nil
}

// inTurn is at how many copies one pull looks that nothing tells of. A stat takes
// 2.5 µs: of a hundred thousand, a quarter of a second each time.
const inTurn = 2000

// followCopies has the index follow the copies of one person: whatever was added,
// renamed or removed, and of what may have been edited in place, which only a
// stat of each file tells, with full all. Else the next files have their turn,
// which rest looks at: that may be done while he is asked.
func (h *Home) followCopies(ctx context.Context, x *index.Index, t tree, full bool, turn *feed.Turn) (rest func() error, err error) {
	known, err := h.folders(ctx, x, []tree{t})
	if err != nil {
		return nil, err
	}
	look := feed.Look{Known: known[t.Tree], Full: full}
	if err := h.scan(ctx, x, t, look, h.lockFor(x)); err != nil {
		return nil, err
	}
	look.Turn = turn
	return func() error {
		if full {
			return nil
		}
		return h.scan(ctx, x, t, look, h.lockFor(x))
	}, nil
}

// walk drives one pull.Walk to its end.
func (h *Home) walk(ctx context.Context, x *index.Index, l link, cert *pgp.Certificate, opt PullOptions, done *Pulled, tell func(Event)) error {
	t := tree{Tree: feed.Of(cert.Fingerprint()), cert: cert}
	before, err := h.peerRow(ctx, x, t.author())
	if err != nil {
		return err
	}
	done.turn.After, done.turn.Ahead = before.Looked, before.Ahead
	lookOn, err := h.followCopies(ctx, x, t, opt.Full, &done.turn)
	if err != nil {
		return err
	}
	offer := ""
	if before.Backed {
		offer = h.offerTo(ctx, x, t.author(), opt.follow)
	}
	talk := &oneAtATime{link: l}
	k := &keeper{h: h, who: cert.Fingerprint(), tree: t, x: x, renew: talk.Renew, tell: tell, tally: &done.Tally}
	room := l.Room(wire.Question{Kind: wire.KindPosts, After: string(last) + "0261122-123456789-k3q5vx2m4f7da", Offer: offer})
	w := pull.New(k, pull.Options{Author: cert.Fingerprint(), Full: opt.Full, Room: room, IDs: h.opt.IDs, Heal: !h.opt.NoHealing})
	q, err := w.Step(ctx, nil)
	k.meanwhile(lookOn)
	for err == nil && q != nil {
		var a wire.Answer
		done.Requests++
		if q.Kind == wire.KindPosts {
			q.Offer = offer
		}
		if a, err = talk.Ask(ctx, *q); err == nil {
			h.relocate(ctx, cert.Fingerprint(), a.Addresses)
			if a.Ask != nil {
				done.asks = a
			}
			q, err = w.Step(ctx, &a)
		}
	}
	if settled := k.settle(); err == nil { // what came before the error is kept
		err = settled
	}
	done.Complete, done.Count, done.Differ = w.Complete, w.Count, w.Differ
	return err
}

// remember notes how the pull went, and makes the second disagreement in a row
// an error.
func (h *Home) remember(ctx context.Context, x *index.Index, done *Pulled, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, peer.ErrUnreachable) {
		ctx, err = context.WithoutCancel(ctx), cause
	}
	if ctx.Err() != nil {
		return err
	}
	unlock, lockErr := h.lock(ctx)
	if lockErr != nil {
		return errors.Join(err, lockErr)
	}
	defer unlock()
	if changed, ok := errors.AsType[*keyChanged](err); ok && done.Person.Alarm == "" {
		if alarm := h.people.SetAlarm(changed.his, changed.other); alarm != nil {
			return errors.Join(err, alarm)
		}
	}
	updateErr := x.Update(ctx, func(tx *index.Tx) error {
		s, e := tx.Peer(done.Person.Fingerprint)
		if e != nil {
			return e
		}
		s.Tried, s.Message = h.opt.Now(), ""
		if done.turn.After != "" {
			s.Looked, s.Ahead = done.turn.After, done.turn.Ahead
		}
		s.Backed = s.Backed || done.asks.Ask != nil
		switch {
		case err != nil:
			s.Message = err.Error()
		case done.Complete:
			s.Reached, s.Unequal, s.Count = s.Tried, 0, done.Count
		default:
			s.Reached, s.Count = s.Tried, done.Count
			if s.Unequal++; s.Unequal >= 2 {
				err = fmt.Errorf("%w: the months %v differ", ErrIncomplete, done.Differ)
				s.Message = err.Error()
			}
		}
		return tx.PutPeer(done.Person.Fingerprint, s)
	})
	return errors.Join(err, updateErr)
}
