package home

import (
	"runtime/debug"
	"testing"
)

// Works that overlap leave the collector as it was, in whatever order they end.
func TestCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(123))
	now := func() int {
		n := debug.SetGCPercent(-1)
		debug.SetGCPercent(n)
		return n
	}
	var c collector
	loose := c.at(400)
	first := c.at(30)
	second := c.at(30)
	for _, step := range []struct {
		name string
		end  func()
		want int
	}{{"all", func() {}, 30}, {"the first ends", first, 30}, {"the second ends", second, 400}, {"all end", loose, 123}} {
		if step.end(); now() != step.want {
			t.Errorf("%s: %d, want %d", step.name, now(), step.want)
		}
	}
}
