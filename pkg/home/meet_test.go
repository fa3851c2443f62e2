package home_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A meeting is a host who serves and a guest, who do not know each other, and a
// road between them on which somebody may sit.
type meeting struct {
	*duo
	host, guest *home.Home
	inner       http.Handler
	road        http.HandlerFunc // nil: nobody sits there
}

func newMeeting(t *testing.T) *meeting {
	t.Helper()
	d := newDuo(t)
	m := &meeting{duo: d, host: d.owner, guest: d.reader}
	for h, other := range map[*home.Home]*pgp.Certificate{m.host: d.readerKey.Certificate(), m.guest: d.key.Certificate()} {
		_, err := h.People().RemoveFriend(other.Fingerprint())
		d.check(err)
	}
	var err error
	m.inner, err = peer.Handler(m.host, peer.Limits{}, nil)
	d.check(err)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.road != nil {
			m.road(w, r)
			return
		}
		m.inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

// invite makes one, as change says, and returns what its link says.
func (m *meeting) invite(change func(*keyring.Invite)) wire.Invite {
	m.t.Helper()
	link := wire.Invite{Fingerprint: m.key.Certificate().Fingerprint(), Token: invitation, Addresses: []string{m.url}}
	i := keyring.Invite{Token: invitation, Link: link.String(), Made: m.ownerClock, Expires: m.ownerClock.Add(24 * time.Hour), Uses: 1}
	if change != nil {
		change(&i)
	}
	m.check(m.host.People().AddInvite(i))
	return link
}

// comes has somebody say hello, and keep what came of it.
func (m *meeting) comes(h *home.Home, link wire.Invite) (home.Met, error) {
	m.t.Helper()
	met, err := h.Hello(m.t.Context(), link, time.Minute)
	if err == nil {
		_, _, err = h.People().Befriend(met.Cert, keyring.AddOptions{Addresses: met.Addresses, Trust: keyring.TrustPinned}, met.Name, nil)
	}
	return met, err
}

// stranger is one more person, with a home.
func (m *meeting) stranger(name string) *home.Home {
	m.t.Helper()
	h, _ := m.home(m.t.TempDir(), &m.readerClock, name)
	return h
}

func friendsOf(h *home.Home) string {
	people, err := h.People().Friends()
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, p := range people {
		names = append(names, fmt.Sprintf("%s %s %v", p.Name, p.Trust, p.Groups))
	}
	return strings.Join(names, ", ")
}

// By a link both become friends, as the host said.
//
// spec: I9, I10, I14
func TestMeeting(t *testing.T) {
	m := newMeeting(t)
	m.check(m.host.People().CreateGroup("family"))
	m.note("older", forFriends)
	done, err := m.host.Serving(t.Context(), m.url, m.url, "http://192.168.1.7:7117")
	m.check(err)
	defer done()
	link := m.invite(func(i *keyring.Invite) { i.Groups, i.History, i.InPerson = []string{"family"}, "none", true })
	m.tick(time.Second)
	met, err := m.comes(m.guest, link)
	if err != nil || met.Name != "Owner" || !met.InPerson || !met.Friend || !slices.Equal(met.Addresses, []string{m.url}) {
		t.Errorf("%+v, %v", met, err)
	}
	m.wants("the host's friends", friendsOf(m.host), "Reader verified [family]")
	m.wants("the guest's friends", friendsOf(m.guest), "Owner pinned []")
	m.note("newer", forFriends)
	m.pulls(1)
	m.wants("what the guest has", m.holds(), "newer")
}

// Who comes, with what, and what comes of it.
//
// spec: I6, I11, I12
func TestWhoComes(t *testing.T) {
	type outcome struct {
		err     error
		friends string // of the host
	}
	for name, c := range map[string]struct {
		invite func(*keyring.Invite)
		before func(*meeting, *wire.Invite) // the guest comes
		want   outcome
	}{
		"the guest": {want: outcome{nil, "Reader pinned []"}},
		"again": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.guest, *link); err != nil {
				t.Error(err)
			}
			m.tick(48 * time.Hour) // the invite has expired since
		}, want: outcome{nil, "Reader pinned []"}},
		"again after a restart": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.guest, *link); err != nil {
				t.Error(err)
			}
			m.check(m.host.StartServing(t.Context(), 1000))
			m.tick(time.Second)
		}, want: outcome{nil, "Reader pinned []"}},
		"second": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.stranger("Mallory"), *link); err != nil {
				t.Error(err)
			}
		}, want: outcome{keyring.ErrSpent, "Mallory pinned []"}},
		"second of two": {invite: func(i *keyring.Invite) { i.Uses = 2 }, before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.stranger("Mallory"), *link); err != nil {
				t.Error(err)
			}
		}, want: outcome{nil, "Mallory pinned [], Reader pinned []"}},
		"too late": {before: func(m *meeting, _ *wire.Invite) { m.tick(25 * time.Hour) }, want: outcome{keyring.ErrNoInvite, ""}},
		"revoked": {before: func(m *meeting, link *wire.Invite) { m.check(m.host.People().RevokeInvite(link.Token)) },
			want: outcome{keyring.ErrNoInvite, ""}},
		"with another token": {before: func(_ *meeting, link *wire.Invite) { link.Token = wire.Token([16]byte{1}) }, want: outcome{keyring.ErrNoInvite, ""}},
		"with another fingerprint": {before: func(_ *meeting, link *wire.Invite) {
			link.Fingerprint = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"
		}, want: outcome{home.ErrElsewhere, ""}},
		"blocked": {before: func(m *meeting, _ *wire.Invite) {
			m.check(m.host.People().Block(m.readerKey.Certificate().Fingerprint(), nil))
		}, want: outcome{keyring.ErrNoInvite, ""}},
		"blocked, with what another has spent": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.stranger("Mallory"), *link); err != nil {
				t.Error(err)
			}
			m.check(m.host.People().Block(m.readerKey.Certificate().Fingerprint(), nil))
		}, want: outcome{keyring.ErrSpent, "Mallory pinned []"}}, // as "second" is told: the block does not show
		"removed since": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.guest, *link); err != nil {
				t.Error(err)
			}
			_, err := m.host.People().RemoveFriend(m.readerKey.Certificate().Fingerprint())
			m.check(err)
		}, want: outcome{keyring.ErrNoInvite, ""}},
		"blocked since": {before: func(m *meeting, link *wire.Invite) {
			if _, err := m.comes(m.guest, *link); err != nil {
				t.Error(err)
			}
			m.check(m.host.People().Block(m.readerKey.Certificate().Fingerprint(), nil))
		}, want: outcome{keyring.ErrNoInvite, "Reader pinned []"}},
		"nobody answers": {before: func(m *meeting, link *wire.Invite) { link.Addresses = []string{"http://127.0.0.1:1"} },
			want: outcome{peer.ErrUnreachable, ""}},
		"the second place": {before: func(m *meeting, link *wire.Invite) { link.Addresses = []string{"http://127.0.0.1:1", m.url} },
			want: outcome{nil, "Reader pinned []"}},
		"while the disk is full": {before: func(m *meeting, _ *wire.Invite) {
			m.hook.set(func(op disk.Op, name string) error {
				if writes(op, name) {
					return syscall.ENOSPC
				}
				return nil
			})
		}, want: outcome{peer.ErrUnreachable, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeeting(t)
			link := m.invite(c.invite)
			if c.before != nil {
				c.before(m, &link)
			}
			_, err := m.comes(m.guest, link)
			if !errors.Is(err, c.want.err) || (err == nil) != (c.want.err == nil) {
				t.Errorf("got %v, want %v", err, c.want.err)
			}
			m.hook.set(nil)
			m.wants("the host's friends", friendsOf(m.host), c.want.friends)
			list, err := m.host.People().Invites()
			m.check(err)
			if late := len(list) > 0 && len(list[0].Late) > 0; late != errors.Is(c.want.err, keyring.ErrSpent) {
				t.Errorf("who came too late is noted: %v", late)
			}
		})
	}
}

