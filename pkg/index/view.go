package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A View reads the index at one moment.
type View struct {
	x   *Index
	q   querier
	ctx context.Context //nolint:containedctx // a View lives within one call
	add bool
	own map[pgp.Fingerprint]int64 // numbers that this transaction knows
}

// View runs look on the index as it is at one moment: all its figures agree.
func (x *Index) View(ctx context.Context, look func(*View) error) error {
	tx, err := x.read.BeginTx(ctx, nil)
	if err != nil {
		return damaged(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was changed
	return look(&View{x: x, q: tx, ctx: ctx})
}

func (v *View) author(fpr pgp.Fingerprint) (n int64, err error) {
	n, ok := v.own[fpr]
	if !ok {
		if n, err = v.x.author(v.ctx, v.q, fpr, v.add); err == nil && v.own != nil {
			v.own[fpr] = n
		}
	}
	return n, err
}

// rows runs a query for posts of one author, whose first columns are columns.
func (v *View) rows(author pgp.Fingerprint, query string, args ...any) ([]Row, error) {
	rows, err := v.q.QueryContext(v.ctx, query, args...)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Row
	for rows.Next() {
		r, err := scanRow(rows, author)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, damaged(rows.Err())
}

// Row is what is known of a post; false if nothing.
func (v *View) Row(id post.ID) (Row, bool, error) {
	n, err := v.author(id.Author)
	if err != nil {
		return Row{}, false, err
	}
	rows, err := v.rows(id.Author, "SELECT "+columns+from+"WHERE p.author = ? AND p.position = ?", n, string(id.Position))
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

// Range lists the posts of one author from one position up to, not including,
// another, in every state.
func (v *View) Range(author pgp.Fingerprint, first, to post.Position) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	return v.rows(author, "SELECT "+columns+from+"WHERE p.author = ? AND p.position >= ? AND p.position < ? ORDER BY p.position", n,
		string(first), string(to))
}

// InState lists the posts of one author in the given states.
func (v *View) InState(author pgp.Fingerprint, states ...State) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, s := range states {
		rows, err := v.rows(author, "SELECT "+columns+from+"WHERE p.author = ? AND p.state = ? ORDER BY p.position", n, s)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// Odd lists the posts of one author that are as they were signed, but for an
// audience that is not in order, or grew by hand.
func (v *View) Odd(author pgp.Fingerprint) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	return v.rows(author, "SELECT "+columns+from+"WHERE p.author = ? AND p.state <= 1 AND (p.why <> '' OR p.grown <> '') ORDER BY p.position", n)
}

// Newest is the newest position of an author below a limit, in any state; ""
// if there is none.
func (v *View) Newest(author pgp.Fingerprint, below post.Position) (post.Position, error) {
	n, err := v.author(author)
	if err != nil {
		return "", err
	}
	var s sql.NullString
	err = v.q.QueryRowContext(v.ctx, "SELECT max(position) FROM post WHERE author = ? AND position < ?", n, string(below)).Scan(&s)
	return post.Position(s.String), damaged(err)
}

// audiences works out from which position on each audience may be seen.
func (v *View) audiences(g post.Grants) (map[int64]post.Position, error) {
	rows, err := v.q.QueryContext(v.ctx, "SELECT n, members FROM audience")
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	visible := map[int64]post.Position{}
	for rows.Next() {
		var (
			n       int64
			members string
		)
		if err := rows.Scan(&n, &members); err != nil {
			return nil, damaged(err)
		}
		a, err := post.AudienceOf(strings.Fields(members))
		if err != nil {
			return nil, errors.Join(ErrDamaged, err)
		}
		if first, ok := g.From(a); ok {
			visible[n] = first
		}
	}
	return visible, damaged(rows.Err())
}

// Page lists up to limit posts of author that the reader of g may see at a
// moment, after a position, in order. It looks at no post that he may not see.
func (v *View) Page(author pgp.Fingerprint, g post.Grants, after post.Position, limit int, at time.Time) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	visible, err := v.audiences(g)
	if err != nil {
		return nil, err
	}
	var page []Row
	for audience, first := range visible {
		rows, err := v.rows(author, "SELECT "+columns+from+`WHERE p.author = ? AND p.audience = ? AND p.state = 0 AND p.position > ? AND p.position >= ?
			AND (p.expires = 0 OR p.expires > ?) ORDER BY p.position LIMIT ?`, n, audience, string(after), string(first), at.Unix(), limit)
		if err != nil {
			return nil, err
		}
		page = append(page, rows...)
	}
	slices.SortFunc(page, func(a, b Row) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
	return page[:min(len(page), limit)], nil
}

// Versions yields the lines of author that the reader of g may see at a
// moment, with positions in [from, to), in order. An error ends it, and is
// left in *failed.
func (v *View) Versions(author pgp.Fingerprint, g post.Grants, first, to post.Position, at time.Time, failed *error) iter.Seq[post.Version] {
	return func(yield func(post.Version) bool) {
		n, err := v.author(author)
		if err != nil {
			*failed = err
			return
		}
		visible, err := v.audiences(g)
		if err != nil {
			*failed = err
			return
		}
		rows, err := v.q.QueryContext(v.ctx, `SELECT position, revision, hash, audience FROM post WHERE author = ? AND state = 0
			AND position >= ? AND position < ? AND (expires = 0 OR expires > ?) ORDER BY position`, n, string(first), string(to), at.Unix())
		if err != nil {
			*failed = damaged(err)
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var (
				position string
				hash     sql.RawBytes
				audience int64
			)
			ver := post.Version{ID: post.ID{Author: author}}
			if err := rows.Scan(&position, &ver.Revision, &hash, &audience); err != nil {
				*failed = damaged(err)
				return
			}
			ver.ID.Position = post.Position(position)
			copy(ver.Hash[:], hash)
			if first, ok := visible[audience]; ok && ver.ID.Position >= first && !yield(ver) {
				return
			}
		}
		*failed = damaged(rows.Err())
	}
}

// Changes counts the changes of posts in this generation, and names both: what
// was worked out of posts holds as long as it is the same.
func (v *View) Changes() (string, error) {
	var n int64
	err := v.q.QueryRowContext(v.ctx, "SELECT n FROM changes").Scan(&n)
	return fmt.Sprint(v.x.generation, n), damaged(err)
}

// NextExpiry is when the next post of author expires after a moment; the zero
// time if none does.
func (v *View) NextExpiry(author pgp.Fingerprint, at time.Time) (time.Time, error) {
	n, err := v.author(author)
	if err != nil {
		return time.Time{}, err
	}
	var next sql.NullInt64
	err = v.q.QueryRowContext(v.ctx, "SELECT min(expires) FROM post WHERE author = ? AND expires > ?", n, at.Unix()).Scan(&next)
	return moment(next.Int64), damaged(err)
}

// Strays lists the files that are no posts.
func (v *View) Strays() ([]Stray, error) { return v.strays("SELECT * FROM stray ORDER BY dir, name") }

// StraysIn lists those of one directory.
func (v *View) StraysIn(dir string) ([]Stray, error) {
	return v.strays("SELECT * FROM stray WHERE dir = ? ORDER BY name", dir)
}

func (v *View) strays(query string, args ...any) ([]Stray, error) {
	rows, err := v.q.QueryContext(v.ctx, query, args...)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Stray
	for rows.Next() {
		var (
			s   Stray
			ino int64
		)
		if err := rows.Scan(&s.Dir, &s.Name, &s.Kind, &s.Why, &s.Stat.Size, &s.Stat.Mtime, &s.Stat.Ctime, &ino); err != nil {
			return nil, damaged(err)
		}
		s.Stat.Ino = uint64(ino) //nolint:gosec // bits
		out = append(out, s)
	}
	return out, damaged(rows.Err())
}

// Dirs lists the directories at and below one, as they were last listed.
func (v *View) Dirs(top string) (map[string]disk.Stat, error) {
	rows, err := v.q.QueryContext(v.ctx, "SELECT path, mtime, ctime FROM dir WHERE path = ? OR path >= ? AND path < ?", top, top+"/", top+"0")
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	dirs := map[string]disk.Stat{}
	for rows.Next() {
		var (
			path string
			s    disk.Stat
		)
		if err := rows.Scan(&path, &s.Mtime, &s.Ctime); err != nil {
			return nil, damaged(err)
		}
		dirs[path] = s
	}
	return dirs, damaged(rows.Err())
}
