package home

import (
	"context"
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Branch is a post in a thread.
type Branch struct {
	Entry
	Depth   int // 0 is what began it
	Answers int // to it, that are shown; counted are only posts that I hold
	Likes   int
	Reposts int
}

// A Thread is what Thread has to say beside the posts.
type Thread struct {
	Missing string // the id that the first posts answer, and that is not here; "" if it is
	Hidden  int    // posts of muted people that are left out
}

// Thread shows the tree of answers to which a post belongs, whichever of its
// posts that is: what began it, or what is left of it, and below each post its
// answers, the oldest first. It is made of what I hold alone. A like or a repost
// stands for what it is about.
func (h *Home) Thread(ctx context.Context, id post.ID, show func(Branch) error) (Thread, error) {
	l, err := h.library()
	if err != nil {
		return Thread{}, err
	}
	var t threading
	err = h.reading(ctx, l, func(x *index.Index) error {
		return x.View(ctx, func(v *index.View) error {
			t = threading{v: v, l: l, at: h.opt.Now().Unix(), branches: map[post.ID]*Branch{}}
			t.filter = index.Filter{At: h.opt.Now()}
			for fpr := range l.trees {
				t.filter.Authors = append(t.filter.Authors, fpr)
			}
			return t.gather(id)
		})
	})
	if err != nil {
		return Thread{}, err
	}
	err = h.showAll(ctx, l, t.order, func(e Entry) error {
		b := *t.branches[e.Post.ID()]
		b.Entry = e
		return show(b)
	})
	return t.Thread, err
}

// threading is a thread that is being gathered, out of the index alone.
type threading struct {
	Thread
	v        *index.View
	l        *library
	at       int64
	filter   index.Filter
	branches map[post.ID]*Branch
	order    []post.ID
}

func (t *threading) gather(id post.ID) error {
	row, ok, err := t.row(id)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoPost, id)
	}
	first, err := t.climb(row)
	if err != nil {
		return err
	}
	type step struct {
		row   index.Row
		depth int
	}
	var stack []step
	push := func(rows []index.Row, depth int) {
		for _, r := range slices.Backward(rows) {
			stack = append(stack, step{r, depth})
		}
	}
	push(first, 0)
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if t.branches[at.row.ID] != nil {
			continue // answers that go round in a circle
		}
		b := &Branch{Depth: at.depth}
		t.branches[at.row.ID] = b
		if t.hides(at.row.ID.Author) {
			t.Hidden++
		} else {
			t.order = append(t.order, at.row.ID)
		}
		about, err := t.v.About(at.row.ID.String(), t.filter)
		if err != nil {
			return err
		}
		push(t.count(b, about), at.depth+1)
	}
	return nil
}

// count tells a post's answers from what is only counted.
func (t *threading) count(b *Branch, about []index.Row) (answers []index.Row) {
	for _, r := range about {
		shown := 0
		if !t.hides(r.ID.Author) {
			shown = 1
		}
		switch r.Type {
		case "Like":
			b.Likes += shown
		case "Announce":
			b.Reposts += shown
		default:
			b.Answers += shown
			answers = append(answers, r)
		}
	}
	return answers
}

// climb goes from a post to what began its thread. If that is not here, the
// thread begins with all that answers it.
func (t *threading) climb(row index.Row) ([]index.Row, error) {
	seen := map[post.ID]bool{}
	for !seen[row.ID] {
		seen[row.ID] = true
		if row.Reply == "" {
			return []index.Row{row}, nil
		}
		id, err := post.ParseID(row.Reply)
		ok := false
		var up index.Row
		if err == nil {
			if up, ok, err = t.row(id); err != nil {
				return nil, err
			}
		}
		if !ok {
			t.Missing = row.Reply
			about, err := t.v.About(row.Reply, t.filter)
			return t.count(&Branch{}, about), err
		}
		row = up
	}
	// A circle begins nowhere: the oldest of it is as good as any.
	first, at := row, row
	for {
		id, _ := post.ParseID(at.Reply) // it was followed before
		up, _, err := t.row(id)
		if err != nil {
			return nil, err
		}
		if at = up; at.ID == row.ID {
			return []index.Row{first}, nil
		}
		if at.ID.Position < first.ID.Position {
			first = at
		}
	}
}

// row is a post that can be shown.
func (t *threading) row(id post.ID) (index.Row, bool, error) {
	if _, known := t.l.trees[id.Author]; !known {
		return index.Row{}, false, nil
	}
	r, ok, err := t.v.Row(id)
	return r, ok && r.State == index.Live && (r.Expires.IsZero() || r.Expires.Unix() > t.at), err
}

func (t *threading) hides(fpr pgp.Fingerprint) bool { return t.l.names.people[fpr].Muted }

// ReadThreads is Read with each post under what it answers, if that is among
// those shown too. A thread stands where its newest post would (the oldest, with Oldest);
// answers stand in order of time.
func (h *Home) ReadThreads(ctx context.Context, view View, show func(Branch) error) error {
	l, err := h.library()
	if err != nil {
		return err
	}
	var about []answer
	err = h.rows(ctx, l, view, func(rows []index.Row) error {
		for _, r := range rows {
			id, _ := post.ParseID(r.Reply) // what is no post of ours is nowhere
			about = append(about, answer{r.ID, id})
		}
		return nil
	})
	if err != nil {
		return err
	}
	order, depth := forest(about, view.Oldest)
	return h.showAll(ctx, l, order, func(e Entry) error { return show(Branch{Entry: e, Depth: depth[e.Post.ID()]}) })
}

type answer struct{ id, to post.ID }

// forest orders posts, which come by time, as trees.
func forest(list []answer, oldest bool) (order []post.ID, depth map[post.ID]int) {
	to := make(map[post.ID]post.ID, len(list))
	for _, a := range list {
		to[a.id] = a.to
	}
	top := map[post.ID]post.ID{}
	var tops []post.ID
	below := map[post.ID][]post.ID{}
	for _, a := range list {
		path := []post.ID{}
		on := map[post.ID]bool{}
		at := a.id
		for top[at] == (post.ID{}) && !on[at] {
			path, on[at] = append(path, at), true
			if _, shown := to[to[at]]; !shown {
				break
			}
			at = to[at]
		}
		first := top[at]
		if first == (post.ID{}) {
			first = at // it answers nothing here, or goes round in a circle
			tops = append(tops, first)
		}
		for _, id := range path {
			top[id] = first
		}
	}
	if !oldest {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	for _, a := range list { // by time now
		if top[a.id] != a.id {
			below[a.to] = append(below[a.to], a.id)
		}
	}
	depth = make(map[post.ID]int, len(list))
	stack := slices.Clone(tops)
	slices.Reverse(stack)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, id)
		for _, b := range slices.Backward(below[id]) {
			depth[b] = depth[id] + 1
			stack = append(stack, b)
		}
	}
	return order, depth
}
