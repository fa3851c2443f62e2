package media

import (
	"bytes"
	"fmt"
	"io"
)

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	jpegSOI  = 0xD8
	jpegEOI  = 0xD9
	jpegSOS  = 0xDA
	jpegAPP0 = 0xE0
	jpegCOM  = 0xFE
)

// jpeg walks the segments of a JPEG.
func (w *walker) jpeg() error {
	if b, err := w.take(2); err != nil || b[0] != 0xFF || b[1] != jpegSOI {
		return malformed("no JPEG")
	}
	if err := w.keep(0); err != nil {
		return err
	}
	for {
		start := w.at
		marker, err := w.jpegMarker()
		if err != nil {
			return err
		}
		switch {
		case marker == jpegEOI:
			return w.keep(start)
		case marker == jpegSOI:
			return malformed("a JPEG within it")
		case marker == 0x01 || marker >= 0xD0 && marker <= 0xD7: // without a length
			err = w.keep(start)
		default:
			err = w.jpegSegment(start, marker)
		}
		if err != nil {
			return err
		}
		if w.left() == 0 { // many lack their end
			return nil
		}
	}
}

// jpegMarker reads a marker; any number of 0xFF may stand before it.
func (w *walker) jpegMarker() (byte, error) {
	b, err := w.byte()
	if err == nil && b != 0xFF {
		return 0, malformed("no marker where one should be")
	}
	for err == nil && b == 0xFF {
		b, err = w.byte()
	}
	if err == nil && b == 0 {
		err = malformed("no marker where one should be")
	}
	return b, err
}

// jpegSegment keeps or leaves out a segment that begins at start.
func (w *walker) jpegSegment(start int64, marker byte) error {
	length, err := w.take(2)
	if err != nil {
		return err
	}
	size := int64(big16(length)) - 2
	if size < 0 {
		return malformed("a segment of %d bytes", size)
	}
	if marker >= jpegAPP0 && marker <= jpegAPP0+15 || marker == jpegCOM {
		body, err := w.take(int(size))
		if err != nil {
			return err
		}
		return w.jpegApp(start, marker, body)
	}
	head, err := w.peek(5, size)
	if err != nil {
		return err
	}
	frame := marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
	if frame && len(head) == 5 && w.width == 0 {
		w.height, w.width = big16(head[1:]), big16(head[3:])
	}
	if err := w.skip(size); err != nil {
		return err
	}
	if marker < 0xC0 || marker > 0xDF {
		w.remove(fmt.Sprintf("a segment %02X", marker))
		return nil
	}
	if marker == jpegSOS {
		if err := w.jpegScan(); err != nil {
			return err
		}
	}
	return w.keep(start)
}

// jpegApp looks at what programs put beside a picture. Of it are kept: that it
// is JFIF, its colours (ICC, Adobe), and how to turn it.
func (w *walker) jpegApp(start int64, marker byte, body []byte) error {
	is := func(s string) bool { return bytes.HasPrefix(body, []byte(s)) }
	switch {
	case marker == jpegAPP0 && is("JFIF\x00") && len(body) >= 14:
		if len(body) == 14 && body[12] == 0 && body[13] == 0 {
			return w.keep(start)
		}
		w.remove("a thumbnail")
		return w.put(append(append([]byte{0xFF, jpegAPP0, 0, 16}, body[:12]...), 0, 0))
	case marker == jpegAPP0 && is("JFXX\x00"):
		w.remove("a thumbnail")
	case marker == jpegAPP0+1 && is("Exif\x00"):
		if was := w.turned; len(body) > 6 {
			if w.exif(body[6:]); was == 0 && w.turned != 0 {
				return w.put(append([]byte{0xFF, jpegAPP0 + 1, 0, 34, 'E', 'x', 'i', 'f', 0, 0}, orientation(w.turned)...))
			}
		}
		w.remove("EXIF")
	case marker == jpegAPP0+1 && is("http://ns.adobe.com/"):
		w.remove("XMP")
	case marker == jpegAPP0+2 && is("ICC_PROFILE\x00"):
		return w.keep(start)
	case marker == jpegAPP0+2 && is("MPF\x00"):
		w.remove("further pictures")
	case marker == jpegAPP0+13 && is("Photoshop 3.0\x00"):
		w.remove("IPTC")
	case marker == jpegAPP0+14 && is("Adobe") && len(body) >= 12:
		if len(body) == 12 {
			return w.keep(start)
		}
		return w.put(append([]byte{0xFF, jpegAPP0 + 14, 0, 14}, body[:12]...))
	case marker == jpegCOM:
		w.remove("a comment")
	default:
		w.remove(fmt.Sprintf("what a program noted (APP%d)", marker-jpegAPP0))
	}
	return nil
}

// jpegScan passes over the coded data after a start of scan, up to the next
// marker that is none of its own, or the end of the file.
func (w *walker) jpegScan() error {
	for {
		ahead, err := w.r.Peek(max(w.r.Buffered(), 2))
		if len(ahead) < 2 {
			if err == nil || err == io.EOF {
				return w.skip(int64(len(ahead)))
			}
			return err
		}
		i := bytes.IndexByte(ahead[:len(ahead)-1], 0xFF)
		if i < 0 {
			i = len(ahead) - 1
		} else if next := ahead[i+1]; next == 0 || next >= 0xD0 && next <= 0xD7 {
			i += 2
		} else if next == 0xFF {
			i++
		} else {
			return w.skip(int64(i))
		}
		if err := w.skip(int64(i)); err != nil {
			return err
		}
	}
}
