package wire

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/post"
)

// A hash of any other length is no hash, and no panic: a longer one once was.
//
// spec: W7, W8
func TestLinesRefused(t *testing.T) {
	const id = "p2ps:6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D/20261122-123456789-k3q5vx2m4f7da"
	hash := strings.Repeat("0a", 32)
	for name, line := range map[string]string{
		"good": id + " 1 " + hash, "hash of 33 bytes": id + " 1 " + hash + "0a", "hash of 31 bytes": id + " 1 " + hash[2:], "odd hash": id + " 1 " + hash + "0",
		"huge hash": id + " 1 " + strings.Repeat("0a", 5000), "no hash": id + " 1 ", "capitals": id + " 1 " + strings.ToUpper(hash), "no hexadecimal": id + " 1 " + strings.Repeat("0g", 32),
		"revision 0": id + " 0 " + hash, "revision +1": id + " +1 " + hash, "revision 01": id + " 01 " + hash, "revision -1": id + " -1 " + hash, "huge revision": id + " 9223372036854775808 " + hash,
		"two spaces": id + "  1 " + hash, "a space after": id + " 1 " + hash + " ", "a line feed": id + " 1 " + hash + "\n", "no id": "x 1 " + hash, "nothing": "",
	} {
		if _, err := ParseLine(line); errors.Is(err, ErrInvalid) == (name == "good") {
			t.Errorf("%s: got %v", name, err)
		}
		month := strings.Replace(line, id, "202611", 1)
		if strings.HasPrefix(name, "no id") {
			month = "202613 1 " + hash
		}
		if _, err := ParseMonth(month); errors.Is(err, ErrInvalid) == (name == "good") {
			t.Errorf("a month, %s: got %v", name, err)
		}
	}
}

// The months in which two sides differ, whoever has more of them.
//
// spec: W27
func TestDiffer(t *testing.T) {
	month := func(name string, n int) Month { return Month{name, n, sha256.Sum256([]byte(name))} }
	a := Months{month("202601", 1), month("202603", 1), month("202604", 2)}
	b := Months{month("202602", 1), month("202603", 1), month("202604", 3), month("202605", 1)}
	if got := a.Differ(b); !slices.Equal(got, []string{"202601", "202602", "202604", "202605"}) || !slices.Equal(got, b.Differ(a)) {
		t.Errorf("got %v and %v", got, b.Differ(a))
	}
	if got := a.Differ(a); len(got) > 0 {
		t.Errorf("it differs from itself in %v", got)
	}
	var none Months
	if got := none.Differ(b); len(got) != 4 {
		t.Errorf("from nothing: %v", got)
	}
}

// Figures are added up month by month, and only over what is there.
//
// spec: W8, W9
func TestDigestOfNothing(t *testing.T) {
	count, digest := SumMonths(slices.Values([]post.Version(nil))).Digest()
	if count != 0 || digest != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("%d %s", count, digest)
	}
}
