package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// Here alone is a picture decoded, when a person asks to see it. What is drawn is
// made anew: no foreign byte reaches the terminal's own decoder.

// Limits of what is drawn.
const (
	drawBytes  = 32 << 20 // of the file
	drawPixels = 40 << 20 // of the picture: 160 MiB while it is made smaller
	drawWidth  = 800      // pixels, at most, of what is drawn
	drawHeight = 600
)

// errDraw says that a picture is not drawn.
var errDraw = errors.New("it is not drawn")

// drawings are the ways in which terminals draw.
func drawings() map[string]func(io.Writer, image.Image) error {
	return map[string]func(io.Writer, image.Image) error{"kitty": drawKitty, "iterm2": drawITerm, "sixel": drawSixel}
}

// drawing is the way that was asked for, or that the terminal has; "" if none is
// known of it.
func (e *env) drawing(asked string) (string, error) {
	if asked != "" {
		if drawings()[asked] == nil {
			return "", usage("write kitty, iterm2 or sixel", "--protocol: there is no way %q to draw", text.Clean(asked))
		}
		return asked, nil
	}
	term, program := e.getenv("TERM"), e.getenv("TERM_PROGRAM")
	switch {
	case !e.out:
		return "", nil
	case e.getenv("KITTY_WINDOW_ID") != "", strings.Contains(term, "kitty"), term == "xterm-ghostty", program == "ghostty":
		return "kitty", nil
	case program == "iTerm.app", program == "WezTerm", program == "mintty", e.getenv("LC_TERMINAL") == "iTerm2":
		return "iterm2", nil
	case strings.Contains(term, "sixel"), strings.HasPrefix(term, "foot"), strings.HasPrefix(term, "mlterm"), strings.HasPrefix(term, "yaft"), strings.HasPrefix(term, "contour"):
		return "sixel", nil
	}
	return "", nil
}

func (e *env) showImages(h *home.Home, p *post.Post, way string) error {
	if way == "" {
		e.say("this terminal is not known to draw pictures; --protocol kitty, iterm2 or sixel tries")
		return nil
	}
	return e.draw(h, p, way)
}

// draw draws the pictures of a post. One that cannot be drawn is said.
func (e *env) draw(h *home.Home, p *post.Post, way string) error {
	for _, f := range p.Files() {
		if f.Kind != "Image" {
			continue
		}
		m, err := openPicture(h, f)
		if err != nil {
			e.say("%s: %v", text.Clean(fileWord(f)), inOneLine(err.Error()))
			continue
		}
		if err := drawings()[way](e.stdout, m); err != nil {
			return err
		}
		if _, err := e.stdout.Write([]byte("\n")); err != nil {
			return err
		}
	}
	return nil
}

// openPicture reads a picture that is here, under the limits, and makes it as small as
// it is drawn.
func openPicture(h *home.Home, f post.File) (image.Image, error) {
	file, err := h.OpenFile(f)
	if absent(err) {
		return nil, fmt.Errorf("%w: the file is not here; p2ps save fetches it", errDraw)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if f.Size > drawBytes {
		return nil, fmt.Errorf("%w: it has more than %s", errDraw, text.Size(drawBytes))
	}
	data, err := io.ReadAll(io.LimitReader(file, drawBytes))
	if err != nil {
		return nil, err
	}
	return decodePicture(data)
}

func decodePicture(data []byte) (m image.Image, err error) {
	kinds := []struct {
		magic  string
		config func(io.Reader) (image.Config, error)
		whole  func(io.Reader) (image.Image, error) // of a GIF: its first frame
	}{
		{"\xFF\xD8", jpeg.DecodeConfig, jpeg.Decode}, {"\x89PNG", png.DecodeConfig, png.Decode}, {"GIF8", gif.DecodeConfig, gif.Decode},
	}
	for _, k := range kinds {
		if !bytes.HasPrefix(data, []byte(k.magic)) {
			continue
		}
		c, err := k.config(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: it is damaged", errDraw)
		}
		if c.Width <= 0 || c.Height <= 0 || int64(c.Width)*int64(c.Height) > drawPixels {
			return nil, fmt.Errorf("%w: it says that it has %d × %d pixels", errDraw, c.Width, c.Height)
		}
		if m, err = k.whole(bytes.NewReader(data)); err != nil {
			return nil, fmt.Errorf("%w: it is damaged", errDraw)
		}
		return smaller(m), nil
	}
	return nil, fmt.Errorf("%w: only JPEG, PNG and GIF are", errDraw)
}

// smaller makes a picture as small as it is drawn, each pixel the mean of up to
// 16 of those that it stands for.
func smaller(m image.Image) image.Image {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	if w > drawWidth {
		w, h = drawWidth, max(1, h*drawWidth/w)
	}
	if h > drawHeight {
		w, h = max(1, w*drawHeight/h), drawHeight
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	const most = 4 // samples a side
	for y := range h {
		y0, y1 := b.Min.Y+y*b.Dy()/h, b.Min.Y+(y+1)*b.Dy()/h
		for x := range w {
			x0, x1 := b.Min.X+x*b.Dx()/w, b.Min.X+(x+1)*b.Dx()/w
			var r, g, bl, a, n uint32
			for sy := y0; sy < max(y1, y0+1); sy += max(1, (y1-y0)/most) {
				for sx := x0; sx < max(x1, x0+1); sx += max(1, (x1-x0)/most) {
					cr, cg, cb, ca := m.At(sx, sy).RGBA()
					r, g, bl, a, n = r+cr, g+cg, bl+cb, a+ca, n+1
				}
			}
			c := color.RGBA64{uint16(r / n), uint16(g / n), uint16(bl / n), uint16(a / n)} //nolint:gosec // means of 16 bits
			out.Set(x, y, c)
		}
	}
	return out
}

func encoded(m image.Image) (string, int, error) {
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return base64.StdEncoding.EncodeToString(b.Bytes()), b.Len(), err
}

// drawKitty: https://sw.kovidgoyal.net/kitty/graphics-protocol/
func drawKitty(w io.Writer, m image.Image) error {
	data, _, err := encoded(m)
	if err != nil {
		return err
	}
	const most = 4096 // of one escape
	for first := true; first || data != ""; first = false {
		part := data[:min(len(data), most)]
		data = data[len(part):]
		control, more := "", 0
		if first {
			control = "f=100,a=T,q=2,"
		}
		if data != "" {
			more = 1
		}
		if _, err := fmt.Fprintf(w, "\x1b_G%sm=%d;%s\x1b\\", control, more, part); err != nil {
			return err
		}
	}
	return nil
}

// drawITerm: https://iterm2.com/documentation-images.html
func drawITerm(w io.Writer, m image.Image) error {
	data, n, err := encoded(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\x1b]1337;File=inline=1;size=%d:%s\a", n, data)
	return err
}
