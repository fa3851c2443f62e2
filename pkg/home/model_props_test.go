package home_test

import (
	"flag"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/post"
)

// checks sets how many histories are tried, how long they are, and with which
// seed, so that a change is judged by the same ones as the change before it,
// unless the command line says so (-rapid.seed=0 is chance): go test ./pkg/home -run TestModel -rapid.checks=2000
func checks(t *testing.T, n, steps string) {
	t.Helper()
	if testing.Short() { // with the race detector one history costs as much as ten
		n = "8"
	}
	said := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { said[f.Name] = true })
	for name, v := range map[string]string{"rapid.checks": n, "rapid.steps": steps, "rapid.nofailfile": "true", "rapid.seed": "7"} {
		if !said[name] {
			if err := flag.Lookup(name).Value.Set(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	// One seed must tell one story: the same people, the same ids, and one file
	// read after another where the disk fails at the nth operation.
	cryptotest.SetGlobalRandom(t, 1)
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	if _, err := cast(); err != nil {
		t.Fatal(err)
	}
}

// TestModel: random histories of people, posts, files, clocks, faults and
// pulls; the properties P2 to P6 after each pull, no leak in any answer.
func TestModel(t *testing.T) {
	checks(t, "50", "30")
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom([]time.Time{behind, ahead}).Draw(t, "begin"))
		defer w.close()
		for range rapid.IntRange(0, 8).Draw(t, "posts to begin with") {
			w.people[0].post(w.audience(w.people[0]))
		}
		t.Repeat(w.focused(w.actions()))
		w.settle()
	})
}

// A history is about something: what is done at random from all that can be
// done seldom leads far.
var focuses = map[string][]string{
	"all":       nil,
	"answers":   {"post", "edit", "delete", "readdress", "pull badly", "hostile", "all at once", "friend add"},
	"disks":     {"post", "edit", "delete", "restore", "pull badly", "harm", "cache lost", "backup", "copy home", "half the feed is gone", "serve again"},
	"conflicts": {"post", "edit", "second machine", "put back", "cache lost", "backup", "copy home", "sign", "pull badly", "harm"},
	"rights":    {"post", "group", "friend", "follow", "block", "unblock", "readdress", "edit", "delete", "clock"},
	"by hand": {"post", "edit", "delete", "restore", "by hand", "put back", "spoil", "misaddress", "misplace", "readdress", "sign", "half", "all at once",
		"group moved"},
	"time":  {"post", "edit", "delete", "clock", "time passes", "readdress", "restore", "group add", "harm"},
	"twins": {"post", "edit", "delete", "edit by hand", "group", "twins", "strangers", "readdress", "time passes"},
}

// focused are the actions that a history is about.
func (w *world) focused(all map[string]func(*rapid.T)) map[string]func(*rapid.T) {
	words := focuses[rapid.SampledFrom(slices.Sorted(maps.Keys(focuses))).Draw(w.T, "focus")]
	some := map[string]func(*rapid.T){}
	for name, do := range all {
		if words == nil || name == "" || slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) }) {
			some[name] = do
		}
	}
	return some
}

