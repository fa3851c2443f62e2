package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Words takes text apart into what can be searched for, with single spaces
// between: letters without case and accents, digits, emoji. What is written
// without spaces (Chinese, Japanese, Korean, Thai and others) becomes
// overlapping pairs of letters, and the last letter alone, so that any part of
// it, of one letter or more, is found by AsQuery of that part.
func Words(s string) string { return words(s, true) }

// AsQuery is Words of something looked for: to be found as a phrase in Words of
// the text. begins says that the last word is only the beginning of one there:
// a single letter of a script without spaces.
func AsQuery(s string) (phrase string, begins bool) {
	phrase = words(s, false)
	last := phrase[strings.LastIndexByte(phrase, ' ')+1:]
	r := []rune(last)
	return phrase, len(r) == 1 && unspaced(r[0])
}

func words(s string, whole bool) string {
	if plain, ok := plainWords(s); ok {
		return plain
	}
	w := wordWriter{whole: whole}
	for _, r := range norm.NFC.String(strings.Map(bare, norm.NFKD.String(s))) {
		w.take(r)
	}
	w.endRun()
	return strings.TrimSuffix(w.b.String(), " ")
}

// plainWords is words of ASCII, as most text is.
func plainWords(s string) (string, bool) {
	out := make([]byte, 0, len(s)+1)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80:
			return "", false
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			out = append(out, c)
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	return strings.TrimSuffix(string(out), " "), true
}

// bare takes from a letter what people leave out or write in several ways:
// accents, vowel points, the forms of one Arabic letter, the skin of an emoji.
func bare(r rune) rune {
	switch {
	case r < 0x300:
		return r
	case r <= 0x36F, // accents of Latin, Greek and Cyrillic
		r >= 0x591 && r <= 0x5C7 && unicode.Is(unicode.Mn, r), // Hebrew points
		r >= 0x610 && r <= 0x6ED && unicode.Is(unicode.Mn, r), // Arabic vowels
		r == 0x640,               // the stretching of Arabic words
		r == 0x200C, r == 0x200D, // joiners
		r >= 0xFE00 && r <= 0xFE0F,   // how an emoji is drawn
		r >= 0x1F3FB && r <= 0x1F3FF, // skin
		r >= 0xE0000 && r <= 0xE0FFF: // tags
		return -1
	case r == 0x671: // alef with a mark that does not come apart
		return 0x627
	case r == 0x629: // ta marbuta
		return 0x647
	case r == 0x649, r == 0x6CC: // alef maksura, Persian yeh
		return 0x64A
	case r == 0x6A9: // Persian kaf
		return 0x643
	case r >= 0x660 && r <= 0x669:
		return '0' + r - 0x660
	case r >= 0x6F0 && r <= 0x6F9:
		return '0' + r - 0x6F0
	}
	return r
}

// unspaced tells letters of scripts that do not part words by spaces, or only
// together with what is appended to them.
func unspaced(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}

type wordWriter struct {
	b     strings.Builder
	whole bool
	run   rune // the letter before, of a script without spaces; 0: none
	pairs int  // in this run
	open  bool // a word has begun
}

func (w *wordWriter) take(r rune) {
	switch {
	case unspaced(r) && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)):
		w.endWord()
		if w.run != 0 {
			w.b.WriteRune(w.run)
			w.b.WriteRune(r)
			w.b.WriteByte(' ')
			w.pairs++
		}
		w.run = r
		return
	case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r) && w.open:
		w.endRun()
		for _, folded := range fold(r) {
			w.b.WriteRune(folded)
		}
		w.open = true
		return
	}
	w.endRun()
	w.endWord()
	if r > 0x7F && unicode.Is(unicode.So, r) { // an emoji is a word
		w.b.WriteRune(r)
		w.b.WriteByte(' ')
	}
}

// fold is a letter without its case.
func fold(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'ς':
		return "σ"
	case 'ı':
		return "i"
	case 'ø', 'Ø':
		return "o"
	case 'ł', 'Ł':
		return "l"
	}
	return string(unicode.ToLower(r))
}

func (w *wordWriter) endWord() {
	if w.open {
		w.b.WriteByte(' ')
		w.open = false
	}
}

// endRun ends a run of letters without spaces: with its last letter alone, in a
// text; in a question only if there is no other.
func (w *wordWriter) endRun() {
	if w.run != 0 && (w.whole || w.pairs == 0) {
		w.b.WriteRune(w.run)
		w.b.WriteByte(' ')
	}
	w.run, w.pairs = 0, 0
}
