package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"

	// Each kind of image that a phone or a screenshot makes.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/p2ps/p2ps/pkg/text"
)

// Limits of an image with a QR code. Its head is looked at first: what it says
// of its size is what reading it would take.
const (
	maxImageFile   = 32 << 20
	maxImagePixels = 24 << 20 // a photo of a telephone; 192 MiB at eight bytes each
	maxImageSide   = 16 << 10
)

// errNoQR: nothing in the image can be read as a QR code.
var errNoQR = errors.New("there is no QR code in it that can be read")

// scan reads the QR code in an image file that the person named.
func (e *env) scan(name string) (string, error) {
	data, err := e.readNamed(name, maxImageFile, "is the name right? It is the image with the QR code")
	if err != nil {
		return "", err
	}
	said, err := readQR(data)
	if err != nil {
		return "", fail(exitNotFound, "take it again: larger, straighter, the white around it too", "%s: %w", text.Clean(name), err)
	}
	return said, nil
}

// readQR reads the QR code in an image: black on white or white on black, small
// or large, and turned.
func readQR(data []byte) (string, error) {
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("no PNG, JPEG or GIF image: %w", err)
	}
	if head.Width < 1 || head.Height < 1 || head.Width > maxImageSide || head.Height > maxImageSide || head.Width*head.Height > maxImagePixels {
		return "", fmt.Errorf("the image is %d × %d: too large", head.Width, head.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("the image is damaged: %w", err)
	}
	gray := grayOf(img)
	for _, g := range sizes(gray) {
		if said, ok := decodeQR(g); ok {
			return said, nil
		}
	}
	return "", errNoQR
}

// sizes are an image as it is, smaller if it is great (a photo's noise goes),
// and larger if it is small.
func sizes(g *image.Gray) []*image.Gray {
	list := []*image.Gray{g}
	side := max(g.Bounds().Dx(), g.Bounds().Dy())
	for n := side / 700; n > 1; n /= 2 {
		list = append(list, shrunk(g, n))
	}
	for _, n := range []int{2, 3} {
		if side*n <= 2400 {
			list = append(list, grown(g, n))
		}
	}
	return list
}

func decodeQR(g *image.Gray) (string, bool) {
	source := gozxing.NewLuminanceSourceFromImage(g)
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	for _, s := range []gozxing.LuminanceSource{source, source.Invert()} {
		for _, binarize := range []func(gozxing.LuminanceSource) gozxing.Binarizer{gozxing.NewHybridBinarizer, gozxing.NewGlobalHistgramBinarizer} {
			bitmap, err := gozxing.NewBinaryBitmap(binarize(s))
			if err != nil {
				continue
			}
			if found, err := decode(bitmap, hints); err == nil {
				return found, true
			}
		}
	}
	return "", false
}

// decode has the library look. What it makes of a stranger's image may be more
// than it expects: a panic there is no code here.
func decode(bitmap *gozxing.BinaryBitmap, hints map[gozxing.DecodeHintType]any) (said string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errNoQR, p)
		}
	}()
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// grayOf takes the colors out; what is transparent is white paper.
func grayOf(img image.Image) *image.Gray {
	b := img.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			red, green, blue, alpha := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			light := (299*red + 587*green + 114*blue) / 1000
			g.Pix[y*g.Stride+x] = uint8((light + 0xffff - alpha) >> 8)
		}
	}
	return g
}

// shrunk makes one pixel of n by n.
func shrunk(g *image.Gray, n int) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, g.Rect.Dx()/n, g.Rect.Dy()/n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sum := 0
			for dy := range n {
				for dx := range n {
					sum += int(g.Pix[(y*n+dy)*g.Stride+x*n+dx])
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / (n * n))
		}
	}
	return out
}

// grown makes n by n pixels of one, and a white border around.
func grown(g *image.Gray, n int) *image.Gray {
	const border = 8
	out := image.NewGray(image.Rect(0, 0, (g.Rect.Dx()+2*border)*n, (g.Rect.Dy()+2*border)*n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			c := g.GrayAt(x/n-border, y/n-border)
			if !image.Pt(x/n-border, y/n-border).In(g.Rect) {
				c = color.Gray{Y: 255}
			}
			out.SetGray(x, y, c)
		}
	}
	return out
}
