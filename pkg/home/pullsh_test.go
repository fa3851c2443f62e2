package home_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

const testKeys = "../../testdata/keys/"

// shellOwner is a home with an imported key, a few posts on a page.
func shellOwner(t *testing.T, key string) *home.Home {
	t.Helper()
	data, err := os.ReadFile(testKeys + key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := pgp.ParseSecret(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Create(t.TempDir(), home.Options{Wait: time.Minute, Items: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if err := h.People().SaveIdentity(secret, data, nil); err != nil {
		t.Fatal(err)
	}
	return h
}

// A shellReader has a keyring of gpg, and nothing of ours.
type shellReader struct {
	t    *testing.T
	home string
	cert *pgp.Certificate
}

// newShellReader skips the test where one of his tools is missing.
func newShellReader(t *testing.T, key string) *shellReader {
	t.Helper()
	for _, tool := range []string{"sh", "gpg", "gpgconf", "curl", "jq", "sha256sum", "base64", "awk", "od"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: spec/examples/pull.sh cannot run", tool)
		}
	}
	dir, err := os.MkdirTemp("", "gpg") // a short name: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	r := &shellReader{t: t, home: dir}
	t.Cleanup(func() {
		_, _ = r.run(context.Background(), "gpgconf", "--kill", "all") // t.Context is over by now
		_ = os.RemoveAll(dir)
	})
	if out, err := r.run(t.Context(), "gpg", "--batch", "--quiet", "--import", testKeys+key); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	public, err := r.run(t.Context(), "gpg", "--batch", "--armor", "--export")
	if err != nil {
		t.Fatal(err)
	}
	if r.cert, err = pgp.ParseCertificate(public); err != nil {
		t.Fatal(err)
	}
	return r
}

// run gives what a program wrote, errors included where it failed.
func (r *shellReader) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), "GNUPGHOME="+r.home, "LC_ALL=C")
	var out, fault bytes.Buffer
	c.Stdout, c.Stderr = &out, &fault
	err := c.Run()
	if err != nil {
		out.Write(fault.Bytes())
	}
	return out.Bytes(), err
}

