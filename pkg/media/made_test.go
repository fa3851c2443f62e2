package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
)

// canary is what must not be shared.
const canary = "canary-52.5163N-13.3777E"

// picture is a small picture that is not alike in any two corners.
func picture() image.Image {
	m := image.NewPaletted(image.Rect(0, 0, 40, 24), color.Palette{color.Black, color.White, color.RGBA{200, 30, 30, 255}, color.RGBA{20, 40, 220, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7 % 4)
	}
	return m
}

// tiff is the EXIF of a telephone: turned, with a place, a maker and a
// thumbnail.
func tiff(orientation uint16) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00\x03\x00")
	entry := func(tag, kind uint16, count, value uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint32(b, count)
		b = binary.LittleEndian.AppendUint32(b, value)
	}
	entry(0x010F, 2, uint32(len(canary)), 50)
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, 50)
	return append(append(b, 50, 0, 0, 0), canary...)
}

func segment(marker byte, body string) []byte {
	return append([]byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// dirtyJPEG is a picture with all that programs put beside one.
func dirtyJPEG(t testing.TB, orientation uint16) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, picture(), nil); err != nil {
		t.Fatal(err)
	}
	out := []byte{0xFF, 0xD8}
	out = append(out, segment(0xE0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01can")...)
	out = append(out, segment(0xE0, "JFXX\x00\x10"+canary)...)
	out = append(out, segment(0xE1, "Exif\x00\x00"+string(tiff(orientation)))...)
	out = append(out, segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+canary)...)
	out = append(out, segment(0xE2, "MPF\x00"+canary)...)
	out = append(out, segment(0xED, "Photoshop 3.0\x008BIM"+canary)...)
	out = append(out, segment(0xEC, "Ducky"+canary)...)
	out = append(out, segment(0xFE, canary)...)
	out = append(out, plain.Bytes()[2:]...)
	return append(out, "a film beside the picture: "+canary...)
}

func dirtyPNG(t testing.TB, orientation uint16) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := png.Encode(&plain, picture()); err != nil {
		t.Fatal(err)
	}
	const head = 8 + 25 // signature and IHDR
	out := bytes.Clone(plain.Bytes()[:head])
	for name, body := range map[string]string{"tEXt": "Author\x00" + canary, "zTXt": "Comment\x00\x00" + canary, "iTXt": "XML:com.adobe.xmp\x00" + canary,
		"eXIf": string(tiff(orientation)), "tIME": "\x07\xEA\x01\x01\x01\x01\x01", "prVt": canary} {
		out = append(out, pngChunk(name, []byte(body))...)
	}
	return append(append(out, plain.Bytes()[head:]...), canary...)
}

func dirtyGIF(t testing.TB) []byte {
	t.Helper()
	frame, _ := picture().(*image.Paletted)
	var plain bytes.Buffer
	if err := gif.EncodeAll(&plain, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{7, 9}, LoopCount: 3}); err != nil {
		t.Fatal(err)
	}
	data := plain.Bytes()
	head := 13 + gifTable(data[10])
	sub := func(s string) string { return string([]byte{byte(len(s))}) + s }
	out := bytes.Clone(data[:head])
	out = append(out, "\x21\xFE"+sub(canary)+"\x00"...)
	out = append(out, "\x21\xFF"+sub("XMP DataXMP")+sub(canary)+"\x00"...)
	out = append(out, "\x21\xF9\x04\x00\x00\x00\x00\x00\x21\x01"+sub("0123456789AB")+sub(canary)+"\x00"...)
	out = append(out, "\x21\xFF"+sub("MAKERNOTE10")+sub(canary)+"\x00"...)
	return append(append(out, data[head:]...), canary...)
}

func riff(chunks ...string) []byte {
	body := "WEBP" + strings.Join(chunks, "")
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func chunk(name, body string) string {
	head := string(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body))))
	if len(body)%2 == 1 {
		body += "\x00"
	}
	return head + body
}

// coded stands for the data of a lossless picture of 40 × 24 pixels.
const coded = "\x2F\x27\xC0\x05\x00pixels"

func dirtyWebP(orientation uint16) []byte {
	frame := "0123456789abcdef" + chunk("VP8L", coded) + chunk("NOTE", canary)
	return append(riff(chunk("VP8X", "\x2E\x00\x00\x00\x27\x00\x00\x17\x00\x00"), chunk("ICCP", "colours"), chunk("ANIM", "012345"), chunk("ANMF", frame), chunk("ANMF", "0123456789abcdef"+chunk("VP8L", coded)),
		chunk("VP8L", coded), chunk("EXIF", string(tiff(orientation))), chunk("XMP ", canary), chunk("prVt", canary)), canary...)
}

// hugePNG says that it has 20,000 × 20,000 pixels, in 47 KiB.
func hugePNG(t testing.TB) []byte {
	t.Helper()
	const side = 20_000
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	row := make([]byte, 1+side/8)
	for range side {
		_, _ = z.Write(row)
	}
	_ = z.Close()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	out := append([]byte(pngSignature), pngChunk("IHDR", append(head, 1, 0, 0, 0, 0))...)
	out = append(out, pngChunk("IDAT", packed.Bytes())...)
	return append(out, pngChunk("IEND", nil)...)
}

// longGIF has 100,000 frames of one pixel.
func longGIF() []byte {
	out := []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xFF\xFF\xFF")
	for range 100_000 {
		out = append(out, "\x21\xF9\x04\x00\x01\x00\x00\x00\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"...)
	}
	return append(out, gifTrailer)
}

func look(t testing.TB, data []byte) *Plan {
	t.Helper()
	p, err := Look(bytes.NewReader(data), int64(len(data)), false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shared(t testing.TB, p *Plan, data []byte) []byte {
	t.Helper()
	out, err := io.ReadAll(p.Reader(bytes.NewReader(data)))
	if err != nil || int64(len(out)) != p.Size() {
		t.Fatalf("%d bytes of %d: %v", len(out), p.Size(), err)
	}
	return out
}
