package home

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/pull"
	"github.com/p2ps/p2ps/pkg/wire"
)

// asking is what a server remembers of the friends whom it asks back: a walk
// each, driven by their answers. It is lost with the process, and nothing with
// it: the next pull asks anew.
type asking struct {
	mu    sync.Mutex
	of    map[pgp.Fingerprint]*asked // the walk of each friend, at most one
	rates map[pgp.Fingerprint]*rate.Limiter
	opt   PullOptions // which files are asked for
}

// Limits of asking back.
const (
	mostAsked  = 256             // walks at once
	askTime    = 5 * time.Minute // until an answer that does not come is forgotten
	askAgain   = 10 * time.Minute
	asksPerKey = 10              // at once; then one a second
	askWait    = 2 * time.Second // for a pull of our own, or another step, to end
)

// asked is one walk, and then the files that are wanted.
type asked struct {
	ask    *wire.Question // the first one
	sent   *wire.Sent     // what the next answer must say
	friend keyring.Person
	offer  string // what he says that he would give
	walk   *pull.Walk
	keeper *keeper
	done   Pulled
	began  time.Time
	steps  int
	heard  time.Time
	seen   time.Time // Tried of the friend's row when it began: a pull of our own ends the walk
	full   bool      // his copies are to be looked at before what he says is compared
	wanted *wanted   // once the walk is over
	file   *arrival  // of them: the one that was asked for
}

// AskBack has friends who come to pull, and whom I could not reach or know no
// address of, be asked for what they have (spec A), and for the files that a pull
// with these options would fetch. It is called before anything is served.
func (h *Home) AskBack(opt PullOptions) {
	h.served.asking = &asking{of: map[pgp.Fingerprint]*asked{}, rates: map[pgp.Fingerprint]*rate.Limiter{}, opt: opt}
}

// sealAsking seals an answer, and has it ask back if there is reason to.
func (h *Home) sealAsking(ctx context.Context, p wire.Party, a wire.Answer, r *wire.Request) ([]byte, error) {
	var w *asked
	if h.served.asking != nil && a.Kind == wire.KindPosts && !a.More {
		if w = h.beginAsking(ctx, p.Other, r.Offer()); w != nil {
			a.Ask = w.ask
		}
	}
	sent, err := h.sealer.SealAsking(p, a, r.Re)
	if err != nil {
		return nil, err
	}
	if w != nil {
		h.served.asking.put(w, sent, h.opt.Now())
	}
	h.visited(r.From, a)
	return sent.Body, nil
}

// beginAsking begins to ask a friend; nil if there is no reason to, or no time.
func (h *Home) beginAsking(ctx context.Context, cert *pgp.Certificate, offer string) *asked {
	fpr := cert.Fingerprint()
	g, err := h.people.Grants(fpr)
	if err != nil || !g.Friend || !h.served.asking.allow(fpr, h.opt.Now()) {
		return nil
	}
	p, err := h.people.Person(fpr)
	if err != nil || p.Alarm != "" {
		return nil
	}
	w := &asked{friend: p, offer: offer, began: h.opt.Now(), done: Pulled{Person: p}}
	q, err := h.stepAsking(ctx, w, cert, nil)
	if err != nil {
		if !errors.Is(err, errNoReason) {
			h.opt.Log.Info("a friend could not be asked back", "friend", fpr, "error", err)
		}
		return nil
	}
	w.ask = q
	return w
}

// errNoReason: he is reached by a pull of our own, or one is under way.
var errNoReason = errors.New("no reason to ask")

