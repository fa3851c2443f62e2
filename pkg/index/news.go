package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"slices"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// tell writes down that a post was put, with what it says, or dropped; nil: only
// its file was looked at.
func (t *Tx) tell(author int64, position post.Position, says *string) error {
	if says == nil {
		return nil
	}
	return t.exec("INSERT INTO news (author, position, text) VALUES (?,?,?)", author, string(position), *says)
}

// News is how far the news go: what is put or dropped later has a greater
// number, in this generation.
func (v *View) News() (n int64, err error) {
	err = v.q.one(v.ctx, "SELECT coalesce(max(n), 0) FROM news", nil, &n)
	return n, damaged(err)
}

// Generation names this making of the index.
func (x *Index) Generation() string { return x.generation }

// Lags tells whether there are news that are not in the full text yet.
func (v *View) Lags() (lags bool, err error) {
	err = v.q.one(v.ctx, "SELECT EXISTS (SELECT 1 FROM news WHERE n > (SELECT text FROM followed))", nil, &lags)
	return lags, damaged(err)
}

// A saying is what one post says now, as the news tell it last.
type saying struct {
	n, author int64
	position  string
	text      string
	place     string // "" if there is no such post
}

// sayings are the next news that are not in the full text: of each post the
// last, by place in time.
func (v *View) sayings(limit int) (list []saying, end int64, err error) {
	at := map[key]int{}
	err = v.each(`SELECT w.n, w.author, w.position, coalesce(w.text, ''), coalesce(p.place, '') FROM news w
		LEFT JOIN post p ON p.author = w.author AND p.position = w.position WHERE w.n > (SELECT text FROM followed) ORDER BY w.n LIMIT ?`, []any{limit}, func(rows *sql.Rows) error {
		var s saying
		if err := rows.Scan(&s.n, &s.author, &s.position, &s.text, &s.place); err != nil {
			return err
		}
		end = s.n
		k := key{s.author, s.position}
		if i, ok := at[k]; ok {
			list[i] = s
			return nil
		}
		at[k] = len(list)
		list = append(list, s)
		return nil
	})
	slices.SortFunc(list, func(a, b saying) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.position, b.position))
	})
	return list, end, err
}

// TakeIn brings up to limit news into the full text, and tells how many; 0 when
// there are no more. The caller holds the lock of the home.
func (x *Index) TakeIn(ctx context.Context, limit int) (n int, err error) {
	err = x.Update(ctx, func(t *Tx) error {
		list, end, err := t.sayings(limit)
		if err != nil || end == 0 {
			return err
		}
		n = len(list)
		for _, s := range list {
			if err := t.takeIn(s); err != nil {
				return err
			}
		}
		return errors.Join(t.exec("UPDATE news SET text = NULL WHERE n > (SELECT text FROM followed) AND n <= ?", end),
			t.exec("UPDATE followed SET text = ?", end))
	})
	return n, err
}

// takeIn has the full text hold what a post says now, and nothing it said before.
func (t *Tx) takeIn(s saying) error {
	number, err := t.prepare("SELECT n FROM document WHERE author = ? AND position = ?") //nolint:sqlclosecheck // closed with the transaction
	if err != nil {
		return err
	}
	var n int64
	err = number.QueryRowContext(t.ctx, s.author, s.position).Scan(&n)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return damaged(err)
	}
	words := text.Words(s.text)
	silent := words == "" || s.place == ""
	if known { // nothing of what it said before is found any more
		if err := t.exec("DELETE FROM text WHERE rowid = ?", n); err != nil {
			return err
		}
	}
	switch {
	case silent && known:
		return t.exec("DELETE FROM document WHERE n = ?", n)
	case silent:
		return nil
	}
	if !known {
		if n, err = t.newNumber(s); err != nil {
			return err
		}
	}
	return t.exec("INSERT INTO text (rowid, words) VALUES (?,?)", n, words)
}

// newNumber gives a post its number as a document: the millisecond of its
// place, or one after it, further away the more others there are.
func (t *Tx) newNumber(s saying) (int64, error) {
	add, err := t.prepare("INSERT OR IGNORE INTO document VALUES (?,?,?)") //nolint:sqlclosecheck // closed with the transaction
	if err != nil {
		return 0, err
	}
	base := millisecond(post.Position(s.place))
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.position)) // a hash never fails
	scattered := h.Sum64()
	for spread := int64(1); ; spread *= 2 {
		n := base + int64(scattered%uint64(spread))
		res, err := add.ExecContext(t.ctx, n, s.author, s.position)
		if err != nil {
			return 0, damaged(err)
		}
		if made, err := res.RowsAffected(); made > 0 || err != nil {
			return n, err
		}
	}
}

// millisecond is when a position is, in Unix milliseconds.
func millisecond(p post.Position) int64 { return p.Time().UnixMilli() }
