package home

import (
	"time"

	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// gone tells which of the posts that the reader holds were taken back from
// him: there is a Tombstone, or a text in order whose audience surely does not
// name him. Anything that may be a file not yet copied, a draft, a typing
// mistake or a history rule takes nothing back (spec W15, W16).
func (h *Home) gone(v *index.View, me tree, g post.Grants, have []post.ID, at time.Time) ([]post.ID, error) {
	var gone []post.ID
	for _, id := range have {
		if id.Author != me.cert.Fingerprint() {
			continue
		}
		row, ok, err := v.Row(id)
		if err != nil {
			return nil, err
		}
		if !ok || row.State > index.Tombstone || row.Why != "" || !g.Friend && (row.State != index.Tombstone || !row.Public) {
			continue
		}
		if row.State == index.Live {
			back, err := h.takenBack(row, g, at)
			if err != nil {
				return nil, err
			}
			if !back {
				continue
			}
		}
		if _, err := h.reopen(me, row); err != nil {
			return nil, err
		}
		gone = append(gone, id)
	}
	return gone, nil
}

func (h *Home) takenBack(r index.Row, g post.Grants, at time.Time) (bool, error) {
	if offered(r, g, at) || !r.Expires.IsZero() && !r.Expires.After(at) || r.Audience.Public || r.Audience.Friends {
		return false, nil
	}
	for _, reader := range r.Audience.Readers {
		if reader == g.Reader {
			return false, nil
		}
	}
	for _, group := range r.Audience.Groups {
		known, maybe, err := h.people.MayBeMember(g.Reader, group)
		if err != nil || !known || maybe {
			return false, err
		}
	}
	return true, nil
}
