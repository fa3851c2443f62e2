package media

import (
	"bytes"
	"encoding/binary"
)

// exif notes what the TIFF structure of EXIF tells, and keeps of it the
// orientation alone: without it a picture would lie on its side.
func (w *walker) exif(tiff []byte) {
	w.remove("EXIF")
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return
	}
	if len(tiff) < 8 {
		return
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return
	}
	const entry = 12
	n := int64(order.Uint16(tiff[at:]))
	at += 2
	for ; n > 0 && at+entry <= int64(len(tiff)); n, at = n-1, at+entry {
		e := tiff[at : at+entry]
		switch tag, kind, count := order.Uint16(e), order.Uint16(e[2:]), order.Uint32(e[4:]); {
		case tag == 0x0112 && kind == 3 && count == 1: // Orientation, SHORT
			if o := order.Uint16(e[8:]); o >= 2 && o <= 8 && w.turned == 0 {
				w.turned = byte(o)
			}
		case tag == 0x8825:
			w.remove("the GPS position")
		}
	}
	if n == 0 && at+4 <= int64(len(tiff)) && order.Uint32(tiff[at:]) != 0 {
		w.remove("a thumbnail")
	}
}

// orientation is a TIFF structure that says nothing but how to turn the picture.
func orientation(o byte) []byte {
	return []byte{'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0}
}
