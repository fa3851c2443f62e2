package post

import (
	"encoding/base32"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// A Position is the part of an id after the slash, and the name of its file:
// UTC date, time to the millisecond and 65 random bits, as in
// 20261122-123456789-k3q5vx2m4f7da. Positions sort by time, so that walking
// file names is walking the posts. Nobody trusts the time in it.
//
// A stamp, 20261122-123456789 alone, sorts below every position of its
// millisecond: times in questions and in history rules are stamps.
type Position string

var (
	positionPattern = text.NewPattern(`^(19|20|21)[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}-[0-9]{9}-[a-z2-7]{13}$`)
	stampPattern    = text.NewPattern(`^(19|20|21)[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}-[0-9]{9}$`)
	letters         = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// ParsePosition checks s against the closed pattern of ids (spec P12).
func ParsePosition(s string) (Position, error) {
	if len(s) != 32 || !positionPattern.MatchString(s) {
		return "", fmt.Errorf("%w: %.60q is not like 20261122-123456789-k3q5vx2m4f7da", ErrID, s)
	}
	return Position(s), nil
}

// ParseStamp checks s, like 20261122-123456789.
func ParseStamp(s string) (Position, error) {
	if !stampPattern.MatchString(s) {
		return "", fmt.Errorf("%w: %.60q is not like 20261122-123456789", ErrID, s)
	}
	return Position(s), nil
}

// PositionAt is the stamp of t, to the millisecond.
func PositionAt(t time.Time) Position {
	return Position(strings.Replace(t.UTC().Format("20060102-150405.000"), ".", "", 1))
}

// NewPosition makes a position at t with 65 random bits from rand.
func NewPosition(t time.Time, rand io.Reader) (Position, error) {
	var bits [9]byte
	if _, err := io.ReadFull(rand, bits[:]); err != nil {
		return "", fmt.Errorf("random bits for an id: %w", err)
	}
	return PositionAt(t) + "-" + Position(letters.EncodeToString(bits[:])[:13]), nil
}

// Stamp is the time part.
func (p Position) Stamp() Position {
	if len(p) < 18 {
		return p
	}
	return p[:18]
}

// Month is the calendar month, as in 202611; digests are made by month.
func (p Position) Month() string {
	if len(p) < 6 {
		return ""
	}
	return string(p[:6])
}

// Time is the moment that the position names, or the zero time if it names
// none. Days and hours beyond the calendar's roll over, as in time.Date.
func (p Position) Time() time.Time {
	if len(p) < 18 {
		return time.Time{}
	}
	n := func(from, to int) int { i, _ := strconv.Atoi(string(p[from:to])); return i }
	return time.Date(n(0, 4), time.Month(n(4, 6)), n(6, 8), n(9, 11), n(11, 13), n(13, 15), n(15, 18)*1e6, time.UTC)
}

// An ID names one post for ever, through all its revisions.
type ID struct {
	Author   pgp.Fingerprint
	Position Position
}

// ParseID reads p2ps:<FINGERPRINT>/<position>.
func ParseID(s string) (ID, error) {
	fpr, position, ok := strings.Cut(strings.TrimPrefix(s, "p2ps:"), "/")
	if !ok || !strings.HasPrefix(s, "p2ps:") {
		return ID{}, fmt.Errorf("%w: %.120q is not like p2ps:<FINGERPRINT>/<position>", ErrID, s)
	}
	author, err := pgp.ParseFingerprint(fpr)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %w", ErrID, err)
	}
	p, err := ParsePosition(position)
	return ID{author, p}, err
}

func (id ID) String() string { return "p2ps:" + string(id.Author) + "/" + string(id.Position) }

// timeFormat is the only form of a time, here and in messages (spec P14).
const timeFormat = "2006-01-02T15:04:05Z"

// FormatTime writes t in UTC to the second.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// ParseTime reads YYYY-MM-DDTHH:MM:SSZ; fractions and offsets are refused.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(timeFormat, s)
	if err != nil || t.Format(timeFormat) != s {
		return time.Time{}, fmt.Errorf("%w: the time %.40q is not like 2026-11-22T12:34:56Z", ErrInvalid, s)
	}
	return t, nil
}
