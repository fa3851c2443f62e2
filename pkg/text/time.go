package text

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/xhit/go-str2duration/v2"
)

// ErrTime says that a word is neither a time nor how long ago.
var ErrTime = errors.New("not a time")

// Ago says how long before now t is, in the largest whole unit: "now" (less
// than a minute either way), "3m", "2h", "5d", "6w", "2y"; "in 3m" if it is
// still to come, "never" for the zero time.
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	past, prefix := now.Sub(t), ""
	if past < 0 {
		past, prefix = -past, "in "
	}
	const day = 24 * time.Hour
	units := []struct {
		unit time.Duration
		name string
	}{{365 * day, "y"}, {7 * day, "w"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}}
	for _, u := range units {
		if past >= u.unit {
			return prefix + strconv.FormatInt(int64(past/u.unit), 10) + u.name
		}
	}
	return "now"
}

// Size writes a number of bytes for people: "82 B", "1.5 MiB".
func Size(n int64) string {
	return humanize.IBytes(uint64(max(0, n)))
}

var howLong = NewPattern(`^([0-9]{1,9}[wdhms])+$`)

// ParseTime reads the times of flags: a day ("2026-11-22", its beginning), a
// minute ("2026-11-22T18:30"), both where now is, RFC 3339, or how long before
// now ("90m", "1d", "1d12h", "2w"). The error is ErrTime and says what can be
// written.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if howLong.MatchString(s) {
		if ago, err := str2duration.ParseDuration(s); err == nil && ago >= 0 {
			return now.Add(-ago), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: %w: want a day like 2026-11-22, a time like 2026-11-22T18:30, RFC 3339, or how long ago like 90m, 12h, 1d, 2w", Clean(s), ErrTime)
}
