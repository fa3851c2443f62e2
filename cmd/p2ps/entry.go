package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// postLine is a post as JSON.
type postLine struct {
	header
	ID         string       `json:"id"`
	Author     string       `json:"author"`
	Name       string       `json:"name"`
	Published  string       `json:"published"`
	Updated    string       `json:"updated,omitempty"` // when this text was written, of an edited post
	Received   string       `json:"received,omitempty"`
	Revision   int64        `json:"revision"`
	Visibility string       `json:"visibility"`
	To         []string     `json:"to,omitempty"` // only of my own
	Verified   bool         `json:"verified"`
	Revoked    bool         `json:"revoked,omitzero"` // its key was lost or compromised
	Path       string       `json:"path"`
	Post       ijson.Value  `json:"post"`
	Depth      *int         `json:"depth,omitempty"`   // in a thread: 0 is what began it
	Answers    *int         `json:"answers,omitempty"` // of those that are held
	Likes      *int         `json:"likes,omitempty"`
	Reposts    *int         `json:"reposts,omitempty"`
	Said       *answersLine `json:"said,omitempty"` // in answer to it, of what is held
}

func lineOf(en home.Entry) postLine {
	p := en.Post
	l := postLine{header: kind("post"), ID: p.ID().String(), Author: string(p.ID().Author), Name: text.Clean(en.Name),
		Published: post.FormatTime(p.Published()), Revision: p.Revision(), Visibility: "private", To: en.To, Verified: true,
		Revoked: p.Revoked(), Path: en.Path, Post: p.Wire(), Said: answersLineOf(en.Answers)}
	if p.Public() {
		l.Visibility = "public"
	}
	if at, err := post.ParseTime(p.Updated()); err == nil {
		l.Updated = post.FormatTime(at)
	}
	if !en.Received.IsZero() {
		l.Received = post.FormatTime(en.Received)
	}
	return l
}

// short is the end of an id by which it can be named.
func short(id post.ID) string { return string(id.Position[len(id.Position)-6:]) }

// columns are a post as text in a pipe: the whole id, the date, the author, the
// type and the text, in one line.
func columns(en home.Entry) []string {
	p := en.Post
	return []string{p.ID().String(), post.FormatTime(p.Published()), en.Name, p.Type(), inBrief(p)}
}

// changedAt is when this text of a post was written.
func changedAt(p *post.Post) time.Time {
	if at, err := post.ParseTime(p.Updated()); err == nil {
		return at
	}
	return p.Published()
}

// block draws a post for a person: a line with who, when and the short id, and
// below it what it says. Of a history each text has its revision and its time.
func (e *env) block(b home.Branch, now time.Time, history bool) string {
	en, p := b.Entry, b.Post
	head := []string{text.Clean(en.Name), text.Ago(p.Published(), now), "…" + short(p.ID())}
	if history {
		head[1] = fmt.Sprintf("revision %d, %s", p.Revision(), changedAt(p).In(now.Location()).Format("2006-01-02 15:04"))
	}
	if !en.Mine && en.Trust != "" && en.Trust != keyring.TrustVerified {
		head[0] += " (" + string(en.Trust) + ")"
	}
	if p.Type() != "Note" {
		head = append(head, text.Clean(p.Type()))
	}
	switch {
	case en.Mine:
		head = append(head, "to "+text.Clean(strings.Join(en.To, ", ")))
	case p.Public():
		head = append(head, "public")
	}
	if p.Revision() > 1 && !history {
		head = append(head, "edited")
	}
	if p.Revoked() {
		head = append(head, "KEY REVOKED")
	}
	for _, c := range []struct {
		n         int
		one, many string
	}{{b.Answers, "answer", "answers"}, {b.Likes, "like", "likes"}, {b.Reposts, "repost", "reposts"}} {
		switch c.n {
		case 0:
		case 1:
			head = append(head, "1 "+c.one)
		default:
			head = append(head, fmt.Sprint(c.n, " ", c.many))
		}
	}
	left := indentation(b.Depth)
	body := text.Wrap(text.Isolate(text.Block(saidIn(p, now.Location()))), min(e.width(), 100), left+"  ")
	if figures := answersWords(figuresOf(b), true); figures != "" && !history {
		if a := figuresOf(b); !en.Mine && len(a.Responses)+len(a.Choices) > 0 {
			figures += " (as far as you are told)" // answers go to the author
		}
		body = strings.TrimRight(body, "\n") + "\n" + e.paint(faint, text.Wrap(figures, min(e.width(), 100), left+"  "))
	}
	return fmt.Sprintf("%s%s\n%s\n", left, e.paint(bold, strings.Join(head, " · ")), strings.TrimRight(body, "\n"))
}

// indentation is how far an answer stands to the right. However deep it is, its
// text has room.
func indentation(depth int) string { return strings.Repeat("  ", min(depth, 12)) }
