package home_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A duo is an owner who serves and a reader who pulls, two homes and two
// clocks, for the tests of single rules.
type duo struct {
	t             *testing.T
	owner, reader *home.Home
	key           *pgp.Secret // the owner's
	readerKey     *pgp.Secret
	ownerDir      string
	readerDir     string
	ownerClock    time.Time
	readerClock   time.Time
	hook          hooked // of the owner
	readerHook    hooked
	url           string
	spoil         func(q wire.Question, a *wire.Answer) // what the owner's server says instead
	requests      int
	slow          time.Duration // passes for the owner before each request but the first
	back          int           // answers that the reader gives back in one pull; 0 is the usual limit
}

// hooked is a hook that a test sets and takes off while servers, which may not
// have done with a request that nobody waits for any more, read the disk. It is
// called by one at a time.
type hooked struct {
	mu   sync.Mutex
	hook disk.Hook
}

func (h *hooked) set(hook disk.Hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hook = hook
}

func (h *hooked) call(op disk.Op, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hook == nil {
		return nil
	}
	return h.hook(op, name)
}

func newDuo(t *testing.T) *duo {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour) // so that nothing is ahead of the disk's clock
	d := &duo{t: t, ownerClock: now, readerClock: now, ownerDir: t.TempDir(), readerDir: t.TempDir()}
	d.owner, d.key = d.home(d.ownerDir, &d.ownerClock, "Owner")
	d.reader, d.readerKey = d.home(d.readerDir, &d.readerClock, "Reader")
	d.check(d.owner.StartServing(t.Context(), 1000))
	handler, err := peer.Handler(d, peer.Limits{}, nil)
	d.check(err)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if d.requests++; d.requests > 1 && d.slow > 0 { // then they come one after the other
			d.ownerClock = d.ownerClock.Add(d.slow)
		}
		mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	d.url = s.URL
	_, _, err = d.owner.People().AddFriend(d.cert(d.reader), keyring.AddOptions{Name: "reader", History: "all"})
	d.check(err)
	_, _, err = d.reader.People().AddFriend(d.key.Certificate(), keyring.AddOptions{Name: "owner", History: "all", Addresses: []string{d.url}})
	d.check(err)
	return d
}

// home makes a home, or opens the one that is there.
func (d *duo) home(dir string, clock *time.Time, name string) (*home.Home, *pgp.Secret) {
	d.t.Helper()
	h, err := home.Create(dir, home.Options{Wait: time.Minute, Back: d.back, Now: func() time.Time { return *clock }, Hook: func(op disk.Op, name string) error {
		switch dir {
		case d.ownerDir:
			return d.hook.call(op, name)
		case d.readerDir:
			return d.readerHook.call(op, name)
		}
		return nil
	}})
	d.check(err)
	d.t.Cleanup(func() { _ = h.Close() })
	if _, err := h.Me(); err == nil {
		return h, nil
	}
	s, err := pgp.Generate(name, "", clock.AddDate(-1, 0, 0))
	d.check(err)
	primary, err := s.Primary(nil)
	d.check(err)
	d.check(h.People().SaveIdentity(s, primary, nil))
	return h, s
}

// again opens the reader's home anew.
func (d *duo) again() {
	d.t.Helper()
	d.check(d.reader.Close())
	d.reader, _ = d.home(d.readerDir, &d.readerClock, "")
}

func (d *duo) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *duo) cert(h *home.Home) *pgp.Certificate {
	d.t.Helper()
	c, err := h.Me()
	d.check(err)
	return c
}

// tick lets time pass for both.
func (d *duo) tick(by time.Duration) {
	d.ownerClock, d.readerClock = d.ownerClock.Add(by), d.readerClock.Add(by)
}

// note writes a post of the owner's, a second after the one before.
func (d *duo) note(text string, a post.Audience, edits ...func(*post.Draft)) *post.Post {
	d.t.Helper()
	d.tick(time.Second)
	draft := post.NewDraft("Note")
	draft.Set("content", text)
	for _, e := range edits {
		e(draft)
	}
	p, err := d.owner.Post(d.t.Context(), draft, a)
	d.check(err)
	return p
}

var (
	forFriends = post.Audience{Friends: true}
	forAll     = post.Audience{Public: true}
)

func expires(at time.Time) func(*post.Draft) {
	return func(d *post.Draft) { d.Set("expires", post.FormatTime(at)) }
}

func (d *duo) pull() home.Pulled {
	d.t.Helper()
	var last home.Pulled
	d.check(d.reader.Pull(d.t.Context(), nil, home.PullOptions{Jobs: 1}, func(e home.Event) {
		if e.Pulled != nil {
			last = *e.Pulled
		}
	}))
	return last
}

// pulls is pull that must end complete, with so many requests.
func (d *duo) pulls(requests int) home.Pulled {
	d.t.Helper()
	got := d.pull()
	if got.Err != nil || !got.Complete || got.Requests != requests {
		d.t.Errorf("the pull: %+v, want it complete after %d requests", got, requests)
	}
	return got
}