// pull runs the script, and gives its last word and the positions it brought.
func (r *shellReader) pull(url string, owner *pgp.Certificate) (said string, got []string, all string) {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "posts")
	out, err := r.run(r.t.Context(), "sh", "../../spec/examples/pull.sh", url, string(owner.Fingerprint()), dir)
	if err != nil {
		r.t.Fatalf("pull.sh: %v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := post.Open(data, owner); err != nil {
			r.t.Errorf("%s: %v", f, err)
		}
		text.Write(data)
		got = append(got, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return strings.TrimSpace(string(out)), got, text.String()
}

// The reader of spec/examples/pull.sh, who is gpg, curl and jq, gets exactly
// what is for him from the real server, and proves it; a stranger with a key of
// the same kind gets what is public, by the same road.
//
// spec: M5, M6, M8, M10, M17, W9, P19, P29
func TestPullScriptAgainstServer(t *testing.T) {
	for _, c := range []struct{ owner, reader string }{
		{"gpg-ed25519.asc", "gpg-rsa4096.asc"},
		{"gpg-rsa4096.asc", "gpg-ed25519.asc"},
	} {
		t.Run(strings.TrimSuffix(c.reader, ".asc")+" reads "+strings.TrimSuffix(c.owner, ".asc"), func(t *testing.T) {
			r := newShellReader(t, c.reader)
			h := shellOwner(t, c.owner)
			me, err := h.Me()
			if err != nil {
				t.Fatal(err)
			}
			other, err := pgp.Generate("Other", "", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			people := h.People()
			for _, step := range []func() error{
				func() error {
					_, _, err := people.AddFriend(other.Certificate(), keyring.AddOptions{Name: "other"})
					return err
				},
				func() error { return people.CreateGroup("canal-boats") },
				func() error { return people.CreateGroup("chess") },
				func() error {
					_, err := people.AddMember("chess", other.Certificate().Fingerprint(), "all")
					return err
				},
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			url := shellServe(t, h)
			public := []string{shellNote(t, h, "for all", post.Audience{Public: true}), shellNote(t, h, "for all, too", post.Audience{Public: true})}
			if said, got, _ := r.pull(url, me); said != "complete 2" || !slices.Equal(got, public) {
				t.Errorf("a stranger: %q, got %v, want %v", said, got, public)
			}
			if _, _, err := people.AddFriend(r.cert, keyring.AddOptions{Name: "reader", History: "all"}); err != nil {
				t.Fatal(err)
			}
			if _, err := people.AddMember("canal-boats", r.cert.Fingerprint(), "all"); err != nil {
				t.Fatal(err)
			}
			want := shellFeed(t, h, r.cert.Fingerprint(), other.Certificate().Fingerprint(), public)
			said, got, all := r.pull(url, me)
			if said != fmt.Sprintf("complete %d", len(want)) || !slices.Equal(got, want) {
				t.Errorf("a friend: %q, got %v, want %v", said, got, want)
			}
			for _, canary := range []string{"secret", `"bto"`, "canal-boats", "chess", string(other.Certificate().Fingerprint()), string(r.cert.Fingerprint())} {
				if strings.Contains(all, canary) {
					t.Errorf("%q reached the reader", canary)
				}
			}
			if !strings.Contains(all, "for all, now edited") || strings.Count(all, "\"for all, too\"") != 1 {
				t.Error("not the newest texts")
			}
			if _, err := people.RemoveFriend(r.cert.Fingerprint()); err != nil {
				t.Fatal(err)
			}
			if said, got, _ := r.pull(url, me); said != "complete 2" || !slices.Equal(got, public) {
				t.Errorf("somebody removed: %q, got %v, want %v", said, got, public)
			}
		})
	}
}

// shellFeed writes a feed with posts of every audience, of which the reader may
// see those that are returned. What he may not see says "secret".
func shellFeed(t *testing.T, h *home.Home, reader, other pgp.Fingerprint, want []string) []string {
	t.Helper()
	for i := range 9 {
		want = append(want, shellNote(t, h, fmt.Sprintf("for friends, number %d, with ö and \u202e and \"quotes\"", i), post.Audience{Friends: true}))
	}
	want = append(want, shellNote(t, h, "for him", post.Audience{Readers: []pgp.Fingerprint{reader, other}}),
		shellNote(t, h, "for his group", post.Audience{Groups: []string{"canal-boats", "chess"}}))
	shellNote(t, h, "secret", post.Audience{})
	shellNote(t, h, "secret of another", post.Audience{Readers: []pgp.Fingerprint{other}})
	shellNote(t, h, "secret of another group", post.Audience{Groups: []string{"chess"}})
	gone := shellNote(t, h, "secret since it was deleted", post.Audience{Friends: true})
	id := func(position string) post.ID {
		me, err := h.Me()
		if err != nil {
			t.Fatal(err)
		}
		return post.ID{Author: me.Fingerprint(), Position: post.Position(position)}
	}
	if _, err := h.Delete(t.Context(), id(gone)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Edit(t.Context(), id(want[0]), func(d *post.Draft) error { d.Set("content", "for all, now edited"); return nil }); err != nil {
		t.Fatal(err)
	}
	expired := post.NewDraft("Note")
	expired.Set("content", "secret since yesterday")
	expired.Set("expires", "2020-01-01T00:00:00Z")
	if _, err := h.Post(t.Context(), expired, post.Audience{Public: true}); err != nil {
		t.Fatal(err)
	}
	draft := filepath.Join(filepath.Dir(h.PathOf(id(want[0]))), "draft.json")
	if err := os.WriteFile(draft, []byte(`{"type":"Note","content":"secret","to":["public"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return want
}

func shellNote(t *testing.T, h *home.Home, text string, a post.Audience) (position string) {
	t.Helper()
	d := post.NewDraft("Note")
	d.Set("content", text)
	d.Set("mediaType", "text/plain")
	p, err := h.Post(t.Context(), d, a)
	if err != nil {
		t.Fatal(err)
	}
	return string(p.ID().Position)
}

func shellServe(t *testing.T, h *home.Home) (url string) {
	t.Helper()
	if err := h.StartServing(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	handler, err := peer.Handler(h, peer.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}