// The man in the middle swaps each message in turn. Whatever he does, nobody
// becomes a friend by it whom the link does not name, and what stands after it
// is finished by the same command without him.
//
// spec: I6, I10, M27
func TestManInTheMiddle(t *testing.T) {
	const key, sealed = "/p2ps/v1/key/", "/p2ps/v1/sealed"
	reply := func(w http.ResponseWriter, kind string, body []byte) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
	}
	flip := func(data []byte) []byte {
		data = bytes.Clone(data)
		data[len(data)/2] ^= 1
		return data
	}
	for name, c := range map[string]struct {
		path    string
		swap    func(m *meeting, mallory *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte)
		want    error
		reached bool // the hello came to the host before
	}{
		"the key: his own": {path: key, swap: func(_ *meeting, mallory *pgp.Secret, w http.ResponseWriter, _ *http.Request, _ []byte) {
			reply(w, "application/pgp-keys", mallory.Certificate().Armor())
		}, want: home.ErrKeyChanged},
		"the key: garbage": {path: key, swap: func(_ *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, _ []byte) {
			reply(w, "application/pgp-keys", []byte("no key"))
		}, want: home.ErrUntrusted},
		"the key: without its subkeys": {path: key, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, _ []byte) {
			reply(w, "application/pgp-keys", m.key.Certificate().Bytes()[:60])
		}, want: home.ErrUntrusted},
		"the key: none": {path: key, swap: func(_ *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.WriteHeader(http.StatusNotFound)
		}, want: home.ErrElsewhere},
		"the hello: flipped": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte) {
			m.pass(w, r, flip(body))
		}, want: home.ErrUntrusted},
		"the hello: his own": {path: sealed, swap: func(m *meeting, mallory *pgp.Secret, w http.ResponseWriter, r *http.Request, _ []byte) {
			var sealer wire.Sealer
			sent, err := sealer.SealRequest(wire.Party{Me: mallory, Other: m.key.Certificate()}, wire.Question{Kind: wire.KindHello, Name: "Bob"}, m.readerClock, [16]byte{1})
			m.check(err)
			m.pass(w, r, sent.Body)
		}, want: home.ErrUntrusted},
		"the hello: sent twice": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte) {
			m.pass(httptest.NewRecorder(), r, body)
			m.pass(w, r, body) // a replay, says the host: the guest asks once more
		}, reached: true},
		"the answer: flipped": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte) {
			got := httptest.NewRecorder()
			m.pass(got, r, body)
			reply(w, "application/pgp-encrypted", flip(got.Body.Bytes()))
		}, want: home.ErrUntrusted, reached: true},
		"the answer: his own": {path: sealed, swap: func(m *meeting, mallory *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte) {
			m.pass(httptest.NewRecorder(), r, body)
			var sealer wire.Sealer
			answer, err := sealer.SealAnswer(wire.Party{Me: mallory, Other: m.readerKey.Certificate()}, wire.Answer{Kind: wire.KindHello, Name: "Owner", Time: m.ownerClock}, strings.Repeat("0", 64))
			m.check(err)
			reply(w, "application/pgp-encrypted", answer)
		}, want: home.ErrUntrusted, reached: true},
		"the answer: an earlier one of the host": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, _ []byte) {
			var sealer wire.Sealer
			answer, err := sealer.SealAnswer(wire.Party{Me: m.key, Other: m.readerKey.Certificate()}, wire.Answer{Kind: wire.KindHello, Name: "Owner", Time: m.ownerClock}, strings.Repeat("0", 64))
			m.check(err)
			reply(w, "application/pgp-encrypted", answer)
		}, want: home.ErrUntrusted},
		"the answer: to another kind": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, body []byte) {
			q, err := wire.OpenRequest(body, m.key)
			m.check(err)
			var sealer wire.Sealer
			answer, err := sealer.SealAnswer(wire.Party{Me: m.key, Other: m.readerKey.Certificate()}, wire.Answer{Kind: wire.KindManifest, Time: m.ownerClock}, q.Re)
			m.check(err)
			reply(w, "application/pgp-encrypted", answer)
		}, want: home.ErrUntrusted},
		"the answer: the hello itself": {path: sealed, swap: func(_ *meeting, _ *pgp.Secret, w http.ResponseWriter, _ *http.Request, body []byte) {
			reply(w, "application/pgp-encrypted", body)
		}, want: home.ErrUntrusted},
		"the answer: lost": {path: sealed, swap: func(m *meeting, _ *pgp.Secret, w http.ResponseWriter, r *http.Request, body []byte) {
			m.pass(httptest.NewRecorder(), r, body)
			w.WriteHeader(http.StatusBadGateway)
		}, want: peer.ErrUnreachable, reached: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeeting(t)
			link := m.invite(nil)
			mallory, err := pgp.Generate("Mallory", "", m.ownerClock.AddDate(-1, 0, 0))
			m.check(err)
			swapped := 0
			m.road = func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || !strings.HasPrefix(r.URL.Path, c.path) || swapped > 0 && c.want == nil {
					m.pass(w, r, body)
					return
				}
				swapped++
				c.swap(m, mallory, w, r, body)
			}
			_, err = m.comes(m.guest, link)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || swapped == 0 {
				t.Errorf("got %v, want %v; %d messages were swapped", err, c.want, swapped)
			}
			if err != nil {
				m.wants("the guest's friends", friendsOf(m.guest), "")
			}
			hosts := ""
			if c.reached {
				hosts = "Reader pinned []"
			}
			m.wants("the host's friends", friendsOf(m.host), hosts)
			m.road = nil
			m.tick(time.Second)
			if _, err := m.comes(m.guest, link); err != nil {
				t.Errorf("once more: %v", err)
			}
			m.wants("the guest's friends at last", friendsOf(m.guest), "Owner pinned []")
			m.wants("the host's friends at last", friendsOf(m.host), "Reader pinned []")
		})
	}
}

