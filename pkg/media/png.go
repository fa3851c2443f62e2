package media

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept are the chunks that make the picture: pixels, colours, transparency,
// the shape of a pixel, animation (PNG, third edition).
var pngKept = strings.Fields("IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs cICP mDCV cLLI acTL fcTL fdAT")

// png walks the chunks of a PNG.
func (w *walker) png() error {
	if b, err := w.take(len(pngSignature)); err != nil || string(b) != pngSignature {
		return malformed("no PNG")
	}
	if err := w.keep(0); err != nil {
		return err
	}
	for {
		start := w.at
		head, err := w.take(8)
		if err != nil {
			return err
		}
		size, name := int64(binary.BigEndian.Uint32(head)), string(head[4:])
		if size > 1<<31-1 {
			return malformed("a chunk of %d bytes", size)
		}
		if (name == "IHDR") != (start == int64(len(pngSignature))) {
			return malformed("it does not begin with its header, or has two")
		}
		if err := w.pngChunk(start, size, name); err != nil || name == "IEND" {
			return err
		}
	}
}

// pngChunk keeps or leaves out a chunk whose head was read.
func (w *walker) pngChunk(start, size int64, name string) error {
	const most = 16 << 10 // of a chunk that is looked at
	body, err := w.peek(most, size)
	if err != nil {
		return err
	}
	kept := slices.Contains(pngKept, name)
	was := w.turned
	switch {
	case name == "IHDR":
		if len(body) != 13 {
			return malformed("a header of %d bytes", size)
		}
		w.width, w.height = dimension(binary.BigEndian.Uint32(body)), dimension(binary.BigEndian.Uint32(body[4:]))
	case kept:
	case name == "eXIf":
		w.exif(body)
	case name == "tEXt" || name == "zTXt" || name == "iTXt":
		w.remove(pngText(body))
	case name == "tIME":
		w.remove("the time of its last change")
	case name[0]&0x20 == 0:
		return malformed("it needs a chunk %q, which is not known", name)
	default:
		w.remove(fmt.Sprintf("a chunk %q", name))
	}
	if err := w.skip(size + 4); err != nil {
		return err
	}
	if kept {
		return w.keep(start)
	}
	if w.turned == was {
		return nil
	}
	return w.put(pngChunk("eXIf", orientation(w.turned)))
}

// dimension is a width or height; those that no picture has are not told.
func dimension(n uint32) int {
	if n > 1<<31-1 {
		return 0
	}
	return int(n)
}

// pngText names a text chunk by its keyword.
func pngText(body []byte) string {
	word, _, _ := strings.Cut(string(body[:min(len(body), 80)]), "\x00")
	switch {
	case strings.HasPrefix(word, "XML:com.adobe.xmp"):
		return "XMP"
	case word != "" && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 :_-.") == "":
		return "a text (" + word + ")"
	}
	return "a text"
}

func pngChunk(name string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body))) //nolint:gosec // ours are short
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}
