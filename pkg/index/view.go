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
	return x.reading(ctx, func(r *reader) error { return look(&View{x: x, q: r, ctx: ctx}) })
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

// each calls row for each row of a query.
func (v *View) each(query string, args []any, row func(*sql.Rows) error) error {
	return damaged(v.q.each(v.ctx, query, args, row))
}

// rows runs a query for posts of one author, whose first columns are columns.
func (v *View) rows(author pgp.Fingerprint, query string, args ...any) ([]Row, error) {
	var out []Row
	err := v.each(query, args, func(rows *sql.Rows) error {
		r, err := scanRow(rows, author)
		if err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
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

// InState lists the posts of one author in the given states, none of them Live.
func (v *View) InState(author pgp.Fingerprint, states ...State) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, s := range states {
		// Few are not as they were signed: they have an index of their own, which
		// must be named, since it is not known here that the state is one of it.
		rows, err := v.rows(author, "SELECT "+columns+indexed("post_state")+"WHERE p.author = ? AND p.state = ? AND p.state > 0 ORDER BY p.position", n, s)
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
	return v.rows(author, "SELECT "+columns+indexed("post_odd")+"WHERE p.author = ? AND p.state <= 1 AND (p.why <> '' OR p.grown <> '') ORDER BY p.position", n)
}

// Newest is the newest position of an author below a limit, in any state; ""
// if there is none.
func (v *View) Newest(author pgp.Fingerprint, below post.Position) (post.Position, error) {
	n, err := v.author(author)
	if err != nil {
		return "", err
	}
	var s sql.NullString
	err = v.q.one(v.ctx, "SELECT max(position) FROM post WHERE author = ? AND position < ?", []any{n, string(below)}, &s)
	return post.Position(s.String), damaged(err)
}

// An audience that a reader may see, from a position on.
type audience struct {
	n       int64
	first   post.Position
	changes int64
}

// audiences are those that the reader of g may see.
func (v *View) audiences(g post.Grants) ([]audience, error) {
	var visible []audience
	err := v.eachAudience(func(a audience, who post.Audience) {
		var ok bool
		if a.first, ok = g.From(who); ok {
			visible = append(visible, a)
		}
	})
	return visible, err
}

// eachAudience tells of all audiences that posts have or had.
func (v *View) eachAudience(tell func(a audience, who post.Audience)) error {
	return v.each("SELECT n, members, changes FROM audience ORDER BY n", nil, func(rows *sql.Rows) error {
		var (
			a       audience
			members string
		)
		if err := rows.Scan(&a.n, &members, &a.changes); err != nil {
			return err
		}
		who, err := post.AudienceOf(strings.Fields(members))
		if err != nil {
			return errors.Join(ErrDamaged, err)
		}
		tell(a, who)
		return nil
	})
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
	for _, a := range visible {
		rows, err := v.rows(author, "SELECT "+columns+indexed("post_audience")+`WHERE p.author = ? AND p.audience = ? AND p.state = 0 AND p.position > ? AND p.position >= ?
			AND (p.expires = 0 OR p.expires > ?) ORDER BY p.position LIMIT ?`, n, a.n, string(after), string(a.first), at.Unix(), limit)
		if err != nil {
			return nil, err
		}
		page = append(page, rows...)
	}
	slices.SortFunc(page, func(a, b Row) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
	return page[:min(len(page), limit)], nil
}

// Versions yields the lines of author that the reader of g may see at a
// moment, with positions in [from, to), in order. It looks at no post that he
// may not see: how long it takes tells nothing of them. An error ends it, and
// is left in *failed.
func (v *View) Versions(author pgp.Fingerprint, g post.Grants, from, to post.Position, at time.Time, failed *error) iter.Seq[post.Version] {
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
		if len(visible) <= mostParts {
			*failed = v.versions(author, n, visible, from, to, at, yield)
			return
		}
		var all []post.Version
		for part := range slices.Chunk(visible, mostParts) {
			if *failed = v.versions(author, n, part, from, to, at, func(ver post.Version) bool { all = append(all, ver); return true }); *failed != nil {
				return
			}
		}
		slices.SortFunc(all, func(a, b post.Version) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
		for _, ver := range all {
			if !yield(ver) {
				return
			}
		}
	}
}

// mostParts is how many audiences one query merges; SQLite takes 500.
const mostParts = 400

// versions merges the lines of some audiences, each of which the index has in
// order.
func (v *View) versions(author pgp.Fingerprint, n int64, visible []audience, from, to post.Position, at time.Time, yield func(post.Version) bool) error {
	if len(visible) == 0 {
		return nil
	}
	parts, args := make([]string, 0, len(visible)), make([]any, 0, 5*len(visible))
	for _, a := range visible {
		parts = append(parts, `SELECT position, revision, hash FROM post INDEXED BY post_audience WHERE author = ? AND audience = ? AND state = 0
			AND position >= ? AND position < ? AND (expires = 0 OR expires > ?)`)
		args = append(args, n, a.n, string(max(from, a.first)), string(to), at.Unix())
	}
	rows, err := v.q.QueryContext(v.ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY position", args...)
	if err != nil {
		return damaged(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		ver, err := scanVersion(rows, author)
		if err != nil {
			return damaged(err)
		}
		if !yield(ver) {
			return nil
		}
	}
	return damaged(rows.Err())
}

// Changes counts the changes of the posts that the reader of g may see, and
// names the generation: what was worked out of them holds as long as it is the
// same. Other posts do not change it.
func (v *View) Changes(g post.Grants) (string, error) {
	visible, err := v.audiences(g)
	return fmt.Sprint(v.x.id, visible), err
}

// NextExpiry is when the next post of author that the reader of g may see expires
// after a moment; the zero time if none does.
func (v *View) NextExpiry(author pgp.Fingerprint, g post.Grants, at time.Time) (next time.Time, err error) {
	n, err := v.author(author)
	if err != nil {
		return time.Time{}, err
	}
	visible, err := v.audiences(g)
	if err != nil {
		return time.Time{}, err
	}
	for _, a := range visible {
		var first sql.NullInt64
		err := v.q.one(v.ctx, "SELECT min(expires) FROM post INDEXED BY post_expires WHERE author = ? AND audience = ? AND expires > 0 AND expires > ?", []any{n, a.n, at.Unix()}, &first)
		if err != nil {
			return time.Time{}, damaged(err)
		}
		if t := moment(first.Int64); first.Valid && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next, nil
}

// Strays lists the files that are no posts.
func (v *View) Strays() ([]Stray, error) { return v.strays("SELECT * FROM stray ORDER BY dir, name") }

// StraysIn lists those of one directory.
func (v *View) StraysIn(dir string) ([]Stray, error) {
	return v.strays("SELECT * FROM stray WHERE dir = ? ORDER BY name", dir)
}

func (v *View) strays(query string, args ...any) ([]Stray, error) {
	var out []Stray
	err := v.each(query, args, func(rows *sql.Rows) error {
		var (
			s   Stray
			ino int64
		)
		if err := rows.Scan(&s.Dir, &s.Name, &s.Kind, &s.Why, &s.Stat.Size, &s.Stat.Mtime, &s.Stat.Ctime, &ino); err != nil {
			return err
		}
		s.Stat.Ino = uint64(ino) //nolint:gosec // bits
		out = append(out, s)
		return nil
	})
	return out, err
}
