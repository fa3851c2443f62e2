package index

import (
	"github.com/p2ps/p2ps/pkg/post"
)

// About lists the live posts that answer, like or repeat a post, oldest first,
// of some authors; id is written whole.
func (v *View) About(id string, f Filter) ([]Row, error) {
	c, err := v.conditions(f)
	if err != nil {
		return nil, err
	}
	c.add("p.reply = ? AND p.reply <> ''", id) // the index is of those that answer anything
	return v.authored(c.names, "SELECT "+columns+", p.author FROM post p INDEXED BY post_reply JOIN audience a ON a.n = p.audience WHERE "+
		c.where()+" ORDER BY p.place, p.position, p.author", c.args...)
}

// Rows looks up posts; one that is not known is left out.
func (v *View) Rows(ids []post.ID) (map[post.ID]Row, error) {
	rows := make(map[post.ID]Row, len(ids))
	for _, id := range ids {
		r, ok, err := v.Row(id)
		if err != nil {
			return nil, err
		}
		if ok {
			rows[id] = r
		}
	}
	return rows, nil
}
