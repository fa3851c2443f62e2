package home_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/home"
)

// The index may be deleted while any number of programs have it open: each
// makes one, one of them is used by all, and nobody loses the one he fills.
//
// spec: F24
func TestManyMakeTheIndexAtOnce(t *testing.T) {
	first := newHome(t, "Alice")
	note(t, first, "one", "public")
	dir := first.Path("")
	homes := []*home.Home{first}
	for range 3 {
		h, err := home.Open(dir, home.Options{Wait: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		homes = append(homes, h)
	}
	for round := range 10 {
		if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
			t.Fatal(err)
		}
		var g errgroup.Group
		for _, h := range homes {
			g.Go(func() error {
				for range 3 {
					if _, err := h.Status(context.Background()); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if files, err := filepath.Glob(filepath.Join(dir, "cache", "*.db")); err != nil || len(files) != 1 {
			t.Fatalf("round %d: %d generations are left, %v", round, len(files), err)
		}
	}
}
