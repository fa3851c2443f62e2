package main

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"io"
	"strings"
)

// drawSixel draws with the 216 colours of the web, dithered: six rows at once, a
// line of six-dot columns for each colour in them (DEC STD 070, chapter 9).
func drawSixel(to io.Writer, m image.Image) error {
	b := m.Bounds()
	flat := image.NewPaletted(image.Rect(0, 0, b.Dx(), b.Dy()), palette.WebSafe)
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	over := image.NewRGBA(flat.Bounds())
	draw.Draw(over, over.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src) // what is transparent is paper
	draw.Draw(over, over.Bounds(), m, b.Min, draw.Over)
	draw.FloydSteinberg.Draw(flat, flat.Bounds(), over, image.Point{})
	w := bufio.NewWriter(to)
	_, _ = fmt.Fprintf(w, "\x1bPq\"1;1;%d;%d", b.Dx(), b.Dy())
	for i, c := range palette.WebSafe {
		r, g, bl, _ := c.RGBA()
		_, _ = fmt.Fprintf(w, "#%d;2;%d;%d;%d", i, r*100/0xFFFF, g*100/0xFFFF, bl*100/0xFFFF)
	}
	for y := 0; y < b.Dy(); y += 6 {
		sixelBand(w, flat, y)
		_ = w.WriteByte('-')
	}
	_, _ = w.WriteString("\x1b\\")
	return w.Flush() // which tells of all that failed before
}

func sixelBand(w *bufio.Writer, m *image.Paletted, y int) {
	width := m.Bounds().Dx()
	var used [256]bool
	for dy := 0; dy < 6 && y+dy < m.Bounds().Dy(); dy++ {
		for _, c := range m.Pix[(y+dy)*m.Stride : (y+dy)*m.Stride+width] {
			used[c] = true
		}
	}
	for c := range used {
		if !used[c] {
			continue
		}
		_, _ = fmt.Fprintf(w, "#%d", c)
		var last byte
		run := 0
		flush := func() {
			if run > 3 {
				_, _ = fmt.Fprintf(w, "!%d%c", run, last)
			} else {
				_, _ = w.WriteString(strings.Repeat(string(rune(last)), run))
			}
		}
		for x := range width {
			bits := byte(0)
			for dy := 0; dy < 6 && y+dy < m.Bounds().Dy(); dy++ {
				if int(m.Pix[(y+dy)*m.Stride+x]) == c {
					bits |= 1 << dy
				}
			}
			if s := '?' + bits; run > 0 && s == last {
				run++
			} else {
				flush()
				last, run = s, 1
			}
		}
		flush()
		_ = w.WriteByte('$')
	}
}
