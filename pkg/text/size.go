package text

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// ParseSize reads a number of bytes as people write it: "1073741824", "500KB",
// "20 MiB".
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err == nil && n > math.MaxInt64 {
		err = fmt.Errorf("%q is more than there is", s)
	}
	return int64(n), err //nolint:gosec // it was looked at
}
