package home_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/post"
)

// What is done to people and rights, by commands and by cp, mv and rm; and what
// happens to a whole home.

// history draws one: all, none, or a position's time.
func (w *world) history(p *actor) string {
	h := rapid.SampledFrom([]string{"all", "none", "stamp"}).Draw(w.T, "history")
	if h != "stamp" {
		return h
	}
	return string(pick(w, p.sorted(nil), "post").pos.Stamp())
}

// here are the groups whose folders are in their place.
func (p *actor) here() (names []string) {
	return slices.DeleteFunc(slices.Clone(groupNames), func(n string) bool { return p.groups[n].away })
}

func (p *actor) join(name string, r *actor, history string) {
	p.w.did("%s adds %s to %s, history %s", p.name, r.name, name, history)
	if _, friend := p.friends[r.fpr]; !friend {
		return
	}
	_, err := p.h.People().AddMember(name, r.fpr, history)
	p.w.ok(err, "adding to a group")
	p.groups[name].members[r.fpr] = p.from(history)
}

// joinByHand is cp of a key: it never opens the past.
func (p *actor) joinByHand(name string, r *actor) {
	p.w.did("%s copies the key of %s to %s", p.name, r.name, name)
	if _, in := p.groups[name].members[r.fpr]; in {
		return
	}
	p.write("groups/"+name+"/"+r.name+".asc", r.cert.Armor())
	p.notice()
	p.groups[name].members[r.fpr] = p.from("none")
}

// notice has the home look at its people.
func (p *actor) notice() {
	_, err := p.h.People().Groups()
	p.w.ok(err, "listing the groups")
	_, err = p.h.People().Friends()
	p.w.ok(err, "listing the friends")
}

func (p *actor) leave(name string, r *actor, byHand bool) {
	p.w.did("%s removes %s from %s, by hand: %v", p.name, r.name, name, byHand)
	if byHand {
		p.notice() // a key that was copied in has its own name by then
		p.remove("groups/" + name + "/" + string(r.fpr) + ".asc")
		p.remove("groups/" + name + "/" + string(r.fpr) + ".json")
	} else {
		_, err := p.h.People().RemoveMember(name, r.fpr)
		p.w.ok(err, "removing from a group")
	}
	delete(p.groups[name].members, r.fpr)
}

// carry moves the folder of a group away, or back.
func (p *actor) carry(name string) {
	p.w.did("%s carries %s, away before: %v", p.name, name, p.groups[name].away)
	g := p.groups[name]
	in, out := p.path("groups/"+name), filepath.Join(p.dir, "away-"+name)
	if g.away {
		in, out = out, in
	}
	p.pause()
	p.w.ok(os.Rename(in, out), "moving a group")
	g.away = !g.away
}

func (p *actor) unfriend(r *actor) {
	p.w.did("%s removes the friend %s", p.name, r.name)
	_, err := p.h.People().RemoveFriend(r.fpr)
	p.w.ok(err, "removing a friend")
	delete(p.friends, r.fpr)
	for _, name := range p.here() {
		delete(p.groups[name].members, r.fpr)
	}
}

// befriendByHand is cp of a key into friends/.
func (p *actor) befriendByHand(r *actor) {
	p.w.did("%s copies the key of %s to the friends", p.name, r.name)
	p.write("friends/"+r.name+".asc", r.cert.Armor())
	p.notice()
	p.friends[r.fpr] = p.from("none")
	p.w.ok(p.h.People().SetAddresses(r.fpr, []string{r.server.URL}), "setting an address")
	if p.follows[r.fpr] {
		_, err := p.h.People().RemoveFollow(r.fpr)
		p.w.ok(err, "ending to follow")
		delete(p.follows, r.fpr)
	}
}

func (p *actor) follow(r *actor) {
	p.w.did("%s follows %s", p.name, r.name)
	if _, friend := p.friends[r.fpr]; friend {
		p.unfriend(r)
	}
	_, _, err := p.h.People().AddFollow(r.cert, keyring.AddOptions{Addresses: []string{r.server.URL}})
	p.w.ok(err, "following")
	p.follows[r.fpr] = true
}

func (p *actor) block(r *actor, byHand bool) {
	p.w.did("%s blocks %s", p.name, r.name)
	if byHand {
		p.write(p.keyFile("blocked", r.fpr), nil)
	} else {
		p.w.ok(p.h.People().Block(r.fpr, r.cert), "blocking")
	}
	p.blocked[r.fpr] = true
}

func (p *actor) unblock(r *actor) {
	p.w.did("%s unblocks %s", p.name, r.name)
	_, err := p.h.People().Unblock(r.fpr)
	p.w.ok(err, "unblocking")
	delete(p.blocked, r.fpr)
}

// tick sets a clock. A server that is running sees it jump.
func (p *actor) tick(to time.Time) {
	if to.Before(time.Date(2003, 1, 1, 0, 0, 0, 0, time.UTC)) || to.After(time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return
	}
	p.clock = to
	p.w.did("it is %s at %s", to, p.name)
}

// copyHome keeps a copy of the home, with or without its cache.
func (p *actor) copyHome(cache bool) {
	p.w.did("%s copies the home, with the cache: %v", p.name, cache)
	p.look()
	s := &snapshot{dir: filepath.Join(p.w.dir, fmt.Sprint("copy-", p.w.n)), record: p.record.clone(), rewound: p.rewound, cache: cache}
	p.w.canary()
	but := []string{"state"}
	if !cache {
		but = append(but, "cache")
	}
	p.w.ok(p.h.Close(), "closing")
	p.w.ok(copyTree(p.dir, s.dir, but...), "copying a home")
	if !cache {
		for _, e := range s.record.posts {
			e.known, e.whose = nil, post.Audience{}
		}
	}
	p.snap = s
	p.open()
}

// backup puts the copy in the place of the home.
func (p *actor) backup() {
	p.w.did("%s has the copy of the home back", p.name)
	p.w.ok(p.h.Close(), "closing")
	p.w.ok(os.RemoveAll(p.dir), "removing")
	p.w.ok(copyTree(p.snap.dir, p.dir), "copying a home")
	p.record = p.snap.record.clone()
	p.rewound = true
	for _, o := range p.w.people {
		delete(p.agreed, o.fpr)
	}
	p.open()
}

// backupOf puts one folder back from the copy: my own posts, or the copies of
// others'.
func (p *actor) backupOf(folder string) {
	p.w.did("%s has the copy of %s back", p.name, folder)
	p.look()
	p.remove(folder)
	from := filepath.Join(p.snap.dir, folder)
	if _, err := os.Stat(from); err == nil {
		p.w.ok(copyTree(from, p.path(folder)), "copying a folder")
	}
	if folder != "feed" {
		for _, o := range p.w.people {
			delete(p.agreed, o.fpr)
		}
		return
	}
	p.rewound = true
	was := p.snap.record.clone()
	for pos, e := range p.posts {
		e.setAside()
		if e.file = (filed{}); was.posts[pos] != nil {
			e.file = was.posts[pos].file
		}
	}
	for pos, e := range was.posts {
		if p.posts[pos] == nil {
			p.posts[pos] = &entry{pos: pos, file: e.file, trash: map[int64]filed{}}
		}
	}
	p.made = was.made
}
