package home_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A story is one history of the model that is told as it is, with nothing left
// to chance: one that random histories come upon too seldom, or once did. What
// must hold is what always must, P2 to P6.
type story struct {
	name  string
	begin time.Time
	tell  func(w *world, alice, bob *actor)
}

var toFriends = post.Audience{Friends: true}

// TestModelStories tells them all. Each mutant of TestMutants is held against
// them first.
func TestModelStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			checks(t, "1", "1")
			over := false
			defer func() {
				if !over && !t.Failed() {
					t.Error("the story was not told to its end")
				}
			}()
			rapid.MakeFuzz(func(t *rapid.T) {
				w := newWorld(t, s.begin)
				defer w.close()
				w.told = true
				s.tell(w, w.people[0], w.people[1])
				w.settleWith(w.people[0])
				over = true
			})(t, nil)
		})
	}
}

// says posts, and gives the entry.
func (p *actor) says(a post.Audience) *entry {
	p.post(a)
	return p.posts[p.newest()]
}

// to is an audience of single readers.
func to(readers ...*actor) (a post.Audience) {
	for _, r := range readers {
		a.Readers = append(a.Readers, r.fpr)
	}
	return a
}

// passes lets time go by, for everybody.
func (w *world) passes(d time.Duration) {
	for _, p := range w.people {
		p.tick(p.clock.Add(d))
	}
}

// copyOf names a reader's copy of a post. What the next pull costs, when
// something has happened to it, is not known.
func (r *actor) copyOf(o *actor, pos post.Position) string {
	delete(r.agreed, o.fpr)
	return feed.Of(o.fpr).Path(pos)
}

// spoilt pulls, while something happens to one of the answers.
func (r *actor) spoilt(o *actor, kind string, answer int) {
	r.w.did("badly: %s, answer %d", kind, answer)
	r.badly(o, func() { o.fault = fault{kind: kind, at: answer} })
}

