package home

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// A seeker looks on the local network for friends who are not reached where they
// were; once for all of a pull, when the first is sought.
type seeker struct {
	h    *Home
	once sync.Once
	here []nearby.Peer
}

// seek are the addresses at which somebody nearby says that he is the owner of a
// fingerprint.
func (s *seeker) seek(ctx context.Context, fpr pgp.Fingerprint) []string {
	s.once.Do(func() {
		here, err := s.h.around()(ctx)
		if err != nil {
			s.h.opt.Log.Info("the local network was not looked at", "error", err)
		}
		s.here = here
	})
	var found []string
	for _, p := range s.here {
		if p.Is(fpr) {
			found = append(found, p.Addresses...)
		}
	}
	slices.Sort(found) // so that a clamour of others cannot choose the order
	found = slices.Compact(found)
	return found[:min(len(found), maxHints)]
}

// maxHints is how many places are tried for one friend: anybody on the network
// can say that he is.
const maxHints = 8

// isAway tells an error that may be mended by another address.
func isAway(err error) bool {
	return errors.Is(err, ErrNoAddress) || errors.Is(err, peer.ErrUnreachable) || errors.Is(err, peer.ErrAddress)
}

// tryHints is try with the places that were announced on the local network. What
// they say is nobody's word until the friend's signature is on it: so nothing
// that fails there is held against him, and failed, which led here, stays the
// error. But who refuses may be he, with other subkeys than are known: if nobody
// else is he, that is the error, and his key is asked for.
func (p *place) tryHints(failed error, ask func(base string) error) error {
	var notes []string
	refused := false
	for _, base := range p.hints() {
		err := ask(base)
		if err == nil {
			p.base, p.hinted = base, true
			p.h.opt.Log.Info("found on the local network", "friend", p.cert.Fingerprint(), "address", base)
			return nil
		}
		if p.ctx.Err() != nil {
			return err
		}
		refused = refused || errors.Is(err, peer.ErrRefused) || isKeyFault(err)
		p.h.opt.Log.Warn("what is announced nearby as a friend is not proved to be him", "friend", p.cert.Fingerprint(), "address", base, "error", err)
		notes = append(notes, fmt.Sprintf("%s, which is announced nearby, is not proved to be his: %v", base, err))
	}
	switch {
	case refused:
		return fmt.Errorf("%w: %s", peer.ErrRefused, strings.Join(notes, "; "))
	case notes != nil:
		return fmt.Errorf("%w\n%s", failed, strings.Join(notes, "\n"))
	}
	return failed
}

// hearsay makes of an error from a place that was only announced one that is not
// held against the friend.
func (p *place) hearsay(err error) error {
	if err == nil || !p.hinted || p.ctx.Err() != nil || isAway(err) || errors.Is(err, peer.ErrOverloaded) || errors.Is(err, peer.ErrAnswer) {
		return err
	}
	return fmt.Errorf("%w: %s, which is announced nearby, is not proved to be his: %v", peer.ErrUnreachable, p.base, err) //nolint:errorlint // what it is must not count
}
