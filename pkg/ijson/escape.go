package ijson

import (
	"fmt"
	"unicode/utf8"
)

// escape writes what a terminal would obey, and the JSON encoder leaves, as
// \uXXXX: DEL, C1 and the bidirectional controls. Outside strings JSON is
// printable ASCII, so the text can be changed without parsing it again.
func escape(data []byte) []byte {
	clean := true
	for _, b := range data {
		if b >= 0x7F {
			clean = false
			break
		}
	}
	if clean {
		return data
	}
	out := make([]byte, 0, len(data)+16)
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if commands(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out
}

// commands tells whether a terminal or a text layout obeys r instead of
// showing it.
func commands(r rune) bool {
	switch {
	case r >= 0x7F && r <= 0x9F, // DEL, C1
		r == 0x061C, r == 0x200E, r == 0x200F, // bidi marks
		r >= 0x2028 && r <= 0x202E, // line and paragraph separators, embeddings
		r >= 0x2066 && r <= 0x2069: // isolates
		return true
	}
	return false
}
