package index

import (
	"database/sql"
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
	Of       pgp.Fingerprint   // Audience is looked at only in posts of this author; "" is of everybody
	Limit    int               // at most; 0 is all
	Oldest   bool              // oldest first
	At       time.Time         // what has expired then is left out
	Unread   bool              // without a mark of having been read, and not by Of
	News     int64             // put after the news of this number; 0 is any
	Past     *Row              // beyond this one, in the order asked for
}

// Timeline lists the posts of several authors by their place in time.
func (v *View) Timeline(f Filter) ([]Row, error) {
	c, err := v.conditions(f)
	if err != nil {
		return nil, err
	}
	const order = "p.place DESC, p.position DESC, p.author DESC"
	by, beyond := order, "<"
	if f.Oldest {
		by, beyond = "p.place, p.position, p.author", ">"
	}
	if f.Past != nil {
		n, err := v.author(f.Past.ID.Author)
		if err != nil {
			return nil, err
		}
		place, position := string(f.Past.Place), string(f.Past.ID.Position)
		c.add("p.place "+beyond+"= ? AND (p.place, p.position, p.author) "+beyond+" (?,?,?)", place, place, position, n)
	}
	// Posts are chosen in their index alone, and only the chosen ones are read.
	source := "post p INDEXED BY post_place"
	switch {
	case f.News > 0:
		source = "(SELECT DISTINCT author, position FROM news WHERE n > ?) w CROSS JOIN post p ON p.author = w.author AND p.position = w.position"
		c.args = append([]any{f.News}, c.args...)
	case f.Unread:
		few, err := v.fewUnread()
		if err != nil {
			return nil, err
		}
		if few {
			source = "unread u CROSS JOIN post p ON p.author = u.author AND p.position = u.position"
		} else {
			c.add("EXISTS (SELECT 1 FROM unread u WHERE u.author = p.author AND u.position = p.position)")
		}
	}
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	chosen := "SELECT p.author AS author, p.position AS position FROM " + source + " WHERE " + c.where() + " ORDER BY " + by + " LIMIT ?"
	return v.authored(c.names, "SELECT "+columns+", p.author FROM ("+chosen+`) k CROSS JOIN post p ON p.author = k.author AND p.position = k.position
		JOIN audience a ON a.n = p.audience ORDER BY `+by, append(c.args, limit)...)
}

// fewUnread tells whether it is quicker to sort the unread posts than to look
// for them among all.
func (v *View) fewUnread() (few bool, err error) {
	err = v.q.one(v.ctx, "SELECT count(*) < 2000 FROM (SELECT 1 FROM unread LIMIT 2000)", nil, &few)
	return few, damaged(err)
}

// conditions are a filter as SQL, over a post p.
type conditions struct {
	names   map[int64]pgp.Fingerprint
	clauses []string
	args    []any
}

func (c *conditions) add(clause string, args ...any) {
	c.clauses = append(c.clauses, clause)
	c.args = append(c.args, args...)
}

func (c *conditions) where() string { return strings.Join(c.clauses, " AND ") }

func (v *View) conditions(f Filter) (*conditions, error) {
	c := &conditions{names: map[int64]pgp.Fingerprint{}}
	var authors []any
	for _, fpr := range f.Authors {
		n, err := v.author(fpr)
		if err != nil {
			return nil, err
		}
		c.names[n] = fpr
		authors = append(authors, n)
	}
	c.add("p.state = 0")
	c.add("(p.expires = 0 OR p.expires > ?)", f.At.Unix())
	c.add("p.author IN ("+strings.TrimSuffix(strings.Repeat("?,", len(authors)), ",")+")", authors...)
	if !f.Since.IsZero() {
		c.add("p.place >= ?", string(post.PositionAt(f.Since)))
	}
	if !f.Until.IsZero() {
		c.add("p.place < ?", string(post.PositionAt(f.Until)))
	}
	if f.Type != "" {
		c.add("p.type = ?", f.Type)
	}
	of, err := v.author(f.Of)
	if err != nil {
		return nil, err
	}
	if f.Audience != "" {
		const in = "p.audience IN (SELECT n FROM audience WHERE instr(' ' || members || ' ', ' ' || ? || ' '))"
		if f.Of == "" {
			c.add(in, f.Audience)
		} else {
			c.add("(p.author <> ? OR "+in+")", of, f.Audience)
		}
	}
	if f.Unread {
		c.add("p.author <> ?", of)
	}
	return c, nil
}

// authored runs a query over several authors.
func (v *View) authored(names map[int64]pgp.Fingerprint, query string, args ...any) ([]Row, error) {
	var out []Row
	err := v.each(query, args, func(rows *sql.Rows) error {
		var n int64
		r, err := scanRow(rows, "", &n)
		if err != nil {
			return err
		}
		r.ID.Author = names[n]
		out = append(out, r)
		return nil
	})
	return out, err
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
	names := map[int64]pgp.Fingerprint{}
	err := v.each("SELECT n, fpr FROM author", nil, func(rows *sql.Rows) error {
		var (
			n   int64
			fpr string
		)
		if err := rows.Scan(&n, &fpr); err != nil {
			return err
		}
		names[n] = pgp.Fingerprint(fpr)
		return nil
	})
	return names, err
}

// Counts are how many live posts each member stands in the audience of.
func (v *View) Counts(author pgp.Fingerprint) (map[string]int, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	err = v.each("SELECT a.members, count(*)"+from+"WHERE p.author = ? AND p.state = 0 GROUP BY a.n", []any{n}, func(rows *sql.Rows) error {
		var (
			members string
			count   int
		)
		if err := rows.Scan(&members, &count); err != nil {
			return err
		}
		for _, m := range strings.Fields(members) {
			counts[m] += count
		}
		return nil
	})
	return counts, err
}

// Audiences tells of each audience that has one of some members, and counts the
// posts of author for it that are live at a moment, from one position up to, not
// including, another: by the index alone, of a million as well.
func (v *View) Audiences(author pgp.Fingerprint, members []string, at time.Time, tell func(a post.Audience, count func(from, to post.Position) int)) error {
	n, err := v.author(author)
	if err != nil {
		return err
	}
	all := map[int64]post.Audience{}
	err = v.eachAudience(func(a audience, who post.Audience) {
		if slices.ContainsFunc(who.Members(), func(m string) bool { return slices.Contains(members, m) }) {
			all[a.n] = who
		}
	})
	for number, a := range all {
		tell(a, func(from, to post.Position) (count int) {
			if from < to && err == nil {
				err = v.q.one(v.ctx, `SELECT count(*) FROM post INDEXED BY post_audience WHERE author = ? AND audience = ? AND state = 0
					AND position >= ? AND position < ? AND (expires = 0 OR expires > ?)`, []any{n, number, string(from), string(to), at.Unix()}, &count)
			}
			return count
		})
	}
	return damaged(err)
}
