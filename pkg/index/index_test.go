package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

const (
	me  = pgp.Fingerprint("6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D")
	bob = pgp.Fingerprint("A1B2C3D4E5F60718293A4B5C6D7E8F9001122334")
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func root(t *testing.T, hook disk.Hook) (*disk.Root, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := disk.Create(dir, hook)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, dir
}

func begin(t *testing.T, r *disk.Root, wantFresh bool) *Index {
	t.Helper()
	x, fresh, err := Open(t.Context(), r)
	if err != nil || fresh != wantFresh {
		t.Fatalf("fresh %v, %v", fresh, err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// random is a post in any state, for anybody.
func random(r *rand.Rand) Row {
	p := post.Position(fmt.Sprintf("2026%02d%02d-%09d-aaaaaaaaaaaa%c", 1+r.IntN(12), r.IntN(100), r.IntN(3), 'a'+r.IntN(2)))
	row := Row{Version: post.Version{ID: post.ID{Author: me, Position: p}, Revision: 1 + r.Int64N(3)}, Type: "Note", Received: noon, State: State(r.IntN(6) * r.IntN(2))}
	row.Hash[0] = byte(r.IntN(256))
	a := &row.Audience
	a.Public, a.Friends = r.IntN(6) == 0, r.IntN(4) == 0
	for _, g := range []string{"family", "work"} {
		if r.IntN(4) == 0 {
			a.Groups = append(a.Groups, g)
		}
	}
	if r.IntN(6) == 0 {
		a.Readers = append(a.Readers, bob)
	}
	if r.IntN(4) == 0 {
		row.Expires = noon.Add(time.Duration(r.IntN(5)-2) * time.Second)
	}
	row.Public = a.Public
	if r.IntN(3) == 0 {
		row.Updated = post.FormatTime(noon.Add(time.Duration(r.IntN(7)-3) * time.Hour))
	}
	return row
}

func grants(r *rand.Rand) post.Grants {
	g := post.Grants{Reader: bob, Friend: r.IntN(4) > 0, Groups: map[string]post.Position{}}
	from := func() post.Position {
		return []post.Position{"", post.Position(fmt.Sprintf("2026%02d01-000000000", 1+r.IntN(12)))}[r.IntN(2)]
	}
	g.Since = from()
	if r.IntN(2) == 0 {
		g.Groups["family"] = from()
	}
	return g
}

// What the index selects is what the one rule says of each post, in order, page
// by page, and its lines; and it is the same after everything was put in again,
// in another order.
//
// spec: W3, W4, W6, P34, P35, P36, P42, F24
func TestPagesAreTheRule(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 0))
		all := map[post.Position]Row{}
		for range 80 {
			row := random(r)
			all[row.ID.Position] = row
		}
		put := func(x *Index, order []post.Position) {
			err := x.Update(t.Context(), func(tx *Tx) error {
				for _, p := range order {
					if err := tx.Put(all[p]); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var order []post.Position
		for p := range all {
			order = append(order, p)
		}
		home, _ := root(t, nil)
		x := begin(t, home, true)
		put(x, order)
		slices.Sort(order)
		again := begin(t, home, true)
		put(again, order)
		for range 10 {
			g, after, limit := grants(r), order[r.IntN(len(order))], 1+r.IntN(7)
			var want []post.Version
			for _, p := range order {
				row := all[p]
				if row.State == Live && (row.Expires.IsZero() || row.Expires.After(noon)) && post.Visible(row.Audience, g, p) {
					want = append(want, row.Version)
				}
			}
			for _, x := range []*Index{x, again} {
				err := x.View(t.Context(), func(v *View) error {
					var failed error
					if got := slices.Collect(v.Versions(me, g, "", "3", noon, &failed)); failed != nil || !slices.Equal(got, want) {
						t.Errorf("seed %d: lines %v, want %v: %v", seed, got, want, failed)
					}
					rows, err := v.Page(me, g, after, limit, noon)
					var page []post.Version
					for _, row := range rows {
						page = append(page, row.Version)
					}
					rest := slices.DeleteFunc(slices.Clone(want), func(v post.Version) bool { return v.ID.Position <= after })
					if !slices.Equal(page, rest[:min(limit, len(rest))]) {
						t.Errorf("seed %d: the page after %s is %v, want %v", seed, after, page, rest)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// When the public posts last changed is told by them alone.
//
// spec: S13
func TestChangedIsPublic(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		home, _ := root(t, nil)
		x := begin(t, home, true)
		var want time.Time
		later := func(at time.Time) {
			if !at.After(noon) && at.After(want) {
				want = at
			}
		}
		seen := map[post.Position]Row{}
		for range 12 {
			row := random(r)
			row.ID.Position = post.PositionAt(noon.Add(time.Duration(r.IntN(100)-80)*time.Hour)) + "-aaaaaaaaaaaaa"
			seen[row.ID.Position] = row
			if err := x.Update(t.Context(), func(tx *Tx) error { return tx.Put(row) }); err != nil {
				t.Fatal(err)
			}
		}
		for p, row := range seen {
			if !row.Public || row.State > Tombstone {
				continue
			}
			later(p.Time())
			if at, err := post.ParseTime(row.Updated); err == nil {
				later(at)
			}
			later(row.Expires)
		}
		err := x.View(t.Context(), func(v *View) error {
			got, err := v.Changed(me, noon)
			if !got.Equal(want) {
				t.Errorf("seed %d: %s, want %s", seed, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A post is found by the end of its id, whoever wrote it and whatever its state.
func TestEnding(t *testing.T) {
	r, _ := root(t, nil)
	x := begin(t, r, true)
	row := func(by pgp.Fingerprint, second, end string, state State) Row {
		id := post.ID{Author: by, Position: post.Position("20261122-0000" + second + "000-aaaaaaa" + end)}
		return Row{Version: post.Version{ID: id, Revision: 1}, Type: "Note", Received: noon, State: state}
	}
	rows := []Row{row(me, "04", "bbcccc", Live), row(bob, "03", "bbcccc", Edited), row(me, "02", "dbcccc", Removed), row(bob, "01", "zzzzzz", Tombstone)}
	if err := x.Update(t.Context(), func(tx *Tx) error {
		for _, row := range rows {
			if err := tx.Put(row); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := x.View(t.Context(), func(v *View) error {
		for _, c := range []struct {
			end   string
			limit int
			want  []Row
		}{
			{"cccc", 9, rows[:3]}, {"cccc", 2, rows[:2]}, {"bbcccc", 9, rows[:2]}, {"zzzz", 9, rows[3:]}, {"dddd", 9, nil}, {"____", 9, nil},
			{string(rows[2].ID.Position), 9, rows[2:3]},
		} {
			got, err := v.Ending(c.end, c.limit)
			if err != nil {
				return err
			}
			if !slices.EqualFunc(got, c.want, func(a, b Row) bool { return a.ID == b.ID && a.State == b.State }) {
				t.Errorf("…%s, at most %d: %v", c.end, c.limit, got)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, x *Index, p post.Position) {
	t.Helper()
	row := Row{Version: post.Version{ID: post.ID{Author: me, Position: p}, Revision: 1}, Type: "Note", Received: noon}
	if err := x.Update(t.Context(), func(tx *Tx) error { return tx.Put(row) }); err != nil {
		t.Fatal(err)
	}
}

func count(ctx context.Context, x *Index) (n int, err error) {
	err = x.View(ctx, func(v *View) error {
		rows, err := v.Range(me, "", "3")
		n = len(rows)
		return err
	})
	return n, err
}

const place = post.Position("20261122-123456789-k3q5vx2m4f7da")

// One generation is in use; whoever has another open finds out, and none is
// written over.
//
// spec: F24
func TestGenerations(t *testing.T) {
	home, dir := root(t, nil)
	first := begin(t, home, true)
	put(t, first, place)
	if first.Current() {
		t.Error("in use before it is published")
	}
	if err := first.Publish(); err != nil {
		t.Fatal(err)
	}
	same := begin(t, home, false)
	if n, err := count(t.Context(), same); n != 1 || err != nil || !first.Current() || !same.Current() {
		t.Errorf("%d posts, %v", n, err)
	}
	if err := os.Remove(filepath.Join(dir, "cache", "CURRENT")); err != nil {
		t.Fatal(err)
	}
	second := begin(t, home, true)
	if err := second.Publish(); err != nil {
		t.Fatal(err)
	}
	if first.Current() || !second.Current() {
		t.Error("the first is still in use")
	}
	if err := second.Discard(); err != nil {
		t.Fatal(err)
	}
	begin(t, home, true)
}

// A database that cannot be read is made again, whatever is wrong with it.
//
// spec: F24
func TestDamaged(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir, db string){
		"no CURRENT": func(t *testing.T, dir, _ string) { must(t, os.Remove(filepath.Join(dir, "CURRENT"))) },
		"CURRENT names nothing": func(t *testing.T, dir, _ string) {
			must(t, os.WriteFile(filepath.Join(dir, "CURRENT"), []byte("aaaaaaaa\n"), 0o600))
		},
		"CURRENT leads away": func(t *testing.T, dir, _ string) {
			must(t, os.WriteFile(filepath.Join(dir, "CURRENT"), []byte("../../x\n"), 0o600))
		},
		"CURRENT is huge": func(t *testing.T, dir, _ string) {
			must(t, os.WriteFile(filepath.Join(dir, "CURRENT"), make([]byte, 1<<20), 0o600))
		},
		"no database": func(t *testing.T, _, db string) { must(t, os.Remove(db)) },
		"empty":       func(t *testing.T, _, db string) { must(t, os.WriteFile(db, nil, 0o600)) },
		"no database at all": func(t *testing.T, _, db string) {
			must(t, os.WriteFile(db, []byte(strings.Repeat("no database ", 1000)), 0o600))
		},
		"the first half": func(t *testing.T, _, db string) {
			data, err := os.ReadFile(db)
			must(t, err)
			must(t, os.WriteFile(db, data[:50], 0o600))
		},
		"all of it": func(t *testing.T, dir, _ string) { must(t, os.RemoveAll(dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			home, dir := root(t, nil)
			x := begin(t, home, true)
			put(t, x, place)
			must(t, x.Publish())
			must(t, x.Close())
			dbs, err := filepath.Glob(filepath.Join(dir, "cache", "*.db"))
			if err != nil || len(dbs) != 1 {
				t.Fatalf("%v, %v", dbs, err)
			}
			spoil(t, filepath.Join(dir, "cache"), dbs[0])
			again := begin(t, home, true)
			if n, err := count(t.Context(), again); n != 0 || err != nil {
				t.Errorf("%d posts, %v", n, err)
			}
			put(t, again, place)
			must(t, again.Publish())
			if n, err := count(t.Context(), begin(t, home, false)); n != 1 || err != nil {
				t.Errorf("made again: %d posts, %v", n, err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Damage that shows only in use says what it is.
func TestDamagedInUse(t *testing.T) {
	home, dir := root(t, nil)
	x := begin(t, home, true)
	put(t, x, place)
	must(t, x.Publish())
	must(t, x.Close())
	x = begin(t, home, false)
	dbs, err := filepath.Glob(filepath.Join(dir, "cache", "*.db"))
	must(t, err)
	data, err := os.ReadFile(dbs[0])
	must(t, err)
	for i := 4096; i < len(data); i++ {
		data[i] ^= 0xff
	}
	must(t, os.WriteFile(dbs[0], data, 0o600))
	if _, err := count(t.Context(), x); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

// Where nothing can be written the index lives in memory, and works.
//
// spec: F24
func TestInMemory(t *testing.T) {
	for name, hook := range map[string]disk.Hook{
		"read only": func(op disk.Op, name string) error {
			if op != disk.OpRead && op != disk.OpOpen && op != disk.OpLstat && op != disk.OpReadDir && strings.HasPrefix(name, "cache") {
				return syscall.EROFS
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			home, dir := root(t, hook)
			x := begin(t, home, true)
			put(t, x, place)
			must(t, x.Publish())
			if n, err := count(t.Context(), x); n != 1 || err != nil || !x.Current() {
				t.Errorf("%d posts, %v, in use %v", n, err, x.Current())
			}
			if _, err := os.Stat(filepath.Join(dir, "cache", "CURRENT")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is published: %v", err)
			}
			other := begin(t, home, true) // of another program
			if n, err := count(t.Context(), other); n != 0 || err != nil {
				t.Errorf("another program sees %d posts, %v", n, err)
			}
		})
	}
}

// A transaction is whole or not at all.
func TestUpdateFails(t *testing.T) {
	home, _ := root(t, nil)
	x := begin(t, home, true)
	wrong := errors.New("wrong")
	err := x.Update(t.Context(), func(tx *Tx) error {
		row := Row{Version: post.Version{ID: post.ID{Author: me, Position: place}, Revision: 1}, Received: noon}
		return errors.Join(tx.Put(row), wrong)
	})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if n, err := count(t.Context(), x); n != 0 || err != nil {
		t.Errorf("%d posts, %v", n, err)
	}
	put(t, x, place) // the author's number was rolled back with it
	if n, err := count(t.Context(), x); n != 1 || err != nil {
		t.Errorf("%d posts, %v", n, err)
	}
}