// pass hands a request on with another body.
func (m *meeting) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	m.inner.ServeHTTP(w, again)
}

// A stranger's hello waits; the answer tells him nothing, and no more to who is
// blocked or was removed: all of them get the same.
//
// spec: I13, M33
func TestStrangersHello(t *testing.T) {
	m := newMeeting(t)
	card := wire.Invite{Fingerprint: m.key.Certificate().Fingerprint(), Addresses: []string{m.url}}
	removed, blocked := m.stranger("Removed"), m.stranger("Blocked")
	_, _, err := m.host.People().AddFriend(m.cert(removed), keyring.AddOptions{})
	m.check(err)
	_, err = m.host.People().RemoveFriend(m.cert(removed).Fingerprint())
	m.check(err)
	m.check(m.host.People().Block(m.cert(blocked).Fingerprint(), nil))
	for _, h := range []*home.Home{m.guest, removed, blocked} {
		m.tick(time.Second)
		met, err := m.comes(h, card)
		if err != nil || met.Name != "" || met.Friend || met.InPerson || !slices.Equal(met.Addresses, card.Addresses) {
			t.Errorf("%s is told %+v, %v", m.cert(h).Name(), met, err)
		}
	}
	list, err := m.host.People().Requests()
	m.check(err)
	var names []string
	for _, r := range list {
		names = append(names, r.Name)
	}
	m.wants("who waits", strings.Join(names, " "), "Reader Removed")
	m.wants("the host's friends", friendsOf(m.host), "")
	_, _, err = m.host.People().Befriend(list[0].Cert, keyring.AddOptions{Trust: keyring.TrustPinned}, list[0].Name, nil)
	m.check(err)
	if met, err := m.comes(m.guest, card); err != nil || met.Name != "Owner" || !met.Friend {
		t.Errorf("a friend is told %+v, %v", met, err)
	}
}

