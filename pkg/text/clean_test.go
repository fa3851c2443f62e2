package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "Sunday lunch at ours!", "Sunday lunch at ours!"},
		{"letters", "Grüße, Привет, 你好, שלום", "Grüße, Привет, 你好, שלום"},
		{"line feed", "a\nb", "a b"},
		{"carriage return and line feed", "a\r\nb", "a b"},
		{"carriage return", "a\rb", "a b"},
		{"line separator", "a\u2028b", "a b"},
		{"paragraph separator", "a\u2029b", "a b"},
		{"tab", "a\tb", "a b"},
		{"nul", "a\x00b", "a\uFFFDb"},
		{"escape", "\x1b[31mred", "\uFFFD[31mred"},
		{"bell", "a\a", "a\uFFFD"},
		{"backspace", "a\b", "a\uFFFD"},
		{"form feed", "a\fb", "a\uFFFDb"},
		{"delete", "a\x7f", "a\uFFFD"},
		{"C1 control sequence introducer", "a\u009b31m", "a\uFFFD31m"},
		{"C1 next line", "a\u0085b", "a\uFFFDb"},
		{"right-to-left override", "a\u202Eb", "a\uFFFDb"},
		{"left-to-right embedding", "a\u202Ab", "a\uFFFDb"},
		{"pop directional formatting", "a\u202Cb", "a\uFFFDb"},
		{"first strong isolate", "a\u2068b", "a\uFFFDb"},
		{"pop directional isolate", "a\u2069b", "a\uFFFDb"},
		{"right-to-left mark", "a\u200Fb", "ab"},
		{"Arabic letter mark", "a\u061Cb", "ab"},
		{"zero-width space", "a\u200Bb", "ab"},
		{"word joiner", "a\u2060b", "ab"},
		{"byte order mark", "\uFEFFa", "a"},
		{"soft hyphen", "a\u00ADb", "ab"},
		{"combining grapheme joiner", "a\u034Fb", "ab"},
		{"Hangul filler", "a\u3164b", "ab"},
		{"language tag", "a\U000E0001b", "ab"},
		{"tag letter", "a\U000E0061b", "ab"},
		{"interlinear annotation", "a\uFFF9b", "ab"},
		{"noncharacter", "a\uFFFEb", "a\uFFFDb"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFD\uFFFDb"},
		{"surrogate", "a\xed\xa0\x80b", "a\uFFFD\uFFFD\uFFFDb"},
		{"replacement character", "a\uFFFDb", "a\uFFFDb"},
		{"Arabic number sign", "\u0600\u0661", "\u0600\u0661"},
		{"eight marks", "e" + strings.Repeat("\u0301", 8) + "x", "e" + strings.Repeat("\u0301", 8) + "x"},
		{"nine marks", "e" + strings.Repeat("\u0301", 9) + "x", "e" + strings.Repeat("\u0301", 8) + "x"},
		{"marks of two letters", strings.Repeat("e"+strings.Repeat("\u0301", 6), 2), strings.Repeat("e"+strings.Repeat("\u0301", 6), 2)},
		{"mark without a letter", "\u0301a", "a"},
		{"emoji of a kind", "❤\uFE0F", "❤\uFE0F"},
		{"second variation selector", "a\uFE0F\U000E0101\uFE00b", "a\uFE0Fb"},
		{"family", "👩\u200D👩\u200D👧", "👩\u200D👩\u200D👧"},
		{"rainbow flag", "🏳\uFE0F\u200D🌈", "🏳\uFE0F\u200D🌈"},
		{"skin tone", "👩🏽\u200D🚀", "👩🏽\u200D🚀"},
		{"flag of England", "🏴\U000E0067\U000E0062\U000E007F", "🏴"},
		{"joiner in Latin", "a\u200Db\u200Cc", "abc"},
		{"joiner after emoji", "👩\u200Da", "👩a"},
		{"joiner at the end", "👩\u200D", "👩"},
		{"two joiners", "👩\u200D\u200D👧", "👩\u200D👧"},
		{"Persian", "می\u200Cخواهم", "می\u200Cخواهم"},
		{"Hindi", "क्\u200Dष", "क्\u200Dष"},
		{"joiner before a space", "می\u200C ", "می "},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Clean(test.in); got != test.want {
				t.Errorf("got %+q, want %+q", got, test.want)
			}
		})
	}
}

func TestBlock(t *testing.T) {
	in := "one\r\ntwo\rthree\u2028four\n\n\tfive\x1b[2J\n\u0301six"
	want := "one\ntwo\nthree\nfour\n\n    five\uFFFD[2J\nsix"
	if got := Block(in); got != want {
		t.Errorf("got %+q, want %+q", got, want)
	}
}

// forbidden is written out by number, apart from the tables that Clean uses.
func forbidden(r rune) bool {
	for _, span := range [][2]rune{
		{0, 0x1F}, {0x7F, 0x9F}, {0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160}, {0x180E, 0x180E},
		{0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF},
		{0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE00FF}, {0xE01F0, 0xE0FFF},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "a\x1b[0m\u202E", "👩\u200D\u200B\u200D👧", "e\u0301\u0301\u034F\u0301", "\xff\r\r\n\t\u0085", "क्\u200D\u200Cष", "a\uFE0F\U000E0101"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, clean := range map[string]func(string) string{"Clean": Clean, "Block": Block} {
			got := clean(s)
			if !utf8.ValidString(got) {
				t.Fatalf("%s(%+q) is not UTF-8: %+q", name, s, got)
			}
			if again := clean(got); again != got {
				t.Fatalf("%s(%+q) = %+q, again %+q", name, s, got, again)
			}
			marks := 0
			var last rune
			for _, r := range got {
				if forbidden(r) && (r != '\n' || name != "Block") {
					t.Fatalf("%s(%+q) holds %U", name, s, r)
				}
				if last == '\u200D' && (r < 0x80 || unicode.IsSpace(r)) {
					t.Fatalf("%s(%+q) joins %U", name, s, r)
				}
				if marks++; !unicode.Is(unicode.M, r) {
					marks = 0
				}
				if marks > maxMarks {
					t.Fatalf("%s(%+q) piles up marks", name, s)
				}
				last = r
			}
		}
	})
}