// hear takes the answer to what a friend was asked, and answers with what he is
// asked next.
func (h *Home) hear(ctx context.Context, r *wire.Reply, me *pgp.Secret) ([]byte, error) {
	if h.served.asking == nil {
		return nil, fmt.Errorf("%w: nobody was asked", wire.ErrBinding)
	}
	now := h.clock(me.Certificate())
	w, asked := h.served.asking.find(r.Re, r.From)
	if w == nil {
		return nil, fmt.Errorf("%w: he was not asked", wire.ErrBinding)
	}
	g, err := h.people.Grants(r.From)
	if err != nil || !g.Friend {
		return nil, fmt.Errorf("%w: he was not asked", wire.ErrBinding)
	}
	cert, err := h.people.Certificate(r.From)
	if err != nil {
		return nil, err
	}
	party := wire.Party{Me: me, Other: cert}
	a, err := r.Verify(asked, party, now)
	if err != nil {
		return nil, err
	}
	if !h.served.asking.take(w, asked) {
		return nil, fmt.Errorf("%w: it was answered before", wire.ErrBinding)
	}
	h.relocate(ctx, r.From, a.Addresses)
	next, err := h.goOnAsking(ctx, w, cert, a)
	if err != nil {
		h.opt.Log.Info("a friend who was asked back", "friend", r.From, "error", err)
	}
	reply := wire.Answer{Kind: wire.KindAsk, Time: now, Ask: next}
	sent, err := h.sealer.SealAsking(party, reply, r.Sum)
	if err != nil {
		return nil, err
	}
	if next != nil {
		h.served.asking.put(w, sent, h.opt.Now())
	}
	h.visited(r.From, reply)
	return sent.Body, nil
}

func (h *Home) goOnAsking(ctx context.Context, w *asked, cert *pgp.Certificate, a wire.Answer) (*wire.Question, error) {
	for _, item := range a.Items {
		w.done.Bytes += int64(len(item))
	}
	for _, line := range a.Lines {
		w.done.Bytes += int64(len(line))
	}
	if a.Part != nil {
		w.done.Bytes += int64(len(a.Part.Data))
	}
	if a.Kind == wire.KindError && (w.file == nil || a.Code != wire.CodeNotFound) {
		return nil, fmt.Errorf("%w: it says %.20q", peer.ErrOverloaded, a.Code)
	}
	w.steps++
	q, err := h.stepAsking(ctx, w, cert, &a)
	if q != nil && (w.done.Bytes >= MaxRun || w.steps >= h.mostBack() || h.opt.Now().Sub(w.began) > runTime) {
		return nil, errLater
	}
	return q, err
}

