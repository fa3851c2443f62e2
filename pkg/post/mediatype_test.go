package post

import (
	"strings"
	"testing"
)

func TestIsMediaType(t *testing.T) {
	long := strings.Repeat("a", 63)
	for s, want := range map[string]bool{
		"image/png": true, "application/vnd.x+json": true, long + "/" + long: true,
		"": false, "image": false, "image/": false, "/png": false, "image/png/x": false, "image/.x": false, "ima ge/png": false,
		long + "a/" + long: false, long + "/" + long + "a": false,
	} {
		if got := isMediaType(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
