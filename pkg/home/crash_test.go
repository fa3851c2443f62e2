package home_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// The crash points: every verb is run with the disk failing at its operation n,
// for all n, once for a moment and once for good, as a kill does. What must hold
// after each stands in crashPoint.

// A verb is one thing that is done to a home.
type verb struct {
	name string
	who  string                           // whose home
	hand func(*testing.T, *crashed)       // what is done to its files before
	run  func(*home.Home, *crashed) error // the verb
	// stages allows what is between old and new: the verb has several steps,
	// each of which leaves the home in order, and the next run goes on.
	stages bool
	// heals: what it could not read is left to the next run.
	heals bool
	// again may be run however the first one ended.
	again bool
	// undone: what is said to have failed is not there.
	undone bool
	// whole says what of several steps must be all or nothing; nil: nothing.
	whole func(*home.Home, *crashed) error
}

// A crashed is one home on which a verb is run, and what the template holds.
type crashed struct {
	*play
	dir   string
	acked map[string][]byte // files that were said to be durable
}

func (c *crashed) ack(h *home.Home, p *post.Post, err error) error {
	if err != nil {
		return err
	}
	data, err := p.File()
	c.acked[h.PathOf(p.ID())] = data
	return err
}

// readdress gives a post another audience.
func readdress(content string, a post.Audience) func(*home.Home, *crashed) error {
	return func(h *home.Home, c *crashed) error {
		r, err := h.ReaddressOf(context.Background(), c.id(content), false, func(post.Audience) post.Audience { return a })
		return c.ack(h, r.Now, err)
	}
}

