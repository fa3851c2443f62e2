package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// addByInvite makes the owner of an invite a friend, and me his; or, by a card,
// asks to be.
func (e *env) addByInvite(ctx context.Context, h *home.Home, me *pgp.Certificate, link string, a adding) error {
	i, err := wire.ParseInvite(strings.TrimSpace(link))
	if err != nil {
		return err
	}
	if err := e.checkInvite(h, me, i, a); err != nil {
		return err
	}
	c := change{What: "friend.add", Who: string(i.Fingerprint), Name: a.name}
	if e.dryRun {
		return e.changed(c, "go to %s, and add %s", strings.Join(i.Addresses, ", "), inFours(i.Fingerprint))
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	met, err := h.Hello(ctx, i, s.Timeout)
	if err != nil {
		return explainHello(err)
	}
	trust, err := e.trustOf(met)
	if err != nil {
		return err
	}
	opt := keyring.AddOptions{Name: a.name, Addresses: addressesOf(met, a.addresses), Trust: trust, History: a.history}
	same := h.People().Same(met.Name)
	var p keyring.Person
	err = h.Locked(ctx, func(k *keyring.Keyring) error {
		p, c.Already, err = k.Befriend(met.Cert, opt, met.Name, a.groups)
		return err
	})
	if err != nil {
		return err
	}
	c.Name, c.History = p.Name, historyTime(p.History)
	if err := e.emit(personLineOf(p), p.Name, e.fingerprint(p.Fingerprint), string(p.Trust)); err != nil {
		return err
	}
	how := "is a friend now"
	switch {
	case c.Already:
		how = "is a friend already; what is new was taken over"
	case !met.Friend:
		how = "was asked to be your friend; until that is accepted you see what is public"
	}
	if err := e.changed(c, "%s %s", p.Name, how); err != nil {
		return err
	}
	e.tellTrust(p)
	if same != "" && same != p.Name {
		e.warn("note: you know another %s; this one is called %s here: compare the fingerprints", same, p.Name)
	}
	return e.pullNow(ctx, h, []keyring.Person{p})
}

// checkInvite refuses what can be known to be wrong before anybody is asked.
func (e *env) checkInvite(h *home.Home, me *pgp.Certificate, i wire.Invite, a adding) error {
	if i.Fingerprint == me.Fingerprint() {
		return usage("give it to somebody else", "that is your own invite")
	}
	if len(i.Addresses) == 0 {
		return usage("p2ps friend verify WHO --scan compares it with the key of a friend", "the card does not say where its owner is reached")
	}
	blocked, err := h.People().IsBlocked(i.Fingerprint)
	if err != nil {
		return err
	}
	if blocked {
		return fail(exitError, "p2ps block remove "+string(i.Fingerprint)+" first", "%s is blocked", i.Fingerprint)
	}
	if err := checkPlaces(h, i.Fingerprint, i.Addresses...); err != nil {
		return err
	}
	if a.name != "" {
		return checkFree(h, a.name, i.Fingerprint)
	}
	return nil
}

// explainHello says what a hello that came to nothing means.
func explainHello(err error) error {
	if errors.Is(err, keyring.ErrNoInvite) {
		return fail(exitNotFound, "ask for a new one", "the invite is not good, says its owner: it has expired, was revoked, or is misspelt: %w", err)
	}
	return err
}

// trustOf is how sure I am of somebody whom I met by a link. He may say that we
// are together; at a terminal I am asked whether it is so.
func (e *env) trustOf(met home.Met) (keyring.Trust, error) {
	if !met.InPerson {
		return keyring.TrustPinned, nil
	}
	if e.canAsk() && !e.yes {
		answer, err := e.ask(met.Name+" says that you are together: did you take the link from the person's own screen? [y/N]", "")
		if err != nil {
			return "", err
		}
		if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
			return keyring.TrustPinned, nil
		}
	}
	return keyring.TrustVerified, nil
}

// addressesOf are those given by hand, and then where he is.
func addressesOf(met home.Met, given []string) []string {
	list := slices.Clone(given)
	for _, at := range met.Addresses {
		if len(list) < maxAddresses && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}

// pullNow fetches what somebody new has for me, and shows it. That he is away
// is no failure: the friendship was made.
func (e *env) pullNow(ctx context.Context, h *home.Home, people []keyring.Person) error {
	people = slices.DeleteFunc(slices.Clone(people), func(p keyring.Person) bool { return len(p.Addresses) == 0 })
	if len(people) == 0 {
		return nil
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	p := &puller{e: e}
	p.bar = e.progress("pulling")
	var entries []home.Entry
	err = h.Pull(ctx, people, s.pulling(), func(ev home.Event) {
		if ev.Post != nil && !e.json.on {
			entries = append(entries, home.Entry{Post: ev.Post, Name: ev.Person.Name, Trust: ev.Person.Trust, Received: e.now(), Path: ev.Path})
		}
		p.tell(h, ev)
	})
	p.bar.end()
	if err != nil {
		e.warn("note: pulling at once failed, p2ps pull does it again: %v", err)
		return nil
	}
	if p.write != nil {
		return p.write
	}
	if err := p.verdict(); err != nil {
		return err
	}
	if e.quiet || e.json.on {
		return nil
	}
	return e.show(entries)
}
