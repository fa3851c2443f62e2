// Package pull walks a feed: it asks for what comes after the newest post
// held, keeps what verifies, asks again until there is no more, and compares
// digests; where they differ it finds the lines that differ, month by month,
// and mends them (spec W).
//
// It knows neither files nor HTTP: an answer goes in, the next question comes
// out. A sealed pull and a walk over public pages drive the same Walk, and an
// answer that asks back will.
package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// ErrPeer: the peer breaks the rules of the walk; what came before is kept.
var ErrPeer = errors.New("the peer breaks the rules of the walk")

// Horizon is where the newest post held is looked for: below the stamp of a day
// from now. Whatever lies beyond was made by a wrong clock, and would hide all
// that comes before it (spec W20).
func Horizon(now time.Time) post.Position { return post.PositionAt(now.Add(24 * time.Hour)) }

// A Keeper holds the reader's copies of one author's posts, and what he knows
// about them. All of it is durable when a method returns, but for Keep, which
// may go on while the next page is asked for: every other method waits for it,
// and tells what failed.
type Keeper interface {
	// Newest is the newest position held or refused below the Horizon, "" if
	// there is none.
	Newest(ctx context.Context) (post.Position, error)
	// Marked lists up to n posts that are held, but were not offered any more,
	// the one that was asked about longest ago first.
	Marked(ctx context.Context, n int) ([]post.ID, error)
	// Keep verifies items and keeps, refuses or finds beaten each one, in order.
	// offered holds the lines under which they were asked for, by which one that
	// is no post at all is remembered; nil if they came unasked.
	Keep(ctx context.Context, items []ijson.Value, offered map[post.ID]post.Version) error
	// Note takes lines that are offered and need no text: their posts are held
	// just so, or beaten by what is held; their marks end.
	Note(ctx context.Context, offered []post.Version) error
	// Withdraw moves copies that were taken back to the trash.
	Withdraw(ctx context.Context, ids []post.ID) error
	// Unoffered marks copies about which was asked, and nothing was said.
	Unoffered(ctx context.Context, ids []post.ID) error
	// Months sums up what is counted at a moment (spec W24, W25).
	Months(ctx context.Context, at time.Time) (wire.Months, error)
	// Lines lists what is held, refused or known in some months.
	Lines(ctx context.Context, months []string, at time.Time) ([]Line, error)
}

// A Line is one post as the reader knows it.
type Line struct {
	post.Version       // the line that is counted; meaningless if it is not
	Counted      bool  // held or refused, not marked, not expired
	Held         int64 // the revision of the text held; 0 if there is none
	Same         bool  // the text held is the version
}

// Options of one walk.
type Options struct {
	Author pgp.Fingerprint // whose posts are taken; those of others are not looked at

	Full bool // from the beginning, not after the newest held
	Room int  // how many marked ids the first question has room for
	IDs  int  // named in one question, at most; 0 is wire.MaxIDs
	Heal bool // compare digests, and mend; off only in tests of the walk alone
}

// Outcome is what a finished walk came to.
type Outcome struct {
	Complete bool
	Count    int      // of posts the owner offers
	Differ   []string // the months on which the two do not agree, if not Complete
}

// A Walk asks one author. It is driven by Step.
type Walk struct {
	keeper Keeper
	opt    Options
	step   func(context.Context, wire.Answer) (*wire.Question, error)

	asked   wire.Question // the question out
	started bool
	months  wire.Months // the owner's, when healing
	at      time.Time   // of the figures compared
	differ  []string
	lines   []post.Version
	offered map[post.ID]post.Version // lines of the posts still wanted
	want    []post.ID
	have    []post.ID

	Outcome
}

// New begins a walk.
func New(keeper Keeper, opt Options) *Walk {
	if opt.IDs == 0 {
		opt.IDs = wire.MaxIDs
	}
	return &Walk{keeper: keeper, opt: opt}
}

