package text

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"!?… —":                  "",
		"Hello, World! 42":       "hello world 42",
		"Ärger ÉTÉ naïve Straße": "arger ete naive strasse",
		"ΣΊΣΥΦΟΣ Ёлка":           "σισυφοσ елка",
		"مُحَمَّد أحمد إلى":      "محمد احمد الي",
		"شَــمس ۱۲٣":             "شمس 123",
		"שָׁלוֹם":                "שלום",
		"山水画":                    "山水 水画 画",
		"a山b":                    "a 山 b",
		"ガカ":                     "ガカ カ",
		"한국어 말":                  "한국 국어 어 말",
		"go👍🏽now":                "go 👍 now",
		"👩‍👩‍👧":                  "👩 👩 👧",
		"हिन्दी भाषा":            "हिन्दी भाषा",
		"ﬁne Ｗｉｄｅ":               "fine wide",
		`"quoted" OR NEAR(a b)*`: "quoted or near a b",
	} {
		if got := Words(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Any part of a text without spaces is found in it, and any word of another.
func TestAsQueryIsFound(t *testing.T) {
	found := func(in, part string) bool {
		phrase, begins := AsQuery(part)
		end := " "
		if begins {
			end = ""
		}
		return strings.Contains(" "+Words(in)+" ", " "+phrase+end)
	}
	chinese := []rune("今天我们去看山水画展")
	for i := range chinese {
		for j := i + 1; j <= len(chinese); j++ {
			if part := string(chinese[i:j]); !found("说："+string(chinese)+"！", part) {
				t.Errorf("%q is not found", part)
			}
		}
	}
	for _, c := range []struct {
		in, part string
		want     bool
	}{{"山水", "水山", false}, {"山 水", "山水", false}, {"Grüße aus Köln", "koln", true}, {"walking", "walk", false}, {"x👍", "👍🏿", true}} {
		if got := found(c.in, c.part); got != c.want {
			t.Errorf("%q in %q: %v", c.part, c.in, got)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("山水 ÉTÉ 👍🏽 \xff \u0301")
	f.Fuzz(func(t *testing.T, s string) {
		w := Words(s)
		if strings.ContainsAny(w, "\"'*:()\n\x00") || strings.Contains(w, "  ") || w != strings.TrimSpace(w) {
			t.Errorf("%q became %q", s, w)
		}
	})
}
