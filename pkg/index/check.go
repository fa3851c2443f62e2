package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// errVersion: another version of p2ps made the index, or will.
var errVersion = errors.New("of another version")

// Existing opens the generation in use to look at it, and makes none. It is nil
// if there is none, or one of another version, which is no damage. ErrDamaged if
// it cannot be read.
func Existing(ctx context.Context, root *disk.Root) (*Index, error) {
	x, err := opened(ctx, root)
	switch {
	case errors.Is(err, errVersion):
		return nil, nil //nolint:nilnil // there is none to look at
	case errors.Is(err, fs.ErrNotExist):
		if there, _ := root.Exists(current); !there {
			return nil, nil //nolint:nilnil // there is none
		}
	}
	return x, err
}

// File is where the index lies; "" in memory.
func (x *Index) File() string {
	if x.generation == "" {
		return ""
	}
	return x.file()
}

// Flaws are what SQLite itself finds: pages that are no tree, indexes that do not
// hold what their tables do. None are those of a sound database.
func (v *View) Flaws() (flaws []string, err error) {
	err = v.each("PRAGMA integrity_check(20)", nil, func(rows *sql.Rows) error {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			flaws = append(flaws, strings.TrimSpace(line))
		}
		return nil
	})
	return flaws, err
}

// Misplaced names posts of an author whose place in the timeline is not where
// their position and the time of their file put it.
func (v *View) Misplaced(author pgp.Fingerprint) (out []post.Position, err error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	err = v.each("SELECT position, place, received FROM post WHERE author = ?", []any{n}, func(rows *sql.Rows) error {
		var (
			position, place string
			received        int64
		)
		if err := rows.Scan(&position, &place, &received); err != nil {
			return err
		}
		if place != string(placeOf(post.Position(position), time.Unix(received, 0))) {
			out = append(out, post.Position(position))
		}
		return nil
	})
	return out, err
}

// placeOf is where a post stands in the timeline: at its position, but one from
// the year 2199 is not pinned to the top.
func placeOf(p post.Position, received time.Time) post.Position {
	if post.PositionAt(received.Add(time.Second)) < p {
		return post.PositionAt(received)
	}
	return p
}

// MonthsOf lists the months of which the index knows posts of an author.
func (v *View) MonthsOf(author pgp.Fingerprint) (months []string, err error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	for at := ""; ; { // from month to month by the key, and not over every row
		var p *string
		if err := v.q.one(v.ctx, "SELECT min(position) FROM post WHERE author = ? AND position > ?", []any{n, at}, &p); err != nil {
			return nil, damaged(err)
		}
		if p == nil {
			return months, nil
		}
		month := (*p)[:min(6, len(*p))]
		months, at = append(months, month), month+"~"
	}
}

// Oddities are rows that nothing can have written.
func (v *View) Oddities() (out []string, err error) {
	for _, look := range []struct{ query, what string }{
		{"SELECT fpr FROM author WHERE length(fpr) NOT IN (40, 64) OR fpr GLOB '*[^0-9A-F]*'", "an author who is no fingerprint"},
		{"SELECT p.position FROM post p LEFT JOIN audience a ON a.n = p.audience WHERE a.n IS NULL", "a post of no audience"},
		{"SELECT p.position FROM post p LEFT JOIN author a ON a.n = p.author WHERE a.n IS NULL", "a post of no author"},
		{"SELECT position FROM post WHERE length(hash) <> 32 OR length(sum) <> 32 OR state NOT BETWEEN 0 AND 5", "a post with a broken line"},
		{"SELECT position FROM offer WHERE length(hash) <> 32 OR length(held) NOT IN (0, 32) OR revision < 0 OR marked NOT IN (0, 1) OR revision = 0 AND marked = 0",
			"an offer that says nothing"},
		{"SELECT o.position FROM offer o LEFT JOIN author a ON a.n = o.author WHERE a.n IS NULL", "an offer of no author"},
		{"SELECT n FROM audience WHERE changes < 0", "a counter below zero"},
		{"SELECT path FROM dir WHERE path <> 'feed' AND path NOT GLOB 'feed/*' AND path NOT GLOB 'feeds/*'", "a folder outside the feeds"},
		{"SELECT dir || '/' || name FROM stray WHERE kind NOT IN ('made', 'moved', 'conflict', 'broken') OR dir <> 'feed' AND dir NOT GLOB 'feed/*'",
			"a stray file outside the feed"},
	} {
		found, err := v.firstOf(look.query)
		if err != nil {
			return out, err
		}
		if found != "" {
			out = append(out, fmt.Sprintf("%s: %.80s", look.what, found))
		}
	}
	return out, nil
}

func (v *View) firstOf(query string) (found string, err error) {
	err = v.each(query+" LIMIT 1", nil, func(rows *sql.Rows) error {
		if err := rows.Scan(&found); err != nil {
			return err
		}
		return nil
	})
	return found, err
}
