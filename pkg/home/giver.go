package home

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A giver is somebody whose files are asked for, part by part. To ask is to do
// all that a question may need; fetch and open are its two halves when all goes
// well: while one part is opened, the next is fetched. The bytes of a part lie in
// the room that it came into, or in a larger one.
type giver interface {
	ask(ctx context.Context, q wire.FileQuestion, room []byte) (part *wire.Part, taken []byte, err error)
	fetch(ctx context.Context, q wire.FileQuestion, room []byte) (fetched, error)
	open(f fetched) (*wire.Part, error)
	came() int64 // bytes, so far
}

// What is under way of one file: fewer parts would leave a processor idle, more
// would not fit into 64 MiB here, and more questions would be over what one address
// may have under way there (spec S8).
const (
	roomsOfFile     = 4
	questionsOfFile = 2
)

// rooms is the memory in which the parts of files lie on their way: of one after
// the other, so that a long file needs no more than a short one.
type rooms chan []byte

func newRooms() rooms {
	in := make(rooms, roomsOfFile)
	for range cap(in) {
		in <- nil
	}
	return in
}

// fetched is a part as it came.
type fetched struct {
	sent *wire.Sent // of a sealed one
	body []byte
	size int64 // of a public file
	at   int64
}

func (h *Home) giverOf(l link) giver {
	switch l := l.(type) {
	case *publicLink:
		return &publicGiver{l: l}
	case *sealedLink:
		return &sealedGiver{l: l}
	}
	return nil // there is no other link
}

// sealedGiver is a friend.
type sealedGiver struct {
	l     *sealedLink
	bytes atomic.Int64
}

func (g *sealedGiver) came() int64 { return g.bytes.Load() + g.l.fileBytes }

func (g *sealedGiver) ask(ctx context.Context, q wire.FileQuestion, room []byte) (*wire.Part, []byte, error) {
	g.l.room = room
	a, err := g.l.Ask(ctx, wire.Question{Kind: wire.KindAttachment, File: &q})
	room, g.l.room = g.l.room, nil
	return a.Part, room, err
}

func (g *sealedGiver) fetch(ctx context.Context, q wire.FileQuestion, room []byte) (f fetched, err error) {
	l := g.l
	if f.sent, _, err = l.seal(wire.Question{Kind: wire.KindAttachment, File: &q}); err != nil {
		return f, err
	}
	f.body, err = l.client.SealedInto(ctx, l.base, f.sent.Body, room, wire.MaxPartAnswer)
	g.bytes.Add(int64(len(f.body) + len(f.sent.Body)))
	return f, err
}

func (g *sealedGiver) open(f fetched) (*wire.Part, error) {
	a, err := f.sent.OpenPart(f.body, wire.Party{Me: g.l.me, Other: g.l.cert}, g.l.h.opt.Now())
	if err == nil && a.Part == nil {
		err = fmt.Errorf("%w: it says %.20q", wire.ErrInvalid, a.Code)
	}
	return a.Part, err
}

// publicGiver is somebody whom I follow.
type publicGiver struct {
	l     *publicLink
	bytes atomic.Int64
}

func (g *publicGiver) came() int64 { return g.bytes.Load() }

func (g *publicGiver) ask(ctx context.Context, q wire.FileQuestion, room []byte) (part *wire.Part, _ []byte, err error) {
	err = g.l.try(func(base string) error {
		data, size, err := g.l.client.File(ctx, base, q.SHA256, q.Offset, wire.PartSize, room)
		g.bytes.Add(int64(len(data)))
		part = &wire.Part{Size: size, Offset: q.Offset, Data: data}
		return err
	})
	return part, part.Data, err
}

func (g *publicGiver) fetch(ctx context.Context, q wire.FileQuestion, room []byte) (f fetched, err error) {
	f.at = q.Offset
	f.body, f.size, err = g.l.client.File(ctx, g.l.base, q.SHA256, q.Offset, wire.PartSize, room)
	g.bytes.Add(int64(len(f.body)))
	return f, err
}

func (g *publicGiver) open(f fetched) (*wire.Part, error) {
	return &wire.Part{Size: f.size, Offset: f.at, Data: f.body}, nil
}

