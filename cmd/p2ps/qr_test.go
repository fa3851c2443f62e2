package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/p2ps/p2ps/pkg/wire"
)

const aliceFPR = "6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"

// longInvite is a link with a place of the greatest usual length.
func longInvite() string {
	return wire.Invite{Fingerprint: aliceFPR, Token: "LY4XXSQ27EFOMCFAWEUESMY7LQ", Addresses: []string{"http://192.168.100.200:17117"}}.String()
}

// A theme is the two colors that a window has where nothing is said.
type theme struct {
	name       string
	back, fore color.Gray
}

var themes = []theme{{"dark", color.Gray{Y: 0x20}, color.Gray{Y: 0xe0}}, {"light", color.Gray{Y: 0xff}, color.Gray{Y: 0x10}}}

// render draws what a terminal shows: cells of 8 by 16, the blocks, and the two
// sequences of colors that are used. Anything else fails.
func render(t *testing.T, text string, th theme, columns, rows int) *image.Gray {
	t.Helper()
	const w, h = 8, 16
	img := image.NewGray(image.Rect(0, 0, columns*w, rows*h))
	draw.Draw(img, img.Rect, image.NewUniform(th.back), image.Point{}, draw.Src)
	fore, back := th.fore, th.back
	x, y := 0, 0
	for text != "" {
		switch {
		case strings.HasPrefix(text, blackOnWhite):
			fore, back, text = color.Gray{Y: 0}, color.Gray{Y: 255}, text[len(blackOnWhite):]
			continue
		case strings.HasPrefix(text, plainAgain):
			fore, back, text = th.fore, th.back, text[len(plainAgain):]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		upper, lower := back, back
		switch r {
		case '\n':
			x, y = 0, y+1
			continue
		case '█':
			upper, lower = fore, fore
		case '▀':
			upper = fore
		case '▄':
			lower = fore
		case ' ':
		default:
			t.Fatalf("the terminal is sent %q", r)
		}
		if x >= columns || y >= rows {
			t.Fatalf("it has no room in %d × %d", columns, rows)
		}
		for i, c := range []color.Gray{upper, lower} {
			draw.Draw(img, image.Rect(x*w, y*h+i*h/2, (x+1)*w, y*h+(i+1)*h/2), image.NewUniform(c), image.Point{}, draw.Src)
		}
		x++
	}
	return img
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scanned demands that our own reader, and zbarimg where there is one, read an
// image as said.
func scanned(t *testing.T, data []byte, want string) {
	t.Helper()
	if got, err := readQR(data); err != nil || got != want {
		t.Errorf("our own reader: got %.80q, %v, want %.80q", got, err, want)
	}
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Log("zbarimg is not installed: only our own reader has looked")
		return
	}
	file := filepath.Join(t.TempDir(), "qr.png")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), zbar, "--raw", "-q", file).Output()
	if err != nil || strings.TrimSuffix(string(out), "\n") != want {
		t.Errorf("zbarimg: got %.80q, %v, want %.80q", out, err, want)
	}
}

// An invite fits a window of 80 × 24, a line of it left for the shell, and is
// read from there in dark and light windows.
func TestQROnTheTerminal(t *testing.T) {
	link := longInvite()
	lines, err := drawQR(link, false, 80, 23)
	if err != nil || lines == nil {
		t.Fatalf("an invite does not fit: %v", err)
	}
	for _, th := range themes {
		t.Run(th.name, func(t *testing.T) {
			scanned(t, asPNG(t, render(t, strings.Join(lines, "\n"), th, 80, 24)), link)
		})
		t.Run(th.name+", full", func(t *testing.T) {
			lines, err := drawQR(link, true, 120, 60)
			if err != nil || lines == nil {
				t.Fatal(err)
			}
			scanned(t, asPNG(t, render(t, strings.Join(lines, "\n"), th, 120, 60)), link)
		})
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, blackOnWhite) || !strings.HasSuffix(line, plainAgain) {
			t.Errorf("a line leaves its colors to the window: %q", line)
		}
	}
	four := wire.Invite{Fingerprint: aliceFPR, Token: "LY4XXSQ27EFOMCFAWEUESMY7LQ", Addresses: []string{
		"http://192.168.1.20:7117", "http://10.0.0.2:7117", "http://10.1.0.2:7117", "http://10.2.0.2:7117"}}.String()
	if lines, err := drawQR(four, false, 80, 23); err != nil || lines == nil {
		t.Errorf("four places do not fit: %v", err)
	} else {
		scanned(t, asPNG(t, render(t, strings.Join(lines, "\n"), themes[0], 80, 24)), four)
	}
	if lines, err := drawQR(link, false, 80, 16); lines != nil || err != nil {
		t.Errorf("in a window too small: %d lines, %v", len(lines), err)
	}
	if lines, err := drawQR(link, false, 34, 24); lines != nil || err != nil {
		t.Errorf("in a window too narrow: %d lines, %v", len(lines), err)
	}
}

// The window that is too small gets words.
func TestQRInASmallWindow(t *testing.T) {
	w := newWorld(t)
	w.terminal.out = true
	if err := w.showQR(strings.Repeat("X", 2000), ""); err != nil {
		t.Fatal(err)
	}
	_ = w.stdout.Flush()
	if w.out.Len() > 0 || !strings.Contains(w.errout.String(), "too small") {
		t.Errorf("%q, %q", w.out, w.errout)
	}
}

