package wire

import (
	"bytes"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// MinSize is the size of every small message, so that "nothing new", an error
// and "nothing for you" look alike on the path (spec M34).
const MinSize = 2048

// Size is the padded size of a message of n bytes: MinSize, or Padmé above it,
// which gives away no more than about the magnitude of a size.
func Size(n int) int {
	if n <= MinSize {
		return MinSize
	}
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<(e-s) - 1
	return (n + mask) &^ mask
}

// tries is how often a message is signed anew to meet its size.
const tries = 20

// A Sealer seals messages to exact sizes. It remembers what sealing adds, so
// that the first try mostly fits. The zero Sealer is ready, and safe for
// concurrent use.
type Sealer struct {
	mu    sync.Mutex
	added map[string]int // by kind of key and magnitude of the message
}

// seal pads literal until the message has its size, and returns both. A signature
// or session key varies by a byte from one sealing to the next, hence the tries; a
// size that is not met is no fault (spec M34).
func (s *Sealer) seal(literal []byte, padding byte, context pgp.Context, p Party, at time.Time) (message, padded []byte, err error) {
	kind := fmt.Sprint(p.Other.Algorithm(), bits.Len(uint(len(literal))))
	added, off := s.recall(kind), 0
	for range tries {
		target := Size(len(literal) + added)
		padded = append(bytes.Clone(literal), bytes.Repeat([]byte{padding}, target-len(literal)-added)...)
		message, err = pgp.Seal(padded, context, p.Me, p.Other, at, pgp.SealOptions{})
		if err != nil {
			return nil, nil, err
		}
		d := len(message) - target
		switch {
		case d == 0:
			s.remember(kind, added)
			return message, padded, nil
		case d == off, d > 2, d < -2: // not chance: sealing adds more or less than thought
			added, off = added+d, 0
		default:
			off = d
		}
	}
	return message, padded, nil
}

func (s *Sealer) recall(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.added[kind]; ok {
		return n
	}
	return 400
}

func (s *Sealer) remember(kind string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.added == nil {
		s.added = map[string]int{}
	}
	s.added[kind] = n
}

// open decrypts a message. It is of SEIPD version 1: the other one is for what
// version 1 of the protocol has only reserved (spec M6).
func open(body []byte, me *pgp.Secret, limit int) (*pgp.Opened, error) {
	if pgp.UsesGCM(body) {
		return nil, fmt.Errorf("%w: it is sealed in a way that nobody asked for", pgp.ErrMalformed)
	}
	return pgp.Decrypt(body, me, limit)
}

// Room is how many ids fit into a request whose literal has n bytes, without
// making it any larger.
func Room(n int) int {
	const (
		added = 450 // by sealing, and by the name of the list
		each  = 81  // an id with its quotes and comma; a v6 one is longer
	)
	return (Size(n+added) - n - added) / each
}
