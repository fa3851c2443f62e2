package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// ErrNoNeighbour: nobody was announced on the local network under that number.
var ErrNoNeighbour = errors.New("nobody nearby has that number")

// A Looker looks who is announced on the local network, as nearby.Look does.
type Looker func(ctx context.Context) ([]nearby.Peer, error)

// A Neighbour is somebody who is announced on the local network: who he is there
// is what he says, and proved by nothing.
type Neighbour struct {
	Number      int             // by which he is called, from 1
	Fingerprint pgp.Fingerprint // "" if he shows himself to those who know it, and I do not
	Name        string          // mine for him, else what he calls himself; may be ""
	Known       bool            // he is a friend, or followed
	Person      keyring.Person  // if Known
	Addresses   []string
}

// Announce announces this home on the local network as long as ctx lasts, and
// then says goodbye.
func (h *Home) Announce(ctx context.Context, mode nearby.Mode, listen net.Addr) error {
	me, err := h.Me()
	if err != nil {
		return err
	}
	nearby.Announce(ctx, nearby.Options{Mode: mode, Fingerprint: me.Fingerprint(), Name: nameOf(me), Listen: listen, Rand: h.opt.Rand, Log: h.opt.Log})
	return nil
}

// Nearby looks who is announced on the local network, myself and whom I blocked
// left out, and remembers them by their numbers for Neighbour.
//
// Errors: nearby.ErrLink.
func (h *Home) Nearby(ctx context.Context) ([]Neighbour, error) {
	peers, err := h.around()(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.recognise(peers)
	if err == nil {
		h.noteNeighbours(list)
	}
	return list, err
}

// around is how one looks.
func (h *Home) around() Looker {
	if h.opt.Look != nil {
		return h.opt.Look
	}
	return nearby.Look
}

// recognise says who is who, by the fingerprints that are known here.
func (h *Home) recognise(peers []nearby.Peer) ([]Neighbour, error) {
	me, err := h.Me()
	if err != nil {
		return nil, err
	}
	blocked, err := h.people.Blocked()
	if err != nil {
		return nil, err
	}
	known, err := h.people.Known()
	if err != nil {
		return nil, err
	}
	unwanted := append(blocked, me.Fingerprint())
	var list []Neighbour
	for _, p := range peers {
		if slices.ContainsFunc(unwanted, p.Is) {
			continue
		}
		n := Neighbour{Fingerprint: p.Fingerprint, Name: p.Name, Addresses: p.Addresses}
		if i := slices.IndexFunc(known, func(k keyring.Person) bool { return p.Is(k.Fingerprint) }); i >= 0 {
			n.Known, n.Person, n.Fingerprint, n.Name = true, known[i], known[i].Fingerprint, known[i].Name
		}
		if !slices.ContainsFunc(list, n.same) {
			n.Number = len(list) + 1
			list = append(list, n)
		}
	}
	return list, nil
}

// same tells two announcements of one server, the old one and the new.
func (n Neighbour) same(other Neighbour) bool {
	return n.Fingerprint == other.Fingerprint && n.Addresses[0] == other.Addresses[0]
}

const (
	neighboursFile = "state/nearby"
	neighboursTime = 10 * time.Minute // then addresses may be others'
	maxNeighbours  = 256 << 10
)

// noted is the file of the neighbours that were seen last, in the order of their
// numbers.
type noted struct {
	At         time.Time        `json:"at"`
	Neighbours []notedNeighbour `json:"neighbours"`
}

type notedNeighbour struct {
	Fingerprint pgp.Fingerprint `json:"fingerprint,omitempty"`
	Name        string          `json:"name,omitempty"`
	Addresses   []string        `json:"addresses"`
}

// noteNeighbours keeps what the numbers mean: between two looks somebody may have
// come or gone. If it cannot be kept, the next to ask looks anew.
func (h *Home) noteNeighbours(list []Neighbour) {
	n := noted{At: h.opt.Now().UTC()}
	for _, one := range list {
		n.Neighbours = append(n.Neighbours, notedNeighbour{one.Fingerprint, one.Name, one.Addresses})
	}
	data, err := ijson.MarshalIndent(n)
	if err == nil {
		err = h.root.WriteFile(neighboursFile, append(data, '\n'), 0o600)
	}
	if err != nil {
		h.opt.Log.Warn("who is nearby could not be remembered", "error", err)
	}
}

// Neighbour is who had that number when Nearby was called last, if that was a
// few minutes ago; else it is called now.
//
// Errors: ErrNoNeighbour, nearby.ErrLink.
func (h *Home) Neighbour(ctx context.Context, number int) (Neighbour, error) {
	list, err := h.notedNeighbours()
	if err != nil {
		return Neighbour{}, err
	}
	if list == nil {
		if list, err = h.Nearby(ctx); err != nil {
			return Neighbour{}, err
		}
	}
	if number < 1 || number > len(list) {
		return Neighbour{}, fmt.Errorf("%w: nearby:%d", ErrNoNeighbour, number)
	}
	return list[number-1], nil
}

// notedNeighbours are those of the file; nil if there is none, or an old one.
func (h *Home) notedNeighbours() ([]Neighbour, error) {
	data, _, err := h.root.ReadFile(neighboursFile, maxNeighbours)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var n noted
	if err := ijson.Unmarshal(data, &n); err != nil {
		return nil, nil //nolint:nilerr // what is damaged is made anew
	}
	if age := h.opt.Now().Sub(n.At); age < 0 || age > neighboursTime {
		return nil, nil
	}
	list := []Neighbour{}
	for i, one := range n.Neighbours {
		if len(one.Addresses) == 0 {
			return nil, nil
		}
		list = append(list, Neighbour{Number: i + 1, Fingerprint: one.Fingerprint, Name: one.Name, Addresses: one.Addresses})
	}
	return list, nil
}