// ask is the owner's answer to somebody; nil is everybody.
func (d *duo) ask(reader *pgp.Certificate, q wire.Question) wire.Answer {
	d.t.Helper()
	fpr := pgp.Fingerprint("")
	if reader != nil {
		fpr = reader.Fingerprint()
	}
	a, err := d.owner.Answer(d.t.Context(), fpr, q, d.ownerClock)
	d.check(err)
	return a
}

// sees lists what an answer holds, by content.
func (d *duo) sees(reader *pgp.Certificate) string {
	d.t.Helper()
	a := d.ask(reader, wire.Question{Kind: wire.KindPosts})
	var out []string
	for _, item := range a.Items {
		p, err := post.Open(item, d.key.Certificate())
		d.check(err)
		out = append(out, p.Content())
	}
	if a.Count == nil || *a.Count != len(out) {
		d.t.Errorf("%d items, count %v", len(out), a.Count)
	}
	return strings.Join(out, ", ")
}

// holds lists what the reader's timeline shows, oldest first.
func (d *duo) holds() string {
	d.t.Helper()
	entries, err := d.reader.Timeline(d.t.Context(), home.View{Oldest: true})
	d.check(err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Post.Content())
	}
	return strings.Join(out, ", ")
}

func (d *duo) wants(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// rewrite changes a file by hand, as editors do: another file takes its place.
func (d *duo) rewrite(path string, change func(string) string) {
	d.t.Helper()
	data, err := os.ReadFile(path)
	d.check(err)
	with := change(string(data))
	if with == string(data) {
		d.t.Fatalf("%s: nothing to change in %s", path, data)
	}
	d.write(path, with)
}

func (d *duo) write(path, text string) {
	d.t.Helper()
	d.check(os.MkdirAll(filepath.Dir(path), 0o700))
	d.check(os.WriteFile(path+".part", []byte(text), 0o600))
	d.check(os.Rename(path+".part", path))
}

func (d *duo) path(p *post.Post) string { return d.owner.PathOf(p.ID()) }

// copied is where the reader keeps his copy.
func (d *duo) copied(p *post.Post) string {
	pos := string(p.ID().Position)
	return filepath.Join(d.readerDir, "feeds", string(p.ID().Author), pos[:4], pos[4:6], pos+".json")
}

// The server of a duo is a peer.Answerer that may say something else than the
// owner would.

func (d *duo) CheckSealed(body []byte) error { return d.owner.CheckSealed(body) }

func (d *duo) AnswerSealed(ctx context.Context, body []byte, pause peer.Pause) ([]byte, error) {
	if d.spoil == nil {
		return d.owner.AnswerSealed(ctx, body, pause)
	}
	r, err := wire.OpenRequest(body, d.key)
	if err != nil {
		return nil, err
	}
	q, err := r.Question(d.key.Certificate().Fingerprint(), d.ownerClock)
	if err != nil {
		return nil, err
	}
	a, err := d.owner.Answer(ctx, r.From, q, d.ownerClock)
	if err != nil {
		return nil, err
	}
	cert, err := r.Certificate(nil)
	if err != nil {
		return nil, err
	}
	d.spoil(q, &a)
	var sealer wire.Sealer
	if a.Part != nil {
		return sealer.SealPart(nil, wire.Party{Me: d.key, Other: cert}, a, r.Re, true)
	}
	return sealer.SealAnswer(wire.Party{Me: d.key, Other: cert}, a, r.Re)
}

func (d *duo) Sent([]byte) {}

func (d *duo) Public(ctx context.Context, q wire.Question) (wire.Answer, error) {
	return d.owner.Public(ctx, q)
}

func (d *duo) PublicState(ctx context.Context) (string, error) { return d.owner.PublicState(ctx) }

func (d *duo) PublicPost(ctx context.Context, p post.Position) ([]byte, bool, error) {
	return d.owner.PublicPost(ctx, p)
}

func (d *duo) PublicFile(ctx context.Context, sha256 string) (peer.File, error) {
	return d.owner.PublicFile(ctx, sha256)
}

func (d *duo) Key(ctx context.Context, fpr string) ([]byte, error) { return d.owner.Key(ctx, fpr) }

// figures makes count and digest those of some posts, verified or not.
func (d *duo) figures(a *wire.Answer, items []ijson.Value) {
	var versions []post.Version
	for _, item := range items {
		v, err := post.Claim(item)
		d.check(err)
		versions = append(versions, v)
	}
	count, digest := wire.SumMonths(slices.Values(versions)).Digest()
	a.Count, a.Digest = &count, digest
}

// files lists all files below a directory whose path contains a text.
func files(t *testing.T, dir, with string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(path[len(dir):], with) {
			found = append(found, path[len(dir)+1:])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func get(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}
