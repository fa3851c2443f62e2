package index

import (
	"bytes"
	"context"
	"database/sql"

	"github.com/p2ps/p2ps/pkg/post"
)

// Marked tells whether a post bears a mark of having been read.
type Marked func(post.ID) bool

// UnreadIs tells whether unread is what the news and the marks of that name
// say.
func (v *View) UnreadIs(marks []byte) (is bool, err error) {
	var (
		known []byte
		upTo  int64
	)
	if err := v.q.one(v.ctx, "SELECT marks, unread FROM followed", nil, &known, &upTo); err != nil {
		return false, damaged(err)
	}
	n, err := v.News()
	return bytes.Equal(known, marks) && n <= upTo, err
}

// FollowUnread brings unread in step with up to limit news, by the marks of
// that name; if it was last followed by others, from the beginning. It tells
// whether there is more to do. The caller holds the lock of the home.
func (x *Index) FollowUnread(ctx context.Context, marks []byte, marked Marked, limit int) (more bool, err error) {
	err = x.Update(ctx, func(t *Tx) error {
		var (
			known []byte
			upTo  int64
		)
		if err := t.tx.QueryRowContext(ctx, "SELECT marks, unread FROM followed").Scan(&known, &upTo); err != nil {
			return damaged(err)
		}
		if !bytes.Equal(known, marks) {
			upTo = 0
			if err := t.exec("DELETE FROM unread"); err != nil {
				return err
			}
		}
		next, looked, err := t.unmarked(upTo, limit, marked)
		if err != nil {
			return err
		}
		more = looked == limit
		return t.exec("UPDATE followed SET unread = ?, marks = ?", max(next, upTo), some(marks))
	})
	return more, err
}

// unmarked puts the posts of the next news that bear no mark into unread, and
// takes those out that are no more. It returns the last news looked at, and how
// many were.
func (t *Tx) unmarked(upTo int64, limit int, marked Marked) (end int64, looked int, err error) {
	names, err := t.names()
	if err != nil {
		return 0, 0, err
	}
	var list []saying
	err = t.each(`SELECT w.n, w.author, w.position, coalesce(p.place, '') FROM news w
		LEFT JOIN post p ON p.author = w.author AND p.position = w.position WHERE w.n > ? ORDER BY w.n LIMIT ?`, []any{upTo, limit}, func(rows *sql.Rows) error {
		var s saying
		err := rows.Scan(&s.n, &s.author, &s.position, &s.place)
		list = append(list, s)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	for _, s := range list {
		end = s.n
		switch {
		case s.place == "":
			err = t.exec("DELETE FROM unread WHERE author = ? AND position = ?", s.author, s.position)
		case !marked(post.ID{Author: names[s.author], Position: post.Position(s.position)}):
			err = t.exec("INSERT OR REPLACE INTO unread VALUES (?,?)", s.author, s.position)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return end, len(list), nil
}

// MarkRead takes posts out of unread, whose marks have another name from now
// on; before is the one they had: if unread was followed by others meanwhile,
// nothing is done, and the next to ask follows from the beginning.
func (x *Index) MarkRead(ctx context.Context, ids []post.ID, before, after []byte) error {
	return x.Update(ctx, func(t *Tx) error {
		var known []byte
		if err := t.tx.QueryRowContext(ctx, "SELECT marks FROM followed").Scan(&known); err != nil {
			return damaged(err)
		}
		if !bytes.Equal(known, before) {
			return nil
		}
		for _, id := range ids {
			author, err := t.author(id.Author)
			if err != nil {
				return err
			}
			if err := t.exec("DELETE FROM unread WHERE author = ? AND position = ?", author, string(id.Position)); err != nil {
				return err
			}
		}
		return t.exec("UPDATE followed SET marks = ?", some(after))
	})
}

// Known yields every post there is a file of, in no order: what Timeline could
// ever show.
func (v *View) Known(yield func(post.ID)) error {
	names, err := v.names()
	if err != nil {
		return err
	}
	err = v.each("SELECT author, position FROM post INDEXED BY post_place WHERE state = 0", nil, func(rows *sql.Rows) error {
		var k key
		if err := rows.Scan(&k.author, &k.position); err != nil {
			return err
		}
		yield(post.ID{Author: names[k.author], Position: post.Position(k.position)})
		return nil
	})
	return err
}
