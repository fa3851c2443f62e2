package index

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A MonthLine is what is held of an author in one month.
type MonthLine struct {
	Month string
	Count int // -1: a post or an offer changed since it was worked out
	Hash  [32]byte
}

// MonthLines lists the months in which anything is or was held of an author,
// oldest first.
func (v *View) MonthLines(author pgp.Fingerprint) ([]MonthLine, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	var lines []MonthLine
	err = v.each("SELECT month, count, hash FROM month_line WHERE author = ? ORDER BY month", []any{n}, func(rows *sql.Rows) error {
		var (
			l    MonthLine
			hash sql.RawBytes
		)
		err := rows.Scan(&l.Month, &l.Count, &hash)
		copy(l.Hash[:], hash)
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// KeepMonthLine remembers a line until a post or an offer of its month changes.
func (t *Tx) KeepMonthLine(author pgp.Fingerprint, l MonthLine) error {
	n, err := t.author(author)
	if err != nil {
		return err
	}
	return t.exec("UPDATE month_line SET count = ?, hash = ? WHERE author = ? AND month = ?", l.Count, l.Hash[:], n, l.Month)
}

// Held lists the lines of all that is held of an author in a range, in order.
// plain tells that nothing else matters there: no offer is noted, and nothing
// expires.
func (v *View) Held(author pgp.Fingerprint, from, to post.Position) (lines []post.Version, plain bool, err error) {
	n, err := v.author(author)
	if err != nil {
		return nil, false, err
	}
	var odd bool
	err = v.q.one(v.ctx, `SELECT EXISTS (SELECT 1 FROM offer WHERE author = ? AND position >= ? AND position < ?)
		OR EXISTS (SELECT 1 FROM post WHERE author = ? AND expires > 0 AND position >= ? AND position < ?)`, []any{n, string(from), string(to), n, string(from), string(to)}, &odd)
	if err != nil || odd {
		return nil, false, damaged(err)
	}
	err = v.each("SELECT position, revision, hash FROM post WHERE author = ? AND position >= ? AND position < ? ORDER BY position",
		[]any{n, string(from), string(to)}, func(rows *sql.Rows) error {
			ver, err := scanVersion(rows, author)
			lines = append(lines, ver)
			return err
		})
	return lines, err == nil, err
}

func scanVersion(rows *sql.Rows, author pgp.Fingerprint) (post.Version, error) {
	var (
		position string
		hash     sql.RawBytes
	)
	ver := post.Version{ID: post.ID{Author: author}}
	if err := rows.Scan(&position, &ver.Revision, &hash); err != nil {
		return ver, err
	}
	ver.ID.Position = post.Position(position)
	copy(ver.Hash[:], hash)
	return ver, nil
}

// MonthChanges is Changes for each month: what was worked out of the posts of a
// month that the reader of g may see holds as long as it is the same, and for any
// other reader of whom it is the same. The months in which some of them expire, or
// have expired, change by themselves as well. Posts that he may not see are not
// looked at, as in Versions.
func (v *View) MonthChanges(author pgp.Fingerprint, g post.Grants) (changes map[string]string, expiring []string, err error) {
	n, err := v.author(author)
	if err != nil {
		return nil, nil, err
	}
	visible, err := v.audiences(g)
	if err != nil {
		return nil, nil, err
	}
	changes = map[string]string{}
	for _, a := range visible {
		err := v.each("SELECT month, changes FROM audience_month WHERE audience = ? AND month >= ?", []any{a.n, a.first.Month()}, func(rows *sql.Rows) error {
			var (
				month string
				n     int64
			)
			err := rows.Scan(&month, &n)
			if changes[month] == "" {
				changes[month] = v.x.id
			}
			changes[month] += fmt.Sprint(" ", a.n, " ", n)
			if month == a.first.Month() {
				changes[month] += " from " + string(a.first)
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		err = v.each("SELECT DISTINCT substr(position, 1, 6) FROM post WHERE author = ? AND audience = ? AND expires > 0", []any{n, a.n}, func(rows *sql.Rows) error {
			var month string
			err := rows.Scan(&month)
			expiring = append(expiring, month)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return changes, expiring, nil
}

// OfferedMonth is the line of a month that was kept under a key, which is what
// MonthChanges says of it.
func (v *View) OfferedMonth(month, key string) (l MonthLine, ok bool, err error) {
	var hash []byte
	err = v.q.one(v.ctx, "SELECT count, hash FROM offered_month WHERE month = ? AND key = ?", []any{month, key}, &l.Count, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	l.Month = month
	copy(l.Hash[:], hash)
	return l, err == nil, damaged(err)
}

// keptMonths is how many lines are kept of one month: of readers who may see
// different posts.
const keptMonths = 64

// KeepOfferedMonth keeps a line, and lets the oldest of that month go.
func (t *Tx) KeepOfferedMonth(key string, l MonthLine) error {
	return errors.Join(
		t.exec("INSERT OR REPLACE INTO offered_month (month, key, count, hash) VALUES (?, ?, ?, ?)", l.Month, key, l.Count, l.Hash[:]),
		t.exec("DELETE FROM offered_month WHERE month = ? AND n <= (SELECT n FROM offered_month WHERE month = ? ORDER BY n DESC LIMIT 1 OFFSET ?)", l.Month, l.Month, keptMonths))
}
