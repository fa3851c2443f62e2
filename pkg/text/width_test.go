package text

import (
	"strings"
	"testing"
)

func TestIsolate(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"Alice":        "Alice",
		"שלום":         "\u2068שלום\u2069",
		"say سلام now": "\u2068say سلام now\u2069",
		"1 + 2":        "1 + 2",
	} {
		if got := Isolate(in); got != want {
			t.Errorf("%q: got %+q, want %+q", in, got, want)
		}
	}
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "é": 1, "e\u0301": 1, "你好": 4, "👩\u200D👩\u200D👧": 2} {
		if got := Width(in); got != want {
			t.Errorf("%q: got %d, want %d", in, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		in    string
		width int
		want  string
	}{
		{"lunch", 5, "lunch"}, {"lunch", 4, "lun…"}, {"lunch", 1, "…"}, {"lunch", 0, ""}, {"lunch", -1, ""},
		{"你好吗", 5, "你好…"}, {"你好", 3, "你…"}, {"你好", 2, "…"}, {"", 3, ""},
	} {
		if got := Truncate(test.in, test.width); got != test.want {
			t.Errorf("%q to %d: got %q, want %q", test.in, test.width, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		name, in string
		width    int
		indent   string
		want     string
	}{
		{"fits", "one two", 7, "", "one two"},
		{"breaks", "one two three", 8, "", "one two\nthree"},
		{"indent counts", "one two", 8, "  ", "  one\n  two"},
		{"keeps lines", "one\n\ntwo", 20, "> ", "> one\n>\n> two"},
		{"keeps leading spaces", "  one two", 6, "", "  one\ntwo"},
		{"keeps spaces inside", "a  b", 9, "", "a  b"},
		{"keeps a link whole", "see https://example.org/long now", 10, "", "see\nhttps://example.org/long\nnow"},
		{"wide", "你好你好", 5, "", "你好\n你好"},
		{"wide and word", "abc你好", 5, "", "abc你\n好"},
		{"no room", "a b", 1, "      ", "      a\n      b"},
		{"empty", "", 5, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Wrap(test.in, test.width, test.indent); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("one two\n  three 你好", 7)
	f.Fuzz(func(t *testing.T, s string, width int) {
		s = Block(s)
		bare := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got := Wrap(s, width, ""); bare(got) != bare(s) {
			t.Fatalf("Wrap(%q, %d) = %q", s, width, got)
		}
	})
}
