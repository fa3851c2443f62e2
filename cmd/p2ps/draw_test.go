package main

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A picture that says it is larger than its file could ever tell is not decoded,
// nor is one that is damaged or of another kind.
func TestDrawsWithinLimits(t *testing.T) {
	huge := hugePNG()
	for want, data := range map[string][]byte{
		"it is not drawn: it says that it has 20000 × 20000 pixels": huge,
		"it is not drawn: it is damaged":                            huge[:30],
		"it is not drawn: only JPEG, PNG and GIF are":               []byte("PK\x03\x04"),
	} {
		if _, err := decodePicture(data); !errors.Is(err, errDraw) || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	allocated := testing.AllocsPerRun(1, func() { _, _ = decodePicture(huge) })
	if allocated > 100 {
		t.Errorf("%v allocations for the huge picture", allocated)
	}
}

// Of 100,000 frames the first is drawn.
func TestDrawsTheFirstFrame(t *testing.T) {
	m, err := decodePicture(longGIF())
	if err != nil || m.Bounds().Dx() != 2 || m.Bounds().Dy() != 3 {
		t.Errorf("%v, %v", m, err)
	}
}

// What is drawn is small enough, and ends the escape that it begins; no byte of
// the picture gets to the terminal but in letters.
func TestDrawings(t *testing.T) {
	great := image.NewNRGBA(image.Rect(0, 0, 3000, 500))
	for i := range great.Pix {
		great.Pix[i] = uint8(i)
	}
	m := smaller(great)
	if m.Bounds().Dx() != 800 || m.Bounds().Dy() != 133 {
		t.Errorf("it is %v", m.Bounds())
	}
	for way, draw := range drawings() {
		var b bytes.Buffer
		if err := draw(&b, m); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		begin := map[string]string{"kitty": "\x1b_G", "iterm2": "\x1b]1337;File=", "sixel": "\x1bPq"}[way]
		end := map[string]string{"kitty": "\x1b\\", "iterm2": "\a", "sixel": "\x1b\\"}[way]
		if !strings.HasPrefix(out, begin) || !strings.HasSuffix(out, end) {
			t.Errorf("%s: %.20q … %q", way, out, out[len(out)-9:])
		}
		inside := strings.NewReplacer("\x1b_G", "", "\x1b\\", "", "\x1b]1337;", "", "\a", "", "\x1bPq", "").Replace(out)
		if i := strings.IndexFunc(inside, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Errorf("%s: %q in it", way, inside[i])
		}
	}
}

// Which way a terminal draws is told by its environment; nothing is drawn into a
// pipe unless it is asked for by name.
func TestDrawing(t *testing.T) {
	for env, want := range map[string]string{"TERM=xterm-kitty": "kitty", "TERM=xterm-ghostty": "kitty", "KITTY_WINDOW_ID=1": "kitty", "TERM_PROGRAM=iTerm.app": "iterm2",
		"TERM_PROGRAM=WezTerm": "iterm2", "TERM=foot": "sixel", "TERM=xterm-256color": "", "TERM=dumb": ""} {
		name, value, _ := strings.Cut(env, "=")
		w := newWorld(t)
		w.terminal.out = true
		w.getenv = func(s string) string {
			if s == name {
				return value
			}
			return ""
		}
		if got, err := w.drawing(""); err != nil || got != want {
			t.Errorf("%s: %q, %v", env, got, err)
		}
		w.terminal.out = false
		if got, _ := w.drawing(""); got != "" {
			t.Errorf("%s in a pipe: %q", env, got)
		}
		if got, _ := w.drawing("sixel"); got != "sixel" {
			t.Errorf("%s, asked for by name: %q", env, got)
		}
	}
}

// Nothing but draw.go and sixel.go can decode a picture of a post; scan.go reads
// those that the person names himself.
func TestOnlyDrawDecodes(t *testing.T) {
	drawing := strings.Fields("draw.go sixel.go scan.go")
	for _, p := range housed(t) {
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				if strings.HasPrefix(i.Path.Value, `"image`) && (p.short() != "cmd/p2ps" || !slices.Contains(drawing, name)) {
					t.Errorf("%s/%s imports %s", p.short(), name, i.Path.Value)
				}
			}
		}
	}
}
