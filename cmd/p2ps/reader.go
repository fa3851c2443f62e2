package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
)

// A reader prints posts one after the other: as JSON Lines, as lines in a pipe,
// or for a person. It holds none of them.
type reader struct {
	e       *env
	n       int  // so many were printed
	threads bool // they have a depth
	counts  bool // and their likes and answers are known
	history bool // they are the texts of one post
	live    bool // they come as they are written: no pager is begun
	mark    func([]post.ID) error
	ids     []post.ID // printed, and not marked as read
	now     time.Time
}

func (e *env) reader() *reader { return &reader{e: e, now: e.now()} }

func (r *reader) entry(en home.Entry) error { return r.branch(home.Branch{Entry: en}) }

func (r *reader) branch(b home.Branch) error {
	if r.mark != nil && !b.Mine {
		r.ids = append(r.ids, b.Post.ID())
	}
	r.n++
	if r.e.out && !r.e.json.on {
		return r.forPerson(b)
	}
	if r.e.json.on {
		return r.asJSON(b)
	}
	words := columns(b.Entry)
	if r.threads {
		words[len(words)-1] = indentation(b.Depth) + words[len(words)-1]
	}
	if figures := answersWords(figuresOf(b), false); figures != "" && !r.history {
		words = append(words, figures)
	}
	if r.history {
		words = append(words, strconv.FormatInt(b.Post.Revision(), 10), post.FormatTime(changedAt(b.Post)))
	}
	return r.e.line(nil, words)
}

func (r *reader) asJSON(b home.Branch) error {
	line := lineOf(b.Entry)
	line.Said = answersLineOf(figuresOf(b))
	if r.threads {
		line.Depth = &b.Depth
	}
	if r.counts {
		line.Answers, line.Likes, line.Reposts = &b.Answers, &b.Likes, &b.Reposts
	}
	return r.e.line(line, nil)
}

func (r *reader) forPerson(b home.Branch) error {
	switch {
	case r.n > 1:
		if _, err := fmt.Fprintln(r.e.stdout); err != nil {
			return err
		}
	case !r.live:
		if err := r.e.page(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(r.e.stdout, r.e.block(b, r.now, r.history))
	return err
}

// handOn ends what was printed so far: what nobody can have seen is not marked
// as read.
func (r *reader) handOn() error {
	if err := r.e.stdout.Flush(); err != nil || len(r.ids) == 0 {
		return err
	}
	err := r.mark(r.ids)
	r.ids = nil
	return err
}

// show prints some posts.
func (e *env) show(entries []home.Entry) error { return e.showEntries(entries, false) }

// showEntries is show; with history each line also says which revision it is, and
// when that was written.
func (e *env) showEntries(entries []home.Entry, history bool) error {
	entries, err := e.withFigures(entries, history)
	if err != nil {
		return err
	}
	r := e.reader()
	r.history = history
	for _, en := range entries {
		if err := r.entry(en); err != nil {
			return err
		}
	}
	return r.handOn()
}