// What a friend says of where he is replaces what was known, but leads nowhere
// nearer than what was given by hand.
//
// spec: I15, I16, M24, S26
func TestFriendWhoMoves(t *testing.T) {
	for _, c := range []struct {
		name              string
		known, sent, want []string
	}{
		{"moves", []string{"http://a.example:7117"}, []string{"http://b.example:7117", "https://c.example"}, []string{"http://b.example:7117", "https://c.example"}},
		{"says nothing", []string{"http://a.example:7117"}, nil, []string{"http://a.example:7117"}},
		{"is nowhere", []string{"http://a.example:7117"}, []string{}, []string{"http://a.example:7117"}},
		{"in my network", []string{"http://a.example:7117"}, []string{"http://192.168.1.1"}, []string{"http://a.example:7117"}},
		{"this machine", []string{"http://192.168.1.7:7117"}, []string{"http://127.0.0.1:6379"}, []string{"http://192.168.1.7:7117"}},
		{"both", []string{"http://a.example:7117"}, []string{"http://10.0.0.1", "http://b.example:7117"}, []string{"http://b.example:7117"}},
		{"known to be near", []string{"http://192.168.1.7:7117"}, []string{"http://192.168.1.9:7117"}, []string{"http://192.168.1.9:7117"}},
		{"metadata", []string{"http://192.168.1.7:7117"}, []string{"http://169.254.169.254"}, []string{"http://192.168.1.7:7117"}},
		{"by a near name", []string{"http://a.example:7117"}, []string{"http://router.local"}, []string{"http://a.example:7117"}},
		{"another near name", []string{"http://192.168.1.7:7117"}, []string{"http://router.local:6379"}, []string{"http://192.168.1.7:7117"}},
		{"the same near name", []string{"http://alice.local:7117"}, []string{"http://alice.local:7118"}, []string{"http://alice.local:7118"}},
		{"none was known", nil, []string{"http://b.example:7117"}, []string{"http://b.example:7117"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDuo(t)
			guest := d.readerKey.Certificate()
			d.check(d.owner.People().SetAddresses(guest.Fingerprint(), c.known))
			var sealer wire.Sealer
			sent, err := sealer.SealRequest(wire.Party{Me: d.readerKey, Other: d.key.Certificate()}, wire.Question{Kind: wire.KindPosts, Addresses: c.sent}, d.ownerClock, [16]byte{1})
			d.check(err)
			_, err = d.owner.AnswerSealed(t.Context(), sent.Body, nil)
			d.check(err)
			p, err := d.owner.People().Find(string(guest.Fingerprint()))
			d.check(err)
			if !slices.Equal(p.Addresses, c.want) {
				t.Errorf("got %v, want %v", p.Addresses, c.want)
			}
		})
	}
}

// In an answer as well: the reader finds the owner again.
//
// spec: I16
func TestOwnerWhoMoves(t *testing.T) {
	d := newDuo(t)
	done, err := d.owner.Serving(t.Context(), d.url, "http://127.0.0.1:7117", "http://alice.example:7117")
	d.check(err)
	defer done()
	d.pulls(1)
	p, err := d.reader.People().Find(string(d.key.Certificate().Fingerprint()))
	d.check(err)
	if want := []string{"http://127.0.0.1:7117", "http://alice.example:7117"}; !slices.Equal(p.Addresses, want) {
		t.Errorf("got %v, want %v", p.Addresses, want)
	}
}
