// Package text is what stands between the words of strangers and a terminal:
// one sanitiser for everything that came from outside (posts, names, error
// messages of peers, file names), and the widths, times and sizes that listings
// are made of.
//
// A stranger's text must not move the cursor, set a colour, reorder what stands
// beside it, hide in it, or run over it. What it must be able to do is to be
// read: in Persian, in Hindi, and with families of emoji.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bad is shown in place of what would act on the terminal instead of being
// read: control characters, overriding bidi controls, broken UTF-8.
const Bad = '\uFFFD'

// maxMarks is the number of combining marks that one letter may carry. The
// longest in use are about four; more are piled up to paint over other lines.
const maxMarks = 8

const (
	zwnj = '\u200C'
	zwj  = '\u200D'
)

// Clean makes foreign text safe to show on one line. Line breaks and tabs
// become spaces. Controls (C0, DEL, C1), bidi embeddings, overrides and
// isolates, noncharacters and invalid UTF-8 become Bad, one for each. What is
// invisible (zero-width characters, bidi marks, tag characters, byte order
// marks, fillers) is dropped; a joiner stays only between two emoji or within a
// script that is shaped by it. Marks without a letter, second variation
// selectors and the ninth and further marks of a letter are dropped.
// Clean(Clean(s)) == Clean(s).
func Clean(s string) string {
	return clean(s, " ", " ")
}

// Block is Clean for text of several lines: line breaks of every kind become
// "\n", a tab four spaces.
func Block(s string) string {
	return clean(s, "\n", "    ")
}

func clean(s, newline, tab string) string {
	if isPlain(s) {
		return s
	}
	var out writer
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		invalid := r == utf8.RuneError && size == 1
		s = s[size:]
		switch {
		case invalid:
			out.put(Bad)
		case r == '\r' && strings.HasPrefix(s, "\n"): // one break, written by the \n
		case r == '\n', r == '\r', r == '\u2028', r == '\u2029':
			out.putAll(newline)
		case r == '\t':
			out.putAll(tab)
		case r == zwj || r == zwnj:
			if next, _ := utf8.DecodeRuneInString(s); joins(out.last, r, next) {
				out.put(r)
			}
		case isHostile(r):
			out.put(Bad)
		case isInvisible(r):
		case unicode.Is(unicode.M, r):
			out.mark(r)
		default:
			out.put(r)
		}
	}
	return out.String()
}

// A writer remembers what the next rune is judged by.
type writer struct {
	strings.Builder
	last  rune // 0 at the beginning
	marks int  // combining marks since the last letter
}

func (w *writer) put(r rune) {
	w.WriteRune(r)
	w.last, w.marks = r, 0
}

func (w *writer) putAll(s string) {
	for _, r := range s {
		w.put(r)
	}
}

func (w *writer) mark(r rune) {
	switch {
	case w.last == 0, w.last == '\n', w.marks == maxMarks:
		return
	case isSelector(r) && isSelector(w.last):
		return // runs of these carry hidden bytes
	}
	w.WriteRune(r)
	w.last = r
	w.marks++
}

// isPlain says that there is nothing to do: printable ASCII, as most text is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
