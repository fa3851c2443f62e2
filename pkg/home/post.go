package home

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

var cryptoRand = rand.Reader

// day is how far ahead of the clock a position may lie before it is taken for
// the fault of a clock.
const day = 24 * time.Hour

// Post signs a draft and puts it into the feed. When it returns nil the post is
// durable; the index follows as well as it can.
func (h *Home) Post(ctx context.Context, d *post.Draft, a post.Audience) (*post.Post, error) {
	var p *post.Post
	err := h.writing(ctx, func(me *pgp.Secret, now time.Time) (err error) {
		if err := h.groupsAre(a); err != nil {
			return err
		}
		position, err := h.nextPosition(now)
		if err != nil {
			return err
		}
		p, err = post.Sign(d, post.Particulars{ID: post.ID{Author: me.Certificate().Fingerprint(), Position: position}, Published: now,
			Revision: 1, Audience: a, At: now}, me)
		if err != nil {
			return err
		}
		if err = h.put(ctx, p); err != nil {
			// Who is told that it failed does it again: there must not be two.
			_ = h.root.Remove(feed.Mine.Path(position)) // it may not even have come there
		}
		return err
	})
	return p, err
}

// groupsAre demands that the groups of an audience are still there: one may have
// been renamed since its name was typed.
func (h *Home) groupsAre(a post.Audience) error {
	for _, group := range a.Groups {
		there, err := h.root.Exists("groups/" + group)
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("the group %q: %w", group, keyring.ErrUnknown)
		}
	}
	return nil
}

// writing runs write under the lock of the home, with the key to sign.
func (h *Home) writing(ctx context.Context, write func(me *pgp.Secret, now time.Time) error) error {
	me, err := h.secret()
	if err != nil {
		return err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return write(me, h.clock(me.Certificate()))
}

// nextPosition is the clock's, or just above the newest in my feed, so that
// ids ascend even while a clock is put back. A newest one more than a day ahead
// is the fault of a clock, and is not followed.
func (h *Home) nextPosition(now time.Time) (post.Position, error) {
	newest, err := feed.Mine.Newest(h.root, last)
	if err != nil {
		return "", fmt.Errorf("looking for my newest post: %w", err)
	}
	at := now
	if newest != "" && newest.Stamp() >= post.PositionAt(now) {
		if newest.Time().After(now.Add(day)) {
			h.opt.Log.Warn("my newest post is dated more than a day ahead: a clock was wrong", "post", newest, "clock", now)
		} else {
			at = newest.Time().Add(time.Millisecond)
		}
	}
	return post.NewPosition(at, h.opt.Rand)
}

// put writes a post of mine to its place, and its row. The file is what
// counts: without its row it is found at the next look.
func (h *Home) put(ctx context.Context, p *post.Post) error {
	data, err := p.File()
	if err == nil {
		err = h.stillAttached(p)
	}
	if err != nil {
		return err
	}
	name := feed.Mine.Path(p.ID().Position)
	if err := h.root.WriteFile(name, data, 0o600); err != nil {
		return err
	}
	for _, f := range p.Files() {
		h.attached.Delete(f.SHA256)
	}
	h.noteOwn(ctx, p, name, data)
	return nil
}

func (h *Home) noteOwn(ctx context.Context, p *post.Post, name string, data []byte) {
	defer h.changed.tell()
	x := h.openedIndex(ctx)
	info, err := h.root.Lstat(name)
	if x == nil || err != nil {
		return
	}
	stat := h.young(path.Dir(name), disk.StatOf(info))
	err = x.Update(ctx, func(tx *index.Tx) error {
		return errors.Join(tx.Put(index.RowOf(p, stat, sha256.Sum256(data))), tx.DropStray(path.Dir(name), path.Base(name)), tx.TouchDir(path.Dir(name)))
	})
	if err != nil {
		h.opt.Log.Debug("the index will follow later", "error", err)
	}
}

// young is the stat of a file that was just written. Where times are coarse it
// cannot show a change that comes now, and is not trusted: the file is read
// again by the next look.
func (h *Home) young(dir string, s disk.Stat) disk.Stat {
	top, _, _ := strings.Cut(dir, "/")
	if !h.root.FineTimes(top) {
		s.Ctime = 0
	}
	return s
}
