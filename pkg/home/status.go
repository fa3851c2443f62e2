package home

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// A Status is how things stand in a home.
type Status struct {
	Me       *pgp.Certificate
	ByHand   []Pending
	People   []Reached         // friends and followed
	Problems []keyring.Problem // files among the people that are no keys
	Served   string            // the address of a running serve; "" if there is none
	Posts    int               // of mine
	New      int               // of others, in the last day
	Away     int               // posts of mine that are not there, since the whole feed is not
}

// Reached is how the last pulls from a person went.
type Reached struct {
	keyring.Person
	index.Peer
}

// IsAway tells whether he could not be reached the last time. Who has no address,
// and comes by himself, is not away.
func (r Reached) IsAway() bool {
	return r.Message != "" && (r.Message != ErrNoAddress.Error() || r.Peer.Reached.IsZero())
}

// Status looks at every file of my feed, and asks nobody.
func (h *Home) Status(ctx context.Context) (Status, error) {
	s := Status{}
	var err error
	if s.Me, err = h.people.Me(); err != nil {
		return s, err
	}
	if s.ByHand, err = h.ByHand(ctx); err != nil {
		return s, err
	}
	people, err := h.readable()
	if err != nil {
		return s, err
	}
	trees, err := h.treesOf(people)
	if err != nil {
		return s, err
	}
	err = h.withIndex(ctx, func(x *index.Index) error {
		if err := h.sync(ctx, x, false, trees...); err != nil {
			return err
		}
		return x.View(ctx, func(v *index.View) error {
			s.People = nil
			for _, p := range people {
				peer, err := v.Peer(p.Fingerprint)
				if err != nil {
					return err
				}
				s.People = append(s.People, Reached{p, peer})
			}
			if s.Posts, err = v.CountLive(s.Me.Fingerprint()); err != nil {
				return err
			}
			s.New, err = h.recent(v, people)
			return err
		})
	})
	if err != nil {
		return s, err
	}
	s.Away, s.ByHand = h.Away(s.ByHand)
	if s.Problems, err = h.people.Problems(); err != nil {
		return s, err
	}
	s.Served, err = h.Served(ctx)
	return s, err
}

// recent counts the posts of others of the last day, as a timeline shows them. No
// file is read: one that an editor is at work on is no reason to say nothing.
func (h *Home) recent(v *index.View, people []keyring.Person) (int, error) {
	now := h.opt.Now()
	f := index.Filter{Since: now.AddDate(0, 0, -1), At: now}
	for _, p := range people {
		if !p.Muted {
			f.Authors = append(f.Authors, p.Fingerprint)
		}
	}
	if f.Authors == nil {
		return 0, nil
	}
	rows, err := v.Timeline(f)
	return len(rows), err
}

const (
	serveLockFile = "state/serve.lock"
	serveFile     = "state/serve"
)

// Serving takes the place of the one process that serves this home: a nonce
// remembered by one process alone could be replayed to another. address is
// where it listens, and reached are the addresses under which friends reach it,
// of which they are told; done frees the place.
func (h *Home) Serving(ctx context.Context, address string, reached ...string) (done func(), err error) {
	unlock, err := h.root.Lock(ctx, serveLockFile, 0)
	if err != nil {
		return nil, err
	}
	text := strings.Join(append([]string{address}, reached...), "\n") + "\n"
	if err := h.root.WriteFile(serveFile, []byte(text), 0o600); err != nil {
		unlock()
		return nil, err
	}
	h.served.reached = reached
	return unlock, nil
}

// Served is the address at which this home is being served; "" if it is not.
func (h *Home) Served(ctx context.Context) (string, error) {
	lines, err := h.servedAt(ctx)
	if len(lines) == 0 {
		return "", err
	}
	return lines[0], err
}

// Reached are the addresses under which friends reach this home now; none if it
// is not being served.
func (h *Home) Reached(ctx context.Context) ([]string, error) {
	lines, err := h.servedAt(ctx)
	if len(lines) == 0 {
		return nil, err
	}
	return lines[1:], err
}

func (h *Home) servedAt(ctx context.Context) ([]string, error) {
	there, err := h.root.Exists(serveLockFile)
	if err != nil || !there {
		return nil, err
	}
	unlock, err := h.root.Lock(ctx, serveLockFile, 0)
	if err == nil {
		unlock()
		return nil, nil
	}
	if !errors.Is(err, disk.ErrBusy) {
		return nil, nil // in a read-only home nothing serves that could be found
	}
	text, _, err := h.root.ReadFile(serveFile, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return strings.Fields(string(text)), err
}
