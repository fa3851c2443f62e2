package nearby

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/brutella/dnssd"
	"github.com/brutella/dnssd/log"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// named is one appearance on the network: under names of its own, with a record
// of its own, so that in the mode Friends nothing joins it to the one before
// but the address (spec N5).
type named struct {
	instance, host string
	record         Record
}

// newNames draws names and record. The host's name is never the machine's: that
// belongs to another responder, which would rename the machine. Names are plain
// letters, since the library loses what belongs to others.
func newNames(o Options) (n named, err error) {
	var drawn [2]string
	for i := range drawn {
		var b [10]byte
		if _, err := io.ReadFull(o.Rand, b[:]); err != nil {
			return n, fmt.Errorf("a name for the announcement: %w", err)
		}
		drawn[i] = "p2ps-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	}
	n.instance, n.host = drawn[0], drawn[1]
	if o.Mode == Friends {
		n.record, err = covertly(o.Fingerprint, o.Rand)
		return n, err
	}
	n.record = openly(o.Fingerprint, o.Name)
	n.instance = instanceOf(n.record.Name, o.Fingerprint)
	return n, nil
}

// instanceOf is a name for browsers of services: what is plain of the person's
// name, and the beginning of the fingerprint.
func instanceOf(name string, fpr pgp.Fingerprint) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r == ' ' || r == '-':
			return '-'
		}
		return -1
	}, name)
	return strings.TrimLeft(plain[:min(len(plain), 40)]+"-"+string(fpr[:8]), "-")
}

// probing is how long the library may take to find that its names are free. It
// gives up after a minute, by a deadline, and then its readers turn round and
// round: so it is stopped before.
const probing = 45 * time.Second

// farewell is how long a goodbye may take, whatever comes in meanwhile.
const farewell = 3 * time.Second

// respond announces one appearance, and answers who asks, until ctx ends; then
// it says goodbye. ended is closed when that is done.
func respond(ctx context.Context, at listening, n named, l *slog.Logger) (ended <-chan struct{}, err error) {
	log.Info.Disable() // it writes to stdout
	c := dnssd.Config{Name: n.instance, Type: Service, Domain: domain, Host: n.host, Text: n.record.members(), Port: at.port}
	if at.ip.IsValid() {
		c.IPs, c.Ifaces = append(c.IPs, at.ip.AsSlice()), []string{interfaceOf(at.ip)}
		if c.Ifaces[0] == "" {
			return nil, fmt.Errorf("%w has the address %s", ErrLink, at.ip)
		}
	}
	service, err := dnssd.NewService(c)
	if err != nil {
		return nil, fmt.Errorf("an announcement of %s: %w", n.instance, err)
	}
	r, err := dnssd.NewResponder()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLink, err)
	}
	if _, err := r.Add(service); err != nil {
		return nil, fmt.Errorf("an announcement of %s: %w", n.instance, err)
	}
	// Cancelled, never ended by a deadline, as in Look.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, stop)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer stop()
		if err := r.Respond(running); err != nil && running.Err() == nil {
			l.Warn("the announcement on the local network ended", "error", err)
		}
	}()
	go watchProbe(running, stop, r)
	return done, nil
}

// watchProbe stops a responder that does not get beyond probing: as long as it
// probes, it holds the lock that Remove takes.
func watchProbe(ctx context.Context, stop context.CancelFunc, r dnssd.Responder) {
	if !pause(ctx, time.Second) {
		return
	}
	probed := make(chan struct{})
	go func() {
		defer close(probed)
		r.Remove(nil)
	}()
	select {
	case <-probed:
	case <-ctx.Done():
	case <-time.After(probing):
		stop()
	}
}
