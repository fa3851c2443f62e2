package home

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/wire"
)

// mostBack is how many answers to what was asked back are given, and taken, in one
// pull: what it takes to fetch all that one pull may bring.
const mostBack = 4096

func (h *Home) mostBack() int { return cmp.Or(h.opt.Back, mostBack) }

// Given counts what a friend was given who asked back.
type Given struct {
	Posts, Files int
}

func (g *Given) count(a wire.Answer) {
	g.Posts += len(a.Items)
	if p := a.Part; p != nil && p.Offset+int64(len(p.Data)) == p.Size {
		g.Files++
	}
}

// giveBack gives a friend what he asked back in a pull that went well. That not
// all of it could be given is no fault of the pull: he asks for the rest another
// time.
func (h *Home) giveBack(ctx context.Context, l link, done *Pulled) {
	if done.asks.Ask == nil {
		return
	}
	within, cancel := context.WithTimeoutCause(ctx, runTime, errLater)
	defer cancel()
	var err error
	if done.Given, err = l.Back(within, done.asks); err != nil && ctx.Err() == nil {
		h.opt.Log.Info("what a friend asked back could not all be given", "friend", done.Person.Fingerprint, "error", err)
	}
}

// Back gives a friend what his answer asks: what he would have got by a pull of
// his own, no more, since it is answered by the same rule (spec A3).
func (l *sealedLink) Back(ctx context.Context, asking wire.Answer) (given Given, err error) {
	for range l.h.mostBack() {
		a := l.answer(ctx, *asking.Ask)
		if asking, err = l.give(ctx, a, asking.Sum); err != nil {
			return given, err
		}
		if given.count(a); asking.Ask == nil {
			return given, nil
		}
	}
	return given, errLater
}

// answer is what a friend is given who asks back. It fits where requests come.
func (l *sealedLink) answer(ctx context.Context, ask wire.Question) wire.Answer {
	ask.Limit = wire.MaxBack
	if ask.File != nil {
		ask.Limit = wire.MaxPartBack
	}
	now := l.h.clock(l.me.Certificate())
	a, err := l.h.Answer(ctx, l.cert.Fingerprint(), ask, now)
	if err == nil && a.Part != nil {
		err = a.Part.Load()
	}
	if err != nil {
		l.h.opt.Log.Error("an answer could not be made", "from", l.cert.Fingerprint(), "error", err)
		a = wire.Answer{Kind: wire.KindError, Code: wire.CodeBusy, Time: now}
	}
	a.Addresses = l.mine
	return a
}

// give sends one answer, and returns what he asks next. While he has no time, it
// is sent again, just as it is: he has not looked at it.
func (l *sealedLink) give(ctx context.Context, a wire.Answer, re string) (next wire.Answer, err error) {
	party := wire.Party{Me: l.me, Other: l.cert}
	sent, err := l.h.sealer.SealAsking(party, a, re)
	if err != nil {
		return next, err
	}
	for busy := 1; ; busy++ {
		next, err = l.exchange(ctx, sent, party, wire.MaxRequest)
		if !errors.Is(err, peer.ErrOverloaded) || busy == tries {
			break
		}
		if err := pause(ctx, time.Duration(busy)*300*time.Millisecond); err != nil {
			return next, err
		}
	}
	if err == nil && next.Kind == wire.KindError {
		next = wire.Answer{} // he wants no more
	}
	return next, err
}
