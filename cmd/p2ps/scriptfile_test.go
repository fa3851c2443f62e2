package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// picture FILE [WIDTH]: a JPEG of 40 × 24 pixels that lies on its side, with EXIF
// that tells of a place, and a comment; both say "canary".
func picture(ts *testscript.TestScript, args []string) {
	width := 40
	if len(args) > 1 {
		var err error
		width, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	m := image.NewGray(image.Rect(0, 0, width, 24))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7)
	}
	m.SetGray(1, 1, color.Gray{Y: 200})
	var plain bytes.Buffer
	ts.Check(jpeg.Encode(&plain, m, nil))
	exif := "II*\x00\x08\x00\x00\x00\x02\x00" + "\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + "\x25\x88\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00" + "\x00\x00\x00\x00canary"
	segment := func(marker byte, body string) []byte {
		return append([]byte{0xFF, marker, 0, byte(len(body) + 2)}, body...)
	}
	out := append([]byte{0xFF, 0xD8}, segment(0xE1, "Exif\x00\x00"+exif)...)
	out = append(append(out, segment(0xFE, "a canary")...), plain.Bytes()[2:]...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
}

// noise FILE KIB: a file that is like no other of another length.
func makeNoise(ts *testscript.TestScript, args []string) {
	kib, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := make([]byte, kib<<10)
	_, _ = rand.NewChaCha8([32]byte{byte(kib), byte(kib >> 8)}).Read(data)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

// decoy KIND FILE: a picture that says more than there is (png: 20,000 × 20,000
// pixels in 47 KiB; gif: 100,000 frames), or what only says that it is one (zip).
func makeDecoy(ts *testscript.TestScript, args []string) {
	made := map[string]func() []byte{"png": hugePNG, "gif": longGIF, "zip": func() []byte { return []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00 a canary") }}[args[0]]
	if made == nil {
		ts.Fatalf("there is no decoy %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), made(), 0o600))
}

// hugePNG says that it has 20,000 × 20,000 pixels.
func hugePNG() []byte {
	chunk := func(name string, body []byte) []byte {
		out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name...)
		out = append(out, body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	for range 20_000 {
		_, _ = z.Write(make([]byte, 1+20_000/8))
	}
	_ = z.Close()
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 20_000), 20_000)
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 1, 0, 0, 0, 0)), chunk("IDAT", packed.Bytes()), chunk("IEND", nil)}, nil)
}

// longGIF has 100,000 frames of 2 × 3 pixels.
func longGIF() []byte {
	var b bytes.Buffer
	_ = gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 2, 3), color.Palette{color.Black, color.White}), nil) // into memory
	frame := b.Bytes()[13+6 : b.Len()-1]
	return append(append(bytes.Clone(b.Bytes()[:b.Len()-1]), bytes.Repeat(frame, 100_000)...), 0x3B)
}
