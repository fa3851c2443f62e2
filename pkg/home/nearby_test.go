package home_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// A street is what is announced on a local network that a test makes up.
type street struct {
	peers []nearby.Peer
	looks int
}

func (s *street) look(context.Context) ([]nearby.Peer, error) {
	s.looks++
	if s.peers == nil {
		return nil, nearby.ErrLink
	}
	return s.peers, nil
}

// says announces somebody at an address.
func says(fpr pgp.Fingerprint, name string, at ...string) nearby.Peer {
	return nearby.Peer{Record: nearby.Record{Fingerprint: fpr, Name: name}, Addresses: at}
}

// on opens the reader's home once more, on a street.
func (d *duo) on(s *street, pull bool) *home.Home {
	d.t.Helper()
	h, err := home.Open(d.readerDir, home.Options{Wait: time.Minute, Now: func() time.Time { return d.readerClock }, Look: s.look, PullNearby: pull})
	d.check(err)
	d.t.Cleanup(func() { _ = h.Close() })
	return h
}

// refuses answers every request with 400, and gives a key, if any.
func refuses(t *testing.T, cert *pgp.Certificate) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
		case cert == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "application/pgp-keys")
			_, _ = w.Write(cert.Bytes())
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// spec: N8
func TestPullFindsAFriendNearby(t *testing.T) {
	const dead = "http://127.0.0.1:1"
	owner := func(at string) func(*duo, string) []nearby.Peer {
		return func(d *duo, me string) []nearby.Peer {
			return []nearby.Peer{says(d.key.Certificate().Fingerprint(), "", strings.Replace(at, "live", me, 1))}
		}
	}
	for _, c := range []struct {
		name      string
		addresses []string // that are known of the owner; live is his own
		street    func(d *duo, me string) []nearby.Peer
		off       bool // not to be looked for
		looks     int
		want      error // nil: all is there
	}{
		{"where he is", []string{"live"}, owner(dead), false, 0, nil},
		{"moved", []string{dead}, owner("live"), false, 1, nil},
		{"no address", nil, owner("live"), false, 1, nil},
		{"not to be looked for", nil, owner("live"), true, 0, home.ErrNoAddress},
		{"no network", nil, func(*duo, string) []nearby.Peer { return nil }, false, 1, home.ErrNoAddress},
		{"others alone", []string{dead}, func(d *duo, me string) []nearby.Peer {
			return []nearby.Peer{says(d.readerKey.Certificate().Fingerprint(), "owner", me)}
		}, false, 1, peer.ErrUnreachable},
		{"after others who say so", nil, func(d *duo, me string) []nearby.Peer {
			fpr := d.key.Certificate().Fingerprint()
			return []nearby.Peer{says(fpr, "", dead, refuses(d.t, nil)), says(fpr, "", refuses(d.t, d.readerKey.Certificate())), says(fpr, "", me)}
		}, false, 1, nil},
		{"one who has no key", []string{dead}, func(d *duo, _ string) []nearby.Peer {
			return []nearby.Peer{says(d.key.Certificate().Fingerprint(), "", refuses(d.t, nil))}
		}, false, 1, peer.ErrUnreachable},
		{"one who has another key", []string{dead}, func(d *duo, _ string) []nearby.Peer {
			return []nearby.Peer{says(d.key.Certificate().Fingerprint(), "", refuses(d.t, d.readerKey.Certificate()))}
		}, false, 1, peer.ErrUnreachable},
		{"one who has the key, and cannot sign", []string{dead}, func(d *duo, _ string) []nearby.Peer {
			return []nearby.Peer{says(d.key.Certificate().Fingerprint(), "", refuses(d.t, d.key.Certificate()))}
		}, false, 1, peer.ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDuo(t)
			p := d.note("lunch", forFriends)
			var known []string
			for _, a := range c.addresses {
				known = append(known, strings.Replace(a, "live", d.url, 1))
			}
			fpr := d.key.Certificate().Fingerprint()
			d.check(d.reader.People().SetAddresses(fpr, known))
			s := &street{peers: c.street(d, d.url)}
			h := d.on(s, !c.off)
			var done home.Pulled
			d.check(h.Pull(t.Context(), nil, home.PullOptions{Jobs: 1, Timeout: 5 * time.Second}, func(e home.Event) {
				if e.Pulled != nil {
					done = *e.Pulled
				}
			}))
			if s.looks != c.looks {
				t.Errorf("looked %d times, want %d", s.looks, c.looks)
			}
			if c.want == nil {
				if done.Err != nil || !done.Complete || done.New != 1 {
					t.Errorf("%+v, want %s and all of it", done, p.ID())
				}
				return
			}
			if !errors.Is(done.Err, c.want) {
				t.Errorf("error %v, want %v", done.Err, c.want)
			}
			for _, never := range []error{home.ErrKeyChanged, home.ErrUntrusted, pgp.ErrSignature} {
				if errors.Is(done.Err, never) {
					t.Errorf("error %v: what a stranger says is held against the friend", done.Err)
				}
			}
			who, err := h.People().Find(string(fpr))
			d.check(err)
			if who.Alarm != "" {
				t.Errorf("the alarm is raised: %s", who.Alarm)
			}
		})
	}
}

// One look serves all who are away.
func TestPullLooksOnce(t *testing.T) {
	d := newDuo(t)
	third, err := pgp.Generate("Third", "", d.readerClock.AddDate(-1, 0, 0))
	d.check(err)
	_, _, err = d.reader.People().AddFriend(third.Certificate(), keyring.AddOptions{Name: "third", History: "all"})
	d.check(err)
	d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), nil))
	s := &street{peers: []nearby.Peer{}}
	d.check(d.on(s, true).Pull(t.Context(), nil, home.PullOptions{Jobs: 2}, func(home.Event) {}))
	if s.looks != 1 {
		t.Errorf("looked %d times", s.looks)
	}
}

