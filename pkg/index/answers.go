package index

import (
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// mostAsked is how many ids one query takes; for more than mostParted of them
// there is one query without any.
const (
	mostAsked  = 400
	mostParted = 4000
)

// AnswersTo lists the posts of some authors that answer, like or repeat one of ids,
// by position. What has expired at a moment is left out.
func (v *View) AnswersTo(ids []post.ID, authors []pgp.Fingerprint, at time.Time) ([]Row, error) {
	names := map[int64]pgp.Fingerprint{}
	var who []any
	for _, fpr := range authors {
		n, err := v.author(fpr)
		if err != nil {
			return nil, err
		}
		names[n] = fpr
		who = append(who, n)
	}
	if len(who) == 0 {
		return nil, nil
	}
	marks := func(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }
	query := "SELECT " + columns + ", p.author" + indexed("post_reply") + "WHERE p.reply <> '' AND p.state = 0 AND p.author IN (" + marks(len(who)) +
		") AND (p.expires = 0 OR p.expires > ?)"
	who = append(who, at.Unix())
	var out []Row
	if len(ids) > mostParted { // one look at all answers is cheaper than many at some
		all, err := v.authored(names, query, who...)
		if err != nil {
			return nil, err
		}
		wanted := make(map[string]bool, len(ids))
		for _, id := range ids {
			wanted[id.String()] = true
		}
		out, ids = slices.DeleteFunc(all, func(r Row) bool { return !wanted[r.Reply] }), nil
	}
	for part := range slices.Chunk(ids, mostAsked) {
		args := slices.Clone(who)
		for _, id := range part {
			args = append(args, id.String())
		}
		rows, err := v.authored(names, query+" AND p.reply IN ("+marks(len(part))+")", args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(a, b Row) int { return strings.Compare(string(a.ID.Position), string(b.ID.Position)) })
	return out, nil
}