func verbs() []verb {
	ctx := context.Background()
	sign := func(what ...string) func(*home.Home, *crashed) error {
		return func(h *home.Home, c *crashed) error {
			pending, err := h.ByHand(ctx)
			if err != nil {
				return err
			}
			for _, p := range pending {
				if slices.Contains(what, p.What) {
					signed, err := h.SignPending(ctx, p)
					return c.ack(h, signed, err)
				}
			}
			return fmt.Errorf("nothing was %s", what)
		}
	}
	people := func(change func(*keyring.Keyring, *crashed) error) func(*home.Home, *crashed) error {
		return func(h *home.Home, c *crashed) error {
			return h.Locked(ctx, func(k *keyring.Keyring) error { return change(k, c) })
		}
	}
	return []verb{
		{name: "post", who: "alice", undone: true, run: func(h *home.Home, c *crashed) error {
			a, _, err := h.People().Resolve([]string{"family"})
			if err != nil {
				return err
			}
			d := post.NewDraft("Note")
			d.Set("content", "six")
			p, err := h.Post(ctx, d, a)
			return c.ack(h, p, err)
		}},
		{name: "edit", who: "alice", run: func(h *home.Home, c *crashed) error {
			change, err := h.Edit(ctx, c.id("one"), func(d *post.Draft) error { d.Set("content", "one, edited"); return nil })
			return c.ack(h, change.Now, err)
		}},
		{name: "delete", who: "alice", again: true, run: func(h *home.Home, c *crashed) error {
			change, err := h.Delete(ctx, c.id("two"))
			return c.ack(h, change.Now, err)
		}},
		{name: "restore", who: "alice", again: true, run: func(h *home.Home, c *crashed) error {
			change, err := h.Restore(ctx, c.id("five"))
			return c.ack(h, change.Now, err)
		}},
		{name: "audience", who: "alice", again: true, stages: true, run: readdress("one", post.Audience{Friends: true, Groups: []string{"family"}})},
		{name: "audience, public", who: "alice", again: true, run: readdress("two", post.Audience{Public: true})},
		{name: "gc", who: "alice", again: true, stages: true, hand: func(t *testing.T, c *crashed) {
			trashed, err := filepath.Glob(filepath.Join(c.dir, "trash", "*", "*.1.json"))
			if err != nil || len(trashed) == 0 {
				t.Fatalf("nothing in the trash: %v", err)
			}
			data, err := os.ReadFile(trashed[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, revision := range []string{".7.json", ".8.json"} {
				scrawl(t, strings.TrimSuffix(trashed[0], ".1.json")+revision, string(data))
			}
		}, run: func(h *home.Home, _ *crashed) error {
			return h.EmptyTrash(ctx, time.Now().Add(time.Hour), false, func(home.Trashed) error { return nil })
		}},
		{name: "sign what was made", who: "alice", stages: true, run: sign(home.WasMade, home.WasMoved), hand: func(t *testing.T, c *crashed) {
			scrawl(t, filepath.Join(c.dir, "feed", "lunch.json"), `{"type":"Note","content":"lunch","to":["family"]}`)
		}},
		{name: "sign what was changed", who: "alice", run: sign(home.WasChanged), hand: func(t *testing.T, c *crashed) {
			data, err := os.ReadFile(c.file("one"))
			if err != nil {
				t.Fatal(err)
			}
			scrawl(t, c.file("one"), strings.Replace(string(data), `"one"`, `"another one"`, 1))
		}},
		{name: "sign what was removed", who: "alice", run: sign(home.WasRemoved), hand: func(t *testing.T, c *crashed) {
			if err := os.Remove(c.file("two")); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "sign what was moved", who: "alice", run: sign(home.WasMoved), hand: func(t *testing.T, c *crashed) {
			if err := os.Rename(c.file("one"), filepath.Join(c.dir, "feed", "moved.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "group rename", who: "alice", stages: true, run: func(h *home.Home, _ *crashed) error {
			_, err := h.RenameGroup(ctx, "family", "kin")
			return err
		}},
		{name: "group add", who: "alice", stages: true, again: true, run: people(func(k *keyring.Keyring, c *crashed) error {
			_, err := k.AddMember("work", c.cert("bob").Fingerprint(), "all")
			return err
		})},
		{name: "friend add", who: "alice", again: true, run: people(func(k *keyring.Keyring, c *crashed) error {
			_, _, err := k.AddFriend(c.cert("dave"), keyring.AddOptions{Name: "dave", Addresses: []string{"http://127.0.0.1:1"}, History: "all"})
			return err
		})},
		{name: "guest", who: "alice", stages: true, again: true, hand: invited, whole: befriended, run: people(func(k *keyring.Keyring, c *crashed) error {
			_, _, _, err := k.Welcome(invitation, keyring.Guest{Cert: c.cert("dave"), Name: "dave", Addresses: []string{"http://127.0.0.1:1"}}, false)
			return err
		})},
		{name: "host", who: "alice", stages: true, again: true, whole: befriended, run: people(func(k *keyring.Keyring, c *crashed) error {
			opt := keyring.AddOptions{Addresses: []string{"http://127.0.0.1:1"}, Trust: keyring.TrustPinned}
			_, _, err := k.Befriend(c.cert("dave"), opt, "dave", []string{"family", "work"})
			return err
		})},
		{name: "friend remove", who: "alice", stages: true, again: true, run: people(func(k *keyring.Keyring, c *crashed) error {
			_, err := k.RemoveFriend(c.cert("bob").Fingerprint())
			return err
		})},
		{name: "block", who: "alice", again: true, run: people(func(k *keyring.Keyring, c *crashed) error {
			return k.Block(c.cert("bob").Fingerprint(), c.cert("bob"))
		})},
		{name: "pull", who: "bob", stages: true, heals: true, again: true, run: func(h *home.Home, _ *crashed) error {
			failed := errors.New("nobody was asked")
			err := h.Pull(ctx, nil, home.PullOptions{Jobs: 1}, func(e home.Event) {
				if e.Pulled != nil {
					failed = e.Pulled.Err
					if failed == nil && !e.Pulled.Complete {
						failed = errors.New("not complete")
					}
				}
			})
			return errors.Join(err, failed)
		}},
		{name: "keygen", who: "", again: true, run: func(h *home.Home, _ *crashed) error {
			if _, err := h.Me(); err == nil {
				return nil
			}
			return makeIdentity(h, "Erin")
		}},
	}
}

const invitation = "LY4XXSQ27EFOMCFAWEUESMY7LQ"

// invited leaves an open invite.
func invited(t *testing.T, c *crashed) {
	h, err := home.Open(c.dir, c.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	i := keyring.Invite{Token: invitation, Made: clock(), Expires: clock().Add(1e12), Uses: 1, Groups: []string{"family", "work"}}
	if err := h.People().AddInvite(i); err != nil {
		t.Fatal(err)
	}
}

// befriended: Dave is a stranger, or a friend in both groups who sees all.
func befriended(h *home.Home, c *crashed) error {
	g, err := h.People().Grants(c.cert("dave").Fingerprint())
	if err != nil || !g.Friend {
		return err
	}
	family, inFamily := g.Groups["family"]
	work, inWork := g.Groups["work"]
	p, err := h.People().Find(string(c.cert("dave").Fingerprint()))
	if err != nil || !inFamily || !inWork || family != "" || work != "" || g.Since != "" || len(p.Addresses) != 1 || p.Name != "dave" || p.Trust != keyring.TrustPinned {
		return fmt.Errorf("half a friendship: %+v, %+v, %w", g, p, err)
	}
	return nil
}

func TestCrashPoints(t *testing.T) {
	p := newPlay(t)
	for _, v := range verbs() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			old, after := p.clean(t, v)
			if old == after {
				t.Fatalf("the verb does nothing:\n%s", old)
			}
			for _, way := range []way{readFails, writeFails, killed} {
				if n := p.crashPoints(t, v, way, old, after); n < 3 {
					t.Errorf("%s: only %d operations", way, n)
				}
			}
		})
	}
}

// crashPoints runs a verb with one operation failing after another, and returns
// how many there are. How much is read depends on how young the files are: there
// the end is where three in a row are not reached.
func (p *play) crashPoints(t *testing.T, v verb, way way, old, after string) (n int) {
	t.Helper()
	step, most := 1, 1
	if way == readFails {
		most = 3
		if !*everyRead {
			step = 3
		}
	}
	first := step
	if testing.Short() { // the race detector looks at what runs side by side, which is the same at each
		first, step = 3, 5*step
	}
	for i, missed := first, 0; missed < most; i += step {
		if missed++; p.crashPoint(t, v, i, way, old, after) {
			n, missed = i, 0
		}
	}
	return n
}

// everyRead: each failing write and each kill is always tried, of the reads,
// which change nothing, every third; and with -short of both every fifth.
var everyRead = flag.Bool("everyread", false, "crash points: have every single read fail, not every third")

// clean tells what a home looks like before a verb, and after it where nothing
// fails.
func (p *play) clean(t *testing.T, v verb) (before, after string) {
	t.Helper()
	c, h := p.stage(t, v, nil)
	defer func() { _ = h.Close() }()
	before = p.look(t, h)
	if err := v.run(h, c); err != nil {
		t.Fatal(err)
	}
	return before, p.look(t, h)
}

// crashPoint runs a verb whose n-th operation fails, and checks what must hold.
// It returns false if there are not so many.
func (p *play) crashPoint(t *testing.T, v verb, n int, way way, old, after string) bool {
	t.Helper()
	f, kill := &failing{n: n, way: way}, way == killed
	c, h := p.stage(t, v, f)
	f.arm()
	err := v.run(h, c)
	at := f.rest()
	if at == "" {
		_ = h.Close()
		return false
	}
	if kill { // the process is no more, and another one begins
		_ = h.Close()
		h, _ = home.Open(c.dir, p.options(nil))
	}
	defer func() { _ = h.Close() }()
	where := fmt.Sprintf("%s, %s: %s: %v", v.name, way, at, err)
	age(t, c.dir)
	now := p.look(t, h)
	switch {
	case err == nil && now != after && !v.heals:
		t.Fatalf("%s: acknowledged, and not there:\n%s", where, diff(after, now))
	case core(now) != core(old) && core(now) != core(after) && !v.stages:
		t.Fatalf("%s: neither old nor new:\n%s", where, diff(old, now))
	case v.undone && err != nil && !kill && core(now) != core(old):
		t.Fatalf("%s: said to have failed, and done:\n%s", where, diff(old, now))
	}
	if v.whole != nil {
		if err := v.whole(h, c); err != nil {
			t.Fatalf("%s: %v:\n%s", where, err, diff(old, now))
		}
	}
	c.check(t, where)
	if v.again || now != after {
		if err := v.run(h, c); err != nil {
			t.Fatalf("%s: once more: %v", where, err)
		}
		got := p.look(t, h)
		if got != after && !(v.heals && core(got) == core(after)) {
			t.Fatalf("%s: once more, and it is not as after one run:\n%s", where, diff(after, got))
		}
		c.check(t, where)
	}
	if v.who != "" && way != readFails {
		p.rebuilt(t, h, c.dir, where)
	}
	if kill {
		p.swept(t, h, c.dir, where)
	}
	_ = os.RemoveAll(c.dir)
	return true
}

// core is the part of a look that changes all at once.
func core(look string) string {
	before, _, _ := strings.Cut(look, beside)
	return before
}

// check: what was acknowledged is there byte for byte.
func (c *crashed) check(t *testing.T, where string) {
	t.Helper()
	for name, want := range c.acked {
		if got, err := os.ReadFile(name); err != nil || string(got) != string(want) {
			t.Fatalf("%s: what was acknowledged is lost: %v: %.60s", where, err, got)
		}
	}
	clear(c.acked) // the next run may change it
}

// rebuilt: the index is the one that is made of the files.
func (p *play) rebuilt(t *testing.T, h *home.Home, dir, where string) {
	t.Helper()
	was := p.rows(t, h, dir)
	if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	if now := p.rows(t, h, dir); was != now {
		t.Fatalf("%s: the index is not that of the files:\n%s", where, diff(now, was))
	}
}

// swept: the start of a server removes what was left of temporary files.
func (p *play) swept(t *testing.T, h *home.Home, dir, where string) {
	t.Helper()
	if err := h.StartServing(t.Context(), 1); err != nil {
		t.Fatalf("%s: serving: %v", where, err)
	}
	for _, name := range filesBelow(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			t.Fatalf("%s: %s is left", where, name)
		}
	}
}

// A failing disk fails at the n-th operation from when it is armed.
type failing struct {
	mu    sync.Mutex
	n     int
	seen  int
	way   way
	armed bool
	at    string
}

// A way to fail: for a moment at one operation, with one error after another; or
// for good. A kill before something is read leaves what a kill before the next
// write leaves.
type way string

const (
	fails      way = "fails"
	readFails  way = "a read fails"
	writeFails way = "a write fails"
	killed     way = "killed"
)

var errKilled = errors.New("killed, says the test")

func (f *failing) hook(op disk.Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.armed:
		return nil
	case f.way == killed && f.at != "":
		return errKilled
	case f.way == readFails && writes(op, name), (f.way == killed || f.way == writeFails) && !writes(op, name):
		return nil
	}
	f.seen++
	if f.n--; f.n != 0 {
		return nil
	}
	f.at = fmt.Sprintf("%s of %s", op, name)
	if f.way == killed {
		return errKilled
	}
	errs := []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS}
	err := errs[f.seen%len(errs)]
	if op == disk.OpWrite && f.seen%2 == 0 {
		err = disk.ErrShort
	}
	return err
}

