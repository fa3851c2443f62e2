package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestPetName(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "Alice", "Alice"},
		{"space", "Alice  B.\tSmith ", "Alice B. Smith"},
		{"wide space", "Alice\u3000B", "Alice B"},
		{"composed", "Zoe\u0308", "Zoë"},
		{"path", "../../etc/passwd", "etc-passwd"},
		{"backslash", `a\b`, "a-b"},
		{"leading dash", "--to", "to"},
		{"leading at", "@alice", "alice"},
		{"control", "Al\x1b[1mice", "Al[1mice"},
		{"hidden", "Al\u200Bice\u202E", "Alice"},
		{"joiner", "می\u200Cخ", "میخ"},
		{"hexadecimal", "DeadBeef", "x DeadBeef"},
		{"hexadecimal in parts", "dead beef", "x dead beef"},
		{"seven digits", "deadbee", "deadbee"},
		{"nothing", " \u200B.- ", ""},
		{"long", strings.Repeat("ä", 70), strings.Repeat("ä", 64)},
		{"long with a space", strings.Repeat("ä", 63) + " b", strings.Repeat("ä", 63)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := PetName(test.in)
			if got != test.want {
				t.Errorf("got %+q, want %+q", got, test.want)
			}
		})
	}
}

func TestIsHex(t *testing.T) {
	for in, want := range map[string]bool{
		"deadbeef": true, "DEAD BEEF": true, "openpgp4fpr:deadbeef": true, "OPENPGP4FPR:0123 4567": true, "1234567": false, "1234567g": false, "": false, "openpgp4fpr:": false,
	} {
		if IsHex(in) != want {
			t.Errorf("%q: got %v", in, !want)
		}
	}
}

func FuzzPetName(f *testing.F) {
	for _, seed := range []string{"", "../x", "DEADBEEF", "\u0958" + strings.Repeat("\u0301", 8), "a\u034F\u0301", strings.Repeat("a ", 64), "/.-/@deadbeef"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := PetName(s)
		if got == "" {
			return
		}
		switch {
		case PetName(got) != got:
			t.Fatal("not idempotent")
		case !utf8.ValidString(got), Clean(got) != got, norm.NFC.String(got) != got:
			t.Fatal("not clean")
		case strings.ContainsAny(got, "/\\\uFFFD\u200C\u200D"), strings.ContainsAny(got[:1], ".-@ "), strings.HasSuffix(got, " "), strings.Contains(got, "  "):
			t.Fatal("not a name")
		case strings.ContainsFunc(got, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }):
			t.Fatal("odd space")
		case utf8.RuneCountInString(got) > MaxName, IsHex(got):
			t.Fatal("too long or hexadecimal")
		}
	})
}
