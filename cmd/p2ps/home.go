package main

import (
	"errors"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// openHome opens the home that is there; env.home calls it once.
func (e *env) openHome() (*home.Home, error) {
	dir, err := e.dir()
	if err != nil {
		return nil, err
	}
	opt, err := e.homeOptions()
	if err != nil {
		return nil, err
	}
	return home.Open(dir, opt)
}

func (e *env) homeOptions() (home.Options, error) {
	s, err := e.settings()
	return home.Options{Now: e.now, Rand: e.rand, Log: e.log, Wait: s.Wait, Hook: e.hook, Look: e.seek, PullNearby: s.PullNearby}, err
}

// identity opens the home and tells who I am; there may be nobody yet.
func (e *env) identity() (*home.Home, *pgp.Certificate, error) {
	h, err := e.home()
	if errors.Is(err, home.ErrNoHome) {
		return nil, nil, errors.Join(keyring.ErrNoIdentity, err)
	}
	if err != nil {
		return nil, nil, err
	}
	me, err := h.Me()
	return h, me, err
}
