package index

import (
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Filter says which posts a timeline shows.
type Filter struct {
	Authors  []pgp.Fingerprint // of these
	Since    time.Time         // at or after; zero is the beginning
	Until    time.Time         // before; zero is the end
	Type     string            // of this ActivityStreams type; "" is any
	Audience string            // with this member in their audience; "" is any
	Limit    int               // at most; 0 is all
	Oldest   bool              // oldest first
	At       time.Time         // what has expired then is left out
}

// Timeline lists the posts of several authors by their place in time.
func (v *View) Timeline(f Filter) ([]Row, error) {
	var (
		authors []string
		names   = map[int64]pgp.Fingerprint{}
		args    []any
	)
	for _, fpr := range f.Authors {
		n, err := v.author(fpr)
		if err != nil {
			return nil, err
		}
		names[n] = fpr
		authors = append(authors, "?")
		args = append(args, n)
	}
	where := []string{"p.state = 0", "p.author IN (" + strings.Join(authors, ",") + ")", "(p.expires = 0 OR p.expires > ?)"}
	args = append(args, f.At.Unix())
	add := func(clause string, arg any) {
		where = append(where, clause)
		args = append(args, arg)
	}
	if !f.Since.IsZero() {
		add("p.place >= ?", string(post.PositionAt(f.Since)))
	}
	if !f.Until.IsZero() {
		add("p.place < ?", string(post.PositionAt(f.Until)))
	}
	if f.Type != "" {
		add("p.type = ?", f.Type)
	}
	if f.Audience != "" {
		add("instr(' ' || a.members || ' ', ' ' || ? || ' ')", f.Audience)
	}
	order := " ORDER BY p.place DESC, p.position DESC, p.author"
	if f.Oldest {
		order = " ORDER BY p.place, p.position, p.author"
	}
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	return v.authored(names, "SELECT "+columns+", p.author"+from+"WHERE "+strings.Join(where, " AND ")+order+" LIMIT ?", append(args, limit)...)
}

// authored runs a query over several authors.
func (v *View) authored(names map[int64]pgp.Fingerprint, query string, args ...any) ([]Row, error) {
	rows, err := v.q.QueryContext(v.ctx, query, args...)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Row
	for rows.Next() {
		var n int64
		r, err := scanRow(rows, "", &n)
		if err != nil {
			return nil, err
		}
		r.ID.Author = names[n]
		out = append(out, r)
	}
	return out, damaged(rows.Err())
}

// Ending lists the posts whose position ends in s, of whatever author and in
// whatever state, at most limit.
func (v *View) Ending(s string, limit int) ([]Row, error) {
	names, err := v.names()
	if err != nil {
		return nil, err
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
	return v.authored(names, "SELECT "+columns+", p.author"+from+`WHERE p.position LIKE ? ESCAPE '\' ORDER BY p.position DESC LIMIT ?`, pattern, limit)
}

// Authors lists everybody of whom the index knows posts, me included.
func (v *View) Authors() ([]pgp.Fingerprint, error) {
	names, err := v.names()
	var out []pgp.Fingerprint
	for _, fpr := range names {
		out = append(out, fpr)
	}
	slices.Sort(out)
	return out, err
}

func (v *View) names() (map[int64]pgp.Fingerprint, error) {
	rows, err := v.q.QueryContext(v.ctx, "SELECT n, fpr FROM author")
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	names := map[int64]pgp.Fingerprint{}
	for rows.Next() {
		var (
			n   int64
			fpr string
		)
		if err := rows.Scan(&n, &fpr); err != nil {
			return nil, damaged(err)
		}
		names[n] = pgp.Fingerprint(fpr)
	}
	return names, damaged(rows.Err())
}

// Counts are how many live posts each member stands in the audience of.
func (v *View) Counts(author pgp.Fingerprint) (map[string]int, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	rows, err := v.q.QueryContext(v.ctx, "SELECT a.members, count(*)"+from+"WHERE p.author = ? AND p.state = 0 GROUP BY a.n", n)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var (
			members string
			count   int
		)
		if err := rows.Scan(&members, &count); err != nil {
			return nil, damaged(err)
		}
		for _, m := range strings.Fields(members) {
			counts[m] += count
		}
	}
	return counts, damaged(rows.Err())
}
