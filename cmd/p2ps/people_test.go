package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// settled returns a new process of somebody who has an identity in dir.
func settled(t *testing.T, dir string) *world {
	t.Helper()
	w := newWorld(t)
	w.now = time.Now
	w.dir = func() (string, error) { return dir, nil }
	if code := run(t.Context(), w.env, []string{"keygen", "-q", "--name", "Alice", "--no-passphrase"}); code != 0 && code != int(exitExists) {
		t.Fatalf("keygen: exit %d: %s", code, w.errout)
	}
	w = newWorld(t)
	w.now = time.Now
	w.dir = func() (string, error) { return dir, nil }
	return w
}

func TestKeygenAsksForTheName(t *testing.T) {
	w := newWorld(t)
	w.terminal.in, w.stdin = true, strings.NewReader("Alice\n")
	if code := run(t.Context(), w.env, []string{"keygen", "--no-passphrase"}); code != 0 {
		t.Fatalf("exit %d: %s", code, w.errout)
	}
	if !strings.HasPrefix(w.errout.String(), "Your name, as friends will see it: ") || !strings.Contains(w.errout.String(), "Alice's key is in ") {
		t.Errorf("stderr %q", w.errout)
	}
}

// keyServer shows a key to everybody, as a peer with public posts does.
func keyServer(t *testing.T, name string) (url string, fpr pgp.Fingerprint) {
	t.Helper()
	s, err := pgp.Generate(name, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/p2ps/v1/key" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/pgp-keys")
		_, _ = w.Write(s.Certificate().Armor())
	}))
	t.Cleanup(server.Close)
	return server.URL, s.Certificate().Fingerprint()
}

func TestKeyFromTheNetIsConfirmed(t *testing.T) {
	url, fpr := keyServer(t, "Bob")
	for _, c := range []struct {
		verb, typed string
		exit        int
	}{
		{"friend add", "n\n", 1},
		{"friend add", "\n", 1},
		{"friend add", "y\n", 0},
		{"follow", "n\n", 1},
		{"follow", "yes\n", 0},
	} {
		dir := t.TempDir()
		w := settled(t, dir)
		w.terminal.in, w.stdin = true, strings.NewReader(c.typed)
		code := run(t.Context(), w.env, append(strings.Fields(c.verb), url))
		if code != c.exit {
			t.Errorf("%s, %q: exit %d, want %d: %s", c.verb, c.typed, code, c.exit, w.errout)
		}
		question := "at " + url + " lives Bob, with the fingerprint " + inFours(fpr) + ": is it right? [y/N] "
		if !strings.HasPrefix(w.errout.String(), question) {
			t.Errorf("%s: asked %q, want %q", c.verb, w.errout, question)
		}
		w = settled(t, dir)
		if p, err := mustHome(t, w).People().Find(string(fpr)); (err == nil) != (c.exit == 0) {
			t.Errorf("%s, %q: %v, %v", c.verb, c.typed, p, err)
		}
	}
}

func TestPeopleOnATerminal(t *testing.T) {
	dir := t.TempDir()
	url, fpr := keyServer(t, "Bob")
	add := settled(t, dir)
	if code := run(t.Context(), add.env, []string{"friend", "add", "-y", url}); code != 0 {
		t.Fatalf("exit %d: %s", code, add.errout)
	}
	for _, c := range []struct{ command, want string }{
		{"friend show bob", "Bob\n  fingerprint  " + inFours(fpr) + "\n  trust        pinned\n  addresses    " + url + "\n  sees         all\n"},
		{"key show bob", "Bob\n  fingerprint  " + inFours(fpr) + "\n  in the key   Bob\n  algorithm    ed25519\n"},
		{"friend list", "Name  Fingerprint        Trust   Addresses"},
		{"friend list", "Bob   " + string(fpr[:16]) + "…  pinned  " + url},
	} {
		w := settled(t, dir)
		w.terminal.out = true
		code := run(t.Context(), w.env, append(strings.Fields(c.command), "--color=never"))
		if code != 0 || !strings.Contains(w.out.String(), c.want) {
			t.Errorf("%s: exit %d, %q; want %q", c.command, code, w.out, c.want)
		}
	}
}

func TestNamesAreCompleted(t *testing.T) {
	dir := t.TempDir()
	url, fpr := keyServer(t, "Bob")
	for _, command := range []string{"friend add -y " + url, "group create family", "group add family Bob", "block add Bob"} {
		w := settled(t, dir)
		if code := run(t.Context(), w.env, strings.Fields(command)); code != 0 {
			t.Fatalf("%s: exit %d: %s", command, code, w.errout)
		}
	}
	bob, none := "Bob\t"+string(fpr[:16])+"\n", ":4\n" // ShellCompDirectiveNoFileComp
	for _, c := range []struct{ typed, want string }{
		{"friend show", bob + none},
		{"friend rename Bob", none},
		{"friend add x --group", "family\n" + none},
		{"group add", "family\n" + none},
		{"group add family", bob + none},
		{"group add family Bob", bob + none},
		{"block remove", bob + none},
		{"unfollow", none},
		{"key export", bob + none},
	} {
		w := settled(t, dir)
		code := run(t.Context(), w.env, append([]string{"__complete"}, append(strings.Fields(c.typed), "")...))
		if code != 0 || w.out.String() != c.want {
			t.Errorf("%s: exit %d, %q; want %q", c.typed, code, w.out, c.want)
		}
	}
	w := newWorld(t)
	w.dir = func() (string, error) { return dir + "/nothing", nil }
	if code := run(t.Context(), w.env, []string{"__complete", "friend", "show", ""}); code != 0 || w.out.String() != none {
		t.Errorf("without a home: exit %d, %q", code, w.out)
	}
}

func TestHistoryTime(t *testing.T) {
	for given, want := range map[string]string{
		"all": "all", "": "", "20261122-123456789": "2026-11-22T12:34:56.789Z",
	} {
		if got := historyTime(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func TestTyped(t *testing.T) {
	for given, want := range map[string]string{
		"bob.asc": "bob.asc", "http://b:7117": "http://b:7117", "": "''", "it's me": `'it'\''s me'`, "$(rm)": "'$(rm)'", "-": "-", "a\x1bb": "'a\uFFFDb'",
	} {
		if got := typed(given); got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
}

func mustHome(t *testing.T, w *world) *home.Home {
	t.Helper()
	h, err := w.home()
	if err != nil {
		t.Fatal(err)
	}
	return h
}
