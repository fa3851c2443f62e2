package home

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// What was done by hand to files of my feed.
const (
	WasMade     = "made"     // a new file, to be signed
	WasChanged  = "changed"  // a post whose text no longer fits its signature
	WasPutBack  = "put back" // a post that is an earlier text again
	WasMoved    = "moved"    // a signed post under another name than its own
	WasRemoved  = "removed"  // a post whose file is not there
	IsBroken    = "broken"   // cannot be read as a post
	IsConflict  = "conflict" // left by a folder sync: two machines changed one post
	IsUnaddress = "audience" // signed, but with an audience that is not in order: only for me
	WasWidened  = "widened"  // its audience grew by hand, which counts at once
)

// ErrNotByHand: nothing was done to that file that sign could sign.
var ErrNotByHand = errors.New("there is nothing to sign")

// A Pending is one file to which something was done by hand.
type Pending struct {
	What string
	Name string  // of the file in the home
	Path string  // of the file on the disk
	ID   post.ID // of the post, if it has one
	Why  string  // of what is broken, or what was added to an audience
}

// Signable tells whether sign makes a post, or a Tombstone, of it.
func (p Pending) Signable() bool {
	switch p.What {
	case WasMade, WasChanged, WasPutBack, WasMoved, WasRemoved:
		return true
	}
	return false
}

// ByHand lists what was done to the files of my feed by hand, after a look at
// every one of them.
func (h *Home) ByHand(ctx context.Context) ([]Pending, error) {
	me, err := h.mine()
	if err != nil {
		return nil, err
	}
	var out []Pending
	err = h.withIndex(ctx, func(x *index.Index) error {
		if err := h.sync(ctx, x, true, me); err != nil {
			return err
		}
		out = nil
		return x.View(ctx, func(v *index.View) error {
			strays, err := v.Strays()
			if err != nil {
				return err
			}
			kinds := map[index.StrayKind]string{index.Made: WasMade, index.Moved: WasMoved, index.Conflict: IsConflict, index.Unread: IsBroken}
			for _, s := range strays {
				p := Pending{What: kinds[s.Kind], Name: path.Join(s.Dir, s.Name), Why: s.Why}
				if s.Kind == index.Moved {
					p.ID, _ = post.ParseID(s.Why) // it was written as an id
					p.Why = ""
				}
				out = append(out, p)
			}
			return h.changedRows(v, me, &out)
		})
	})
	for i := range out {
		out[i].Path = h.root.Path(out[i].Name)
	}
	return out, err
}

func (h *Home) changedRows(v *index.View, me tree, out *[]Pending) error {
	rows, err := v.InState(me.cert.Fingerprint(), index.Edited, index.Older, index.Removed, index.Broken)
	if err != nil {
		return err
	}
	odd, err := v.Odd(me.cert.Fingerprint())
	if err != nil {
		return err
	}
	states := map[index.State]string{index.Edited: WasChanged, index.Older: WasPutBack, index.Removed: WasRemoved, index.Broken: IsBroken}
	for _, r := range append(rows, odd...) {
		p := Pending{What: states[r.State], Name: me.Path(r.ID.Position), ID: r.ID, Why: r.Why}
		switch {
		case p.What != "":
		case r.Why != "":
			p.What = IsUnaddress
		default:
			p.What, p.Why = WasWidened, r.Grown
		}
		*out = append(*out, p)
	}
	return nil
}

// Away takes out of what was done by hand the posts that were removed, if the
// whole feed is not there, and counts them: a disk that is not mounted is not ten
// thousand removals.
func (h *Home) Away(pending []Pending) (removed int, rest []Pending) {
	for _, p := range pending {
		if p.What != WasRemoved {
			rest = append(rest, p)
		}
	}
	if removed = len(pending) - len(rest); removed == 0 || !h.isAway() {
		return 0, pending
	}
	return removed, rest
}

// Prepare reads what sign would make of a pending file: the text, and for
// whom. For a removed post the draft is a Tombstone.
func (h *Home) Prepare(ctx context.Context, p Pending) (*post.Draft, post.Audience, error) {
	me, err := h.people.Me()
	if err != nil {
		return nil, post.Audience{}, err
	}
	if p.What == WasRemoved {
		row, ok := h.row(ctx, p.ID)
		if !ok {
			return nil, post.Audience{}, fmt.Errorf("%w: %s", ErrNoPost, p.ID)
		}
		d := post.NewDraft("Tombstone")
		d.Set("formerType", row.Type)
		d.Set("deleted", post.FormatTime(h.clock(me)))
		return d, row.Audience, nil
	}
	raw, _, err := h.root.ReadFile(p.Name, post.MaxFile)
	if err != nil {
		return nil, post.Audience{}, err
	}
	d, err := post.ParseDraft(raw)
	if err != nil {
		return nil, post.Audience{}, fmt.Errorf("%s: %w", p.Path, err)
	}
	d.SayMediaType()
	a, err := h.draftAudience(d)
	if err != nil {
		return nil, post.Audience{}, fmt.Errorf("%s: %w", p.Path, err)
	}
	if !d.Has("type") {
		return nil, post.Audience{}, fmt.Errorf(`%s: %w: type is missing; "type":"Note" is a text`, p.Path, post.ErrInvalid)
	}
	return d, a, nil
}

// draftAudience: without a signature, to holds the words of --to; with one, to
// and bto have their signed form.
func (h *Home) draftAudience(d *post.Draft) (post.Audience, error) {
	if d.Has("signature") {
		return d.SignedAudience()
	}
	words, err := d.Words()
	if err != nil || words == nil {
		return post.Audience{}, err
	}
	a, _, err := h.people.Resolve(words)
	return a, err
}

