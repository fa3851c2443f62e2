package home_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// The oracle says who may see what, from the world's own record of what was
// done and from nothing else: it was written from protocol.md §2 and §3 and
// files.md, beside the code that it judges.

// beats is the rule for two signed texts of one post.
func (a *text) beats(b *text) bool {
	if a.rev != b.rev {
		return a.rev > b.rev
	}
	if a.updated != b.updated {
		return a.updated > b.updated
	}
	return bytes.Compare(a.hash[:], b.hash[:]) > 0
}

// live tells whether the file of a post counts: it is a signed text, and not
// one that was put back to before a newer one.
func (e *entry) live() bool {
	return e.file.kind == signed && (e.known == nil || e.known.hash == e.file.text.hash || e.file.text.beats(e.known))
}

// expired tells whether a text is served no more.
func (a *text) expired(at time.Time) bool { return !a.expires.IsZero() && !a.expires.After(at) }

// sees: the post is given to the reader now.
func (o *record) sees(r pgp.Fingerprint, e *entry, at time.Time) bool {
	if !e.live() || e.file.text.tomb || e.file.bad || e.file.text.expired(at) {
		return false
	}
	a, since, friend := e.file.aud, post.Position(""), false
	if since, friend = o.friends[r]; a.Public || !friend || o.blocked[r] {
		return a.Public
	}
	if slices.Contains(a.Readers, r) || a.Friends && e.pos >= since {
		return true
	}
	return slices.ContainsFunc(a.Groups, func(name string) bool {
		g := o.groups[name]
		if g == nil || g.away {
			return false
		}
		from, member := g.members[r]
		return member && e.pos >= from
	})
}

// takenBack: who names this post is told that it is gone.
func (o *record) takenBack(r pgp.Fingerprint, e *entry, at time.Time) bool {
	_, friend := o.friends[r]
	if friend = friend && !o.blocked[r]; !e.live() || e.file.bad || !friend {
		return !friend && e.live() && !e.file.bad && e.file.text.tomb && e.file.aud.Public
	}
	a := e.file.aud
	if e.file.text.tomb {
		return true
	}
	if e.file.text.expired(at) || a.Public || a.Friends || slices.Contains(a.Readers, r) {
		return false
	}
	return !slices.ContainsFunc(a.Groups, func(name string) bool {
		g := o.groups[name]
		if g == nil || g.away {
			return true // a folder that has not arrived yet
		}
		_, member := g.members[r]
		return member // history hides it, and takes nothing back
	})
}

// entitled is what the reader may see, by position.
func (o *record) entitled(r pgp.Fingerprint, at time.Time) map[post.Position]*text {
	set := map[post.Position]*text{}
	for p, e := range o.posts {
		if o.sees(r, e, at) {
			set[p] = e.file.text
		}
	}
	return set
}
