package keyring

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
)

const token = "LY4XXSQ27EFOMCFAWEUESMY7LQ"

func invited(w *world, change func(*Invite)) {
	i := Invite{Token: token, Made: w.now(), Expires: w.now().Add(time.Hour), Uses: 1}
	if change != nil {
		change(&i)
	}
	w.ok(w.AddInvite(i))
}

// An invite is what was said of it, also after a restart.
func TestInviteIsKept(t *testing.T) {
	w := home(t)
	w.ok(w.CreateGroup("family"))
	invited(w, func(i *Invite) {
		i.Link, i.Uses, i.Groups, i.History, i.InPerson = "P2PS:1/x", 2, []string{"family"}, "none", true
	})
	_, _, _, err := w.Welcome(token, Guest{Cert: cert("Bob"), Name: "Bobby"})
	w.ok(err)
	w.reopen()
	list, err := w.Invites()
	w.ok(err)
	w.equal(len(list), 1)
	i := list[0]
	w.equal([]any{i.Token, i.Link, i.Uses, i.Groups, i.History, i.InPerson, i.Open(w.now()), len(i.Used), i.Used[0].Fingerprint, i.Used[0].Done},
		[]any{token, "P2PS:1/x", 2, []string{"family"}, "none", true, true, 1, fpr("Bob"), true})
	p, err := w.Find("Bobby")
	w.ok(err)
	w.equal([]any{p.Trust, p.Groups}, []any{TrustVerified, []string{"family"}})
	info, err := os.Stat(w.root.Path(invitePath(token)))
	w.ok(err)
	w.equal(info.Mode().Perm(), os.FileMode(0o600))
}

// What is no invite, or was cut, makes nobody a friend.
func TestInvitesThatAreNone(t *testing.T) {
	w := home(t)
	for name, i := range map[string]Invite{
		"no use": {Token: token}, "too many": {Token: token, Uses: MaxUses + 1}, "group": {Token: token, Uses: 1, Groups: []string{"x"}},
		"history": {Token: token, Uses: 1, History: "yesterday"},
	} {
		if err := w.AddInvite(i); err == nil {
			t.Errorf("%s: it is kept", name)
		}
	}
	invited(w, nil)
	path := w.root.Path(invitePath(token))
	data, err := os.ReadFile(path)
	w.ok(err)
	for name, broken := range map[string]string{
		"half": string(data[:len(data)/2]), "empty": "", "twice": strings.Replace(string(data), `"uses": 1`, `"uses": 1, "uses": 9`, 1),
		"another's": strings.Replace(string(data), token, "A"+token[1:], 1), "no time": strings.Replace(string(data), "Z", "", 2),
	} {
		w.ok(os.WriteFile(path, []byte(broken), 0o600))
		if _, _, _, err := w.Welcome(token, Guest{Cert: cert("Bob")}); !errors.Is(err, ErrNoInvite) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	friends, err := w.Friends()
	w.ok(err)
	w.equal(len(friends), 0)
}

// Who was removed does not come back by his token, even if a crash had left his
// use open.
//
// spec: I11
func TestRemovalIsNotUndone(t *testing.T) {
	w := home(t)
	invited(w, nil)
	_, _, _, err := w.Welcome(token, Guest{Cert: cert("Bob")})
	w.ok(err)
	list, err := w.Invites()
	w.ok(err)
	list[0].Used[0].Done = false
	w.ok(w.AddInvite(list[0]))
	_, err = w.RemoveFriend(fpr("Bob"))
	w.ok(err)
	if _, _, _, err := w.Welcome(token, Guest{Cert: cert("Bob")}); !errors.Is(err, ErrNoInvite) {
		t.Errorf("got %v", err)
	}
}

// At most a hundred strangers wait, for thirty days; the words of one stay for
// an hour; and what they are is text, safe to show.
//
// spec: I13
func TestRequestsAreBounded(t *testing.T) {
	w := home(t)
	w.ok(w.Request(Guest{Cert: cert("Alice"), Name: "Al\x1b[31m\u202eice/..", Addresses: []string{"http://a:1"}}))
	list, err := w.Requests()
	w.ok(err)
	w.equal([]any{len(list), list[0].Name, list[0].Addresses}, []any{1, "Al[31mice-..", []string{"http://a:1"}})
	w.ok(w.Request(Guest{Cert: cert("Alice"), Name: "Somebody else"}))
	list, err = w.Requests()
	w.ok(err)
	w.equal(list[0].Name, "Al[31mice-..")                                                        // within the hour
	w.ok(w.root.WriteFile(requestsDir+"/"+strings.Repeat("0", 40)+".json", []byte("{}"), 0o600)) // is none, and takes no room
	w.ok(w.Request(Guest{Cert: cert("Bob")}))
	for n := range MaxRequests {
		stranger, err := pgp.Generate(fmt.Sprint("Stranger ", n), "", w.now().Add(-time.Hour))
		w.ok(err)
		w.ok(w.Request(Guest{Cert: stranger.Certificate()}))
	}
	list, err = w.Requests()
	w.ok(err)
	w.equal(len(list), MaxRequests)
	r, err := w.FindRequest(string(fpr("Bob")))
	w.ok(err)
	w.ok(w.IgnoreRequest(r))
	w.ok(w.Request(Guest{Cert: cert("Bob")}))
	list, err = w.Requests()
	w.ok(err)
	w.equal(len(list), MaxRequests-1)
	later := w.now().Add(requestAge + time.Hour)
	w.Keyring.now = func() time.Time { return later }
	list, err = w.Requests()
	w.ok(err)
	w.equal(len(list), 0)
	names, err := w.root.Names(requestsDir)
	w.ok(err)
	w.equal(len(names), 0)
}

// A stranger who calls himself as a friend is told from him.
func TestSameName(t *testing.T) {
	w := home(t)
	w.befriend("Bob")
	for name, want := range map[string]string{"Bob": "Bob", "BOB": "Bob", "B\u200bob": "Bob", "Bobby": "", "": "", "\x1b": ""} {
		w.equal(w.Same(name), want)
	}
}

// An alarm stays until somebody has looked.
func TestAlarm(t *testing.T) {
	for name, settle := range map[string]func(*world) error{
		"verify":  func(w *world) error { return w.SetTrust(fpr("Bob"), TrustVerified) },
		"address": func(w *world) error { return w.SetAddresses(fpr("Bob"), []string{"http://b"}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := home(t)
			w.befriend("Bob")
			w.ok(w.SetAlarm(fpr("Bob"), fpr("Alice")))
			w.reopen()
			w.ok(w.SetMuted(fpr("Bob"), true))
			p, err := w.Find("Bob")
			w.ok(err)
			w.equal(pgp.Fingerprint(p.Alarm), fpr("Alice"))
			w.ok(settle(w))
			p, err = w.Find("Bob")
			w.ok(err)
			w.equal(p.Alarm, "")
		})
	}
}
