//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkWork is the table of what p2ps must be able to do: a line for each
// workload, and in it what is wanted, behind the sign ≥ or ≤.
//
//	go test -run '^$' -bench Work ./cmd/p2ps
func BenchmarkWork(b *testing.B) {
	b.Run("W1_first_pull_of_10000", func(b *testing.B) {
		firstPull(b, 10_000)
		wanted(b, map[string]float64{"≥posts/s": 8125, "≤MiB": 128})
	})
	b.Run("W2_ten_new_on_100000", func(b *testing.B) {
		tenNew(b, 100_000)
		wanted(b, map[string]float64{"≤ms": 60})
	})
	b.Run("W3_100_friends_with_nothing_new", func(b *testing.B) {
		BenchmarkIdlePoll(b)
		wanted(b, map[string]float64{"≤ms": 500, "≤cpu-ms": 400})
	})
	var f *benchFeed // of all its rounds
	whole := b
	b.Run("W4_sealed_by_16_clients", func(b *testing.B) {
		if f == nil {
			f = newBenchFeed(whole, whole.TempDir(), 10_000)
		}
		sealedRequests(b, f, 16)
		wanted(b, map[string]float64{"≥requests/s": 800, "≤p99-ms": 100})
	})
	b.Run("W4_public_page", func(b *testing.B) {
		BenchmarkPublicPage(b)
		wanted(b, map[string]float64{"≥requests/s": 5000})
	})
	b.Run("W5_post", func(b *testing.B) {
		BenchmarkPost(b)
		wanted(b, map[string]float64{"≤ms": 20})
	})
	dir := os.Getenv("P2PS_BENCH_HOME")
	if dir == "" {
		dir = filepath.Join(b.TempDir(), "me")
	}
	for _, c := range []struct {
		name   string
		atMost float64
		args   []string
	}{
		{"W6_timeline_of_100000", 50, []string{"timeline", "-n", "50"}},
		{"W6_search_in_100000", 60, []string{"search", "-n", "50", word(1)}},
		{"index_of_100000_made_anew", 6000, []string{"timeline", "-n", "1"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if _, err := os.Stat(dir); err != nil {
				manyPosts(b, dir, 100_000, 100)
			}
			at, who := filepath.Dir(dir), filepath.Base(dir)
			prepare := func() error { return nil }
			if c.atMost > 1000 {
				prepare = func() error { return os.RemoveAll(filepath.Join(dir, "cache")) }
			}
			benchHome(b, at, who)(c.args...) // makes the index, or takes the news in
			benchmarkCommand(b, at, who, prepare, c.args...)
			wanted(b, map[string]float64{"≤ms": c.atMost})
		})
	}
}

// wanted tells what is wanted of the figures of a line.
func wanted(b *testing.B, figures map[string]float64) {
	for unit, figure := range figures {
		b.ReportMetric(figure, unit)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms")
	b.ReportMetric(0, "ns/op")
}