// Step takes the answer to the last question (the first time nil) and returns
// the next one, or nil when the walk is over.
func (w *Walk) Step(ctx context.Context, answer *wire.Answer) (*wire.Question, error) {
	if !w.started {
		w.started = true
		return w.begin(ctx)
	}
	if w.step == nil || answer == nil {
		return nil, fmt.Errorf("%w: the walk is over", ErrPeer)
	}
	return w.step(ctx, *answer)
}

func (w *Walk) ask(q wire.Question, then func(context.Context, wire.Answer) (*wire.Question, error)) (*wire.Question, error) {
	w.asked, w.step = q, then
	return &q, nil
}

func (w *Walk) begin(ctx context.Context) (*wire.Question, error) {
	q := wire.Question{Kind: wire.KindPosts}
	if !w.opt.Full {
		newest, err := w.keeper.Newest(ctx)
		if err != nil {
			return nil, err
		}
		q.After = string(newest)
	}
	var err error
	if q.Have, err = w.keeper.Marked(ctx, max(1, min(w.opt.Room, w.opt.IDs))); err != nil {
		return nil, err
	}
	return w.ask(q, w.page)
}

// page takes a page of posts.
func (w *Walk) page(ctx context.Context, a wire.Answer) (*wire.Question, error) {
	if err := w.withdraw(ctx, a.Gone); err != nil {
		return nil, err
	}
	items, newest, broken := w.ascending(a.Items, post.Position(w.asked.After))
	if err := w.keeper.Keep(ctx, items, nil); err != nil {
		return nil, err
	}
	switch {
	case broken != nil:
		return nil, broken
	case a.More && newest == "":
		return nil, fmt.Errorf("%w: a page is empty although there is more", ErrPeer)
	case a.More:
		return w.ask(wire.Question{Kind: wire.KindPosts, After: string(newest)}, w.page)
	case a.Count == nil || a.Digest == "":
		return nil, fmt.Errorf("%w: the last page has no count and digest", ErrPeer)
	}
	w.Count = *a.Count
	mine, err := w.keeper.Months(ctx, a.Time)
	if err != nil {
		return nil, err
	}
	if count, digest := mine.Digest(); count == *a.Count && digest == a.Digest {
		w.Complete = true
		return w.end()
	}
	if !w.opt.Heal {
		return w.end()
	}
	return w.ask(wire.Question{Kind: wire.KindManifest}, w.monthLines)
}

func (w *Walk) end() (*wire.Question, error) {
	w.step = nil
	return nil, nil
}

// ascending returns the items with well-formed ids of the author, up to the
// first that does not come after the one before it, and the last one's position.
func (w *Walk) ascending(items []ijson.Value, after post.Position) (kept []ijson.Value, newest post.Position, broken error) {
	for _, item := range items {
		id, err := identify(item)
		if err != nil || id.Author != w.opt.Author {
			continue // dropped, and the rest of the page kept (spec W22, W23)
		}
		if id.Position <= after {
			return kept, newest, fmt.Errorf("%w: the post %s does not come after the one before it", ErrPeer, id.Position)
		}
		after, newest = id.Position, id.Position
		kept = append(kept, item)
	}
	return kept, newest, nil
}

// identify reads the id that an item claims.
func identify(item ijson.Value) (post.ID, error) {
	var claim struct {
		ID string `json:"id"`
	}
	if err := ijson.UnmarshalTrusted(item, &claim); err != nil {
		return post.ID{}, err
	}
	return post.ParseID(claim.ID)
}

// withdraw believes gone only of ids that this very question named.
func (w *Walk) withdraw(ctx context.Context, gone []post.ID) error {
	gone = slices.DeleteFunc(slices.Clone(gone), func(id post.ID) bool { return !slices.Contains(w.asked.Have, id) })
	if len(gone) == 0 {
		return nil
	}
	return w.keeper.Withdraw(ctx, gone)
}
