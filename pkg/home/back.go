package home

import (
	"context"
	"fmt"

	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/wire"
)

// mostBack is how often a friend may go on asking in one pull: above what it
// takes to fetch all that one pull may bring.
const mostBack = 4096

// Back gives a friend what his answer asks: what he would have got by a pull of
// his own, no more, since it is answered by the same rule (spec A3).
func (l *sealedLink) Back(ctx context.Context, asking wire.Answer) error {
	ask, re := asking.Ask, asking.Sum
	for range mostBack {
		ask.Limit = wire.MaxBack
		given, err := l.h.Answer(ctx, l.cert.Fingerprint(), *ask, l.h.clock(l.me.Certificate()))
		if err != nil {
			l.h.opt.Log.Error("an answer could not be made", "from", l.cert.Fingerprint(), "error", err)
			given = wire.Answer{Kind: wire.KindError, Code: wire.CodeBusy, Time: l.h.clock(l.me.Certificate())}
		}
		given.Addresses = l.mine
		next, err := l.give(ctx, given, re)
		if err != nil || next.Ask == nil {
			return err
		}
		ask, re = next.Ask, next.Sum
	}
	return fmt.Errorf("%w: he asked back %d times", peer.ErrAnswer, mostBack)
}

// give sends one answer, and returns what he asks next.
func (l *sealedLink) give(ctx context.Context, given wire.Answer, re string) (next wire.Answer, err error) {
	party := wire.Party{Me: l.me, Other: l.cert}
	sent, err := l.h.sealer.SealAsking(party, given, re)
	if err != nil {
		return next, err
	}
	err = l.try(func(base string) error {
		limit, err := l.limit(wire.MaxRequest)
		if err != nil {
			return err
		}
		body, err := l.client.Sealed(ctx, base, sent.Body, limit)
		if err != nil {
			return err
		}
		l.bytes += int64(len(body) + len(sent.Body))
		next, err = sent.OpenAnswer(body, party, l.h.opt.Now())
		return err
	})
	if err == nil && next.Kind == wire.KindError {
		next = wire.Answer{} // he wants no more
	}
	return next, err
}
