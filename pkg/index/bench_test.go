package index

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkPut is what a post costs in the index, in transactions of 500: its
// row alone, with what it says written down, and the same taken into the full
// text.
func BenchmarkPut(b *testing.B) {
	says := strings.Repeat("All work and no play makes a long walk. ", 7)
	for _, c := range []struct {
		name   string
		says   *string
		takeIn bool
	}{{"row", nil, false}, {"text", &says, false}, {"taken", &says, true}} {
		b.Run(c.name, func(b *testing.B) {
			r, err := disk.Create(b.TempDir(), nil)
			if err != nil {
				b.Fatal(err)
			}
			x, _, err := Open(b.Context(), r)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _, _ = x.Close(), r.Close() }()
			const many = 500
			n := 0
			for b.Loop() {
				err := x.Update(b.Context(), func(tx *Tx) error {
					for range many {
						n++
						p := post.PositionAt(noon.Add(time.Duration(n)*time.Minute)) + post.Position(fmt.Sprintf("-aaaaaaa%06d", n%1e6))
						if err := tx.Put(Row{Version: post.Version{ID: post.ID{Author: me, Position: p}, Revision: 1}, Type: "Note", Received: noon, text: c.says}); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil && c.takeIn {
					_, err = x.TakeIn(b.Context(), 2*many)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/post")
		})
	}
}
