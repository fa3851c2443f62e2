package home_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// What is done to one's own posts: by commands, and by hand to their files.

func key(pos post.Position, rev int64, updated, canary string) string {
	return fmt.Sprint(pos, " ", rev, " ", updated, " ", canary)
}

func (t *text) key() string { return key(t.pos, t.rev, t.updated, t.canary) }

// wrote records a text that was signed.
func (p *actor) wrote(x *post.Post, aud post.Audience) *entry {
	t := &text{pos: x.ID().Position, rev: x.Revision(), updated: x.Updated(), hash: x.Hash(), canary: x.Content(), tomb: x.Tombstone(), files: x.Files()}
	if at, ok := x.Expires(); ok {
		t.expires = at
	}
	p.w.texts[t.key()] = t
	e := p.posts[t.pos]
	if e == nil {
		e = &entry{pos: t.pos, trash: map[int64]filed{}}
		p.posts[t.pos] = e
	}
	if e.known != nil && !t.beats(e.known) {
		p.w.Fatalf("%s signed revision %d of %s, which does not beat revision %d", p.name, t.rev, t.pos, e.known.rev)
	}
	e.setAside()
	e.file = filed{kind: signed, text: t, aud: aud, raw: p.read(feed.Mine.Path(t.pos))}
	p.w.did("  %s: revision %d %s of %s for %v, expires %s", p.name, t.rev, t.canary, t.pos, aud.Members(), t.expires)
	return e
}

// setAside keeps the signed text that is about to be replaced, so that it can be
// put back.
func (e *entry) setAside() {
	if e.file.kind == signed && !e.file.bad {
		e.older = append(e.older, e.file)
	}
}

// command runs a command that signs one text, perhaps while the disk fails or
// the power goes. Whatever happens the file is the old one or the new one, and
// what was acknowledged is there.
func (p *actor) command(what, canary string, aud post.Audience, run func() (*post.Post, error)) {
	fails := p.w.chance(15, "the disk fails")
	if fails {
		p.pause()
		p.hook.arm(rapid.IntRange(0, 25).Draw(p.w.T, "operation"), p.w.chance(60, "crash"))
	}
	x, err := run()
	dead := p.hook.dead
	p.w.did("  %s: %v", what, err)
	hit := p.hook.off()
	if dead {
		p.reopen()
	}
	switch {
	case err == nil:
		p.wrote(x, aud)
	case !hit:
		p.w.Fatalf("%s at %s: %v", what, p.name, err)
	default:
		p.found(canary, aud)
	}
}

