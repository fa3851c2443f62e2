package index

import (
	"database/sql"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// What a look at the files asks of the index, and notes: of each folder and file
// how it was when it was last seen. It is kept short, since it is asked of every
// file of a folder in which one has changed.

// A Dir is a directory as it was when it was listed.
type Dir struct {
	Stat disk.Stat // Mtime and Ctime alone
	Sum  uint64    // of its files' names and stats, by the scan; 0 is never trusted
}

// A Seen is a post's file as it was when it was last read.
type Seen struct {
	State State
	Stat  disk.Stat
}

// Seen lists the files of the posts of one author from one position up to, not
// including, another, in every state.
func (v *View) Seen(author pgp.Fingerprint, first, to post.Position) (map[post.Position]Seen, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	seen := map[post.Position]Seen{}
	err = v.each(`SELECT position, state, size, mtime, ctime, ino FROM post
		WHERE author = ? AND position >= ? AND position < ?`, []any{n, string(first), string(to)}, func(rows *sql.Rows) error {
		var (
			position string
			s        Seen
			ino      int64
		)
		if err := rows.Scan(&position, &s.State, &s.Stat.Size, &s.Stat.Mtime, &s.Stat.Ctime, &ino); err != nil {
			return err
		}
		s.Stat.Ino = uint64(ino) //nolint:gosec // bits
		seen[post.Position(position)] = s
		return nil
	})
	return seen, err
}

// Dirs lists the directories at and below one, as they were last listed.
func (v *View) Dirs(top string) (map[string]Dir, error) {
	dirs := map[string]Dir{}
	err := v.each("SELECT path, mtime, ctime, sum FROM dir WHERE path = ? OR path >= ? AND path < ?", []any{top, top + "/", top + "0"}, func(rows *sql.Rows) error {
		var (
			path string
			d    Dir
			sum  int64
		)
		if err := rows.Scan(&path, &d.Stat.Mtime, &d.Stat.Ctime, &sum); err != nil {
			return err
		}
		d.Sum = uint64(sum) //nolint:gosec // bits
		dirs[path] = d
		return nil
	})
	return dirs, err
}

// CountLive is how many posts of one author are live.
func (v *View) CountLive(author pgp.Fingerprint) (n int, err error) {
	number, err := v.author(author)
	if err != nil {
		return 0, err
	}
	err = v.q.one(v.ctx, "SELECT count(*) FROM post WHERE author = ? AND state = 0", []any{number}, &n) // by the index of live posts
	return n, damaged(err)
}

// PutDir remembers a directory as it was when it was listed.
func (t *Tx) PutDir(path string, d Dir) error {
	return t.exec("INSERT OR REPLACE INTO dir VALUES (?,?,?,?)", path, d.Stat.Mtime, d.Stat.Ctime, int64(d.Sum)) //nolint:gosec // bits
}

// TouchDir remembers that there is a directory, so that it is missed when it
// goes before it was ever listed.
func (t *Tx) TouchDir(path string) error {
	if t.dirs[path] {
		return nil
	}
	t.dirs[path] = true
	return t.exec("INSERT OR IGNORE INTO dir VALUES (?,0,0,0)", path)
}

// DropDir forgets a directory.
func (t *Tx) DropDir(path string) error { return t.exec("DELETE FROM dir WHERE path = ?", path) }

// Away notes that the files of the given posts of one author are not there. What
// is known of them stays, and of those as they were signed the stats too: when
// they come back as they were, as they do with the disk they lie on, none needs
// to be read.
func (t *Tx) Away(author pgp.Fingerprint, positions []post.Position) error {
	return t.turn(author, positions, "UPDATE post SET ctime = iif(state > 1, 0, ctime), state = 4 WHERE author = ? AND position = ?")
}

// Back notes that files which were away are there again, unchanged.
func (t *Tx) Back(author pgp.Fingerprint, positions []post.Position) error {
	return t.turn(author, positions, "UPDATE post SET state = (type = 'Tombstone') WHERE author = ? AND position = ? AND state = 4")
}

func (t *Tx) turn(author pgp.Fingerprint, positions []post.Position, query string) error {
	n, err := t.author(author)
	if err != nil || len(positions) == 0 {
		return err
	}
	for _, p := range positions {
		if err := t.touch(n, p); err != nil {
			return err
		}
		if err := t.exec(query, n, string(p)); err != nil {
			return err
		}
	}
	return nil
}
