package index

import (
	"database/sql"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Changed is when what everybody may see of an author last changed: the newest
// of his public posts and public Tombstones, of their edits and deletions, and
// of what has expired by at, as they say themselves; the zero time if there are
// none. It is never later than at, and tells nothing of any other post.
func (v *View) Changed(author pgp.Fingerprint, at time.Time) (time.Time, error) {
	n, err := v.author(author)
	if err != nil {
		return time.Time{}, err
	}
	newestOf := func(what, index string) string {
		return "(SELECT max(" + what + ") FROM post INDEXED BY " + index + " WHERE author = ? AND public = 1 AND state <= 1 AND why = '' AND " + what
	}
	var (
		position, updated sql.NullString
		expired           sql.NullInt64
	)
	err = v.q.one(v.ctx, "SELECT "+newestOf("position", "post_public")+" < ?), "+newestOf("updated", "post_public_updated")+" <= ?), "+
		newestOf("expires", "post_public_expires")+" <= ? AND expires > 0)", []any{n, string(post.PositionAt(at.Add(time.Second))), n, post.FormatTime(at), n, at.Unix()}, &position, &updated, &expired)
	if err != nil {
		return time.Time{}, damaged(err)
	}
	newest := post.Position(position.String).Time()
	if t, err := post.ParseTime(updated.String); err == nil && t.After(newest) {
		newest = t
	}
	if t := time.Unix(expired.Int64, 0); expired.Valid && t.After(newest) {
		newest = t
	}
	return newest.UTC().Truncate(time.Second), nil
}
