package text

import (
	"strings"
	"testing"
)

// spec: K1
func TestFromHTML(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "a  b\n c": "a b c", "1 < 2 & 3 > 2": "1 < 2 & 3 > 2", "a&amp;b &lt;i&gt; &eacute;&#8364;": "a&b <i> é€",
		"<p>one</p><p>two <b>bold</b></p>":                                            "one\ntwo bold",
		"one<br>two<BR/>three":                                                        "one\ntwo\nthree",
		"<ul><li>a<li>b</li></ul>after":                                               "- a\n- b\nafter",
		"a<script>alert('</p>')</script>b":                                            "ab",
		"a<SCRIPT src=x>alert(1)</ScRiPt >b":                                          "ab",
		"a<style>p{}</style><!-- c > d -->b":                                          "ab",
		"a<script>never ends":                                                         "a",
		"a<!-- never ends":                                                            "a",
		"a<b":                                                                         "a",
		`<a href="https://example.org/">here</a>.`:                                    "here (https://example.org/).",
		`<a href='https://example.org/'>https://example.org/</a>`:                     "https://example.org/",
		`<a title="href=x" href=https://example.org/?a&amp;b>here</a>`:                "here (https://example.org/?a&b)",
		`<a href="javascript:alert(1)">x`:                                             "x (javascript:alert(1))",
		`<a title="a > b" data-href="y" href="z">x</a>`:                               "x (z)",
		`<img src="https://example.org/t.gif" alt="a boat">`:                          "a boat",
		"<pre>a\n  b</pre>c":                                                          "a\n  b\nc",
		"<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>":                                "<script>alert(1)</script>",
		"<svg><text>no</text></svg>a<a>b</a><blockquote>c</blockquote>":               "ab\nc",
		"<p>Hello <span class=\"h-card\"><a href=\"u\" class=\"x\">@b</a></span></p>": "Hello @b (u)",
		"a </p > b": "a\nb", "<>": "<>", "</": "", "<!DOCTYPE html>x": "x", "a&nbsp;b": "a b",
	} {
		if got := FromHTML(in); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", in, got, want)
		}
	}
}

// FuzzFromHTML: it ends, it is not much longer than the page, and cleaned it is
// what cleaned text is.
func FuzzFromHTML(f *testing.F) {
	for _, s := range []string{"<a href=x>y</a>", "<script><p>", `<img alt='a>b'>`, "<!--", "&#x1b;[31m", "<pre>\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := FromHTML(s)
		if len(got) > 4*len(s)+16 {
			t.Fatalf("%d bytes of %d", len(got), len(s))
		}
		if clean := Block(got); Block(clean) != clean || strings.ContainsRune(clean, 0x1B) {
			t.Fatalf("%q is not clean", clean)
		}
	})
}