// stepAsking goes on by one answer, under the lock of pulls: two of one
// owner at once would take from each other what they compare. With another pull
// under way, or after one, the walk is over.
func (h *Home) stepAsking(ctx context.Context, w *asked, cert *pgp.Certificate, a *wire.Answer) (q *wire.Question, err error) {
	wait := askWait
	if a == nil {
		wait = 0 // whoever comes to pull is not kept waiting
	}
	unlock, err := h.root.Lock(ctx, pullLockFile, wait)
	if err != nil {
		return nil, errNoReason
	}
	defer unlock()
	ran := false
	err = h.withIndex(ctx, func(x *index.Index) error {
		if ran {
			return fmt.Errorf("%w: the index was made again", errNoReason)
		}
		ran = true
		row, err := h.peerRow(ctx, x, w.friend.Fingerprint)
		if err != nil {
			return err
		}
		if a == nil {
			if !h.reasonToAsk(w.friend, row) {
				return errNoReason
			}
			w.seen = row.Tried
			if err := h.openWalk(ctx, x, w, cert); err != nil {
				return err
			}
			has, err := h.hasOffered(ctx, x, w)
			if err == nil && has {
				err = errors.Join(h.noteOffered(ctx, x, w, row), errNoReason)
			}
			if err != nil {
				return err
			}
		} else if !row.Tried.Equal(w.seen) {
			return errNoReason
		}
		if w.full && a != nil { // not before he answers at all: it costs a stat of each
			if err := h.sync(ctx, x, true, w.keeper.tree); err != nil {
				return err
			}
			w.full = false
		}
		if w.wanted == nil {
			if q, err = h.stepWalk(ctx, x, w, a, row.Message); err != nil || q != nil {
				return err
			}
			a = nil
		}
		q, err = h.stepFiles(ctx, x, w, a, row.Message)
		return err
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// stepWalk drives the walk. When it is over, that is noted at once: the files that
// are wanted then may take longer than he stays.
func (h *Home) stepWalk(ctx context.Context, x *index.Index, w *asked, a *wire.Answer, message string) (*wire.Question, error) {
	w.keeper.x = x
	q, err := w.walk.Step(ctx, a)
	if settled := w.keeper.settle(); err == nil {
		err = settled
	}
	if err == nil && q != nil {
		return q, nil
	}
	w.done.Complete, w.done.Count, w.done.Differ = w.walk.Complete, w.walk.Count, w.walk.Differ
	over := err == nil
	if err = h.rememberAsked(ctx, x, w, message, err); err != nil && !(over && errors.Is(err, ErrIncomplete)) {
		return nil, err
	}
	w.wanted = &wanted{h: h}
	if !h.served.asking.opt.NoMedia {
		w.wanted, err = h.wanting(ctx, x, w.keeper.tree.cert, h.served.asking.opt.MaxBytes)
	}
	return nil, err
}

func (h *Home) openWalk(ctx context.Context, x *index.Index, w *asked, cert *pgp.Certificate) error {
	t := tree{Tree: feed.Of(cert.Fingerprint()), cert: cert}
	w.full = h.opt.Now().Sub(w.seen).Abs() > askAgain
	if err := h.sync(ctx, x, false, t); err != nil {
		return err
	}
	w.keeper = &keeper{h: h, who: cert.Fingerprint(), tree: t, x: x, tell: func(Event) {}, tally: &w.done.Tally}
	const room = 4 // marked ids that an answer has room for
	w.walk = pull.New(w.keeper, pull.Options{Author: cert.Fingerprint(), Room: room, IDs: h.opt.IDs, Heal: !h.opt.NoHealing})
	return nil
}

// reasonToAsk: no address of him is known, my last pull did not reach him, or it
// is long ago.
func (h *Home) reasonToAsk(p keyring.Person, row index.Peer) bool {
	return len(p.Addresses) == 0 || row.Message != "" || h.opt.Now().Sub(row.Tried).Abs() > askAgain
}

func (h *Home) peerRow(ctx context.Context, x *index.Index, fpr pgp.Fingerprint) (row index.Peer, err error) {
	err = x.View(ctx, func(v *index.View) error {
		row, err = v.Peer(fpr)
		return err
	})
	return row, err
}

// rememberAsked notes how it went, as remember does of a pull; but that my own
// pull did not reach him stays noted, if there is an address where it could.
func (h *Home) rememberAsked(ctx context.Context, x *index.Index, w *asked, message string, err error) error {
	err = h.remember(ctx, x, &w.done, err)
	row, seeing := h.peerRow(ctx, x, w.friend.Fingerprint)
	w.seen = row.Tried
	if err = errors.Join(err, seeing); err != nil || message == "" || len(w.friend.Addresses) == 0 {
		return err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return x.Update(ctx, func(tx *index.Tx) error {
		s, err := tx.Peer(w.friend.Fingerprint)
		if err != nil {
			return err
		}
		s.Message = message
		return tx.PutPeer(w.friend.Fingerprint, s)
	})
}

func (k *asking) allow(fpr pgp.Fingerprint, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rates[fpr] == nil {
		k.rates[fpr] = rate.NewLimiter(1, asksPerKey) // only of friends, so there are few
	}
	return k.rates[fpr].AllowN(now, 1)
}

// put remembers what was asked. A friend has one walk: the newest.
func (k *asking) put(w *asked, sent *wire.Sent, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for fpr, other := range k.of {
		if now.Sub(other.heard).Abs() > askTime || len(k.of) >= mostAsked {
			delete(k.of, fpr)
		}
	}
	w.sent, w.heard = sent, now
	k.of[w.friend.Fingerprint] = w
}

// find returns the walk that an answer belongs to, and what it was asked; nil if
// there is none.
func (k *asking) find(re string, from pgp.Fingerprint) (*asked, *wire.Sent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.of[from]
	if w == nil || w.sent.Re() != re {
		return nil, nil
	}
	return w, w.sent
}

// take takes a walk out, if it still waits for the answer to what was sent.
func (k *asking) take(w *asked, sent *wire.Sent) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if fpr := w.friend.Fingerprint; k.of[fpr] == w && w.sent == sent {
		delete(k.of, fpr)
		return true
	}
	return false
}