// SignPending signs what was done by hand, so that it counts.
func (h *Home) SignPending(ctx context.Context, p Pending) (signed *post.Post, err error) {
	err = h.writing(ctx, func(me *pgp.Secret, now time.Time) error {
		s, err := h.signing(ctx, p, me, now)
		if err != nil {
			return err
		}
		if signed = s.made; s.back {
			return h.moveBack(ctx, p, signed)
		}
		return h.place(ctx, p, signed)
	})
	return signed, err
}

// TrySign does all that SignPending does but write: it fails where that would,
// with the same error, and nothing is changed. It waits for no lock.
func (h *Home) TrySign(ctx context.Context, p Pending) (*post.Draft, post.Audience, error) {
	me, err := h.secret()
	if err != nil {
		return nil, post.Audience{}, err
	}
	s, err := h.signing(ctx, p, me, h.clock(me.Certificate()))
	return s.draft, s.audience, err
}

// signing is what signing a pending file comes to.
type signing struct {
	draft    *post.Draft
	audience post.Audience
	made     *post.Post
	back     bool // it is signed already, and only goes back to its place
}

func (h *Home) signing(ctx context.Context, p Pending, me *pgp.Secret, now time.Time) (s signing, err error) {
	if !p.Signable() {
		return s, fmt.Errorf("%w: %s is %s", ErrNotByHand, p.Path, p.What)
	}
	if s.draft, s.audience, err = h.Prepare(ctx, p); err != nil {
		return s, err
	}
	by := post.Particulars{ID: p.ID, Published: published(s.draft, now), Revision: 1, Audience: s.audience, At: now}
	switch p.What {
	case WasMoved:
		if s.made, err = h.moved(p, me); err != nil {
			return s, err
		}
		row, ok := h.row(ctx, s.made.ID())
		if !ok || !row.Standing().Beats(s.made.Standing()) {
			s.back = true
			return s, nil
		}
		// Another text took its place before: that is to put it back.
		by.ID, by.Revision, by.Updated = s.made.ID(), h.nextRevision(ctx, s.made.ID()), now
	case WasMade:
		if by.ID, err = h.newID(p, me.Certificate(), now); err != nil {
			return s, err
		}
		// A post that was edited, and whose row went with the cache.
		if known := s.draft.Revision(); known > 0 && by.ID.Position == named(p) {
			by.Revision, by.Updated = max(known+1, h.nextRevision(ctx, by.ID)), now
		}
	case WasRemoved:
		by.Published = p.ID.Position.Time()
		fallthrough
	default:
		by.Revision, by.Updated = h.nextRevision(ctx, p.ID), now
	}
	if s.made, err = post.Sign(s.draft, by, me); err != nil {
		return s, fmt.Errorf("%s: %w", p.Path, err)
	}
	return s, nil
}

// published keeps the date that stands in a file, if it is one.
func published(d *post.Draft, now time.Time) time.Time {
	if t, err := post.ParseTime(d.Text("published")); err == nil {
		return t
	}
	return now
}

// named is the position that the name of a file says, at its place; "" if none.
func named(p Pending) post.Position {
	_, position := feed.Mine.Classify(path.Dir(p.Name), path.Base(p.Name))
	return position
}

// newID names a file made by hand: by its own name, if it is one.
func (h *Home) newID(p Pending, me *pgp.Certificate, now time.Time) (post.ID, error) {
	if position := named(p); position != "" {
		return post.ID{Author: me.Fingerprint(), Position: position}, nil
	}
	position, err := h.nextPosition(now)
	return post.ID{Author: me.Fingerprint(), Position: position}, err
}

func (h *Home) nextRevision(ctx context.Context, id post.ID) int64 {
	next := int64(1)
	if row, ok := h.row(ctx, id); ok {
		next = row.Revision + 1
	}
	return max(next, h.lastAside(id)+1)
}

// place puts a signed post where it belongs. One made under another name is
// first signed in its own place, and then renamed: whenever the power fails,
// there is one post, never two.
func (h *Home) place(ctx context.Context, p Pending, signed *post.Post) error {
	data, err := signed.File()
	if err != nil {
		return err
	}
	name := feed.Mine.Path(signed.ID().Position)
	if p.What != WasRemoved {
		if err := h.root.WriteFile(p.Name, data, 0o600); err != nil {
			return err
		}
		if name != p.Name {
			if err := h.root.Rename(p.Name, name); err != nil {
				return err
			}
		}
		h.noteOwn(ctx, signed, name, data)
		return nil
	}
	return h.put(ctx, signed)
}

// moved reads a signed post under another name than its own. A copy of a post
// that is in its place is left to its owner to remove.
func (h *Home) moved(p Pending, me *pgp.Secret) (*post.Post, error) {
	raw, _, err := h.root.ReadFile(p.Name, post.MaxFile)
	if err != nil {
		return nil, err
	}
	signed, err := post.OpenMine(raw, me.Certificate())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Path, err)
	}
	name := feed.Mine.Path(signed.ID().Position)
	there, err := h.root.Exists(name)
	if there {
		return nil, fmt.Errorf("%w: %s is a copy of %s; remove one of them", ErrNotByHand, p.Path, h.root.Path(name))
	}
	return signed, err
}

// moveBack renames a signed post to its own name.
func (h *Home) moveBack(ctx context.Context, p Pending, signed *post.Post) error {
	name := feed.Mine.Path(signed.ID().Position)
	if err := h.root.Rename(p.Name, name); err != nil {
		return err
	}
	raw, _, err := h.root.ReadFile(name, post.MaxFile)
	if err == nil {
		h.noteOwn(ctx, signed, name, raw)
	}
	return nil
}
