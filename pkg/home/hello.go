package home

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A Visit is an answer that was given to somebody's verified request.
type Visit struct {
	From pgp.Fingerprint
	Kind string
	Code string // of an error
	More bool   // his walk, or ours, goes on

	Asking bool // the answer asks him back

	Person  *keyring.Person // who became a friend, or was one, by a token
	Token   string          // the one that he came with
	Already bool            // he was a friend before
}

// OnVisit has tell called after each answer, by whichever goroutine gave it. It
// is set before anything is served.
func (h *Home) OnVisit(tell func(Visit)) { h.served.met = tell }

// visited tells of an answer other than to a token, of which welcome tells.
func (h *Home) visited(from pgp.Fingerprint, a wire.Answer) {
	if h.served.met != nil && a.Kind != wire.KindHello {
		h.served.met(Visit{From: from, Kind: a.Kind, Code: a.Code, More: a.More, Asking: a.Ask != nil})
	}
}

// greet answers a hello: a guest with a token becomes a friend, a stranger's
// waits to be looked at, and a friend is told where I am (spec I10 to I13).
// Blocked, removed and never known are one class: with the token of another
// time they find that it is no more, and without one nothing is told them.
func (h *Home) greet(ctx context.Context, q wire.Question, cert, me *pgp.Certificate, now time.Time) wire.Answer {
	a := wire.Answer{Kind: wire.KindHello, Time: now}
	fail := func(code string) wire.Answer { return wire.Answer{Kind: wire.KindError, Code: code, Time: now} }
	g, err := h.people.Grants(cert.Fingerprint())
	if err != nil {
		h.opt.Log.Error("a hello could not be answered", "from", cert.Fingerprint(), "error", err)
		return fail(wire.CodeBusy)
	}
	guest := keyring.Guest{Cert: cert, Name: q.Name, Addresses: q.Addresses}
	switch {
	case q.Token != "":
		a.Met, err = h.welcome(ctx, q.Token, guest)
	case g.Friend:
		h.relocate(ctx, cert.Fingerprint(), q.Addresses)
	default:
		if err := h.people.Request(guest); err != nil {
			h.opt.Log.Warn("a friend request could not be kept", "from", cert.Fingerprint(), "error", err)
		}
		return a
	}
	switch {
	case errors.Is(err, keyring.ErrSpent):
		h.opt.Log.Warn("somebody came with an invite that another key has used: the link is in other hands too", "from", cert.Fingerprint())
		return fail(wire.CodeSpent)
	case errors.Is(err, keyring.ErrNoInvite):
		return fail(wire.CodeNotFound)
	case err != nil:
		h.opt.Log.Error("a guest could not be made a friend", "from", cert.Fingerprint(), "error", err)
		return fail(wire.CodeBusy)
	}
	a.Name = nameOf(me)
	a.Addresses = append([]string{}, h.served.reached...)
	return a
}

// welcome spends a token and makes the guest a friend, durably.
func (h *Home) welcome(ctx context.Context, token string, guest keyring.Guest) (met bool, err error) {
	var v Visit
	err = h.Locked(ctx, func(k *keyring.Keyring) error {
		blocked, err := k.IsBlocked(guest.Cert.Fingerprint())
		if err != nil {
			return err
		}
		if blocked {
			return keyring.ErrNoInvite
		}
		invite, err := k.FindInvite(token)
		if err != nil {
			return err
		}
		// Near addresses count if the invite led to one: then this is that network.
		guest.Addresses = peer.NoNearer(guest.Addresses, addressesIn(invite.Link))
		p, invite, already, err := k.Welcome(token, guest)
		if err == nil {
			v, met = Visit{From: p.Fingerprint, Kind: wire.KindHello, Person: &p, Token: token, Already: already}, invite.InPerson
		}
		return err
	})
	if err == nil && h.served.met != nil {
		h.served.met(v)
	}
	return met, err
}

func addressesIn(link string) []string {
	i, err := wire.ParseInvite(link)
	if err != nil {
		return nil
	}
	return i.Addresses
}

// nameOf is what a key says its owner is called.
func nameOf(cert *pgp.Certificate) string {
	name := cert.Name()
	if name == "" {
		name = cert.UserID()
	}
	return name[:min(len(name), wire.MaxName)]
}

// relocate keeps where a friend says he is reached now, in the place of what was
// known (spec M24); nil and nothing usable leave it as it is.
func (h *Home) relocate(ctx context.Context, fpr pgp.Fingerprint, sent []string) {
	if len(sent) == 0 {
		return
	}
	moved := func(k *keyring.Keyring) ([]string, error) {
		p, err := k.Find(string(fpr))
		if err != nil || p.Follow || p.Blocked || p.Alarm != "" {
			return nil, err
		}
		kept := peer.NoNearer(sent, p.Addresses)
		if len(kept) == 0 || slices.Equal(kept, p.Addresses) {
			return nil, nil
		}
		return kept, nil
	}
	if kept, err := moved(h.people); err != nil || kept == nil {
		return // mostly: nothing has changed, or he is a stranger
	}
	err := h.Locked(ctx, func(k *keyring.Keyring) error {
		kept, err := moved(k)
		if err != nil || kept == nil {
			return err
		}
		return k.SetAddresses(fpr, kept)
	})
	if err != nil {
		h.opt.Log.Warn("the new address of a friend could not be stored", "friend", fpr, "error", err)
	}
}
