package home_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
)

// A hall is Alice, who asks and counts, and Bob, who answers her.
type hall struct {
	t          *testing.T
	alice, bob *home.Home
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t, newHome(t, "Alice"), newHome(t, "Bob")}
	befriend(t, h.bob, h.alice, "")
	befriend(t, h.alice, h.bob, served(t, h.bob))
	return h
}

func (h *hall) say(who *home.Home, d *post.Draft) *post.Post {
	h.t.Helper()
	p, err := who.Post(h.t.Context(), d, post.Audience{Public: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// about drafts an answer.
func about(kind, member string, p *post.Post, members ...string) *post.Draft {
	d := post.NewDraft(kind)
	d.Set(member, p.ID().String())
	for i := 0; i < len(members); i += 2 {
		d.Set(members[i], members[i+1])
	}
	return d
}

// counts has Alice pull, and tells what she counts.
func (h *hall) counts(p *post.Post) string {
	h.t.Helper()
	pullAll(h.t, h.alice)
	answers, err := h.alice.Answers(h.t.Context(), []*post.Post{p})
	if err != nil {
		h.t.Fatal(err)
	}
	a := answers[p.ID()]
	var parts []string
	for _, group := range [][]home.Said{a.Responses, a.Choices, a.Likes} {
		for _, s := range group {
			var who []string
			for _, v := range s.Who {
				who = append(who, v.Name)
			}
			parts = append(parts, fmt.Sprintf("%s[%s]", s.What, strings.Join(who, " ")))
		}
	}
	if a.Closed {
		parts = append(parts, "closed")
	}
	return strings.TrimSpace(fmt.Sprintf("%s, %d comments, %d reposts", strings.Join(parts, " "), a.Comments, a.Reposts))
}

func (h *hall) wants(p *post.Post, want string) {
	h.t.Helper()
	if got := h.counts(p); got != want {
		h.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Of one person the newest answer counts, whatever it is; none that has expired
// or was taken back, and none of somebody muted or blocked.
//
// spec: K11, K19
func TestAnswersAreCounted(t *testing.T) {
	h := newHall(t)
	event := post.NewDraft("Event")
	event.Set("name", "lunch")
	event.Set("startTime", "2026-11-29")
	lunch := h.say(h.alice, event)
	h.wants(lunch, ", 0 comments, 0 reposts")

	h.say(h.bob, about("Accept", "object", lunch))
	h.say(h.bob, about("Reject", "object", lunch))
	last := h.say(h.bob, about("TentativeAccept", "object", lunch))
	h.say(h.alice, about("Accept", "object", lunch))
	h.say(h.bob, about("Like", "object", lunch, "content", "🎉"))
	h.say(h.bob, about("Like", "object", lunch))
	h.say(h.bob, about("Like", "object", lunch, "content", "🎉", "expires", "2020-01-01T00:00:00Z"))
	h.say(h.bob, about("Note", "inReplyTo", lunch, "content", "with Ann"))
	h.say(h.bob, about("Note", "inReplyTo", lunch, "content", "and Tom"))
	repeat := post.NewDraft("Announce")
	repeat.SetValue("object", lunch.Wire())
	h.say(h.bob, repeat)
	h.say(h.bob, repeat)
	h.wants(lunch, "yes[me] maybe[Bob] [Bob], 2 comments, 1 reposts")

	if _, err := h.bob.Delete(t.Context(), last.ID()); err != nil {
		t.Fatal(err)
	}
	h.wants(lunch, "yes[me] no[Bob] [Bob], 2 comments, 1 reposts")

	bob, err := h.bob.Me()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.alice.People().SetMuted(bob.Fingerprint(), true); err != nil {
		t.Fatal(err)
	}
	h.wants(lunch, "yes[me], 0 comments, 0 reposts")
	if err := h.alice.People().SetMuted(bob.Fingerprint(), false); err != nil {
		t.Fatal(err)
	}
	h.wants(lunch, "yes[me] no[Bob] [Bob], 2 comments, 1 reposts")
	if err := h.alice.People().Block(bob.Fingerprint(), bob); err != nil {
		t.Fatal(err)
	}
	answers, err := h.alice.Answers(t.Context(), []*post.Post{lunch})
	if err != nil {
		t.Fatal(err)
	}
	if a := answers[lunch.ID()]; a.Comments != 0 || len(a.Responses) != 1 || len(a.Likes) != 0 {
		t.Errorf("of somebody blocked: %+v", a)
	}
}

// A choice counts as the specification says; what is none is a comment, but for
// one that came too late.
//
// spec: K17, K18
func TestChoicesAreCounted(t *testing.T) {
	h := newHall(t)
	ask := func(list, closes string) *post.Post {
		d := post.NewDraft("Question")
		d.Set("content", "where?")
		d.SetValue(list, post.OptionsValue([]string{"here", "there"}))
		d.Set("endTime", closes)
		return h.say(h.alice, d)
	}
	choose := func(q *post.Post, choices ...string) {
		d := about("Note", "inReplyTo", q, "content", strings.Join(choices, ", "))
		d.SetTexts("choices", choices)
		h.say(h.bob, d)
	}
	one := ask("oneOf", post.FormatTime(time.Now().Add(time.Hour)))
	choose(one, "here")
	choose(one, "there")
	choose(one, "here", "there")
	choose(one, "elsewhere")
	h.say(h.bob, about("Note", "inReplyTo", one, "content", "here"))
	h.wants(one, "here[] there[Bob], 1 comments, 0 reposts")

	any := ask("anyOf", "")
	choose(any, "here", "there")
	h.wants(any, "here[Bob] there[Bob], 0 comments, 0 reposts")
	choose(any, "there")
	h.wants(any, "here[] there[Bob], 0 comments, 0 reposts")

	closed := ask("oneOf", "2026-01-01T00:00:00Z")
	choose(closed, "here")
	h.wants(closed, "here[] there[] closed, 0 comments, 0 reposts")

	// An answer to an event says nothing of a question.
	h.say(h.bob, about("Accept", "object", any))
	h.wants(any, "here[] there[Bob], 0 comments, 0 reposts")
}