// Without a word a pipe gets no code, nor does a terminal that cannot draw.
func TestQRUnasked(t *testing.T) {
	for how, want := range map[string]bool{"": false, qrNone: false, qrAnsi: true, qrFull: true} {
		w := newWorld(t)
		if err := w.showQR(longInvite(), how); err != nil {
			t.Fatal(err)
		}
		if got := w.out.Len() > 0; got != want {
			t.Errorf("%q in a pipe: %v", how, got)
		}
	}
	w := newWorld(t)
	w.terminal.out = true
	w.getenv = func(name string) string { return map[string]string{"TERM": "dumb"}[name] }
	if err := w.showQR(longInvite(), ""); err != nil || w.out.Len() > 0 {
		t.Errorf("a dumb terminal gets %q, %v", w.out, err)
	}
}

// A whole certificate goes into an image, and comes out of it as it was.
func TestQROfACertificate(t *testing.T) {
	s := newScene(t)
	s.play("alice", 0, "keygen", "--name", "Alice", "--email", "alice@example.org", "--no-passphrase")
	file := filepath.Join(s.dir, "key.png")
	s.play("alice", 0, "key", "qr", "--qr", "png:"+file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	armor := filepath.Join(s.dir, "alice.asc")
	s.play("alice", 0, "key", "export", "-o", armor)
	want, err := os.ReadFile(armor)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readQR(data); err != nil || got != string(want) {
		t.Errorf("our own reader: %v\n%s", err, got)
	}
	scanned(t, data, strings.TrimSuffix(string(want), ""))
}

// What people really have: inverted, small, large, cut out of a screenshot,
// turned, gray, as JPEG and GIF.
func TestScan(t *testing.T) {
	link := longInvite()
	lines, err := drawQR(link, false, 80, 23)
	if err != nil {
		t.Fatal(err)
	}
	shot := render(t, strings.Join(lines, "\n"), themes[0], 80, 24)
	plain := cut(shot, image.Rect(0, 0, (33+8)*8, (33+8)*8))
	for name, img := range map[string]image.Image{
		"as it is":       plain,
		"inverted":       mapped(plain, func(v uint8) uint8 { return 255 - v }),
		"pale":           mapped(plain, func(v uint8) uint8 { return 150 + v/4 }),
		"large":          grown(plain, 4),
		"small":          shrunk(plain, 4),
		"two pixels":     shrunk(plain, 4),
		"turned by 90":   turned(plain),
		"turned by 180":  turned(turned(plain)),
		"upside down":    turned(turned(turned(plain))),
		"in a great one": inside(plain, 2000, 1400),
		"transparent":    transparent(plain),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := readQR(asPNG(t, img)); err != nil || got != link {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, plain, &jpeg.Options{Quality: 40}); err != nil {
		t.Fatal(err)
	}
	if got, err := readQR(b.Bytes()); err != nil || got != link {
		t.Errorf("JPEG: got %q, %v", got, err)
	}
	b.Reset()
	if err := gif.Encode(&b, plain, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := readQR(b.Bytes()); err != nil || got != link {
		t.Errorf("GIF: got %q, %v", got, err)
	}
}

func cut(g *image.Gray, r image.Rectangle) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Rect, g, r.Min, draw.Src)
	return out
}

func mapped(g *image.Gray, f func(uint8) uint8) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, g.Rect.Dx(), g.Rect.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Pix[y*out.Stride+x] = f(g.GrayAt(g.Rect.Min.X+x, g.Rect.Min.Y+y).Y)
		}
	}
	return out
}

func turned(g *image.Gray) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, g.Rect.Dy(), g.Rect.Dx()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.SetGray(x, y, g.GrayAt(y, g.Rect.Dy()-1-x))
		}
	}
	return out
}

func inside(g *image.Gray, width, height int) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, width, height))
	for i := range out.Pix {
		out.Pix[i] = uint8(i / 977 % 200)
	}
	draw.Draw(out, g.Rect.Add(image.Pt(width/2, height/3)), g, image.Point{}, draw.Src)
	return out
}

func transparent(g *image.Gray) image.Image {
	out := image.NewNRGBA(g.Rect)
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			if g.GrayAt(x, y).Y == 0 {
				out.SetNRGBA(x, y, color.NRGBA{A: 255})
			}
		}
	}
	return out
}

// Images that would take much are refused by their heads; what is no image, and
// one without a code, is told so.
func TestScanRefused(t *testing.T) {
	bomb := asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	huge := func(width, height uint32) []byte { // the head alone says so: IHDR with its checksum
		return pngHead(width, height)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"too wide":      {huge(1<<20, 16), "too large"},
		"too high":      {huge(16, 1<<20), "too large"},
		"too many":      {huge(16000, 16000), "too large"},
		"overflow":      {huge(1<<31-1, 1<<31-1), "no PNG, JPEG or GIF image"},
		"nothing":       {nil, "no PNG, JPEG or GIF image"},
		"text":          {[]byte("P2PS:1/"), "no PNG, JPEG or GIF image"},
		"no code in it": {asPNG(t, image.NewGray(image.Rect(0, 0, 300, 300))), errNoQR.Error()},
		"one pixel":     {bomb, errNoQR.Error()},
		"cut short":     {asPNG(t, image.NewGray(image.Rect(0, 0, 300, 300)))[:60], "damaged"},
	} {
		if _, err := readQR(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := readQR(bomb); !errors.Is(err, errNoQR) {
		t.Errorf("got %v", err)
	}
}

// FuzzScan: no image makes the reader fail.
func FuzzScan(f *testing.F) {
	f.Add(pngHead(3, 3))
	f.Add([]byte("GIF89a"))
	f.Add([]byte("\xff\xd8\xff"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readQR(data)
	})
}

// pngHead is the beginning of a PNG image that says to be so large.
func pngHead(width, height uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	ihdr = append(binary.BigEndian.AppendUint32(ihdr, height), 8, 0, 0, 0, 0)
	data := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(ihdr)-4))
	data = append(data, ihdr...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(ihdr))
}