// spec: N9
func TestNearby(t *testing.T) {
	d := newDuo(t)
	strange := pgp.Fingerprint(strings.Repeat("AB", 20))
	blocked := pgp.Fingerprint(strings.Repeat("CD", 20))
	d.check(d.reader.People().Block(blocked, nil))
	owner := d.key.Certificate().Fingerprint()
	s := &street{peers: []nearby.Peer{
		says(d.readerKey.Certificate().Fingerprint(), "me", "http://10.0.0.1:1"),
		says(strange, "owner", "http://10.0.0.2:1"), // a name is only a name
		says(blocked, "", "http://10.0.0.3:1"),
		says(owner, "Something else", "http://10.0.0.4:1", "http://10.0.0.4:2"),
		says(owner, "Something else", "http://10.0.0.4:1"), // before it began anew
		says(owner, "", "http://10.0.0.5:1"),               // another machine of his
	}}
	h := d.on(s, true)
	list, err := h.Nearby(t.Context())
	d.check(err)
	var got []string
	for _, n := range list {
		got = append(got, fmt.Sprintf("%d %s %.4s %v %s", n.Number, n.Name, n.Fingerprint, n.Known, n.Addresses[0]))
	}
	want := []string{"1 owner ABAB false http://10.0.0.2:1", fmt.Sprintf("2 owner %.4s true http://10.0.0.4:1", owner), fmt.Sprintf("3 owner %.4s true http://10.0.0.5:1", owner)}
	if !slices.Equal(got, want) {
		t.Errorf("nearby are\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	// A number means who was shown by it, though somebody came in between.
	s.peers = slices.Insert(s.peers, 0, says(strange, "", "http://10.0.0.0:1"))
	n, err := h.Neighbour(t.Context(), 2)
	if err != nil || n.Fingerprint != owner || n.Addresses[0] != "http://10.0.0.4:1" || s.looks != 1 {
		t.Errorf("nearby:2 is %+v, %v, after %d looks", n, err, s.looks)
	}
	for _, number := range []int{0, -1, 4} {
		if _, err := h.Neighbour(t.Context(), number); !errors.Is(err, home.ErrNoNeighbour) {
			t.Errorf("nearby:%d: %v, want %v", number, err, home.ErrNoNeighbour)
		}
	}

	// When it was shown long ago, or what is noted is damaged, there is another look.
	d.tick(11 * time.Minute)
	if n, err := h.Neighbour(t.Context(), 1); err != nil || n.Addresses[0] != "http://10.0.0.0:1" || s.looks != 2 {
		t.Errorf("nearby:1 is %+v, %v, after %d looks", n, err, s.looks)
	}
	for i, text := range []string{"", "{", `{"at":"2999-01-01T00:00:00Z","neighbours":[]}`, `{"at":"` + d.readerClock.Format(time.RFC3339) + `","neighbours":[{"addresses":[]}]}`} {
		d.check(os.WriteFile(filepath.Join(d.readerDir, "state", "nearby"), []byte(text), 0o600))
		if _, err := h.Neighbour(t.Context(), 1); err != nil || s.looks != 3+i {
			t.Errorf("%q: %v, after %d looks", text, err, s.looks)
		}
	}
}

// before is a server in front of the owner's, which looks at what comes, and
// answers it itself if it says so.
func (d *duo) before(look func(w http.ResponseWriter, r *http.Request) (answered bool)) string {
	d.t.Helper()
	to, err := url.Parse(d.url)
	d.check(err)
	behind := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !look(w, r) {
			behind.ServeHTTP(w, r)
		}
	}))
	d.t.Cleanup(s.Close)
	return s.URL
}

// spec: N8
func TestNearbyNobodyReadsWhomIAsk(t *testing.T) {
	d := newDuo(t)
	d.note("lunch", forFriends)
	fpr := d.key.Certificate().Fingerprint()
	var asked []string
	refuse := 0
	at := d.before(func(w http.ResponseWriter, r *http.Request) bool {
		asked = append(asked, r.Method)
		if r.Method != http.MethodPost {
			return false
		}
		body, err := io.ReadAll(r.Body)
		d.check(err)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if heard := fmt.Sprint(r.URL, r.Header) + string(body); strings.Contains(heard, string(fpr)) || strings.Contains(heard, "Reader") {
			t.Errorf("the request tells who asks whom: %q", heard)
		}
		if refuse > 0 {
			refuse--
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	})
	d.check(d.reader.People().SetAddresses(fpr, nil))
	s := &street{peers: []nearby.Peer{says(fpr, "", at)}}
	pull := func() (done home.Pulled) {
		d.check(d.on(s, true).Pull(t.Context(), nil, home.PullOptions{Jobs: 1}, func(e home.Event) {
			if e.Pulled != nil {
				done = *e.Pulled
			}
		}))
		return done
	}
	if done := pull(); done.Err != nil || done.New != 1 || slices.Contains(asked, http.MethodGet) {
		t.Errorf("%+v, after %v", done, asked)
	}

	// Who refuses may have other subkeys now: they are asked for.
	asked, refuse = nil, 1
	d.check(d.reader.People().SetAddresses(fpr, nil))
	if done := pull(); done.Err != nil || !done.Complete || !slices.Equal(asked, []string{http.MethodPost, http.MethodGet, http.MethodPost}) {
		t.Errorf("%+v, after %v", done, asked)
	}
}
