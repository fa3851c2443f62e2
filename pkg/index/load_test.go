package index

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/p2ps/p2ps/pkg/post"
)

// lookInto is what one column of a query says, by the connection that writes.
func lookInto(t *testing.T, x *Index, query string) (said []string) {
	t.Helper()
	rows, err := x.write.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		said = append(said, s)
	}
	must(t, rows.Err())
	return said
}

// An index that was loaded is as one that was updated: the same tables and
// indexes, journal and posts; and what is put then replaces what was loaded.
func TestLoad(t *testing.T) {
	r, _ := root(t, nil)
	loaded := begin(t, r, true)
	updated, err := InMemory(t.Context(), r)
	must(t, err)
	defer func() { _ = updated.Close() }()
	dice := rand.New(rand.NewPCG(1, 2))
	rows := map[post.ID]Row{}
	for range 50 {
		row := random(dice)
		rows[row.ID] = row
	}
	put := func(x *Index) error {
		return x.Update(t.Context(), func(tx *Tx) error {
			for _, row := range rows {
				if err := tx.Put(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, loaded.Load(t.Context(), func() error { return put(loaded) }))
	must(t, put(updated))
	must(t, loaded.Publish())
	for _, query := range []string{
		"SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY 1",
		"SELECT position || revision || hex(hash) || state FROM post INDEXED BY post_audience WHERE state = 0 ORDER BY 1",
		"SELECT place FROM post INDEXED BY post_place WHERE state = 0 ORDER BY 1",
		"SELECT month || m.changes FROM audience_month m JOIN audience ON n = audience ORDER BY members, month",
	} {
		if a, b := lookInto(t, loaded, query), lookInto(t, updated, query); !slices.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s:\n%q, loaded\n%q, updated", query, a, b)
		}
	}
	if got := lookInto(t, loaded, "PRAGMA journal_mode"); !slices.Equal(got, []string{"wal"}) {
		t.Errorf("the journal is %q", got)
	}
	must(t, put(loaded))
	if got := lookInto(t, loaded, "SELECT count(*) FROM audience_month WHERE changes < 2"); !slices.Equal(got, []string{"0"}) {
		t.Errorf("%s months do not know that a post was put again", got)
	}
}

// A load that fails says so.
func TestLoadFails(t *testing.T) {
	r, _ := root(t, nil)
	x := begin(t, r, true)
	broken := errors.New("broken")
	if err := x.Load(t.Context(), func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	x = begin(t, r, true)
	ctx, stop := context.WithCancel(t.Context())
	if err := x.Load(ctx, func() error { stop(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
