package home

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Answers are what is held in answer to one post, but for that of people who
// are muted or blocked, and for what has expired (spec K19).
type Answers struct {
	Comments, Reposts int
	Likes             []Said // by their emoji, the most frequent first; "" is a plain like
	Responses         []Said // of an Event: yes, no and maybe, in this order, if there are any
	Choices           []Said // of a Question: each option, in its order
	Closed            bool   // of a Question: nobody can answer any more
}

// Any tells whether there is anything to tell.
func (a *Answers) Any() bool {
	return a != nil && (a.Comments+a.Reposts+len(a.Likes)+len(a.Responses)+len(a.Choices) > 0 || a.Closed)
}

// A Said is one thing that was said in answer, and who said it.
type Said struct {
	What string
	Who  []Voice
}

// A Voice is one person of whom one answer counts.
type Voice struct {
	Fingerprint pgp.Fingerprint
	Name        string
}

// Answers counts what is held in answer to some posts, by what the index knows
// now: call it after what read the posts.
func (h *Home) Answers(ctx context.Context, posts []*post.Post) (map[post.ID]*Answers, error) {
	l, err := h.library()
	if err != nil {
		return nil, err
	}
	return h.answersTo(ctx, l, posts)
}

// counted puts what is held in answer to posts beside each of them.
func (h *Home) counted(ctx context.Context, l *library, entries []Entry) error {
	posts := make([]*post.Post, len(entries))
	for i, e := range entries {
		posts[i] = e.Post
	}
	answers, err := h.answersTo(ctx, l, posts)
	for i, e := range entries {
		entries[i].Answers = answers[e.Post.ID()]
	}
	return err
}

func (h *Home) answersTo(ctx context.Context, l *library, posts []*post.Post) (map[post.ID]*Answers, error) {
	c := counting{about: map[post.ID]*post.Post{}, names: l.names, last: map[voted]int{}, out: map[post.ID]*Answers{}}
	var ids []post.ID
	for _, p := range posts {
		ids = append(ids, p.ID())
		c.about[p.ID()] = p
		c.out[p.ID()] = &Answers{}
	}
	err := h.withIndex(ctx, func(x *index.Index) error {
		return x.View(ctx, func(v *index.View) (err error) {
			c.rows, err = v.AnswersTo(ids, c.names.shown(), h.opt.Now())
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if err := h.readAnswers(ctx, &c, l.trees); err != nil {
		return nil, err
	}
	for i := range c.rows {
		c.take(i)
	}
	c.tally()
	for id, p := range c.about {
		if closes, ok := p.Ends(); ok && p.Type() == "Question" {
			c.out[id].Closed = h.opt.Now().After(closes.Time)
		}
	}
	return c.out, nil
}

// readAnswers reads the answers whose type does not say all: which emoji, which
// choice. One that cannot be read now is counted by what the index knows.
func (h *Home) readAnswers(ctx context.Context, c *counting, trees map[pgp.Fingerprint]tree) error {
	c.posts = make([]*post.Post, len(c.rows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range c.rows {
		t, known := trees[r.ID.Author]
		target, err := post.ParseID(r.Reply)
		if !known || err != nil || r.Type != "Like" && (r.Type != "Note" || c.about[target].Type() != "Question") {
			continue
		}
		g.Go(func() error {
			c.posts[i], _ = h.reopen(t, r) // edited in place at this moment: the next look tells
			return ctx.Err()
		})
	}
	return g.Wait()
}

// voted is one person's one voice about one post.
type voted struct {
	about post.ID
	who   pgp.Fingerprint
	class string
}

type counting struct {
	about map[post.ID]*post.Post
	names *names
	rows  []index.Row // ascending
	posts []*post.Post
	last  map[voted]int // the row that counts
	out   map[post.ID]*Answers
}

// Classes of answers of which one counts for each person.
const (
	liked    = "like"
	repeated = "repost"
	answered = "response"
	chose    = "choice"
)

// take looks at one answer: the later of one person takes the place of the
// earlier.
func (c *counting) take(i int) {
	r, target := c.rows[i], c.target(i)
	class := ""
	switch r.Type {
	case "Like":
		class = liked
	case "Announce":
		class = repeated
	case "Accept", "TentativeAccept", "Reject":
		class = answered
	default:
		if p := c.posts[i]; p != nil && p.Counts(target) {
			class = chose
			break
		}
		if p := c.posts[i]; p == nil || p.Choices() == nil { // a vote too late is no comment
			c.out[target.ID()].Comments++
		}
		return
	}
	c.last[voted{target.ID(), r.ID.Author, class}] = i
}

func (c *counting) target(i int) *post.Post {
	id, _ := post.ParseID(c.rows[i].Reply) // it was asked for
	return c.about[id]
}

func (c *counting) tally() {
	for id, p := range c.about {
		names, _ := p.Options()
		for _, name := range names {
			c.out[id].Choices = append(c.out[id].Choices, Said{What: name})
		}
	}
	for i, r := range c.rows { // ascending, so that who came first stands first
		target := c.target(i)
		a := c.out[target.ID()]
		voice := Voice{r.ID.Author, c.names.of(r.ID.Author)}
		counts := func(class string) bool { n, ok := c.last[voted{target.ID(), r.ID.Author, class}]; return ok && n == i }
		switch {
		case counts(liked):
			emoji := ""
			if c.posts[i] != nil {
				emoji = c.posts[i].Content()
			}
			a.Likes = add(a.Likes, emoji, voice)
		case counts(repeated):
			a.Reposts++
		case counts(answered) && target.Type() == "Event":
			a.Responses = add(a.Responses, response(r.Type), voice)
		case counts(chose):
			for _, choice := range c.posts[i].Choices() {
				a.Choices = add(a.Choices, choice, voice)
			}
		}
	}
	for _, a := range c.out {
		slices.SortStableFunc(a.Likes, func(x, y Said) int { return len(y.Who) - len(x.Who) })
		slices.SortFunc(a.Responses, func(x, y Said) int { return cmp.Compare(order(x.What), order(y.What)) })
	}
}

// response is the word for an answer to an event.
func response(kind string) string {
	for _, r := range post.Responses() {
		if r.Type == kind {
			return r.Word
		}
	}
	return ""
}

func order(word string) int {
	return slices.IndexFunc(post.Responses(), func(r post.Activity) bool { return r.Word == word })
}

func add(tallies []Said, what string, voice Voice) []Said {
	for i := range tallies {
		if tallies[i].What == what {
			tallies[i].Who = append(tallies[i].Who, voice)
			return tallies
		}
	}
	return append(tallies, Said{what, []Voice{voice}})
}
