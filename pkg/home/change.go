package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Change is a new text of a post of mine.
type Change struct {
	Was *post.Post // nil if there is no text of it any more
	Now *post.Post
}

// Edit signs another text of a post of mine under its id. edit gets a draft of
// the text as it is.
func (h *Home) Edit(ctx context.Context, id post.ID, edit func(*post.Draft) error) (Change, error) {
	var c Change
	err := h.writing(ctx, func(me *pgp.Secret, now time.Time) (err error) {
		if c.Was, err = h.current(id, me.Certificate()); err != nil {
			return err
		}
		if c.Was.Tombstone() {
			return fmt.Errorf("%w: %s was deleted", ErrNoPost, id.Position)
		}
		draft := c.Was.Draft()
		if err = edit(draft); err != nil {
			return err
		}
		c.Now, err = h.replace(ctx, c.Was, draft, me, now)
		return err
	})
	return c, err
}

// Delete puts a Tombstone in the place of a post of mine; its text goes to the
// trash, from where Restore brings it back.
func (h *Home) Delete(ctx context.Context, id post.ID) (Change, error) {
	var c Change
	err := h.writing(ctx, func(me *pgp.Secret, now time.Time) (err error) {
		c.Was, err = h.current(id, me.Certificate())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.Now, err = h.buryMissing(ctx, id, me, now)
			return err
		case err != nil:
			return err
		case c.Was.Tombstone():
			c.Now = c.Was
			return nil
		}
		if err = h.keepAside(feed.Trash(c.Was.Version()), c.Was); err != nil {
			return err
		}
		c.Now, err = h.replace(ctx, c.Was, post.Bury(c.Was, now), me, now)
		return err
	})
	return c, err
}

// Restore signs the text that Delete put into the trash anew, under its id.
func (h *Home) Restore(ctx context.Context, id post.ID) (Change, error) {
	var c Change
	err := h.writing(ctx, func(me *pgp.Secret, now time.Time) (err error) {
		if c.Was, err = h.current(id, me.Certificate()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if c.Was != nil && !c.Was.Tombstone() {
			c.Now = c.Was
			return nil
		}
		text, err := h.trashed(id, me.Certificate())
		if err != nil {
			return err
		}
		a, err := text.Audience()
		if err != nil {
			return err
		}
		by := post.Particulars{ID: id, Published: text.Published(), Updated: now, Audience: a, At: now, Revision: h.lastRevision(ctx, text) + 1}
		if c.Was != nil {
			by.Revision = max(by.Revision, c.Was.Revision()+1)
		}
		if c.Now, err = post.Sign(text.Draft(), by, me); err != nil {
			return err
		}
		return h.put(ctx, c.Now)
	})
	return c, err
}

// replace signs the next revision of a post and puts it in its place. The text
// before it is kept as history, unless it is in the trash.
func (h *Home) replace(ctx context.Context, was *post.Post, d *post.Draft, me *pgp.Secret, now time.Time) (*post.Post, error) {
	a, err := was.Audience()
	if err != nil {
		return nil, err
	}
	by := post.Particulars{ID: was.ID(), Published: was.Published(), Updated: now, Revision: h.lastRevision(ctx, was) + 1, Audience: a, At: now}
	p, err := post.Sign(d, by, me)
	if err != nil {
		return nil, err
	}
	if !p.Tombstone() && !was.Tombstone() {
		if err := h.keepAside(feed.History(was.Version()), was); err != nil {
			return nil, err
		}
	}
	return p, h.put(ctx, p)
}

// lastRevision is the highest revision that is known of a post: its file may
// have been put back to an older one.
func (h *Home) lastRevision(ctx context.Context, p *post.Post) int64 {
	if row, ok := h.row(ctx, p.ID()); ok && row.Revision > p.Revision() {
		return row.Revision
	}
	return p.Revision()
}

// keepAside keeps the text of a post under another name, once.
func (h *Home) keepAside(name string, p *post.Post) error {
	data, err := p.File()
	if err != nil {
		return err
	}
	return h.root.WriteFile(name, data, 0o600)
}

// current reads a post of mine as its file is now. What was done to it by hand
// and not signed would be lost by a change, and is an error.
func (h *Home) current(id post.ID, me *pgp.Certificate) (*post.Post, error) {
	if id.Author != me.Fingerprint() {
		return nil, fmt.Errorf("%w: it is by %s", ErrNotMine, id.Author)
	}
	name := feed.Mine.Path(id.Position)
	raw, _, err := h.root.ReadFile(name, post.MaxFile)
	if err != nil {
		return nil, err
	}
	p, err := post.OpenMine(raw, me)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrDraft, h.root.Path(name), err)
	case p.ID() != id:
		return nil, fmt.Errorf("%w: %s holds the post %s", ErrDraft, h.root.Path(name), p.ID())
	}
	return p, nil
}

// buryMissing takes back a post whose file was removed by hand.
func (h *Home) buryMissing(ctx context.Context, id post.ID, me *pgp.Secret, now time.Time) (*post.Post, error) {
	d := post.NewDraft("Tombstone")
	d.Set("deleted", post.FormatTime(now))
	by := post.Particulars{ID: id, Published: id.Position.Time(), Updated: now, At: now, Revision: h.lastAside(id) + 1}
	kind := "Note" // nothing is known of a post whose row went with the cache
	if row, ok := h.row(ctx, id); ok {
		kind, by.Audience = row.Type, row.Audience
		by.Revision = max(by.Revision, row.Revision+1)
	}
	d.Set("formerType", kind)
	p, err := post.Sign(d, by, me)
	if err != nil {
		return nil, err
	}
	return p, h.put(ctx, p)
}

// lastAside is the highest revision kept in history and trash.
func (h *Home) lastAside(id post.ID) (revision int64) {
	for _, top := range []string{"history", "trash"} {
		for _, v := range h.aside(top, id) {
			revision = max(revision, v)
		}
	}
	return max(revision, 1)
}

// aside lists the revisions of a post in history or trash, ascending.
func (h *Home) aside(top string, id post.ID) (revisions []int64) {
	entries, _ := h.root.ReadDir(feed.Aside(top, id.Author)) // a folder that is not there has none
	for _, e := range entries {
		if p, revision, ok := feed.ParseAside(e.Name); ok && p == id.Position {
			var n int64
			if _, err := fmt.Sscanf(revision, "%d", &n); err == nil {
				revisions = append(revisions, n)
			}
		}
	}
	return revisions
}

// trashed is the newest text of a post of mine in the trash.
func (h *Home) trashed(id post.ID, me *pgp.Certificate) (*post.Post, error) {
	var newest *post.Post
	for _, revision := range h.aside("trash", id) {
		raw, _, err := h.root.ReadFile(feed.Trash(post.Version{ID: id, Revision: revision}), post.MaxFile)
		if err != nil {
			return nil, err
		}
		if p, err := post.OpenMine(raw, me); err == nil && p.ID() == id && (newest == nil || p.Standing().Beats(newest.Standing())) {
			newest = p
		}
	}
	if newest == nil {
		return nil, fmt.Errorf("%w in the trash: %s", ErrNoPost, id.Position)
	}
	return newest, nil
}
