package text

import (
	"errors"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 12, 34, 56, 0, time.FixedZone("CET", 3600))

func TestAgo(t *testing.T) {
	const day = 24 * time.Hour
	for past, want := range map[time.Duration]string{
		0: "now", 59 * time.Second: "now", time.Minute: "1m", 59*time.Minute + 59*time.Second: "59m", time.Hour: "1h", day - 1: "23h",
		day: "1d", 7*day - 1: "6d", 7 * day: "1w", 365*day - 1: "52w", 365 * day: "1y", 800 * day: "2y",
		-time.Second: "now", -time.Minute: "in 1m", -3 * day: "in 3d",
	} {
		if got := Ago(now.Add(-past), now); got != want {
			t.Errorf("%v: got %q, want %q", past, got, want)
		}
	}
	if got := Ago(time.Time{}, now); got != "never" {
		t.Errorf("zero: got %q", got)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{-1: "0 B", 0: "0 B", 82: "82 B", 1023: "1023 B", 1024: "1.0 KiB", 1536 << 10: "1.5 MiB", 16 << 20: "16 MiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-22":                "2026-11-22T00:00:00+01:00",
		"2026-11-22T18:30":          "2026-11-22T18:30:00+01:00",
		"2026-11-22T18:30:00Z":      "2026-11-22T18:30:00Z",
		"2026-11-22T18:30:00+02:00": "2026-11-22T18:30:00+02:00",
		"90m":                       "2026-11-22T11:04:56+01:00",
		"1d":                        "2026-11-21T12:34:56+01:00",
		"2w":                        "2026-11-08T12:34:56+01:00",
		"1d12h":                     "2026-11-21T00:34:56+01:00",
		"30s":                       "2026-11-22T12:34:26+01:00",
	} {
		got, err := ParseTime(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: got %v, %v, want %s", in, got, err, want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	for _, in := range []string{"", "tomorrow", "1", "-1d", "1.5h", "d", "1y", "2026-13-01", "2026-11-31", "22.11.2026", "2026-11-22 18:30", "999999999w", "1d ", "100ms"} {
		if got, err := ParseTime(in, now); !errors.Is(err, ErrTime) {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
	_, err := ParseTime("\x1bx", now)
	want := "\"\uFFFDx\": not a time: want a day like 2026-11-22, a time like 2026-11-22T18:30, RFC 3339, or how long ago like 90m, 12h, 1d, 2w"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
