package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the greatest number of runes in a pet name.
const MaxName = 64

// PetName makes a foreign name safe as one path component and one word of the
// command line's name space: NFC, cleaned, no joiners, slashes as dashes,
// single spaces inside, nothing of ". - @" in front, not to be taken for a
// fingerprint, at most MaxName runes. It returns "" if nothing is left.
// PetName(PetName(s)) == PetName(s).
func PetName(raw string) string {
	name := raw
	// Normalising can bring out marks that cleaning then cuts, and the other
	// way round; this settles in two rounds, and a name that does not is none.
	for range 4 {
		next := petName(name)
		if next == name {
			return name
		}
		name = next
	}
	return ""
}

func petName(s string) string {
	s = norm.NFC.String(Clean(norm.NFC.String(s)))
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '-'
		case r == Bad || r == zwj || r == zwnj:
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	s = strings.TrimLeft(s, ".-@ ")
	for utf8.RuneCountInString(s) > MaxName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	s = strings.TrimRight(s, " ")
	if IsHex(s) {
		s = "x " + s
	}
	return s
}

// IsHex says that a word can be meant as a fingerprint or the beginning of one:
// eight or more hexadecimal digits, spaces and "openpgp4fpr:" aside.
func IsHex(s string) bool {
	const scheme = "openpgp4fpr:"
	if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
		s = s[len(scheme):]
	}
	digits := 0
	for _, r := range s {
		switch {
		case r == ' ':
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f', r >= 'A' && r <= 'F':
			digits++
		default:
			return false
		}
	}
	return digits >= 8
}
