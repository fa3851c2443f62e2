package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// spoken is a row that says something.
func spoken(r *rand.Rand, author pgp.Fingerprint, n int) (Row, string) {
	var says []string
	for range 1 + r.IntN(4) {
		says = append(says, []string{"walk", "Wälk", "rain", "lake", "山水", "水画", "👍", "a.b"}[r.IntN(8)])
	}
	s := strings.Join(says, " ")
	at := post.PositionAt(noon.Add(time.Duration(r.IntN(40)-60)*time.Second)) + post.Position(fmt.Sprintf("-aaaaaaaaaaa%c%c", 'a'+n/26, 'a'+n%26))
	row := Row{Version: post.Version{ID: post.ID{Author: author, Position: at}, Revision: 1}, Type: "Note", Received: noon, text: &s}
	return row, s
}

var questions = []Query{
	{Want: []Phrase{{"walk", false}}},
	{Want: []Phrase{{"wa", true}}},
	{Want: []Phrase{{"walk rain", false}}},
	{Want: []Phrase{{"walk", false}, {"lake", false}}, Not: []Phrase{{"rain", false}}},
	{Not: []Phrase{{"walk", false}, {"山", true}}},
	{Want: []Phrase{{"水", true}}},
	{Want: []Phrase{{"👍", false}}},
	{Want: []Phrase{{"nothing", false}}},
	{},
}

// What a search finds is what the texts say now, newest first, however much of
// it is in the full text already.
func TestSearchIsTheTexts(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 7))
		home, _ := root(t, nil)
		x := begin(t, home, true)
		says := map[post.ID]string{}
		rows := map[post.ID]Row{}
		for step := range 60 {
			author := []pgp.Fingerprint{me, bob}[r.IntN(2)]
			row, s := spoken(r, author, step)
			known := slices.Collect(func(yield func(post.ID) bool) {
				for id := range rows {
					if !yield(id) {
						return
					}
				}
			})
			slices.SortFunc(known, func(a, b post.ID) int { return strings.Compare(a.String(), b.String()) })
			must(t, x.Update(t.Context(), func(tx *Tx) error {
				if len(known) > 0 && r.IntN(5) == 0 {
					id := known[r.IntN(len(known))]
					delete(rows, id)
					delete(says, id)
					return tx.Drop(id)
				}
				if len(known) > 0 && r.IntN(4) == 0 {
					row.ID = known[r.IntN(len(known))]
					row.Revision = 2
				}
				if r.IntN(8) == 0 {
					row.State = Tombstone
				}
				rows[row.ID], says[row.ID] = row, s
				return tx.Put(row)
			}))
			if r.IntN(6) == 0 {
				_, err := x.TakeIn(t.Context(), 1+r.IntN(10))
				must(t, err)
			}
		}
		check := func(when string) {
			for _, q := range questions {
				for _, limit := range []int{0, 3} {
					var want []post.ID
					for id, row := range rows {
						if row.State == Live && q.matches(text.Words(says[id])) {
							want = append(want, id)
						}
					}
					slices.SortFunc(want, func(a, b post.ID) int { return strings.Compare(string(b.Position), string(a.Position)) })
					if limit > 0 {
						want = want[:min(limit, len(want))]
					}
					must(t, x.View(t.Context(), func(v *View) error {
						got, err := v.Search(q, Filter{Authors: []pgp.Fingerprint{me, bob}, At: noon, Limit: limit})
						seconds := func(ids []post.ID) (s []string) { // within a millisecond any order will do
							for _, id := range ids {
								s = append(s, string(id.Position[:18]))
							}
							return s
						}
						if !slices.Equal(seconds(got), seconds(want)) || limit == 0 && !sameSet(got, want) {
							t.Errorf("seed %d, %s, %+v: %v, want %v", seed, when, q, got, want)
						}
						return err
					}))
				}
			}
		}
		check("before all is taken in")
		for {
			n, err := x.TakeIn(t.Context(), 7)
			must(t, err)
			if n == 0 {
				break
			}
		}
		check("after")
	}
}

func sameSet(a, b []post.ID) bool {
	less := func(x, y post.ID) int { return strings.Compare(x.String(), y.String()) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), less), slices.SortedFunc(slices.Values(b), less))
}

// Many posts of one millisecond each get a number.
func TestOneMillisecond(t *testing.T) {
	home, _ := root(t, nil)
	x := begin(t, home, true)
	s := "same"
	must(t, x.Update(t.Context(), func(tx *Tx) error {
		for n := range 300 {
			p := post.PositionAt(noon) + post.Position(fmt.Sprintf("-aaaaaaaaaaa%c%c", 'a'+n/26, 'a'+n%26))
			if err := tx.Put(Row{Version: post.Version{ID: post.ID{Author: me, Position: p}, Revision: 1}, Type: "Note", Received: noon, text: &s}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err := x.TakeIn(t.Context(), 1000)
	must(t, err)
	must(t, x.View(t.Context(), func(v *View) error {
		got, err := v.Search(Query{Want: []Phrase{{"same", false}}}, Filter{Authors: []pgp.Fingerprint{me}, At: noon})
		if len(got) != 300 {
			t.Errorf("%d found", len(got))
		}
		return err
	}))
}

// A timeline in pages is the whole one, in both directions.
func TestTimelinePages(t *testing.T) {
	home, _ := root(t, nil)
	x := begin(t, home, true)
	r := rand.New(rand.NewPCG(1, 1))
	must(t, x.Update(t.Context(), func(tx *Tx) error {
		for n := range 60 {
			row, _ := spoken(r, []pgp.Fingerprint{me, bob}[r.IntN(2)], n)
			if r.IntN(4) == 0 {
				row.Received = noon.Add(-time.Hour) // dated ahead: many at one place
			}
			if err := tx.Put(row); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, x.View(t.Context(), func(v *View) error {
		for _, oldest := range []bool{false, true} {
			f := Filter{Authors: []pgp.Fingerprint{me, bob}, At: noon, Oldest: oldest}
			all, err := v.Timeline(f)
			must(t, err)
			var paged []post.ID
			f.Limit = 7
			for {
				page, err := v.Timeline(f)
				must(t, err)
				for _, row := range page {
					paged = append(paged, row.ID)
				}
				if len(page) < f.Limit {
					break
				}
				f.Past = &page[len(page)-1]
			}
			var want []post.ID
			for _, row := range all {
				want = append(want, row.ID)
			}
			if len(want) != 60 || !slices.Equal(paged, want) {
				t.Errorf("oldest %v: %d in pages, %d at once", oldest, len(paged), len(want))
			}
		}
		return nil
	}))
}
