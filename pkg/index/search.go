package index

import (
	"cmp"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// A Query is what is looked for in the full text: all of Want, nothing of Not.
type Query struct {
	Want, Not []Phrase
}

// A Phrase is words that stand one after the other, as text.AsQuery makes them.
type Phrase struct {
	Words  string
	Begins bool // the last is only the beginning of a word
}

// match is the query in the language of FTS5. Words hold letters, digits and
// emoji alone: nothing in them means anything there.
func (q Query) match() string {
	s := phrases(q.Want, " AND ")
	if len(q.Not) > 0 {
		s = "(" + s + ") NOT (" + phrases(q.Not, " OR ") + ")"
	}
	return s
}

func phrases(list []Phrase, by string) string {
	var out []string
	for _, p := range list {
		s := `"` + p.Words + `"`
		if p.Begins {
			s += " *"
		}
		out = append(out, s)
	}
	return strings.Join(out, by)
}

// matches is match for a text that is not in the full text yet.
func (q Query) matches(words string) bool {
	words = " " + words + " "
	in := func(p Phrase) bool {
		end := " "
		if p.Begins {
			end = ""
		}
		return strings.Contains(words, " "+p.Words+end)
	}
	return !slices.ContainsFunc(q.Want, func(p Phrase) bool { return !in(p) }) && !slices.ContainsFunc(q.Not, in)
}

// Search lists the posts that match, newest first, of those that a Filter
// chooses by author, time, type and audience. A Query without Want is
// everything that has nothing of Not.
func (v *View) Search(q Query, f Filter) ([]post.ID, error) {
	late, err := v.late(q)
	if err != nil {
		return nil, err
	}
	f.Unread = false
	c, err := v.conditions(f)
	if err != nil {
		return nil, err
	}
	found, err := v.lateFound(late, c)
	if err != nil {
		return nil, err
	}
	rows, err := v.q.QueryContext(v.ctx, q.statement(c), c.args...)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }()
	var out []post.ID
	enough := func() bool { return f.Limit > 0 && len(out) >= f.Limit }
	for !enough() && rows.Next() {
		var hit hit
		if err := rows.Scan(&hit.author, &hit.position, &hit.place); err != nil {
			return nil, damaged(err)
		}
		if _, is := late[hit.key]; is {
			continue
		}
		for len(found) > 0 && found[0].place > hit.place && !enough() {
			out, found = append(out, found[0].id(c)), found[1:]
		}
		if !enough() {
			out = append(out, hit.id(c))
		}
	}
	for len(found) > 0 && !enough() {
		out, found = append(out, found[0].id(c)), found[1:]
	}
	return out, damaged(rows.Err())
}

// statement chooses the posts in the full text, newest first by their numbers:
// they come in this order by themselves, and whoever has enough stops.
func (q Query) statement(c *conditions) string {
	const get = "SELECT p.author, p.position, p.place FROM "
	if len(q.Want) > 0 {
		c.add("text MATCH ?", q.match())
		return get + "text t CROSS JOIN document d ON d.n = t.rowid CROSS JOIN post p ON p.author = d.author AND p.position = d.position WHERE " +
			c.where() + " ORDER BY t.rowid DESC"
	}
	if len(q.Not) > 0 {
		c.add("NOT EXISTS (SELECT 1 FROM document d WHERE d.author = p.author AND d.position = p.position AND d.n IN (SELECT rowid FROM text WHERE text MATCH ?))",
			phrases(q.Not, " OR "))
	}
	return get + "post p INDEXED BY post_place WHERE " + c.where() + " ORDER BY p.place DESC, p.position DESC, p.author DESC"
}

type key struct {
	author   int64
	position string
}

type hit struct {
	key
	place string
}

func (h hit) id(c *conditions) post.ID {
	return post.ID{Author: c.names[h.author], Position: post.Position(h.position)}
}

// late are the posts whose news are not in the full text yet, and whether they
// match.
func (v *View) late(q Query) (map[key]bool, error) {
	late := map[key]bool{}
	err := v.each("SELECT author, position, coalesce(text, '') FROM news WHERE n > (SELECT text FROM followed) ORDER BY n DESC", nil, func(rows *sql.Rows) error {
		var (
			k    key
			says string
		)
		if err := rows.Scan(&k.author, &k.position, &says); err != nil {
			return err
		}
		if _, is := late[k]; !is {
			late[k] = q.matches(text.Words(says))
		}
		return nil
	})
	return late, err
}

// lateFound are those of them that match and that the filter chooses, newest
// first.
func (v *View) lateFound(late map[key]bool, c *conditions) ([]hit, error) {
	var found []hit
	for k, matches := range late {
		if !matches {
			continue
		}
		hit := hit{key: k}
		err := v.q.one(v.ctx, "SELECT p.place FROM post p WHERE "+c.where()+" AND p.author = ? AND p.position = ?", append(slices.Clone(c.args), k.author, k.position), &hit.place)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, damaged(err)
		}
		found = append(found, hit)
	}
	slices.SortFunc(found, func(a, b hit) int { return cmp.Or(cmp.Compare(b.place, a.place), cmp.Compare(b.position, a.position)) })
	return found, nil
}
