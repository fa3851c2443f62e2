package index

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Tx changes the index. Update runs it whole or not at all.
type Tx struct {
	View
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	audiences  map[string]int64
	touched    map[touched]bool
	dirs       map[string]bool
}

// touched is an audience or an author (the other is 0) of whom a post was
// changed, and the month of the post.
type touched struct {
	audience, author int64
	month            string
}

// Update runs change in one transaction. The caller holds the lock of the
// home, so that small writers are not starved by SQLite's own waiting.
func (x *Index) Update(ctx context.Context, change func(*Tx) error) error {
	sqlTx, err := x.write.BeginTx(ctx, nil)
	if err != nil {
		return damaged(err)
	}
	defer func() { _ = sqlTx.Rollback() }() // a no-op after Commit
	// A change is not broken off within a statement: the engine starts a goroutine
	// for each that could be.
	tx := &Tx{View: View{x: x, q: writer{sqlTx}, ctx: context.WithoutCancel(ctx), add: true, own: map[pgp.Fingerprint]int64{}}, tx: sqlTx, statements: map[string]*sql.Stmt{},
		audiences: map[string]int64{}, touched: map[touched]bool{}, dirs: map[string]bool{}}
	if err := change(tx); err != nil {
		return err
	}
	for of := range tx.touched {
		if err := tx.changed(of); err != nil {
			return err
		}
	}
	x.watcher.updates.Add(1)
	return damaged(sqlTx.Commit())
}

// changed counts a change, and lets go what was worked out before it.
func (t *Tx) changed(of touched) error {
	if of.author != 0 {
		return t.exec("INSERT OR REPLACE INTO month_line VALUES (?, ?, -1, '')", of.author, of.month)
	}
	return errors.Join(t.exec("UPDATE audience SET changes = changes + 1 WHERE n = ?", of.audience),
		t.exec("INSERT INTO audience_month VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET changes = changes + 1", of.audience, of.month))
}

// Put stores a row in place of what was known of its post.
func (t *Tx) Put(r Row) error {
	author, err := t.author(r.ID.Author)
	if err != nil {
		return err
	}
	audience, err := t.audience(r.Audience)
	if err != nil {
		return err
	}
	var expires int64
	if !r.Expires.IsZero() {
		expires = r.Expires.Unix()
	}
	month, place := r.ID.Position.Month(), placeOf(r.ID.Position, r.Received)
	t.touched[touched{author: author, month: month}] = true
	t.touched[touched{audience: audience, month: month}] = true
	args := []any{author, string(r.ID.Position), r.Revision, r.Hash[:], r.Updated, r.Type, audience, r.Public, expires, r.Reply,
		r.Received.Unix(), string(place), r.State, r.Why, r.Grown, r.Stat.Size, r.Stat.Mtime, r.Stat.Ctime, int64(r.Stat.Ino), r.Sum[:]} //nolint:gosec // bits
	const values = " INTO post VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	fresh, err := t.changes("INSERT OR IGNORE"+values, args...)
	if err != nil {
		return err
	}
	if fresh == 0 {
		if err := errors.Join(t.touch(author, r.ID.Position), t.exec("INSERT OR REPLACE"+values, args...)); err != nil {
			return err
		}
	}
	if err := t.putFiles(author, r, fresh == 0); err != nil {
		return err
	}
	return t.tell(author, r.ID.Position, r.text)
}

// touch notes the author of a post that is about to change, and the audience
// that it had before, if it is known.
func (t *Tx) touch(author int64, position post.Position) error {
	t.touched[touched{author: author, month: position.Month()}] = true
	was, err := t.prepare("SELECT audience FROM post WHERE author = ? AND position = ?") //nolint:sqlclosecheck // closed with the transaction
	if err != nil {
		return err
	}
	var audience int64
	err = was.QueryRowContext(t.ctx, author, string(position)).Scan(&audience)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	t.touched[touched{audience: audience, month: position.Month()}] = true
	return damaged(err)
}