func writes(op disk.Op, name string) bool {
	switch op {
	case disk.OpRead, disk.OpReadDir, disk.OpLstat, disk.OpLock:
		return false
	case disk.OpOpen:
		return strings.HasSuffix(name, ".tmp")
	}
	return true
}

func (f *failing) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
}

// again arms it for another operation.
func (f *failing) again(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.way, f.armed, f.at = n, fails, true, ""
}

func (f *failing) rest() (at string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.at
}

// diff shows the lines that two texts do not share.
func diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			out = append(out, "+ "+line)
		}
	}
	if out == nil {
		out = append(out, "the same lines, in other numbers:", got)
	}
	return strings.Join(out, "\n")
}

func scrawl(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *crashed) file(content string) string {
	return filepath.Join(c.dir, filepath.FromSlash(feed.Mine.Path(c.id(content).Position)))
}

func makeIdentity(h *home.Home, name string) error {
	s, err := pgp.Generate(name, "", clock())
	if err != nil {
		return err
	}
	primary, err := s.Primary(nil)
	if err != nil {
		return err
	}
	revocation, err := s.Revocation(clock())
	if err != nil {
		return err
	}
	return h.Locked(context.Background(), func(k *keyring.Keyring) error {
		if err := h.MakePlaces(); err != nil {
			return err
		}
		return k.SaveIdentity(s, primary, revocation)
	})
}
