package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"strconv"
	"strings"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// ParseLine reads a post line: id SP revision SP sha256 (spec W7).
func ParseLine(s string) (post.Version, error) {
	f := strings.Split(s, " ")
	if len(f) != 3 {
		return post.Version{}, fmt.Errorf("%w: the line %.160q has not three parts", ErrInvalid, s)
	}
	id, err := post.ParseID(f[0])
	if err != nil {
		return post.Version{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	v := post.Version{ID: id}
	v.Revision, err = strconv.ParseInt(f[1], 10, 64)
	if err != nil || v.Revision < 1 || strconv.FormatInt(v.Revision, 10) != f[1] {
		return post.Version{}, fmt.Errorf("%w: the revision in the line %.160q", ErrInvalid, s)
	}
	v.Hash, err = parseHash(f[2])
	return v, err
}

func parseHash(s string) (h [sha256.Size]byte, err error) {
	if len(s) == hex.EncodedLen(len(h)) && strings.ToLower(s) == s {
		if _, err = hex.Decode(h[:], []byte(s)); err == nil {
			return h, nil
		}
	}
	return [sha256.Size]byte{}, fmt.Errorf("%w: %.80q is not a SHA-256 in lower-case hexadecimal", ErrInvalid, s)
}

// A Month sums up the lines of one calendar month of positions.
type Month struct {
	Month string // 202611
	Count int
	Hash  [sha256.Size]byte // of the month's lines, each with its LF, in byte order
}

// String is the month line without its LF (spec W8).
func (m Month) String() string {
	return m.Month + " " + strconv.Itoa(m.Count) + " " + hex.EncodeToString(m.Hash[:])
}

var monthPattern = text.NewPattern(`^(19|20|21)[0-9]{2}(0[1-9]|1[0-2])$`)

// IsMonth tells whether s is like 202611.
func IsMonth(s string) bool { return monthPattern.MatchString(s) }

// ParseMonth reads a month line.
func ParseMonth(s string) (Month, error) {
	f := strings.Split(s, " ")
	if len(f) != 3 || !IsMonth(f[0]) {
		return Month{}, fmt.Errorf("%w: the month line %.160q", ErrInvalid, s)
	}
	m := Month{Month: f[0]}
	var err error
	m.Count, err = strconv.Atoi(f[1])
	if err != nil || m.Count < 1 || strconv.Itoa(m.Count) != f[1] {
		return Month{}, fmt.Errorf("%w: the count in the month line %.160q", ErrInvalid, s)
	}
	m.Hash, err = parseHash(f[2])
	return m, err
}

// Months are the month lines of one reader, oldest first.
type Months []Month

// SumMonths makes the month lines of the lines of one author, which must come
// in ascending order of their positions (which is their byte order).
func SumMonths(lines iter.Seq[post.Version]) Months {
	var (
		months Months
		sum    hash.Hash
	)
	finish := func() {
		if sum != nil {
			sum.Sum(months[len(months)-1].Hash[:0])
		}
	}
	for v := range lines {
		if m := v.ID.Position.Month(); len(months) == 0 || months[len(months)-1].Month != m {
			finish()
			sum = sha256.New()
			months = append(months, Month{Month: m})
		}
		months[len(months)-1].Count++
		_, _ = sum.Write(append([]byte(v.String()), '\n')) // a hash never fails
	}
	finish()
	return months
}

// SumMonth is SumMonths of lines that are all of one month; its Count is 0 if
// there are none.
func SumMonth(month string, lines iter.Seq[post.Version]) Month {
	if sum := SumMonths(lines); len(sum) > 0 {
		return sum[0]
	}
	return Month{Month: month}
}

// Digest is the proof of completeness: how many posts, and the SHA-256 of the
// month lines in lower-case hexadecimal (spec W9).
func (m Months) Digest() (count int, digest string) {
	sum := sha256.New()
	for _, month := range m {
		count += month.Count
		_, _ = sum.Write([]byte(month.String() + "\n"))
	}
	return count, hex.EncodeToString(sum.Sum(nil))
}

// Differ lists the months, in order, in which m and other do not agree.
func (m Months) Differ(other Months) []string {
	var differ []string
	for len(m) > 0 || len(other) > 0 {
		switch {
		case len(other) == 0 || len(m) > 0 && m[0].Month < other[0].Month:
			differ, m = append(differ, m[0].Month), m[1:]
		case len(m) == 0 || other[0].Month < m[0].Month:
			differ, other = append(differ, other[0].Month), other[1:]
		default:
			if m[0] != other[0] {
				differ = append(differ, m[0].Month)
			}
			m, other = m[1:], other[1:]
		}
	}
	return differ
}