// stream hands the bytes of a file to take, in order, each part after it was
// verified. What goes wrong on the fast way is asked again by ask, which knows
// what to do; it says what is wrong in the end.
func (h *Home) stream(ctx context.Context, from giver, q wire.FileQuestion, size int64, take func([]byte) error) error {
	in := newRooms()
	for q.Offset < size {
		step, err := askFor(ctx, from, q, size, in, take)
		if err != nil {
			return err
		}
		q.Offset += step
		n, taking := fast(ctx, from, q, size, step, in, take)
		if q.Offset += n; taking != nil {
			return taking
		}
	}
	return nil
}

// askFor brings one part, and tells how many bytes it had.
func askFor(ctx context.Context, from giver, q wire.FileQuestion, size int64, in rooms, take func([]byte) error) (int64, error) {
	part, room, err := from.ask(ctx, q, <-in)
	defer func() { in <- room }()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return 0, cause
	}
	if err == nil {
		err = checkPart(part, q.Offset, size)
	}
	if err != nil {
		return 0, err
	}
	return int64(len(part.Data)), take(part.Data)
}

func checkPart(p *wire.Part, offset, size int64) error {
	switch {
	case p.Size != size:
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrFile, p.Size, size)
	case len(p.Data) == 0 || offset+int64(len(p.Data)) > size:
		return fmt.Errorf("%w: %d bytes from %d on, of %d", peer.ErrAnswer, len(p.Data), offset, size)
	}
	return nil
}

// errFast: what to do is for ask to find out.
var errFast = errors.New("the fast way has ended")

// A handed is a part between two steps.
type handed struct {
	fetched
	part *wire.Part
	err  error
}

// fast brings parts of step bytes in three steps at once: some are fetched, one is
// opened, and the one before that taken. It ends at the first that is not as it
// should be, and tells how many bytes were taken; an error is that of take.
func fast(ctx context.Context, from giver, q wire.FileQuestion, size, step int64, in rooms, take func([]byte) error) (taken int64, taking error) {
	if size-q.Offset <= 0 || step <= 0 {
		return 0, nil
	}
	g, ctx := errgroup.WithContext(ctx)
	came, opened := make(chan chan handed, roomsOfFile), make(chan handed, roomsOfFile)
	at := q.Offset
	g.Go(func() error {
		defer close(came)
		return fetchAll(ctx, g, from, q, size, step, in, came)
	})
	g.Go(func() error {
		defer close(opened)
		for one := range came {
			p := <-one
			if p.err == nil {
				p.part, p.err = from.open(p.fetched)
			}
			if p.err != nil || checkPart(p.part, at, size) != nil {
				in <- p.body
				return errFast
			}
			opened <- p // it has room for all
			if at += int64(len(p.part.Data)); int64(len(p.part.Data)) != step && at < size {
				return errFast // its steps are others now
			}
		}
		return nil
	})
	g.Go(func() error {
		for p := range opened {
			if taking == nil {
				taking = take(p.part.Data)
			}
			if in <- p.body; taking == nil {
				taken += int64(len(p.part.Data))
			}
		}
		return taking
	})
	_ = g.Wait()            // errFast, or taking
	for one := range came { // what came and was not looked at
		in <- (<-one).body
	}
	return taken, taking
}

// fetchAll fetches part after part, as many at once as may be and as there is room
// for. They come in order; each in its channel when it is there.
func fetchAll(ctx context.Context, g *errgroup.Group, from giver, q wire.FileQuestion, size, step int64, in rooms, came chan<- chan handed) error {
	asking := make(chan []byte, questionsOfFile)
	for range cap(asking) {
		asking <- nil
	}
	for ; q.Offset < size; q.Offset += step {
		if _, ok := next(ctx, asking); !ok {
			return errFast
		}
		room, ok := next(ctx, in)
		if !ok {
			return errFast
		}
		one, part := make(chan handed, 1), q
		g.Go(func() error {
			f, err := from.fetch(ctx, part, room)
			asking <- nil
			if f.body == nil {
				f.body = room
			}
			one <- handed{fetched: f, err: err}
			return nil
		})
		came <- one // it has room for all
	}
	return nil
}

func next(ctx context.Context, free <-chan []byte) ([]byte, bool) {
	select {
	case b := <-free:
		return b, true
	case <-ctx.Done():
		return nil, false
	}
}
