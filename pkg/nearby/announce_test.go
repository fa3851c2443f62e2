package nearby

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A link is a network on which a test hears what is announced, and when.
type link struct {
	sync.Mutex
	begun   time.Time
	is      string // what links tells
	broken  error
	names   []named
	running int
	diary   []string
	log     strings.Builder
}

func (l *link) note(format string, args ...any) {
	l.diary = append(l.diary, time.Since(l.begun).String()+" "+fmt.Sprintf(format, args...))
}

// respond says goodbye in a quarter of a second.
func (l *link) respond(ctx context.Context, n named) (<-chan struct{}, error) {
	l.Lock()
	defer l.Unlock()
	if l.broken != nil {
		return nil, l.broken
	}
	number := len(l.names)
	l.names = append(l.names, n)
	l.note("%d appears", number)
	l.running++
	ended := make(chan struct{})
	go func() {
		<-ctx.Done()
		time.Sleep(250 * time.Millisecond)
		l.Lock()
		defer l.Unlock()
		l.note("%d is gone", number)
		l.running--
		close(ended)
	}()
	return ended, nil
}

func (l *link) links() string {
	l.Lock()
	defer l.Unlock()
	return l.is
}

// becomes changes what is on the link.
func (l *link) becomes(is string, broken error) {
	l.Lock()
	defer l.Unlock()
	l.is, l.broken = is, broken
}

// during announces to friends while do lives on it.
func (l *link) during(t *testing.T, do func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l.begun = time.Now()
		ctx, stop := context.WithCancel(t.Context())
		o := Options{Mode: Friends, Fingerprint: alice, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(&l.log, nil))}
		a := &announcer{Options: o, links: l.links, respond: l.respond}
		ended := make(chan struct{})
		go func() {
			a.run(ctx)
			close(ended)
		}()
		do()
		stop()
		<-ended
		if l.running != 0 {
			t.Errorf("%d are left", l.running)
		}
	})
}

// wait lets time pass, and all that is due be done.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (l *link) read(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.diary, want) {
		t.Errorf("it went\n%s, want\n%s", strings.Join(l.diary, "\n"), strings.Join(want, "\n"))
	}
}

// spec: N5
func TestNewNamesEveryHour(t *testing.T) {
	l := &link{is: "home"}
	l.during(t, func() { wait(2*time.Hour + time.Minute) })
	l.read(t, "0s 0 appears", "1h0m0s 1 appears", "1h0m3.25s 0 is gone", "2h0m0s 2 appears", "2h0m3.25s 1 is gone", "2h1m0.25s 2 is gone")
	for i, n := range l.names {
		for _, m := range l.names[:i] {
			if n.instance == m.instance || n.host == m.host || n.record.salt == m.record.salt || n.record.hash == m.record.hash {
				t.Errorf("%+v and %+v can be joined", n, m)
			}
		}
	}
}

// spec: N5
func TestNewNamesOnEveryNetwork(t *testing.T) {
	l := &link{}
	l.during(t, func() {
		wait(time.Minute) // nobody to tell
		l.becomes("home", nil)
		wait(7 * time.Second)
		l.becomes("café", nil)
		wait(50 * time.Minute)
		l.becomes("", nil)
		wait(6 * time.Second)
	})
	l.read(t, "1m5s 0 appears", "1m10s 1 appears", "1m10.25s 0 is gone", "51m10.25s 1 is gone")
	if l.names[0].record.salt == l.names[1].record.salt || l.names[0].host == l.names[1].host {
		t.Error("who was at home is recognised in the café")
	}
}

func TestGoodbyeInTheOverlap(t *testing.T) {
	l := &link{is: "home"}
	l.during(t, func() { wait(time.Hour + time.Second) })
	slices.Sort(l.diary[2:])
	l.read(t, "0s 0 appears", "1h0m0s 1 appears", "1h0m1.25s 0 is gone", "1h0m1.25s 1 is gone")
}

// What cannot be announced is told once, and tried again.
func TestAnnounceAgain(t *testing.T) {
	l := &link{is: "home", broken: errors.New("no sockets")}
	l.during(t, func() {
		wait(time.Minute)
		if n := strings.Count(l.log.String(), "no sockets"); n != 1 {
			t.Errorf("it was told %d times:\n%s", n, l.log.String())
		}
		l.becomes("home", nil)
		wait(6 * time.Second)
		l.read(t, "1m5s 0 appears")
	})
}