var stories = []story{
	{"a copy that was noted beside a beaten line is lost", behind, func(_ *world, alice, bob *actor) {
		e := alice.says(toFriends)
		alice.says(toFriends)
		alice.copyHome(false)
		alice.edit(e)
		bob.pull(alice)
		alice.backup()
		bob.pull(alice)
		bob.remove(bob.copyOf(alice, e.pos))
		bob.pull(alice)
	}},
	{"two texts of one revision", behind, func(w *world, alice, bob *actor) {
		e := alice.says(toFriends)
		alice.says(toFriends)
		alice.copyHome(false)
		w.passes(time.Hour)
		alice.edit(e)
		bob.pull(alice)
		w.passes(-time.Minute)
		alice.backup()
		alice.edit(alice.posts[e.pos])
		bob.pull(alice)
	}},
	{"a newer text, and the one before it put back beside a lost line", behind, func(_ *world, alice, bob *actor) {
		e := alice.says(toFriends)
		alice.copyHome(false)
		alice.edit(e)
		alice.edit(e)
		bob.pull(alice)
		alice.backup()
		alice.says(toFriends)
		bob.spoilt(alice, "lost", 2)
		bob.pull(alice)
		alice.edit(alice.posts[e.pos])
		bob.pull(alice)
	}},
	{"copies are edited in place", ahead, func(_ *world, alice, bob *actor) {
		e, f := alice.says(toFriends), alice.says(toFriends)
		alice.says(toFriends)
		bob.pull(alice)
		bob.pull(alice)
		name := bob.copyOf(alice, e.pos)
		bob.scribble(name, bob.read(name)[:100])
		bob.pull(alice)
		bob.pull(alice)
		name = bob.copyOf(alice, f.pos)
		bob.scribble(name, canaryPattern.ReplaceAll(bob.read(name), []byte("canary-0-")))
		bob.pull(alice)
	}},
	{"a page out of order", behind, func(_ *world, alice, bob *actor) {
		alice.says(toFriends)
		alice.says(toFriends)
		bob.spoilt(alice, "disordered", 0)
		bob.spoilt(alice, "doubled", 0)
	}},
	{"gone, unasked", behind, func(_ *world, alice, bob *actor) {
		e := alice.says(to(bob))
		alice.says(toFriends)
		bob.pull(alice)
		alice.readdress(e, post.Audience{})
		bob.spoilt(alice, "gone unasked", 0)
		bob.spoilt(alice, "gone unasked", 3)
		bob.pull(alice)
	}},
	{"a page of nothing that promises more", behind, func(_ *world, alice, bob *actor) {
		alice.says(toFriends)
		bob.spoilt(alice, "more of nothing", 0)
	}},
	{"a new text whose answer is lost", behind, func(_ *world, alice, bob *actor) {
		e := alice.says(toFriends)
		alice.says(toFriends)
		bob.pull(alice)
		alice.edit(e)
		bob.spoilt(alice, "lost", 3)
		bob.pull(alice)
		_ = bob.copyOf(alice, e.pos)
		bob.remove(copies(alice)) // just after one of them was kept
		bob.pull(alice)
	}},
	{"hidden by history, and shown again", ahead, func(_ *world, alice, bob *actor) {
		alice.says(toFriends)
		bob.pull(alice)
		alice.befriend(bob, "none")
		bob.pull(alice)
		bob.pull(alice)
		alice.befriend(bob, "all")
		bob.pull(alice)
	}},
	{"two clocks and what expires", ahead, func(w *world, alice, bob *actor) {
		alice.postFor(time.Hour, toFriends)
		alice.postFor(time.Hour, to(bob))
		alice.says(toFriends)
		bob.pull(alice)
		bob.tick(bob.clock.Add(30 * time.Hour))
		bob.pull(alice)
		alice.tick(alice.clock.Add(2 * time.Hour))
		bob.pull(alice)
		w.people[2].pull(alice)
		alice.tick(alice.clock.Add(-30 * time.Hour))
		bob.pull(alice)
	}},
	{"what takes nothing back", behind, func(w *world, alice, bob *actor) {
		group := post.Audience{Groups: groupNames[:1]}
		es := []*entry{alice.says(to(bob)), alice.says(to(bob)), alice.says(to(bob)), alice.says(to(bob)), alice.says(group), alice.says(toFriends)}
		alice.postFor(time.Hour, to(bob))
		alice.says(toFriends)
		alice.edit(es[2])
		bob.pull(alice)
		alice.removeByHand(es[0])
		alice.editByHand(es[1])
		alice.put(es[2], es[2].older[0])
		bad := es[3].file
		bad.bad, bad.raw = true, alice.member(bad.raw, "bto", []string{"Friends!"})
		alice.put(es[3], bad)
		alice.join(groupNames[0], bob, "none")
		alice.befriend(bob, "none")
		w.passes(2 * time.Hour)
		for range 3 {
			bob.pull(alice)
		}
		alice.carry(groupNames[0])
		for range 3 {
			bob.pull(alice)
		}
	}},
	{"what is taken back, three at once, beside a new post", behind, func(_ *world, alice, bob *actor) {
		group := post.Audience{Groups: groupNames[:1]}
		var all []post.ID
		for range 3 {
			all = append(all, alice.id(alice.says(group)))
		}
		bob.pull(alice)
		alice.carry(groupNames[0])
		bob.pull(alice)
		alice.carry(groupNames[0])
		alice.leave(groupNames[0], bob, false)
		alice.says(toFriends)
		alice.answers(bob.fpr, wire.Question{Kind: wire.KindPosts, Have: all})
		bob.pull(alice)
	}},
	{"expired before it was taken back", behind, func(w *world, alice, bob *actor) {
		alice.postFor(time.Hour, post.Audience{Groups: groupNames[:1]})
		alice.says(toFriends)
		bob.pull(alice)
		alice.carry(groupNames[0])
		bob.pull(alice)
		alice.carry(groupNames[0])
		alice.leave(groupNames[0], bob, true)
		w.passes(2 * time.Hour)
		bob.pull(alice)
	}},
	{"deleted, and deleted for those who are no friends any more", ahead, func(w *world, alice, bob *actor) {
		e, f := alice.says(toFriends), alice.says(to(bob))
		alice.says(post.Audience{Public: true})
		bob.pull(alice)
		alice.delete(e)
		bob.pull(alice)
		alice.delete(alice.says(toFriends))
		alice.says(post.Audience{})
		alice.says(toFriends)
		alice.says(post.Audience{})
		bob.pull(alice)
		alice.unfriend(bob)
		alice.delete(f)
		bob.pull(alice)
		w.people[2].pull(alice)
		alice.block(w.people[2], false)
		w.people[2].pull(alice)
	}},
	{"friends of different histories", ahead, func(w *world, alice, bob *actor) {
		alice.says(toFriends)
		alice.befriend(w.people[2], "none")
		alice.says(toFriends)
		w.people[2].pull(alice)
		bob.pull(alice)
		alice.says(post.Audience{})
		bob.pull(alice)
		w.people[2].pull(alice)
	}},
	{"each his own, and a clock that is put back", behind, func(w *world, alice, bob *actor) {
		carol := w.people[2]
		alice.says(toFriends)
		alice.says(to(bob))
		alice.says(to(carol))
		bob.pull(alice)
		carol.pull(alice)
		alice.tick(alice.clock.Add(-30 * time.Hour))
		alice.befriend(carol, "none")
		alice.join(groupNames[1], bob, "none")
		alice.says(post.Audience{Groups: groupNames})
		bob.pull(alice)
		carol.pull(alice)
	}},
	{"an older text is put back, and edited", behind, func(_ *world, alice, bob *actor) {
		e := alice.says(toFriends)
		alice.edit(e)
		alice.edit(e)
		alice.put(e, e.older[0])
		bob.pull(alice)
		alice.edit(e)
		bob.pull(alice)
	}},
	{"a post that nobody can verify", behind, func(_ *world, alice, bob *actor) {
		alice.says(toFriends)
		alice.hostile[alice.says(toFriends).pos] = true
		bob.pull(alice)
		bob.pull(alice)
		bob.pull(alice)
	}},
	{"a clock years ahead", behind, func(_ *world, alice, bob *actor) {
		alice.says(toFriends)
		alice.tick(alice.clock.Add(400 * 24 * time.Hour))
		alice.says(toFriends)
		bob.pull(alice)
		alice.tick(bob.clock.Add(time.Hour))
		alice.says(toFriends)
		bob.pull(alice)
		bob.pull(alice)
	}},
}
