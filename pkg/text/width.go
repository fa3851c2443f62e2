package text

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/text/unicode/bidi"
)

// Isolate puts cleaned text between FSI and PDI if it holds anything written
// from right to left, so that it does not reorder the line around it.
func Isolate(s string) string {
	for rest := s; rest != ""; {
		properties, size := bidi.LookupString(rest)
		if size == 0 {
			break // not cleaned
		}
		if class := properties.Class(); class == bidi.R || class == bidi.AL {
			return "\u2068" + s + "\u2069"
		}
		rest = rest[size:]
	}
	return s
}

// Width returns the number of terminal cells that cleaned text of one line
// takes.
func Width(s string) int {
	return displaywidth.String(s)
}

// Truncate cuts cleaned text of one line to at most width cells, between what
// is read as characters, with "…" at the end if anything is missing. Cut first,
// then Isolate.
func Truncate(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return displaywidth.TruncateString(s, width, "…")
}

// Wrap breaks cleaned text (Block) into lines of at most width cells, indent
// included, which begins each line. It breaks at spaces and beside wide
// characters (Chinese and Japanese have no spaces). A longer word, such as a
// link, stays whole, so that it can be copied. Line breaks and the spaces at
// the beginning of a line are kept.
func Wrap(s string, width int, indent string) string {
	room := max(1, width-Width(indent))
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		for _, part := range wrapLine(line, room) {
			lines = append(lines, strings.TrimRight(indent+part, " "))
		}
	}
	return strings.Join(lines, "\n")
}

func wrapLine(line string, room int) (lines []string) {
	var (
		current, spaces strings.Builder // spaces wait for the word after them
		width           int             // of both
		empty           = true          // no word on this line yet
	)
	for atom, cells := range atoms(line) {
		if atom == " " {
			spaces.WriteString(atom)
			width += cells
			continue
		}
		if !empty && width+cells > room {
			lines = append(lines, current.String())
			current.Reset()
			spaces.Reset()
			width = 0
		}
		current.WriteString(spaces.String())
		spaces.Reset()
		current.WriteString(atom)
		width += cells
		empty = false
	}
	return append(lines, current.String())
}

// atoms yields a line's spaces, wide characters and words, with their cells.
func atoms(line string) func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		word, cells := "", 0
		for graphemes := displaywidth.StringGraphemes(line); graphemes.Next(); {
			value, width := graphemes.Value(), graphemes.Width()
			if value != " " && width < 2 {
				word += value
				cells += width
				continue
			}
			if word != "" && !yield(word, cells) || !yield(value, width) {
				return
			}
			word, cells = "", 0
		}
		if word != "" {
			yield(word, cells)
		}
	}
}
