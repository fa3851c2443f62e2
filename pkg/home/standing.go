package home

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A pace is the times of a standing pull.
type pace struct {
	stand   time.Duration // a question waits
	better  time.Duration // who has no news sooner does not know how to wait
	look    time.Duration // between two looks at a public feed
	retry   time.Duration // after a failure, and twice as long after each further one,
	longest time.Duration // but no longer than this
	people  time.Duration // until a new friend is noticed
}

func usualPace() pace {
	return pace{stand: 30 * time.Second, better: 5 * time.Second, look: time.Minute, retry: 5 * time.Second, longest: 5 * time.Minute, people: 5 * time.Second}
}

// A standing pull has a question out to each person, which he answers when he
// has news (spec M43); then a pull from him is due.
type standing struct {
	h      *Home
	pace   pace
	client *peer.Client
	named  []keyring.Person // nil: all whose posts I read
	asking map[pgp.Fingerprint]*stander
	due    chan *stander
}

// A stander asks one person.
type stander struct {
	person keyring.Person
	stop   context.CancelFunc
	pulled chan Pulled // how the pull went that was due
}

// PullOn is Pull, and then a pull from each person as soon as he has news, until
// ctx ends. The home is not locked while there is nothing to pull.
func (h *Home) PullOn(ctx context.Context, people []keyring.Person, opt PullOptions, tell func(Event)) error {
	return h.pullOn(ctx, people, opt, usualPace(), tell)
}

func (h *Home) pullOn(ctx context.Context, people []keyring.Person, opt PullOptions, at pace, tell func(Event)) error {
	if err := h.Pull(ctx, people, opt, tell); err != nil {
		return err
	}
	opt.Full = false
	s := &standing{h: h, pace: at, client: peer.NewClient(0), named: people, asking: map[pgp.Fingerprint]*stander{}, due: make(chan *stander)}
	defer s.client.Close()
	tick := time.NewTicker(s.pace.people)
	defer tick.Stop()
	for {
		if err := s.people(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case first := <-s.due:
			if err := s.pull(ctx, first, opt, tell); err != nil {
				return err
			}
		}
	}
}

// people asks whoever is new, and leaves alone who is gone.
func (s *standing) people(ctx context.Context) error {
	now := map[pgp.Fingerprint]keyring.Person{}
	all, err := s.h.readable()
	if err != nil {
		return err
	}
	for _, p := range all {
		named := func(q keyring.Person) bool { return q.Fingerprint == p.Fingerprint }
		if s.named == nil || slices.ContainsFunc(s.named, named) {
			now[p.Fingerprint] = p
		}
	}
	for fpr, st := range maps.Clone(s.asking) {
		if p, is := now[fpr]; !is || !slices.Equal(p.Addresses, st.person.Addresses) {
			st.stop()
			delete(s.asking, fpr)
		}
	}
	for fpr, p := range now {
		if s.asking[fpr] == nil {
			one, stop := context.WithCancel(ctx)
			st := &stander{person: p, stop: stop, pulled: make(chan Pulled, 1)}
			s.asking[fpr] = st
			go s.stand(one, st)
		}
	}
	return nil
}

// pull pulls from all who are due by now.
func (s *standing) pull(ctx context.Context, first *stander, opt PullOptions, tell func(Event)) error {
	due := map[pgp.Fingerprint]*stander{first.person.Fingerprint: first}
	for more := true; more; {
		select {
		case st := <-s.due:
			due[st.person.Fingerprint] = st
		default:
			more = false
		}
	}
	var people []keyring.Person
	for _, st := range due {
		people = append(people, st.person)
	}
	outcome := map[pgp.Fingerprint]Pulled{}
	err := s.h.Pull(ctx, people, opt, func(ev Event) {
		if ev.Pulled != nil {
			outcome[ev.Person.Fingerprint] = *ev.Pulled
		}
		tell(ev)
	})
	if errors.Is(err, disk.ErrBusy) { // another pull is under way, and brings it; else it is due again
		err = nil
	}
	for fpr, st := range due {
		st.pulled <- outcome[fpr]
	}
	return err
}

// stand asks one person for as long as ctx lasts.
func (s *standing) stand(ctx context.Context, st *stander) {
	for wait := time.Duration(0); pause(ctx, wait) == nil; {
		soon := time.After(s.pace.better)
		news, asked, err := s.await(ctx, st.person)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && isAway(err):
			wait = min(max(2*wait, s.pace.retry), s.pace.longest)
			continue
		case err == nil && !news:
			wait = 0
			select {
			case <-soon:
			default:
				wait = s.pace.stand
			}
			if !asked {
				continue
			}
		}
		// News, or a failure that the pull is to find and to tell.
		select {
		case s.due <- st:
		case <-ctx.Done():
			return
		}
		select {
		case p := <-st.pulled:
			if news || err != nil {
				wait = s.after(p, wait)
			}
		case <-ctx.Done():
			return
		}
	}
}

// after is how long to wait after a pull: not at all, unless it brought nothing,
// although there seemed to be something.
func (s *standing) after(p Pulled, before time.Duration) time.Duration {
	switch {
	case p.Person.Follow && p.Err == nil:
		return s.pace.look
	case p.Err == nil && p.Complete && p.Tally != Tally{}:
		return 0
	}
	return min(max(2*before, s.pace.retry), s.pace.longest)
}

// await asks one person, who answers when he has news: whether he has, and
// whether he asks something back, which a pull answers.
func (s *standing) await(ctx context.Context, p keyring.Person) (news, asked bool, err error) {
	if p.Follow {
		return true, false, nil
	}
	cert, err := s.h.people.Certificate(p.Fingerprint)
	if err != nil {
		return false, false, err
	}
	mine, err := s.h.Reached(ctx)
	if err != nil {
		return false, false, err
	}
	l, err := s.h.linkTo(ctx, s.client, &seeker{h: s.h}, p, cert, mine)
	if err != nil {
		return false, false, err
	}
	q, err := s.question(ctx, cert, s.h.opt.Now())
	if err != nil {
		return false, false, err
	}
	a, err := l.Ask(ctx, q)
	if err != nil {
		return false, false, err
	}
	s.h.relocate(ctx, p.Fingerprint, a.Addresses)
	if a.News(q) { // or what he has is what I have since
		q, err = s.question(ctx, cert, a.Time)
	}
	return a.News(q), a.Ask != nil, err
}

// question says what is held of an author at a moment, and waits for more.
func (s *standing) question(ctx context.Context, author *pgp.Certificate, at time.Time) (q wire.Question, err error) {
	err = s.h.withIndex(ctx, func(x *index.Index) error {
		k := &keeper{h: s.h, who: author.Fingerprint(), tree: tree{Tree: feed.Of(author.Fingerprint()), cert: author}, x: x}
		newest, err := k.Newest(ctx)
		if err != nil {
			return err
		}
		months, err := k.Months(ctx, at)
		if err != nil {
			return err
		}
		_, digest := months.Digest()
		q = wire.Question{Kind: wire.KindPosts, After: string(newest), Wait: max(1, int(s.pace.stand.Seconds())), Digest: digest}
		row, err := s.h.peerRow(ctx, x, author.Fingerprint())
		if err == nil && row.Backed {
			q.Offer = s.h.offerTo(ctx, x, author.Fingerprint(), s.h.following(ctx))
		}
		return err
	})
	return q, err
}
