package home

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Readdress is what another audience of a post of mine does.
type Readdress struct {
	Change
	Added   []keyring.Person // friends who may see it now, and might not before
	Removed []keyring.Person // friends who might see it before, and may hold a copy: their next pull takes it back
}

// ReaddressOf gives a post of mine another audience. Who is private is not
// signed, so that nobody else learns of the change: the post keeps its revision.
// Only where it becomes public, or is so no more, a new revision is signed. An
// audience that was widened by hand is meant from then on, and status is silent
// of it. With dry nothing is changed.
func (h *Home) ReaddressOf(ctx context.Context, id post.ID, dry bool, change func(post.Audience) post.Audience) (Readdress, error) {
	var r Readdress
	var before, after []keyring.Person
	err := h.writing(ctx, func(me *pgp.Secret, now time.Time) (err error) {
		if r.Was, err = h.current(id, me.Certificate()); err != nil {
			return err
		}
		if r.Was.Tombstone() {
			return fmt.Errorf("%w: %s was deleted", ErrNoPost, id.Position)
		}
		row, known := h.row(ctx, id)
		if known && row.Standing().Beats(r.Was.Standing()) {
			return fmt.Errorf("%w: %s is an earlier text again", ErrDraft, h.PathOf(id))
		}
		a, err := r.Was.Audience()
		if err != nil {
			return err
		}
		b := change(a)
		if err := h.groupsAre(b); err != nil {
			return err
		}
		if before, err = h.readers(a, id.Position); err != nil {
			return err
		}
		if after, err = h.readers(b, id.Position); err != nil {
			return err
		}
		r.Now = r.Was
		switch same := slices.Equal(a.Members(), b.Members()); {
		case dry, same && row.Grown == "":
			return nil
		case same: // it was widened by hand: now it is meant
			return h.put(ctx, r.Was)
		}
		r.Now, err = h.readdressed(ctx, r.Was, b, me, now)
		return err
	})
	r.Added, r.Removed = without(after, before), without(before, after)
	return r, err
}

func (h *Home) readdressed(ctx context.Context, was *post.Post, a post.Audience, me *pgp.Secret, now time.Time) (*post.Post, error) {
	if a.Public == was.Public() {
		p, err := was.Readdress(a)
		if err != nil {
			return nil, err
		}
		return p, h.put(ctx, p)
	}
	by := post.Particulars{ID: was.ID(), Published: was.Published(), Updated: now, Revision: h.lastRevision(ctx, was) + 1, Audience: a, At: now}
	p, err := post.Sign(was.Draft(), by, me)
	if err != nil {
		return nil, err
	}
	if err := h.keepAside(feed.History(was.Version()), was); err != nil {
		return nil, err
	}
	return p, h.put(ctx, p)
}

func without(people, others []keyring.Person) (out []keyring.Person) {
	for _, p := range people {
		if !slices.ContainsFunc(others, func(o keyring.Person) bool { return o.Fingerprint == p.Fingerprint }) {
			out = append(out, p)
		}
	}
	return out
}