// prepare has a statement parsed once: most changes are of a thousand rows.
func (t *Tx) prepare(query string) (*sql.Stmt, error) {
	s, ok := t.statements[query]
	if !ok {
		var err error
		if s, err = t.tx.PrepareContext(t.ctx, query); err != nil {
			return nil, damaged(err)
		}
		t.statements[query] = s
	}
	return s, nil
}

func (t *Tx) audience(a post.Audience) (n int64, err error) {
	members := strings.Join(a.Members(), " ")
	if n, ok := t.audiences[members]; ok {
		return n, nil
	}
	err = t.tx.QueryRowContext(t.ctx, "SELECT n FROM audience WHERE members = ?", members).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.tx.QueryRowContext(t.ctx, "INSERT INTO audience (members) VALUES (?) RETURNING n", members).Scan(&n)
	}
	if err == nil {
		t.audiences[members] = n
	}
	return n, damaged(err)
}

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.changes(query, args...)
	return err
}

// changes is exec, and tells how many rows there were to change.
func (t *Tx) changes(query string, args ...any) (n int64, err error) {
	s, err := t.prepare(query) //nolint:sqlclosecheck // closed with the transaction
	if err != nil {
		return 0, err
	}
	done, err := s.ExecContext(t.ctx, args...)
	if err == nil {
		n, err = done.RowsAffected()
	}
	return n, damaged(err)
}

// Drop forgets a post: of somebody else, when its file is gone.
func (t *Tx) Drop(id post.ID) error {
	author, err := t.author(id.Author)
	if err != nil {
		return err
	}
	if err := t.touch(author, id.Position); err != nil {
		return err
	}
	if err := t.dropFiles(author, id.Position); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM post WHERE author = ? AND position = ?", author, string(id.Position)); err != nil {
		return err
	}
	return t.tell(author, id.Position, new(string))
}

// PutStray and DropStray keep the list of files that are no posts.
func (t *Tx) PutStray(s Stray) error {
	return t.exec("INSERT OR REPLACE INTO stray VALUES (?,?,?,?,?,?,?,?)", s.Dir, s.Name, string(s.Kind), s.Why,
		s.Stat.Size, s.Stat.Mtime, s.Stat.Ctime, int64(s.Stat.Ino)) //nolint:gosec // bits
}

// DropStray forgets a stray file.
func (t *Tx) DropStray(dir, name string) error {
	return t.exec("DELETE FROM stray WHERE dir = ? AND name = ?", dir, name)
}

// PutOffer notes what is known of a post beside the text held; an Offer that
// says nothing is forgotten.
func (t *Tx) PutOffer(id post.ID, o Offer) error {
	author, err := t.author(id.Author)
	if err != nil {
		return err
	}
	t.touched[touched{author: author, month: id.Position.Month()}] = true
	if o.Revision == 0 && !o.Marked {
		return t.exec("DELETE FROM offer WHERE author = ? AND position = ?", author, string(id.Position))
	}
	return t.exec("INSERT OR REPLACE INTO offer VALUES (?,?,?,?,?,?,?,?)", author, string(id.Position), o.Revision, o.Hash[:],
		some(o.Held), some(o.Refused), o.Marked, o.Asked)
}

// some keeps an empty blob from becoming NULL.
func some(b []byte) []byte { return append([]byte{}, b...) }

// PutPeer notes how the last pull from a person went.
func (t *Tx) PutPeer(fpr pgp.Fingerprint, p Peer) error {
	author, err := t.author(fpr)
	if err != nil {
		return err
	}
	return t.exec("INSERT OR REPLACE INTO peer VALUES (?,?,?,?,?,?,?,?,?)", author, unix(p.Tried), unix(p.Reached), p.Message, p.Unequal, p.Count, p.Looked, p.Ahead, p.Backed)
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
