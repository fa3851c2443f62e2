package home

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// A finding is what one file turned out to be.
type finding struct {
	dir   string
	name  string
	row   *index.Row   // a post, in whatever state
	stray *index.Stray // no post at its place
	drop  *post.ID     // a copy that is no copy: to be fetched again

	unread  bool // for a reason that may pass
	strayed bool // the index knows it as a stray
}

func (f finding) record(tx *index.Tx, t tree) error {
	switch {
	case f.row != nil:
		if f.strayed {
			if err := tx.DropStray(f.dir, f.name); err != nil {
				return err
			}
		}
		return tx.Put(*f.row)
	case f.drop != nil:
		return tx.Drop(*f.drop)
	case f.stray != nil && t.mine:
		return tx.PutStray(*f.stray)
	}
	return nil
}

// examine reads one file and says what it is. known is what the index knew of
// the post at that place, nil if nothing.
func (h *Home) examine(t tree, dir string, f feed.File, known *index.Row, now time.Time) finding {
	out := finding{dir: dir, name: f.Name}
	raw, stat, err := []byte(nil), f.Stat, error(disk.ErrNotRegular)
	if f.Regular {
		raw, stat, err = h.root.ReadFile(dir+"/"+f.Name, post.MaxFile)
	}
	sum := sha256.Sum256(raw)
	out.unread = passing(err)
	if feed.Racy(stat, now) || out.unread {
		stat.Ctime = 0 // too young to be trusted, or not read: read again the next time
	}
	if known != nil && err == nil && known.Sum == sum && known.State <= index.Older {
		row := *known // only its stat changed
		row.Stat = stat
		if row.State <= index.Tombstone {
			row.Received = index.ReceivedAt(stat)
		}
		out.row = &row
		return out
	}
	id := post.ID{Author: t.author(), Position: f.Position}
	if f.Kind != feed.Post {
		if t.mine { // what else lies among copies is nothing
			out.stray = h.stray(t, dir, f, raw, err, stat)
		}
		return out
	}
	if !t.mine {
		p, openErr := openCopy(raw, err, id, t)
		if openErr != nil {
			out.drop = &id
			return out
		}
		row := index.RowOf(p, stat, sum)
		out.row = &row
		return out
	}
	out.row, out.stray = h.ownPost(t, dir, f, raw, err, known, stat, sum)
	return out
}

// passing tells a failure to read a file, which may be over the next time, from
// what the file itself is.
func passing(err error) bool {
	_, isPath := errors.AsType[*fs.PathError](err)
	return isPath && !errors.Is(err, disk.ErrNotRegular) && !errors.Is(err, disk.ErrTooLarge)
}

func openCopy(raw []byte, err error, id post.ID, t tree) (*post.Post, error) {
	if err != nil {
		return nil, err
	}
	cert, err := t.key()
	if err != nil {
		return nil, err
	}
	p, err := post.Open(raw, cert)
	if err == nil && p.ID() != id {
		err = post.ErrID
	}
	return p, err
}

// ownPost says what the file at the place of a post of mine is: the text last
// signed, a newer signed one that another machine of mine brought, or something
// done by hand that waits to be signed.
func (h *Home) ownPost(t tree, dir string, f feed.File, raw []byte, readErr error, known *index.Row, stat disk.Stat, sum [32]byte) (*index.Row, *index.Stray) {
	p, err := (*post.Post)(nil), readErr
	if err == nil {
		p, err = post.OpenMine(raw, t.cert)
	}
	if err == nil && p.ID().Position != f.Position {
		err = post.ErrID
	}
	if err == nil && (known == nil || known.Version == p.Version() || p.Standing().Beats(known.Standing())) {
		row := index.RowOf(p, stat, sum)
		row.Grown = grown(known, row)
		return &row, nil
	}
	if known == nil { // never signed here: a draft, or a file in pieces
		return nil, h.stray(t, dir, f, raw, readErr, stat)
	}
	row := *known
	row.Stat, row.Sum, row.Why = stat, sum, ""
	switch {
	case err == nil:
		row.State = index.Older
	case readErr == nil && isDraft(raw):
		row.State = index.Edited
	default:
		row.State, row.Why = index.Broken, err.Error()
	}
	return &row, nil
}

// grown names who was added by hand to the audience of a text that was signed
// before, and is still in it.
func grown(known *index.Row, row index.Row) string {
	if known == nil || known.Version != row.Version {
		return ""
	}
	before := known.Audience.Members()
	added := strings.Fields(known.Grown)
	var out []string
	for _, m := range row.Audience.Members() {
		if !slices.Contains(before, m) || slices.Contains(added, m) {
			out = append(out, m)
		}
	}
	return strings.Join(out, " ")
}

func isDraft(raw []byte) bool {
	_, err := post.ParseDraft(raw)
	return err == nil
}

// stray says what a file of mine is that is no post at its place.
func (h *Home) stray(t tree, dir string, f feed.File, raw []byte, err error, stat disk.Stat) *index.Stray {
	s := &index.Stray{Dir: dir, Name: f.Name, Kind: index.Made, Stat: stat}
	if f.Kind == feed.Conflict {
		s.Kind = index.Conflict
		return s
	}
	if err == nil {
		var p *post.Post
		if p, err = post.OpenMine(raw, t.cert); err == nil {
			s.Kind, s.Why = index.Moved, p.ID().String()
			return s
		}
		if _, draft := post.ParseDraft(raw); draft == nil {
			return s
		}
	}
	s.Kind, s.Why = index.Unread, err.Error()
	return s
}
