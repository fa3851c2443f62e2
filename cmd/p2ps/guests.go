package main

import (
	"context"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// guestTime is how long an invite waits, after a hello, for the guest's first
// pull to end.
const guestTime = 60 * time.Second

// arrivals are those who came with one invite, as its server sees them.
type arrivals struct {
	mu     sync.Mutex
	token  string
	left   int // who can still come
	people map[pgp.Fingerprint]*guest
	order  []pgp.Fingerprint
	late   *time.Timer
	ended  func()
}

type guest struct {
	person  keyring.Person
	already bool
	pulled  bool // and was asked back
}

// see follows the answers that are given. A guest has pulled when he has had
// the last page, and was asked for what he has.
func (g *arrivals) see(v home.Visit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.people[v.From]
	switch {
	case v.Kind == wire.KindHello && v.Token == g.token && v.Person != nil:
		if known == nil {
			known = &guest{already: v.Already}
			g.people[v.From], g.order = known, append(g.order, v.From)
			g.left--
		}
		known.person = *v.Person
		g.late.Reset(guestTime)
	case known == nil || v.Code != "":
	case v.Kind == wire.KindAsk, v.Kind == wire.KindPosts && !v.More:
		known.pulled = !v.Asking
	}
	if g.left > 0 {
		return
	}
	for _, one := range g.people {
		if !one.pulled {
			return
		}
	}
	g.ended()
}

// waitForGuests serves until the invite is used and its guests have pulled, or
// somebody ends it; then it pulls from them.
func (e *env) waitForGuests(ctx context.Context, h *home.Home, p place, i keyring.Invite) error {
	s, err := e.settings()
	if err != nil {
		return err
	}
	boundMemory()
	if err := h.StartServing(ctx, float64(s.RatePerKey)); err != nil {
		return err
	}
	waiting, end := context.WithCancel(ctx)
	defer end()
	g := &arrivals{token: i.Token, left: i.Uses, people: map[pgp.Fingerprint]*guest{}, ended: end}
	g.late = time.AfterFunc(time.Hour, end)
	g.late.Stop() // until somebody comes
	defer g.late.Stop()
	h.OnVisit(g.see)
	h.AskBack(s.pulling())
	limits := peer.Limits{PerAddress: float64(s.RatePerAddress), PerKey: float64(s.RatePerKey), Proxies: s.TrustedProxy}
	handler, err := peer.Handler(h, limits, e.log)
	if err != nil {
		return err
	}
	expired := time.AfterFunc(i.Expires.Sub(e.now()), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.people) == 0 {
			end()
		}
	})
	defer expired.Stop()
	e.say("give it to one person alone: waiting for who comes with it, until %s; Ctrl-C ends the waiting, not the invite", post.FormatTime(i.Expires))
	go h.KeepLooking(waiting)
	if err := peer.Serve(waiting, p.listener, handler, limits, e.log); err != nil {
		return err
	}
	return e.welcomed(context.WithoutCancel(ctx), h, g)
}

// welcomed tells who came, and pulls from those who can be reached.
func (e *env) welcomed(ctx context.Context, h *home.Home, g *arrivals) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var people []keyring.Person
	for _, fpr := range g.order {
		p, err := h.People().Find(string(fpr))
		if err != nil {
			continue // removed meanwhile
		}
		people = append(people, p)
		if err := e.emit(personLineOf(p), p.Name, e.fingerprint(p.Fingerprint), string(p.Trust)); err != nil {
			return err
		}
		if !g.people[fpr].already {
			e.say("%s is a friend now", p.Name)
		}
		e.tellTrust(p)
	}
	if len(people) == 0 {
		e.say("nobody came; the invite stays good while p2ps serve runs")
		return nil
	}
	// What they were asked back is here already; the rest is fetched from where
	// they are.
	const most = 50
	came, err := h.Timeline(ctx, home.View{From: g.order, Limit: most})
	if err != nil {
		return err
	}
	if !e.quiet && len(came) > 0 {
		if err := e.show(came); err != nil {
			return err
		}
	}
	return e.pullNow(ctx, h, people)
}

// tellTrust says how sure one can be of a new friend, and what makes it surer.
func (e *env) tellTrust(p keyring.Person) {
	if p.Trust != keyring.TrustVerified {
		e.say("%s is %s: compare the fingerprint, then p2ps friend verify %s", p.Name, string(p.Trust), typed(p.Name))
	}
}