// actions are what people do, and what happens to them.
func (w *world) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){}
	add := func(name string, weight int, do func()) {
		for i := range weight {
			actions[name+" "[:min(i, 1)]+"ABCDEFGH"[i:i+min(i, 1)]] = func(*rapid.T) { do() }
		}
	}
	onPost := func(want func(*entry) bool, do func(*actor, *entry)) func() {
		return func() {
			p := w.person()
			do(p, pick(w, p.sorted(want), "post"))
		}
	}
	isSigned := func(e *entry) bool { return e.file.kind == signed }
	isThere := func(e *entry) bool { return e.file.kind != none }
	add("post", 6, func() { p := w.person(); p.post(w.audience(p)) })
	add("edit", 2, onPost((*entry).editable, (*actor).edit))
	add("delete", 2, onPost(func(e *entry) bool { return e.editable() || e.file.kind == none }, (*actor).delete))
	add("restore", 1, func() {
		p := w.person()
		p.restore(pick(w, p.sorted(func(e *entry) bool { return p.restorable(e) != nil }), "deleted post"))
	})
	add("edit by hand", 1, onPost((*entry).editable, (*actor).editByHand))
	add("remove by hand", 1, onPost(isThere, (*actor).removeByHand))
	add("put back", 2, onPost(func(e *entry) bool { return len(e.older) > 0 }, (*actor).putBack))
	add("spoil", 1, onPost(isSigned, (*actor).spoil))
	add("audience", 1, onPost(func(e *entry) bool { return e.editable() && e.live() }, func(p *actor, e *entry) { p.readdressByCommand(e, w.audience(p)) }))
	add("readdress", 1, onPost((*entry).editable, func(p *actor, e *entry) { p.readdress(e, w.audience(p)) }))
	add("misaddress", 1, onPost((*entry).editable, (*actor).misaddress))
	add("make by hand", 1, func() { w.person().makeByHand() })
	add("misplace", 1, onPost(isSigned, (*actor).misplace))
	add("sign", 2, func() { w.person().sign() })
	add("half the feed is missing", 1, func() {
		p := w.person()
		for _, e := range p.sorted(isThere) {
			if w.chance(50, "missing") {
				p.removeByHand(e)
			}
		}
	})
	add("all at once", 2, func() {
		p := w.people[0]
		do := rapid.SampledFrom([]func(*actor, *entry){(*actor).editByHand, (*actor).removeByHand, (*actor).delete, (*actor).edit,
			func(p *actor, e *entry) { p.readdress(e, post.Audience{}) }}).Draw(w.T, "what is done")
		for _, e := range p.sorted((*entry).editable) {
			do(p, e)
		}
	})
	w.actionsOnPeople(add)
	w.actionsOnHomes(add)
	actions[""] = func(*rapid.T) {
		if o, r := w.people[0], w.people[1]; o.readBy(r) && w.chance(40, "Bob pulls") {
			r.pull(o)
		}
	}
	add("half the feed is gone", 1, func() {
		p := w.person()
		p.look()
		w.did("%s loses the folder of the feed", p.name)
		p.remove("feed")
		for _, e := range p.posts {
			e.setAside()
			e.file = filed{}
		}
		p.made = nil
	})
	add("hostile", 1, onPost((*entry).editable, func(p *actor, e *entry) {
		w.did("nobody can verify %s of %s any more", e.pos, p.name)
		p.hostile[e.pos] = true
	}))
	add("twins", 1, func() { o, r := w.two(); w.twins(o, r) })
	add("strangers", 1, func() { o, r := w.two(); w.strangers(o, r) })
	add("pull", 8, func() { o, r := w.two(); r.pull(o) })
	add("pull badly", 4, func() { o, r := w.two(); r.pullBadly(o) })
	return actions
}

func (w *world) actionsOnPeople(add func(string, int, func())) {
	onGroup := func(do func(p *actor, name string, r *actor)) func() {
		return func() {
			p, r := w.two()
			do(p, pick(w, p.here(), "group"), r)
		}
	}
	add("group add", 2, onGroup(func(p *actor, name string, r *actor) { p.join(name, r, w.history(p)) }))
	add("group cp", 1, onGroup((*actor).joinByHand))
	add("group remove", 1, onGroup(func(p *actor, name string, r *actor) { p.leave(name, r, w.chance(50, "by hand")) }))
	add("group moved", 1, func() { w.person().carry(pick(w, groupNames, "group")) })
	add("friend remove", 1, func() { p, r := w.two(); p.unfriend(r) })
	add("friend add", 2, func() {
		p, r := w.two()
		if _, already := p.friends[r.fpr]; already && w.chance(70, "not again") {
			w.Skip("a friend already")
		}
		p.befriend(r, w.history(p))
	})
	add("friend cp", 1, func() {
		p, r := w.two()
		if _, already := p.friends[r.fpr]; already {
			w.Skip("a friend already")
		}
		p.befriendByHand(r)
	})
	add("follow", 1, func() { p, r := w.two(); p.follow(r) })
	add("block", 1, func() { p, r := w.two(); p.block(r, w.chance(50, "by hand")) })
	add("unblock", 2, func() {
		p, r := w.two()
		if !p.blocked[r.fpr] {
			w.Skip("not blocked")
		}
		p.unblock(r)
	})
}

