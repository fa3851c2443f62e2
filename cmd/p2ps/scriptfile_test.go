package main

import (
	"bytes"
	"image"
	"image/color"
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
