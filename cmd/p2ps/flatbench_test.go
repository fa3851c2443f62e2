//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkFlat is what a sealed request, a pull that finds nothing new and a pull
// of ten new posts cost both sides, as the feed grows that the one serves and the
// other holds: it should not matter. P2PS_BENCH_POSTS=1000000 goes up to a million;
// P2PS_BENCH_DIR keeps the homes, which take longer to make than to measure.
//
//	go test -bench Flat -benchtime 20x -run '^$' -timeout 2h ./cmd/p2ps
func BenchmarkFlat(b *testing.B) {
	for n := 1_000; n <= benchPosts(b); n *= 10 {
		f := heldFeed(b, n)
		b.Run(fmt.Sprint("request/", n), func(b *testing.B) {
			before := f.used(b)
			sealedRequests(b, f, 1)
			b.ReportMetric(float64((f.used(b)-before).Microseconds())/1000/float64(b.N), "serve-cpu-ms")
		})
		b.Run(fmt.Sprint("idle/", n), func(b *testing.B) { heldPull(b, f, 0) })
		b.Run(fmt.Sprint("ten/", n), func(b *testing.B) { heldPull(b, f, 10) })
		f.stop(b)
	}
}

// heldPull is a pull of so many new posts by who holds all others.
func heldPull(b *testing.B, f *benchFeed, fresh int) {
	var pull cost
	var serve time.Duration
	for b.Loop() {
		b.StopTimer()
		f.write(b, fresh, f.newest.Time())
		before := f.used(b)
		b.StartTimer()
		pull = pull.add(f.pull(b, "bob", fresh).took)
		serve += f.used(b) - before
	}
	b.ReportMetric(pull.milliseconds(b.N), "pull-cpu-ms")
	b.ReportMetric(float64(serve.Microseconds())/1000/float64(b.N), "serve-cpu-ms")
}

// heldFeed is a feed over seven years that Bob holds whole.
func heldFeed(b *testing.B, n int) *benchFeed {
	dir := filepath.Join(os.Getenv("P2PS_BENCH_DIR"), fmt.Sprint(n))
	if !filepath.IsAbs(dir) {
		dir = b.TempDir()
	}
	person := func(who string) benchPerson {
		return benchPerson{dir, who, filepath.Join(dir, who+".asc"), benchHome(b, dir, who)}
	}
	f := &benchFeed{benchPerson: person("alice"), bob: person("bob"), apart: time.Second}
	if _, err := os.Stat(f.bob.key); err != nil {
		newBenchHome(b, dir, "alice")
		newBenchHome(b, dir, "bob")
		f.run("friend", "add", f.bob.key)
		spreadFeed(b, filepath.Join(dir, "alice"), n, 7*365*24*time.Hour, filepath.Join(dir, "bob"))
	}
	f.run("status") // makes the index, if there is none
	f.serve(b)
	f.bob.run("friend", "add", f.key, "--address", f.url)
	f.bob.run("status")
	time.Sleep(2500 * time.Millisecond) // what was written within two seconds is looked at again
	f.pull(b, "bob", 0)
	names, err := filepath.Glob(filepath.Join(dir, "alice", string(feed.Mine), "*", "*", "*.json")) // in order
	must(b, err)
	f.newest = post.Position(strings.TrimSuffix(filepath.Base(names[len(names)-1]), ".json"))
	return f
}

// used is the processor time that the server has used, to a hundredth of a second.
func (f *benchFeed) used(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.server.Process.Pid))
	must(b, err)
	_, after, _ := strings.Cut(string(raw), ") ")
	fields, ticks := strings.Fields(after), int64(0)
	for _, field := range fields[11:13] { // in user and in kernel mode
		n, err := strconv.ParseInt(field, 10, 64)
		must(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
