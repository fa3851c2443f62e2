package home

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// ErrElsewhere: whoever lives at the addresses of an invite is not its owner.
var ErrElsewhere = errors.New("nobody with that key lives there")

// A Met is what came of a hello.
type Met struct {
	Cert      *pgp.Certificate
	Name      string // as he calls himself; "" if he tells a stranger nothing
	Addresses []string
	InPerson  bool // he says that we are together
	Friend    bool // he holds me as a friend now
}

// Hello goes to the owner of an invite or card and says who I am. His key is
// fetched from where he lives; nothing of it is believed but what the
// fingerprint in the link proves, and nothing of the answer but what he signed
// for this very question. Nothing is kept: that is the caller's.
//
// Errors: ErrElsewhere, ErrKeyChanged, ErrUntrusted, keyring.ErrSpent and
// ErrNoInvite, and those of the net.
func (h *Home) Hello(ctx context.Context, i wire.Invite, timeout time.Duration) (Met, error) {
	me, err := h.secret()
	if err != nil {
		return Met{}, err
	}
	client := peer.NewClient(timeout)
	defer client.Close()
	at := place{h: h, client: client, addresses: i.Addresses}
	if err := at.fetch(ctx, i.Fingerprint); err != nil {
		return Met{}, err
	}
	if err := at.cert.Usable(h.clock(me.Certificate())); err != nil {
		return Met{Cert: at.cert}, fmt.Errorf("%w: the key of %s: %w", ErrUntrusted, i.Fingerprint, err)
	}
	mine, err := h.Reached(ctx)
	if err != nil {
		return Met{}, err
	}
	l := &sealedLink{place: at, me: me}
	a, err := l.Ask(ctx, wire.Question{Kind: wire.KindHello, Token: i.Token, Name: nameOf(me.Certificate()), Addresses: append([]string{}, mine...)})
	switch {
	case errors.Is(err, peer.ErrRefused):
		return Met{}, fmt.Errorf("%w: what was sent did not arrive as it was sent: %w", ErrUntrusted, err)
	case errors.Is(err, keyring.ErrSpent), errors.Is(err, keyring.ErrNoInvite):
		return Met{}, err
	case err != nil:
		return Met{}, err
	}
	met := Met{Cert: l.cert, Name: a.Name, InPerson: a.Met && i.Token != "", Friend: i.Token != "" || a.Name != ""}
	// Those of the link first: they led here. What he sends besides may be near
	// only if the link was.
	met.Addresses = slices.Clone(i.Addresses)
	if sent := peer.NoNearer(a.Addresses, i.Addresses); len(sent) > 0 {
		met.Addresses = sent
	}
	return met, nil
}

// fetch gets the certificate of a fingerprint from the first of the addresses
// where it lives.
func (p *place) fetch(ctx context.Context, fpr pgp.Fingerprint) error {
	elsewhere := false
	err := p.try(func(base string) error {
		data, err := p.client.Key(ctx, base, string(fpr))
		if err != nil {
			elsewhere = elsewhere || errors.Is(err, peer.ErrNotFound)
			return err
		}
		cert, err := pgp.ParseCertificate(data)
		if err != nil {
			return fmt.Errorf("%w: the key that came: %w", ErrUntrusted, err)
		}
		if cert.Fingerprint() != fpr {
			return fmt.Errorf("%w: %s, instead of %s", ErrKeyChanged, cert.Fingerprint(), fpr)
		}
		p.cert = cert
		return nil
	})
	if err != nil && elsewhere && errors.Is(err, peer.ErrUnreachable) {
		return fmt.Errorf("%w: %s: the link is damaged, or the address is another's now", ErrElsewhere, fpr)
	}
	return err
}
