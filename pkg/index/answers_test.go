package index

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// What answers a post is found whether few are asked about or many: of these
// authors, live and not expired, by position.
func TestAnswersTo(t *testing.T) {
	r, _ := root(t, nil)
	x := begin(t, r, true)
	at := func(n int, author pgp.Fingerprint) post.ID {
		return post.ID{Author: author, Position: post.Position(fmt.Sprintf("20261122-%09d-aaaaaaaaaaaaa", n))}
	}
	one, two := at(1, me), at(2, me)
	put := func(n int, author pgp.Fingerprint, about string, state State, expires time.Time) {
		row := Row{Version: post.Version{ID: at(n, author), Revision: 1}, Type: "Like", Reply: about, State: state, Expires: expires, Received: noon}
		if err := x.Update(t.Context(), func(tx *Tx) error { return tx.Put(row) }); err != nil {
			t.Fatal(err)
		}
	}
	put(30, bob, one.String(), Live, time.Time{})
	put(20, me, one.String(), Live, noon.Add(time.Second))
	put(10, bob, two.String(), Live, time.Time{})
	put(40, bob, one.String(), Live, noon)
	put(50, bob, one.String(), Tombstone, time.Time{})
	put(60, bob, at(3, me).String(), Live, time.Time{})
	put(70, bob, "", Live, time.Time{})
	many := []post.ID{one, two}
	for n := range mostParted {
		many = append(many, at(1000+n, me))
	}
	for _, c := range []struct {
		ids     []post.ID
		authors []pgp.Fingerprint
		want    []post.ID
	}{
		{[]post.ID{one}, []pgp.Fingerprint{me, bob}, []post.ID{at(20, me), at(30, bob)}},
		{[]post.ID{one}, []pgp.Fingerprint{bob}, []post.ID{at(30, bob)}},
		{[]post.ID{two, one}, []pgp.Fingerprint{bob, me}, []post.ID{at(10, bob), at(20, me), at(30, bob)}},
		{many[:mostAsked+7], []pgp.Fingerprint{bob, me}, []post.ID{at(10, bob), at(20, me), at(30, bob)}},
		{many, []pgp.Fingerprint{bob, me}, []post.ID{at(10, bob), at(20, me), at(30, bob)}},
		{many, nil, nil},
		{nil, []pgp.Fingerprint{bob}, nil},
	} {
		err := x.View(t.Context(), func(v *View) error {
			rows, err := v.AnswersTo(c.ids, c.authors, noon)
			var got []post.ID
			for _, row := range rows {
				got = append(got, row.ID)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("about %d of %d authors: %v, want %v", len(c.ids), len(c.authors), got, c.want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