func (w *world) actionsOnHomes(add func(string, int, func())) {
	jumps := []time.Duration{time.Second, 15 * time.Minute, 30 * time.Hour, 24 * 400 * time.Hour, 24 * 4000 * time.Hour}
	add("clock", 2, func() {
		p, d := w.person(), rapid.SampledFrom(jumps).Draw(w.T, "jump")
		if w.chance(50, "back") {
			d = -d
		}
		p.tick(p.clock.Add(d))
	})
	add("time passes", 2, func() {
		d := rapid.SampledFrom(jumps[:3]).Draw(w.T, "time")
		for _, p := range w.people {
			p.tick(p.clock.Add(d))
		}
	})
	add("serve again", 1, func() { w.person().reopen() })
	add("cache lost", 1, func() { w.person().cacheLost() })
	add("state lost", 1, func() { w.person().remove("state") })
	add("harm", 2, func() { o, r := w.two(); r.harm(o) })
	add("second machine", 1, func() { w.person().secondMachine() })
	add("copy home", 1, func() { w.person().copyHome(w.chance(50, "with its cache")) })
	add("backup", 2, func() {
		p := w.person()
		if p.snap == nil {
			w.Skip("there is no copy")
		}
		if folder := rapid.SampledFrom([]string{"", "feed", "feeds"}).Draw(w.T, "of"); folder != "" {
			p.backupOf(folder)
		} else {
			p.backup()
		}
	})
}

// once: with nothing new, a pull is one request, unless posts lie more than a
// day ahead.
func (w *world) once(o, r *actor) {
	at := o.clock.Truncate(time.Second)
	limit, ahead := post.PositionAt(r.clock.Add(24*time.Hour)), 0
	newest := post.Position("")
	for pos, h := range o.holding(r) {
		if h.marked && o.told(r, pos, at) {
			return
		}
		if h.text != nil && pos < limit {
			newest = max(newest, pos)
		}
	}
	for pos := range r.refused[o.fpr] {
		if pos < limit && o.posts[pos] != nil && o.sees(r.as(o), o.posts[pos], at) {
			newest = max(newest, pos)
		}
	}
	for pos := range o.entitled(r.as(o), at) {
		if pos > newest {
			ahead++
		}
	}
	if got := r.ask(o, func() {}); got.Requests != max(1, (ahead+modelItems-1)/modelItems) || got.New+got.Changed+got.Withdrawn > 0 {
		w.Fatalf("P6: a pull of nothing new took %d requests", got.Requests)
	}
}

// settle ends a history: the faults stop, everybody pulls, and once more.
func (w *world) settle() {
	for _, o := range w.people {
		w.settleWith(o)
	}
}

// settleWith has everybody pull from one.
func (w *world) settleWith(o *actor) {
	for _, r := range w.people {
		if o == r || !o.readBy(r) {
			continue
		}
		r.pull(o)
		r.pull(o) // at the price of nothing new
		w.once(o, r)
		// What is marked is asked about in turn, one a pull at least.
		for n := 0; len(w.owed(o, r)) > 0; n++ {
			if n > len(o.posts) {
				w.Fatalf("P5: %v were taken back, and %s still holds them in the end", w.owed(o, r), r.name)
			}
			r.pull(o)
		}
	}
}

// owed are the copies of a reader that were taken back, and that he holds yet.
func (w *world) owed(o, r *actor) (list []post.Position) {
	at := o.clock.Truncate(time.Second)
	for pos, h := range o.holding(r) {
		if h.text != nil && !h.text.expired(at) && o.told(r, pos, at) {
			list = append(list, pos)
		}
	}
	return list
}
