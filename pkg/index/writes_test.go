package index

import (
	"errors"
	"testing"

	"github.com/p2ps/p2ps/pkg/disk"
)

// Every change is another number, by whomever; what changed nothing is none.
func TestWrites(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, x, other *Index)
		same   bool
	}{
		{"nothing", func(*testing.T, *Index, *Index) {}, true},
		{"a look", func(t *testing.T, x, other *Index) {
			_, err := count(t.Context(), x)
			_, err2 := count(t.Context(), other)
			must(t, errors.Join(err, err2))
		}, true},
		{"a change that failed", func(t *testing.T, x, _ *Index) {
			failed := errors.New("says the test")
			err := x.Update(t.Context(), func(tx *Tx) error { return errors.Join(tx.PutDir("feed", Dir{Sum: 1}), failed) })
			if !errors.Is(err, failed) {
				t.Fatal(err)
			}
		}, true},
		{"a change", func(t *testing.T, x, _ *Index) {
			must(t, x.Update(t.Context(), func(tx *Tx) error { return tx.PutDir("feed", Dir{Sum: 1}) }))
		}, false},
		{"a change by another program", func(t *testing.T, _, other *Index) {
			must(t, other.Update(t.Context(), func(tx *Tx) error { return tx.PutDir("feed", Dir{Sum: 1}) }))
		}, false},
		{"the connection was lost", func(t *testing.T, x, _ *Index) {
			must(t, x.watcher.reader.conn.Close())
			if _, err := x.Writes(t.Context()); err == nil {
				t.Error("nobody noticed")
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			home, _ := root(t, nil)
			x := begin(t, home, true)
			must(t, x.Publish())
			other := begin(t, home, false)
			must(t, x.Update(t.Context(), func(tx *Tx) error { return tx.PutDir("feed/2026", Dir{Sum: 1}) }))
			before := writes(t, x)
			c.change(t, x, other)
			if after := writes(t, x); (after == before) != c.same {
				t.Errorf("%d before, %d after", before, after)
			}
		})
	}
}

// One in memory counts for itself; a closed one tells nothing.
func TestWritesInMemory(t *testing.T) {
	home, _ := root(t, nil)
	x, err := InMemory(t.Context(), home)
	must(t, err)
	before := writes(t, x)
	must(t, x.Update(t.Context(), func(tx *Tx) error { return tx.PutDir("feed", Dir{Sum: 1}) }))
	if after := writes(t, x); after == before {
		t.Errorf("%d before and after", before)
	}
	must(t, x.Close())
	var shared *disk.Root
	shared, _ = root(t, nil)
	x = begin(t, shared, true)
	must(t, x.Close())
	if n, err := x.Writes(t.Context()); err == nil {
		t.Errorf("a closed one tells %d", n)
	}
}

func writes(t *testing.T, x *Index) int64 {
	t.Helper()
	n, err := x.Writes(t.Context())
	must(t, err)
	return n
}
