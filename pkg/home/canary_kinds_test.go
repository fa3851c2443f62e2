package home_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Comments, answers, profiles for a group, earlier texts and Tombstones reach
// nobody whom they are not for, by any road; and what others said to her alone,
// Alice passes on to nobody.
//
// spec: P50
func TestCanariesOfKinds(t *testing.T) {
	p := newParlor(t)
	event := p.bobSpeaks()
	comment := func(to post.ID, more ...func(*post.Draft)) *post.Draft {
		d := post.NewDraft("Note")
		d.Set("inReplyTo", to.String())
		d.Set("context", to.String())
		for _, f := range more {
			f(d)
		}
		return d
	}
	chooses := func(d *post.Draft) { d.SetTexts("choices", []string{secretText("a vote for bob")}) }
	p.say("a comment for bob", "content", comment(event), "pet-bob-canary")
	p.say("a vote for bob", "content", comment(event, chooses), "pet-bob-canary")
	p.say("a comment for work", "content", comment(p.ids["public"]), canaryWork)
	yes := post.NewDraft("Accept")
	yes.Set("object", event.String())
	p.say("an answer for bob", "summary", yes, "pet-bob-canary")
	p.say("a profile for family", "name", post.NewDraft("Person"), canaryFamily)
	p.say("a profile for work", "name", post.NewDraft("Person"), canaryWork)
	p.say("a profile for all", "name", post.NewDraft("Person"), "public")
	p.say("a place for family", "content", placed(), canaryFamily)
	p.everybodyAsks()

	p.edited("an edited text")
	p.edited("an edited text for work", canaryWork)
	p.buried("a deleted comment", canaryFamily)
	p.buried("a deleted public one", "public")
	p.narrowed("a post that was for friends")
	p.everybodyAsks()
	p.diskFails()

	for _, leak := range []string{secretText("what bob said"), secretText("an edited text, before"), string(p.ids["a deleted comment"].Position)} {
		if len(p.leaks("carol", "x"+leak+"x", false)) == 0 {
			t.Errorf("%s would not be found", leak)
		}
	}
}

// bobSpeaks has Bob say something to Alice alone, and her pull it.
func (p *parlor) bobSpeaks() (event post.ID) {
	p.t.Helper()
	alice, err := p.alice.Me()
	if err != nil {
		p.t.Fatal(err)
	}
	a := post.Audience{Readers: []pgp.Fingerprint{alice.Fingerprint()}}
	for _, label := range []string{"what bob said", "what bob asked"} {
		d := post.NewDraft("Event")
		d.Set("name", secretText(label))
		d.Set("startTime", "2026-11-29")
		p.carry(p.bob, label, d)
		said, err := p.bob.Post(p.t.Context(), d, a)
		if err != nil {
			p.t.Fatal(err)
		}
		p.ids[label] = said.ID()
		event = said.ID()
		p.deleted[label] = true // its text reaches nobody from Alice, not even him
	}
	bob, err := p.bob.Me()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.alice.People().SetAddresses(bob.Fingerprint(), []string{served(p.t, p.bob)}); err != nil {
		p.t.Fatal(err)
	}
	if err := p.alice.Pull(p.t.Context(), nil, home.PullOptions{}, func(home.Event) {}); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.alice.Show(p.t.Context(), event); err != nil {
		p.t.Fatalf("alice does not hold what bob said: %v", err)
	}
	p.logged("bob")
	// Strangers are not even told that something private is gone.
	p.tap.seen = func(from pgp.Fingerprint, r *http.Request, header http.Header, body []byte) {
		p.inspect(from, r, header, body)
		name := p.nameOf(from)
		for label, id := range p.ids {
			private := !strings.Contains(canarySees[label], "eve")
			if (name == "eve" || name == "fred") && private && strings.Contains(string(body), `{"gone":"`+id.String()) {
				p.t.Errorf("%s is told that %s is gone", name, label)
			}
		}
	}
	return event
}

// say posts a draft with the text of a label in one of its members.
func (p *parlor) say(label, member string, d *post.Draft, words ...string) {
	p.t.Helper()
	d.Set(member, secretText(label))
	p.carry(p.alice, label, d)
	a, _, err := p.alice.People().Resolve(words)
	if err != nil {
		p.t.Fatal(err)
	}
	said, err := p.alice.Post(p.t.Context(), d, a)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ids[label] = said.ID()
}

func placed() *post.Draft {
	d := post.NewDraft("Note")
	d.SetValue("location", post.Place{Name: secretText("a place for family"), Located: true, Latitude: 1, Longitude: 2}.Value())
	return d
}

// edited posts a text and changes it: what it was is history, for nobody.
func (p *parlor) edited(label string, words ...string) {
	p.t.Helper()
	before := label + ", before"
	if words == nil {
		words = []string{"friends"}
	}
	p.say(before, "content", post.NewDraft("Note"), words...)
	change := func(d *post.Draft) error {
		d.Set("content", secretText(label))
		d.Remove("attachment")
		p.carry(p.alice, label, d)
		return nil
	}
	if _, err := p.alice.Edit(p.t.Context(), p.ids[before], change); err != nil {
		p.t.Fatal(err)
	}
	p.ids[label], p.deleted[before] = p.ids[before], true
}

// buried posts a text and takes it back.
func (p *parlor) buried(label string, words ...string) {
	p.t.Helper()
	p.say(label, "content", post.NewDraft("Note"), words...)
	if got := pullAll(p.t, p.bob); !got.Complete { // he holds it, and will ask
		p.t.Errorf("bob: %+v", got)
	}
	p.logged("bob")
	if _, err := p.alice.Delete(p.t.Context(), p.ids[label]); err != nil {
		p.t.Fatal(err)
	}
	p.deleted[label] = true
}

// narrowed posts for all friends, and then leaves it to Bob.
func (p *parlor) narrowed(label string) {
	p.t.Helper()
	p.say(label, "content", post.NewDraft("Note"), "friends")
	to, _, err := p.alice.People().Resolve([]string{"pet-bob-canary"})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.alice.ReaddressOf(p.t.Context(), p.ids[label], false, func(post.Audience) post.Audience { return to }); err != nil {
		p.t.Fatal(err)
	}
}