// found looks whether a command that failed has done its work.
func (p *actor) found(canary string, aud post.Audience) {
	err := filepath.WalkDir(p.path("feed"), func(name string, d fs.DirEntry, err error) error {
		pos, ok := isPosition(name)
		if err != nil || d.IsDir() || !ok {
			return err
		}
		raw, err := os.ReadFile(name)
		if e := p.posts[pos]; err != nil || e != nil && string(e.file.raw) == string(raw) {
			return err
		}
		x, err := post.OpenMine(raw, p.cert)
		if err != nil || x.Content() != canary {
			return fmt.Errorf("%s holds neither what it held nor what was to be written: %w", name, err)
		}
		p.wrote(x, aud)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.w.Fatalf("after a failed command at %s: %v", p.name, err)
	}
}

// audience draws whom a post is for.
func (w *world) audience(p *actor) post.Audience {
	var a post.Audience
	parts := 1
	if w.chance(30, "for several") {
		parts = 2
	}
	for range parts {
		switch rapid.SampledFrom([]string{"friends", "group", "reader", "public", "me", "friends", "group", "group"}).Draw(w.T, "for") {
		case "friends":
			a.Friends = true
		case "group":
			if g := pick(w, groupNames, "group"); !slices.Contains(a.Groups, g) {
				a.Groups = append(a.Groups, g)
			}
		case "reader":
			others := slices.DeleteFunc(slices.Clone(w.people), func(o *actor) bool { return o.fpr == p.fpr })
			if r := pick(w, others, "reader").fpr; !slices.Contains(a.Readers, r) {
				a.Readers = append(a.Readers, r)
			}
		case "public":
			a.Public = true
		}
	}
	return a
}

func (p *actor) post(aud post.Audience) {
	var after time.Duration
	if !p.w.lasts && p.w.chance(15, "expires") {
		after = rapid.SampledFrom([]time.Duration{10 * time.Second, time.Hour, 40 * 24 * time.Hour}).Draw(p.w.T, "after")
	}
	p.postFor(after, aud)
}

// postFor posts what is there for a while; 0 is for ever.
func (p *actor) postFor(while time.Duration, aud post.Audience) {
	d := post.NewDraft("Note")
	canary := p.w.canary()
	d.Set("content", canary)
	if while > 0 {
		d.Set("expires", post.FormatTime(p.clock.Add(while)))
	}
	p.w.ok(d.Attach(p.newFiles()...), "attaching files")
	if slices.ContainsFunc(aud.Groups, func(g string) bool { return p.groups[g].away }) {
		if _, err := p.h.Post(context.Background(), d, aud); !errors.Is(err, keyring.ErrUnknown) {
			p.w.Fatalf("%s posts for a group that is not there: %v", p.name, err)
		}
		return
	}
	p.command("post", canary, aud, func() (*post.Post, error) { return p.h.Post(context.Background(), d, aud) })
}

func (p *actor) id(e *entry) post.ID { return post.ID{Author: p.fpr, Position: e.pos} }

func (e *entry) editable() bool { return e.file.kind == signed && !e.file.text.tomb && !e.file.bad }

func (p *actor) edit(e *entry) {
	p.w.did("%s edits %s", p.name, e.pos)
	canary := p.w.canary()
	files := p.newFiles()
	p.command("edit", canary, e.file.aud, func() (*post.Post, error) {
		c, err := p.h.Edit(context.Background(), p.id(e), func(d *post.Draft) error {
			if d.Set("content", canary); files == nil {
				return nil
			}
			d.Remove("attachment")
			return d.Attach(files...)
		})
		return c.Now, err
	})
}

func (p *actor) delete(e *entry) {
	p.w.did("%s deletes %s", p.name, e.pos)
	was, aud := e.file, e.file.aud
	if was.kind == none {
		aud = e.whose
	}
	p.command("delete", "", aud, func() (*post.Post, error) {
		c, err := p.h.Delete(context.Background(), p.id(e))
		return c.Now, err
	})
	if was.kind == signed {
		if _, err := os.Stat(p.path(feed.Trash(post.Version{ID: p.id(e), Revision: was.text.rev}))); err == nil {
			e.trash[was.text.rev] = was
		} else if e.file.text.tomb {
			p.w.Fatalf("%s deleted %s, and its text is not in the trash: %v", p.name, e.pos, err)
		}
	}
}

func (p *actor) restorable(e *entry) (newest *filed) {
	if e.file.kind != none && (e.file.kind != signed || !e.file.text.tomb) {
		return nil
	}
	for _, t := range e.trash {
		if newest == nil || t.text.beats(newest.text) {
			newest = &t
		}
	}
	return newest
}

func (p *actor) restore(e *entry) {
	p.w.did("%s restores %s", p.name, e.pos)
	t := p.restorable(e)
	p.command("restore", t.text.canary, t.aud, func() (*post.Post, error) {
		c, err := p.h.Restore(context.Background(), p.id(e))
		return c.Now, err
	})
}

// put writes the file of a post by hand, by a rename or in place. An edit in
// place is found by the next look at every file.
func (p *actor) put(e *entry, f filed) {
	p.look()
	e.setAside()
	name := feed.Mine.Path(e.pos)
	if e.file.kind != none && p.w.chance(40, "in place") {
		p.scribble(name, f.raw)
		e.file = f
		p.look()
		return
	}
	p.write(name, f.raw)
	e.file = f
}

func (p *actor) editByHand(e *entry) {
	p.w.did("%s edits %s by hand", p.name, e.pos)
	f := e.file
	f.kind, f.canary = draft, p.w.canary()
	f.raw = []byte(strings.ReplaceAll(string(f.raw), f.text.canary, f.canary))
	p.put(e, f)
}

func (p *actor) removeByHand(e *entry) {
	p.w.did("%s removes %s by hand", p.name, e.pos)
	p.look()
	e.setAside()
	p.remove(feed.Mine.Path(e.pos))
	e.file = filed{}
}

func (p *actor) putBack(e *entry) {
	f := pick(p.w, e.older, "older text")
	p.w.did("%s puts revision %d of %s back", p.name, f.text.rev, e.pos)
	p.put(e, f)
}

func (p *actor) spoil(e *entry) {
	p.w.did("%s has half of %s", p.name, e.pos)
	f := filed{kind: junk, raw: e.file.raw[:len(e.file.raw)/2]}
	p.put(e, f)
}

// readdress changes bto, which is not signed.
func (p *actor) readdress(e *entry, aud post.Audience) {
	p.w.did("%s readdresses %s to %v", p.name, e.pos, aud.Members())
	f := e.file
	aud.Public = f.aud.Public
	f.aud = aud
	var bto any
	if private := aud.Members(); aud.Public && len(private) > 1 {
		bto = private[1:]
	} else if !aud.Public && len(private) > 0 {
		bto = private
	}
	f.raw = p.member(f.raw, "bto", bto)
	p.put(e, f)
}

// readdressByCommand changes whom a post is for. Whether it is public is signed,
// and makes a new revision; all else leaves the text as it is.
func (p *actor) readdressByCommand(e *entry, aud post.Audience) {
	p.w.did("%s changes the audience of %s to %v", p.name, e.pos, aud.Members())
	run := func() (*post.Post, error) {
		r, err := p.h.ReaddressOf(context.Background(), p.id(e), false, func(post.Audience) post.Audience { return aud })
		return r.Now, err
	}
	if slices.ContainsFunc(aud.Groups, func(g string) bool { return p.groups[g].away }) {
		if _, err := run(); !errors.Is(err, keyring.ErrUnknown) {
			p.w.Fatalf("%s gives a post to a group that is not there: %v", p.name, err)
		}
		return
	}
	if aud.Public != e.file.aud.Public {
		p.command("audience", e.file.text.canary, aud, run)
		return
	}
	x, err := run()
	if err != nil {
		p.w.Fatalf("%s cannot change the audience of %s: %v", p.name, e.pos, err)
	}
	if x.Version().Hash != e.file.text.hash {
		p.w.Fatalf("%s changed the audience of %s, and its text is another", p.name, e.pos)
	}
	e.setAside()
	e.file.aud, e.file.raw = aud, p.read(feed.Mine.Path(e.pos))
}

// member sets a member of a file; nil removes it.
func (p *actor) member(raw []byte, name string, v any) []byte {
	m := map[string]json.RawMessage{}
	p.w.ok(json.Unmarshal(raw, &m), "reading a post")
	delete(m, name)
	if v != nil {
		data, err := json.Marshal(v)
		p.w.ok(err, "writing a post")
		m[name] = data
	}
	out, err := json.MarshalIndent(m, "", "  ")
	p.w.ok(err, "writing a post")
	return out
}

// misaddress makes an audience that is not in order: only me, at once.
func (p *actor) misaddress(e *entry) {
	p.w.did("%s misaddresses %s", p.name, e.pos)
	f := e.file
	f.bad = true
	switch how := rapid.SampledFrom([]string{`"friends"`, `["Friends!"]`, `[]`, `null`, `["friends","friends"]`, "cc", "BTO", "twice"}).Draw(p.w.T, "how"); how {
	case "cc", "BTO":
		f.kind, f.canary = draft, f.text.canary
		f.raw = p.member(f.raw, how, []string{"friends"})
	case "twice":
		f = filed{kind: junk, raw: []byte(strings.Replace(string(f.raw), "{", `{"bto":["friends"],"bto":["friends"],`, 1))}
	default:
		f.raw = p.member(f.raw, "bto", json.RawMessage(how))
	}
	p.put(e, f)
}

// makeByHand makes a file in feed/, to be signed.
func (p *actor) makeByHand() {
	p.w.did("%s makes a draft", p.name)
	p.look()
	m := made{name: fmt.Sprintf("feed/lunch-%d.json", p.w.n), canary: p.w.canary()}
	words := []string{}
	switch w := rapid.SampledFrom([]string{"me", "friends", "public", groupNames[0], "Frends"}).Draw(p.w.T, "to"); w {
	case "friends":
		words, m.aud.Friends = []string{w}, true
	case "public":
		words, m.aud.Public = []string{w}, true
	case groupNames[0]:
		words, m.aud.Groups = []string{w}, []string{w}
	case "Frends":
		words, m.bad = []string{w}, true
	}
	body := map[string]any{"type": "Note", "content": m.canary}
	if len(words) > 0 {
		body["to"] = words
	}
	data, err := json.Marshal(body)
	p.w.ok(err, "writing a draft")
	p.write(m.name, data)
	p.made = append(p.made, m)
}

// misplace moves a post away from its place, still inside feed/.
func (p *actor) misplace(e *entry) {
	p.w.did("%s misplaces %s", p.name, e.pos)
	p.look()
	m := made{name: fmt.Sprintf("feed/moved-%d.json", p.w.n), moved: e.pos, file: e.file}
	p.w.canary()
	p.pause()
	p.w.ok(os.Rename(p.path(feed.Mine.Path(e.pos)), p.path(m.name)), "moving")
	p.made = append(p.made, m)
	e.setAside()
	e.file = filed{}
}

// sign signs one of the things done by hand.
func (p *actor) sign() {
	pending, err := p.h.ByHand(context.Background())
	p.w.ok(err, "looking at what was done by hand")
	p.seen()
	p.checkPending(pending)
	pending = slices.DeleteFunc(pending, func(x home.Pending) bool { return !x.Signable() })
	x := pick(p.w, pending, "pending file")
	p.w.did("%s signs %s %s", p.name, x.What, x.Name)
	f, moved, ok := p.toSign(x)
	if !ok {
		if signed, err := p.h.SignPending(context.Background(), x); err == nil {
			p.w.Fatalf("%s signed %s of %s, which cannot be: revision %d", p.name, x.What, x.Name, signed.Revision())
		}
		return
	}
	if moved != nil {
		signed, err := p.h.SignPending(context.Background(), x)
		p.w.ok(err, "signing a post that was moved")
		if e := p.posts[moved.moved]; e.known == nil || !e.known.beats(moved.file.text) {
			e.file = moved.file
		} else { // it is put back
			p.wrote(signed, moved.file.aud)
		}
		p.made = slices.DeleteFunc(p.made, func(m made) bool { return m.name == x.Name })
		return
	}
	p.command("sign "+x.What, f.canary, f.aud, func() (*post.Post, error) { return p.h.SignPending(context.Background(), x) })
	if _, err := os.Stat(p.path(x.Name)); err != nil {
		p.made = slices.DeleteFunc(p.made, func(m made) bool { return m.name == x.Name })
	}
}

// toSign is what signing must make of a pending file; false if it is an error.
func (p *actor) toSign(x home.Pending) (f filed, moved *made, ok bool) {
	for _, m := range p.made {
		if m.name != x.Name {
			continue
		}
		away := slices.ContainsFunc(m.aud.Groups, func(g string) bool { return p.groups[g].away })
		if m.moved != "" {
			return f, &m, p.posts[m.moved].file.kind == none && !m.file.bad
		}
		return filed{canary: m.canary, aud: m.aud}, nil, !m.bad && !away
	}
	pos, _ := isPosition(x.Name)
	e := p.posts[pos]
	switch f = e.file; f.kind {
	case none:
		return filed{aud: e.whose}, nil, true
	case signed:
		f.canary = f.text.canary
	}
	return f, nil, !f.bad
}

// cacheLost deletes the index: what it knew of texts that are not there any
// more is lost with it.
func (p *actor) cacheLost() {
	p.w.did("%s loses the cache", p.name)
	p.remove("cache")
	for _, e := range p.posts {
		if e.known != nil && !e.live() && (e.file.kind != draft || e.file.text.hash != e.known.hash) {
			p.rewound = true
		}
		e.known, e.whose = nil, post.Audience{}
	}
	for _, o := range p.w.people {
		delete(p.agreed, o.fpr)
	}
}

// secondMachine works on a copy of the home, whose files are then copied over,
// by any folder sync.
func (p *actor) secondMachine() {
	p.w.did("%s works on a second machine", p.name)
	w := p.w
	p.look()
	q := p.another("'s second machine", false)
	defer func() { _ = q.h.Close() }()
	q.clock = q.clock.Add(time.Duration(rapid.IntRange(-100, 100).Draw(w.T, "seconds of its clock")) * time.Second)
	for range rapid.IntRange(1, 2).Draw(w.T, "changes there") {
		q.change("there")
	}
	for range rapid.IntRange(0, 2).Draw(w.T, "changes here") {
		p.change("here")
	}
	p.look()
	p.rewound = true
	for pos, there := range q.posts {
		here := p.posts[pos]
		if here != nil && string(here.file.raw) == string(there.file.raw) || there.file.kind != signed {
			continue
		}
		if here == nil {
			here = &entry{pos: pos, trash: map[int64]filed{}}
			p.posts[pos] = here
		}
		here.setAside()
		here.file = there.file
		p.write(feed.Mine.Path(pos), there.file.raw)
	}
	p.takeFiles(q)
}

// another opens a copy of the home, as it is now.
func (p *actor) another(name string, cache bool) *actor {
	w := p.w
	q := &actor{castMember: &castMember{name: p.name + name, secret: p.secret, cert: p.cert, now: &stage{}}, w: w,
		fpr: p.fpr, record: p.record.clone(), dir: filepath.Join(w.dir, fmt.Sprintf("copy-%d", w.n)), heal: true, clock: p.clock}
	q.forget()
	w.canary()
	but := []string{"state"}
	if !cache {
		but = append(but, "cache")
		for _, e := range q.posts {
			e.known, e.whose = nil, post.Audience{}
		}
	}
	w.ok(copyTree(p.dir, q.dir, but...), "copying a home")
	q.open()
	return q
}

// change is a command on one post.
func (p *actor) change(where string) {
	w := p.w
	editable := p.sorted((*entry).editable)
	switch what := rapid.SampledFrom([]string{"edit", "delete", "post"}).Draw(w.T, "what "+where); {
	case what == "edit" && len(editable) > 0:
		p.edit(pick(w, editable, "post "+where))
	case what == "delete" && len(editable) > 0:
		p.delete(pick(w, editable, "post "+where))
	default:
		p.post(w.audience(p))
	}
}

// keyFile is a member's key, as cp brings it.
func (p *actor) keyFile(dir string, fpr pgp.Fingerprint) string {
	return dir + "/" + string(fpr) + ".asc"
}
