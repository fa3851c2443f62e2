package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// A newcomer is somebody whose key was read, before he is a friend or followed.
type newcomer struct {
	cert    *pgp.Certificate
	source  string
	address string         // where the key came from; "" if from a file
	known   bool           // he is a friend, or followed, by this very key
	person  keyring.Person // if he is known
}

// newcomer reads a key and refuses my own, that of somebody blocked, and another
// than that of whom I know at the address.
func (e *env) newcomer(ctx context.Context, h *home.Home, me *pgp.Certificate, source string) (n newcomer, err error) {
	n.source = source
	if n.cert, n.address, err = e.keyFrom(ctx, source); err != nil {
		return n, err
	}
	fpr := n.cert.Fingerprint()
	if fpr == me.Fingerprint() {
		return n, usage("take the key of the other: p2ps key export there writes it", "%s holds your own key", text.Clean(source))
	}
	blocked, err := h.People().IsBlocked(fpr)
	if err != nil {
		return n, err
	}
	if blocked {
		return n, fail(exitError, "p2ps block remove "+string(fpr)+" first", "%s is blocked", fpr)
	}
	if err := n.checkAddress(h); err != nil {
		return n, err
	}
	n.person, err = h.People().Find(string(fpr))
	n.known = err == nil
	if err != nil && !errors.Is(err, keyring.ErrUnknown) {
		return n, err
	}
	return n, e.checkUsable(n)
}

// checkAddress: a key that is not his at the address of somebody known is what
// an impostor looks like.
func (n newcomer) checkAddress(h *home.Home) error {
	if n.address == "" {
		return nil
	}
	return checkPlaces(h, n.cert.Fingerprint(), n.address)
}

// checkPlaces refuses a key at an address of somebody whom I know by another.
func checkPlaces(h *home.Home, fpr pgp.Fingerprint, addresses ...string) error {
	known, err := h.People().Known()
	if err != nil {
		return err
	}
	for _, p := range known {
		for _, at := range addresses {
			if p.Fingerprint != fpr && slices.Contains(p.Addresses, at) {
				return fail(exitUntrusted, "ask the person; if it is another's place now, change it with p2ps friend address "+typed(p.Name),
					"%s is the address of %s: %w: %s", at, p.Name, home.ErrKeyChanged, fpr)
			}
		}
	}
	return nil
}

// checkUsable: somebody new must have a key that is good today. What is known to
// be bad of a friend's key is taken over, and said.
func (e *env) checkUsable(n newcomer) error {
	err := n.cert.Usable(e.now())
	if err != nil && n.known {
		e.warn("note: the key of %s is no longer good: %v", n.person.Name, err)
		return nil
	}
	return err
}

// confirmKey has the person confirm the fingerprint of a key that came over the
// net; what is known already needs none.
func (e *env) confirmKey(n newcomer) error {
	if n.address == "" || n.known || e.dryRun {
		return nil
	}
	return e.confirm(fmt.Sprintf("at %s lives %s, with the fingerprint %s: is it right?", n.address, n.cert.UserID(), inFours(n.cert.Fingerprint())),
		"compare it with what p2ps key show says there; -y then takes it")
}
