package home

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// An Entry is one post as it is shown.
type Entry struct {
	Post     *post.Post
	Name     string        // the pet name of its author; "me"
	Trust    keyring.Trust // in his key; of others' posts only
	Mine     bool
	Received time.Time
	Path     string
	To       []string // the words of --to; of my own posts only
	Answers  *Answers // what is held in answer to it, once counted
}

// A View is what a timeline shows; the zero View is everything, newest first.
type View struct {
	Since, Until time.Time
	From         []pgp.Fingerprint // nil is everybody who is neither blocked nor muted
	Group        string            // posts by its members, and my own for it
	Type         string
	Limit        int // 0 is all
	Oldest       bool
	Counted      bool // with what is held in answer to each
	Unread       bool // by others, without a mark of having been read
}

// atOnce is how many posts are read at a time: what is shown is never held
// whole.
const atOnce = 256

// Timeline lists posts by time. Each is read from its file, and is what the
// file holds now.
func (h *Home) Timeline(ctx context.Context, view View) ([]Entry, error) {
	var entries []Entry
	err := h.Read(ctx, view, func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// Read is Timeline for any number of posts: show gets one after the other, and
// ends it with an error.
func (h *Home) Read(ctx context.Context, view View, show func(Entry) error) error {
	l, err := h.library()
	if err != nil {
		return err
	}
	return h.pages(ctx, l, view, func(rows []index.Row) (after func() error, err error) {
		entries, err := h.entries(ctx, rows, l)
		return func() error {
			if view.Counted {
				if err := h.counted(ctx, l, entries); err != nil {
					return err
				}
			}
			for _, e := range entries {
				if err := show(e); err != nil {
					return err
				}
			}
			return nil
		}, err
	})
}

// rows is Read for what the index knows of the posts.
func (h *Home) rows(ctx context.Context, l *library, view View, take func([]index.Row) error) error {
	return h.pages(ctx, l, view, func(rows []index.Row) (func() error, error) {
		return func() error { return take(rows) }, nil
	})
}

// pages looks at what a view chooses, some posts at a time. look may run again
// for the same posts, if a file changed; after runs once.
func (h *Home) pages(ctx context.Context, l *library, view View, look func([]index.Row) (after func() error, err error)) error {
	f, err := h.filter(l, view)
	if err != nil {
		return err
	}
	for left := view.Limit; ; left -= f.Limit {
		f.Limit = atOnce
		if view.Limit > 0 {
			f.Limit = min(left, atOnce)
		}
		var rows []index.Row
		var after func() error
		err := h.readingPage(ctx, l, f.Past != nil, func(x *index.Index) error {
			if f.Unread && f.Past == nil {
				if err := h.followUnread(ctx, x, l.names.me); err != nil {
					return err
				}
			}
			err := x.View(ctx, func(v *index.View) (err error) {
				rows, err = v.Timeline(f)
				return err
			})
			if err != nil {
				return err
			}
			after, err = look(rows)
			return err
		})
		if err != nil {
			return err
		}
		if err := after(); err != nil {
			return err
		}
		if len(rows) < f.Limit || left == f.Limit {
			return context.Cause(ctx)
		}
		f.Past = &rows[len(rows)-1]
	}
}

// filter is a view as the index knows it.
func (h *Home) filter(l *library, view View) (index.Filter, error) {
	f := index.Filter{Since: view.Since, Until: view.Until, Type: view.Type, Limit: view.Limit, Oldest: view.Oldest, At: h.opt.Now(), Authors: view.From,
		Of: l.names.me, Unread: view.Unread}
	if view.From == nil {
		f.Authors = l.names.shown()
	}
	if view.Group != "" {
		members, err := h.members(view.Group)
		if err != nil {
			return f, err
		}
		f.Audience = view.Group
		f.Authors = slices.DeleteFunc(slices.Clone(f.Authors), func(a pgp.Fingerprint) bool { return a != l.names.me && !members[a] })
	}
	return f, nil
}

// A library is everything I read: whose, where it lies and what they are called.
type library struct {
	names *names
	all   []tree
	trees map[pgp.Fingerprint]tree
}

func (h *Home) library() (*library, error) {
	people, err := h.readable()
	if err != nil {
		return nil, err
	}
	l := &library{trees: map[pgp.Fingerprint]tree{}}
	if l.all, err = h.treesOf(people); err != nil {
		return nil, err
	}
	for _, t := range l.all {
		l.trees[t.author()] = t
	}
	l.names = &names{l.all[0].author(), map[pgp.Fingerprint]keyring.Person{}}
	for _, p := range people {
		l.names.people[p.Fingerprint] = p
	}
	return l, nil
}

// reading runs read on an index in step with the files. If one turns out to be
// edited in place, every file is looked at, and it runs again.
func (h *Home) reading(ctx context.Context, l *library, read func(*index.Index) error) error {
	return h.readingPage(ctx, l, false, read)
}

// readingPage is reading; with inStep the index was brought in step a moment
// ago, which is done again only if a file turns out to be edited.
func (h *Home) readingPage(ctx context.Context, l *library, inStep bool, read func(*index.Index) error) (err error) {
	for range moments {
		moved := errors.Is(err, errMoved)
		err = h.withIndex(ctx, func(x *index.Index) error {
			if !inStep || moved {
				if err := h.sync(ctx, x, moved, l.all...); err != nil {
					return err
				}
			}
			return read(x)
		})
		if !errors.Is(err, errMoved) {
			break
		}
	}
	return err
}

// entries reads the files of rows on all cores.
func (h *Home) entries(ctx context.Context, rows []index.Row, l *library) ([]Entry, error) {
	out := make([]Entry, len(rows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	const run = 64
	for i := 0; i < len(rows); i += run {
		g.Go(func() error {
			for j := i; j < min(i+run, len(rows)); j++ {
				t, ok := l.trees[rows[j].ID.Author]
				if !ok {
					return fmt.Errorf("%w: %s", ErrNoPost, rows[j].ID)
				}
				p, err := h.reopen(t, rows[j])
				if err != nil {
					return err
				}
				out[j] = h.entry(p, rows[j].Received, t, l.names)
			}
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

func (h *Home) entry(p *post.Post, received time.Time, t tree, names *names) Entry {
	e := Entry{Post: p, Name: names.of(p.ID().Author), Trust: names.people[p.ID().Author].Trust, Mine: t.mine, Received: received, Path: h.root.Path(t.Path(p.ID().Position))}
	if t.mine {
		e.To = h.AudienceWords(p)
	}
	return e
}

// AudienceWords are whom a post of mine is for, in the words of --to.
func (h *Home) AudienceWords(p *post.Post) []string {
	a, err := p.Audience()
	if err != nil || len(a.Members()) == 0 {
		return []string{"me"}
	}
	return h.people.Names(a)
}

// names are how people are called.
type names struct {
	me     pgp.Fingerprint
	people map[pgp.Fingerprint]keyring.Person
}

func (n *names) of(fpr pgp.Fingerprint) string {
	if fpr == n.me {
		return "me"
	}
	return n.people[fpr].Name
}

// shown are all whose posts a timeline shows unasked.
func (n *names) shown() []pgp.Fingerprint {
	authors := []pgp.Fingerprint{n.me}
	for fpr, p := range n.people {
		if !p.Muted {
			authors = append(authors, fpr)
		}
	}
	return authors
}

func (h *Home) members(group string) (map[pgp.Fingerprint]bool, error) {
	groups, err := h.people.Groups()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.Name == group {
			members := map[pgp.Fingerprint]bool{}
			for _, m := range g.Members {
				members[m.Fingerprint] = true
			}
			return members, nil
		}
	}
	return nil, fmt.Errorf("the group %q: %w", group, keyring.ErrUnknown)
}

// Find resolves the id of a post: a whole one, a position, or the end of one,
// of four characters or more, that no other post has.
func (h *Home) Find(ctx context.Context, s string) (post.ID, error) {
	if id, err := post.ParseID(s); err == nil {
		return id, nil
	}
	s = strings.TrimPrefix(s, "…")
	if len(s) < 4 || strings.Trim(s, "0123456789-abcdefghijklmnopqrstuvwxyz") != "" {
		return post.ID{}, fmt.Errorf("%w: %.120q is neither an id nor the end of one, of four characters or more", post.ErrID, s)
	}
	l, err := h.library()
	if err != nil {
		return post.ID{}, err
	}
	var rows []index.Row
	err = h.reading(ctx, l, func(x *index.Index) error {
		return x.View(ctx, func(v *index.View) (err error) {
			rows, err = v.Ending(s, 3)
			return err
		})
	})
	switch {
	case err != nil:
		return post.ID{}, err
	case len(rows) == 0:
		return post.ID{}, fmt.Errorf("%w: %s", ErrNoPost, s)
	case len(rows) > 1:
		return post.ID{}, fmt.Errorf("%w: …%s and …%s", ErrAmbiguous, rows[0].ID.Position, rows[1].ID.Position)
	}
	return rows[0].ID, nil
}

// Which posts Recent lists.
type Which int

const (
	AnyPost   Which = iota // that is shown, of whomever
	MyPosts                // of mine, not deleted
	MyDeleted              // of mine
)

// Recent lists the newest posts that the index knows, newest first, at most n.
// It looks at no file of a feed and makes no index: where there is none, or it
// cannot be read, the list is empty. It is for completion, which must not wait.
func (h *Home) Recent(ctx context.Context, which Which, n int) (rows []index.Row) {
	there, err := h.root.Exists("cache")
	if err != nil || !there {
		return nil
	}
	x := h.openedIndex(ctx)
	if x == nil {
		return nil
	}
	_ = x.View(ctx, func(v *index.View) error { // what cannot be read is not offered
		authors, err := v.Authors()
		if which != AnyPost {
			me, mineErr := h.people.Me()
			if mineErr != nil {
				return mineErr
			}
			authors = []pgp.Fingerprint{me.Fingerprint()}
		}
		switch {
		case err != nil:
			return err
		case which == MyDeleted:
			if rows, err = v.InState(authors[0], index.Tombstone); err != nil {
				return err
			}
			slices.SortFunc(rows, func(a, b index.Row) int { return strings.Compare(string(b.ID.Position), string(a.ID.Position)) })
			rows = rows[:min(n, len(rows))]
			return nil
		}
		rows, err = v.Timeline(index.Filter{Authors: authors, Limit: n, At: h.opt.Now()})
		return err
	})
	return rows
}

// Show reads one post.
func (h *Home) Show(ctx context.Context, id post.ID) (Entry, error) {
	l, err := h.library()
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	err = h.reading(ctx, l, func(x *index.Index) error {
		var row index.Row
		var ok bool
		err := x.View(ctx, func(v *index.View) (err error) {
			row, ok, err = v.Row(id)
			return err
		})
		if err != nil {
			return err
		}
		t, known := l.trees[id.Author]
		switch {
		case !ok || !known || row.State == index.Removed:
			return fmt.Errorf("%w: %s", ErrNoPost, id)
		case row.State == index.Edited || row.State == index.Older:
			return fmt.Errorf("%w: %s", ErrDraft, h.root.Path(t.Path(id.Position)))
		case row.State == index.Broken:
			return fmt.Errorf("%w: %s: %s", ErrNoPost, h.root.Path(t.Path(id.Position)), row.Why)
		}
		p, err := h.reopen(t, row)
		if err == nil {
			e = h.entry(p, row.Received, t, l.names)
		}
		return err
	})
	return e, err
}

// History lists the earlier texts of a post that are kept, oldest first.
func (h *Home) History(e Entry) ([]Entry, error) {
	id := e.Post.ID()
	cert, err := h.people.Me()
	if !e.Mine && err == nil {
		cert, err = h.people.Certificate(id.Author)
	}
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, revision := range h.aside("history", id) {
		name := feed.History(post.Version{ID: id, Revision: revision})
		raw, _, err := h.root.ReadFile(name, post.MaxFile)
		if err != nil {
			return nil, err
		}
		if p, err := opener(e.Mine)(raw, cert); err == nil && p.ID() == id {
			was := e
			was.Post, was.Path = p, h.root.Path(name)
			out = append(out, was)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return int(a.Post.Revision() - b.Post.Revision()) })
	return out, nil
}

// Readers are the friends who may see a post of mine, by the rule that answers
// them. It need not be in the index yet, nor on the disk.
func (h *Home) Readers(p *post.Post) ([]keyring.Person, error) {
	a, err := p.Audience()
	if err != nil {
		return nil, err
	}
	return h.readers(a, p.ID().Position)
}

// ReadersOf are the friends who would see a post for an audience, written now.
func (h *Home) ReadersOf(a post.Audience) ([]keyring.Person, error) {
	position, err := h.nextPosition(h.opt.Now())
	if err != nil {
		return nil, err
	}
	return h.readers(a, position)
}

func (h *Home) readers(a post.Audience, position post.Position) ([]keyring.Person, error) {
	friends, err := h.people.Friends()
	if err != nil {
		return nil, err
	}
	var out []keyring.Person
	for _, f := range friends {
		g, err := h.people.Grants(f.Fingerprint)
		if err != nil {
			return nil, err
		}
		if post.Visible(a, g, position) {
			out = append(out, f)
		}
	}
	return out, nil
}

// WhoGets are the friends who would get a post of mine now: it is asked for as
// each of them would, and the very code that answers him answers.
func (h *Home) WhoGets(ctx context.Context, id post.ID) ([]keyring.Person, error) {
	friends, err := h.people.Friends()
	if err != nil {
		return nil, err
	}
	var out []keyring.Person
	for _, f := range friends {
		a, err := h.Answer(ctx, f.Fingerprint, wire.Question{Kind: wire.KindIDs, Want: []post.ID{id}}, h.opt.Now())
		if err != nil {
			return nil, err
		}
		if len(a.Items) > 0 {
			out = append(out, f)
		}
	}
	return out, nil
}

// PathOf is the file of a post of mine.
func (h *Home) PathOf(id post.ID) string { return h.root.Path(feed.Mine.Path(id.Position)) }
