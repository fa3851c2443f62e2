package nearby

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// Options say what is announced, and to whom.
type Options struct {
	Mode        Mode
	Fingerprint pgp.Fingerprint
	Name        string   // shown with Everyone
	Listen      net.Addr // of the server
	Rand        io.Reader
	Log         *slog.Logger
}

// When an announcement begins anew.
const (
	renewal = time.Hour       // with other names and another salt
	glance  = 5 * time.Second // at the interfaces
	overlap = 3 * time.Second // of the old one and the new, so that nobody misses us
)

// Announce announces a home on every local network that the machine is on, until
// ctx ends, and then says goodbye. It begins anew, under other names, every hour
// and when the network changes: a new interface is served, and who carries his
// machine elsewhere is not known there by what he was called here.
//
// Where nobody can be told, it waits until somebody can. Nothing that fails here
// ends the serving: it is logged.
func Announce(ctx context.Context, o Options) {
	at, ok := listeningAt(o.Listen)
	if o.Mode == Off || !ok {
		return
	}
	a := &announcer{Options: o, links: links, respond: func(ctx context.Context, n named) (<-chan struct{}, error) {
		return respond(ctx, at, n, o.Log)
	}}
	a.run(ctx)
}

// run is Announce, on whatever network there is.
func (a *announcer) run(ctx context.Context) {
	defer a.leaving.Wait()
	a.known = a.links()
	due := time.NewTimer(0)
	defer due.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			a.leave(ctx, a.now, 0)
			return
		case <-look.C:
			switch is := a.links(); {
			case is != a.known:
				a.known = is
				a.leave(ctx, a.now, 0) // its sockets are those of the networks that were
				a.now = a.appear(ctx)
				due.Reset(renewal)
			case a.now.over():
				a.now = a.appear(ctx)
			}
		case <-due.C:
			before := a.now
			a.now = a.appear(ctx)
			a.leave(ctx, before, overlap)
			due.Reset(renewal)
		}
	}
}

// An announcer is one appearance after the other.
type announcer struct {
	Options
	links   func() string
	respond func(context.Context, named) (ended <-chan struct{}, err error)
	known   string // links, when they were looked at
	now     *appearance
	failed  string // the last failure, which is told once
	leaving sync.WaitGroup
}

// An appearance is one responder. The nil *appearance is none.
type appearance struct {
	stop  context.CancelFunc
	ended <-chan struct{}
}

// appear begins one; nil if there is no network, or it cannot be.
func (a *announcer) appear(ctx context.Context) *appearance {
	if a.known == "" {
		return nil
	}
	n, err := newNames(a.Options)
	if err != nil {
		return a.fail(err)
	}
	// It outlives ctx by its goodbye.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended, err := a.respond(running, n)
	if err != nil {
		stop()
		return a.fail(err)
	}
	a.failed = ""
	a.Log.Info("announced on the local network", "as", n.instance)
	return &appearance{stop, ended}
}

func (a *announcer) fail(err error) *appearance {
	if err.Error() != a.failed {
		a.failed = err.Error()
		a.Log.Warn("not announced on the local network", "error", err)
	}
	return nil
}

// leave has an appearance say goodbye, after a while that ends with ctx.
func (a *announcer) leave(ctx context.Context, gone *appearance, after time.Duration) {
	if gone == nil {
		return
	}
	a.leaving.Go(func() {
		pause(ctx, after)
		gone.stop()
		select {
		case <-gone.ended:
		case <-time.After(farewell):
		}
	})
}

// over tells whether it ended by itself, or never was.
func (a *appearance) over() bool {
	if a == nil {
		return true
	}
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}
