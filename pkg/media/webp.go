package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// webpKept are the chunks that make the picture (RFC 9649).
var webpKept = strings.Fields("ANIM ALPH ICCP") // and what webpImage knows

const webpEXIF, webpXMP = 0x08, 0x04 // flags in VP8X

// webp walks the chunks of a WebP.
func (w *walker) webp() error {
	head, err := w.take(12)
	if err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WEBP" {
		return malformed("no WebP")
	}
	end := int64(binary.LittleEndian.Uint32(head[4:])) + 8
	if end > w.size || end < w.at {
		return malformed("it is cut off")
	}
	var extended []byte
	if err := w.put(head); err != nil {
		return err
	}
	for w.at < end {
		start := w.at
		size, name, err := w.webpHead(end)
		if err != nil {
			return err
		}
		if name == "VP8X" && extended == nil {
			if extended, err = w.webpExtended(size); err != nil {
				return err
			}
			continue
		}
		if err := w.webpChunk(start, size, name); err != nil {
			return err
		}
	}
	if extended != nil {
		extended[8] &^= webpEXIF | webpXMP
		if w.turned != 0 {
			extended[8] |= webpEXIF
			if err := w.put(webpTurned(w.turned)); err != nil {
				return err
			}
		}
	}
	var shared int64
	for _, p := range w.pieces {
		shared += p.size
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(shared-8)) //nolint:gosec // no longer than it was, but for 34 bytes
	return nil
}

func (w *walker) webpHead(end int64) (size int64, name string, err error) {
	head, err := w.take(8)
	if err != nil {
		return 0, "", err
	}
	size = int64(binary.LittleEndian.Uint32(head[4:]))
	if w.at+size > end {
		return 0, "", malformed("a chunk of %d bytes", size)
	}
	return size, string(head[:4]), nil
}

// padded is a size with its padding to an even number; the last may lack it.
func (w *walker) padded(size int64) int64 { return min(size+size&1, w.left()) }

// webpExtended takes the header that says which chunks there are: it changes.
func (w *walker) webpExtended(size int64) ([]byte, error) {
	if size != 10 {
		return nil, malformed("a header of %d bytes", size)
	}
	body, err := w.take(10)
	if err != nil {
		return nil, err
	}
	w.width = 1 + (int(body[4]) | int(body[5])<<8 | int(body[6])<<16)
	w.height = 1 + (int(body[7]) | int(body[8])<<8 | int(body[9])<<16)
	own := append([]byte("VP8X\x0a\x00\x00\x00"), body...)
	return own, w.put(own)
}

func (w *walker) webpChunk(start, size int64, name string) error {
	const most = 16 << 10
	body, err := w.peek(most, size)
	if err != nil {
		return err
	}
	kept := slices.Contains(webpKept, name)
	switch {
	case name == "ANMF":
		return w.webpFrame(start, size)
	case name == "VP8 " || name == "VP8L":
		kept = true
		if w.width == 0 {
			w.width, w.height = webpSize(name, body)
		}
	case kept:
	case name == "EXIF":
		w.exif(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
	case name == "XMP ":
		w.remove("XMP")
	default:
		w.remove(fmt.Sprintf("a chunk %.4q", name))
	}
	if err := w.skip(w.padded(size)); err != nil || !kept {
		return err
	}
	return w.keep(start)
}

// webpFrame walks the chunks within a frame of an animation.
func (w *walker) webpFrame(start, size int64) error {
	end := w.at + size
	head, err := w.take(16)
	if err != nil || size < 16 {
		return malformed("a frame of %d bytes", size)
	}
	type span struct{ from, to int64 }
	var kept []span
	whole := true
	for w.at < end {
		from := w.at
		n, name, err := w.webpHead(end)
		if err != nil {
			return err
		}
		if err := w.skip(min(n+n&1, end-w.at)); err != nil {
			return err
		}
		if name == "ALPH" || name == "VP8 " || name == "VP8L" {
			if len(kept) == 2 {
				return malformed("a frame of more than one picture")
			}
			kept = append(kept, span{from, w.at})
			continue
		}
		whole = false
		w.remove(fmt.Sprintf("a chunk %.4q", name))
	}
	if err := w.skip(min(size&1, w.left())); err != nil {
		return err
	}
	if whole {
		return w.keep(start)
	}
	n := int64(len(head))
	for _, s := range kept {
		n += s.to - s.from
	}
	own := binary.LittleEndian.AppendUint32([]byte("ANMF"), uint32(n)) //nolint:gosec // less than it was
	if err := w.put(append(own, head...)); err != nil {
		return err
	}
	for _, s := range kept {
		if err := w.add(piece{from: s.from, size: s.to - s.from}); err != nil {
			return err
		}
	}
	return nil
}

// webpSize reads the size of a picture from the head of its data.
func webpSize(name string, body []byte) (width, height int) {
	if name == "VP8 " && len(body) >= 10 && bytes.Equal(body[3:6], []byte{0x9D, 0x01, 0x2A}) {
		return int(binary.LittleEndian.Uint16(body[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(body[8:]) & 0x3FFF)
	}
	if name == "VP8L" && len(body) >= 5 && body[0] == 0x2F {
		bits := binary.LittleEndian.Uint32(body[1:])
		return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1
	}
	return 0, 0
}

func webpTurned(o byte) []byte {
	body := orientation(o)
	return append(binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(body))), body...) //nolint:gosec // 26
}
