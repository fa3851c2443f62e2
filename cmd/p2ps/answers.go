package main

import (
	"fmt"
	"strings"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// answersLine is what is held in answer to a post, as JSON.
type answersLine struct {
	Comments  int        `json:"comments,omitzero"`
	Reposts   int        `json:"reposts,omitzero"`
	Likes     []saidLine `json:"likes,omitempty"`
	Responses []saidLine `json:"responses,omitempty"` // yes, no, maybe
	Choices   []saidLine `json:"choices,omitempty"`   // every option, chosen or not
	Closed    bool       `json:"closed,omitzero"`
}

// saidLine is one thing said in answer; what is the emoji of a like, and is
// left out of a plain one.
type saidLine struct {
	What  string   `json:"what,omitempty"`
	Count int      `json:"count"`
	Who   []string `json:"who,omitempty"` // fingerprints
}

func answersLineOf(a *home.Answers) *answersLine {
	if !a.Any() {
		return nil
	}
	return &answersLine{a.Comments, a.Reposts, saidLines(a.Likes), saidLines(a.Responses), saidLines(a.Choices), a.Closed}
}

func saidLines(said []home.Said) (out []saidLine) {
	for _, s := range said {
		line := saidLine{What: s.What, Count: len(s.Who)}
		for _, v := range s.Who {
			line.Who = append(line.Who, string(v.Fingerprint))
		}
		out = append(out, line)
	}
	return out
}

// withFigures puts what is held in answer to posts beside each of them. The
// earlier texts of a history have none.
func (e *env) withFigures(entries []home.Entry, history bool) ([]home.Entry, error) {
	if len(entries) == 0 || history {
		return entries, nil
	}
	h, err := e.home()
	if err != nil {
		return nil, err
	}
	posts := make([]*post.Post, len(entries))
	for i, en := range entries {
		posts[i] = en.Post
	}
	answers, err := h.Answers(e.running.Context(), posts)
	if err != nil {
		return nil, err
	}
	for i, en := range entries {
		entries[i].Answers = answers[en.Post.ID()]
	}
	return entries, nil
}

// answersWords are the figures of a post in one line, "" if there are none.
// With names those who answer an event or a question are named. It is clean.
func answersWords(a *home.Answers, names bool) string {
	if !a.Any() {
		return ""
	}
	var parts []string
	for _, group := range [][]home.Said{a.Responses, a.Choices} {
		for _, s := range group {
			part := fmt.Sprintf("%s %d", text.Clean(s.What), len(s.Who))
			if names && len(s.Who) > 0 {
				part += " (" + text.Clean(strings.Join(voices(s), ", ")) + ")"
			}
			parts = append(parts, part)
		}
	}
	if a.Closed {
		parts = append(parts, "closed")
	}
	if a.Comments > 0 {
		parts = append(parts, counted(a.Comments, "comment"))
	}
	for _, s := range a.Likes {
		what := text.Clean(s.What)
		if what == "" {
			what = "♥"
		}
		parts = append(parts, fmt.Sprintf("%s %d", what, len(s.Who)))
	}
	if a.Reposts > 0 {
		parts = append(parts, fmt.Sprintf("repeated %d", a.Reposts))
	}
	return strings.Join(parts, " · ")
}

// figuresOf is what is told of the answers to a post beside the post: where its
// answers stand below it, or are counted above it, only how it stands with an
// event or a question.
func figuresOf(b home.Branch) *home.Answers {
	a := b.Entry.Answers
	if a == nil || b.Answers+b.Likes+b.Reposts == 0 {
		return a
	}
	return &home.Answers{Responses: a.Responses, Choices: a.Choices, Closed: a.Closed}
}

func voices(s home.Said) (names []string) {
	for _, v := range s.Who {
		names = append(names, v.Name)
	}
	return names
}
