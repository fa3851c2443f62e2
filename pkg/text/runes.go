package text

import "unicode"

// isHostile says that a rune acts on what stands around it.
func isHostile(r rune) bool {
	switch {
	case unicode.IsControl(r): // C0, DEL, C1
	case r >= '\u202A' && r <= '\u202E': // embeddings and overrides
	case r >= '\u2066' && r <= '\u2069': // isolates
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
	default:
		return false
	}
	return true
}

// isInvisible says that a rune shows nothing by itself and may be left out.
// The format characters that do show are signs put before Arabic and other
// numbers.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

func isSelector(r rune) bool {
	return unicode.Is(unicode.Variation_Selector, r)
}

// joins says that a joiner between two runes changes how they look.
func joins(before, joiner, after rune) bool {
	if joiner == zwj && isEmoji(after) && (isEmoji(before) || before == '\uFE0F') {
		return true
	}
	for _, script := range shaped {
		if unicode.Is(script, after) {
			return unicode.IsLetter(after) && (unicode.Is(script, before) || unicode.Is(unicode.Mn, before))
		}
	}
	return false
}

// isEmoji holds for the blocks that emoji sequences are made of.
func isEmoji(r rune) bool {
	return r >= 0x1F000 && r <= 0x1FAFF || r >= 0x2190 && r <= 0x2BFF
}

// shaped are the scripts in which joiners tell words apart: Persian and other
// languages in Arabic script, those of India, and their neighbours.
var shaped = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
	unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
	unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}
