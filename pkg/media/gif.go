package media

import (
	"encoding/binary"
	"fmt"
)

// Blocks of GIF89a.
const (
	gifImage     = 0x2C
	gifExtension = 0x21
	gifTrailer   = 0x3B
	gifControl   = 0xF9
	gifComment   = 0xFE
	gifText      = 0x01
	gifProgram   = 0xFF
)

// gif walks the blocks of a GIF. Kept are frames, how long each is shown, how
// often all are, and colours.
func (w *walker) gif() error {
	head, err := w.take(13)
	if err != nil || string(head[:6]) != "GIF87a" && string(head[:6]) != "GIF89a" {
		return malformed("no GIF")
	}
	w.width, w.height = int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	if err := w.skip(gifTable(head[10])); err != nil {
		return err
	}
	if err := w.keep(0); err != nil {
		return err
	}
	control := int64(-1) // where the control block of the next frame begins
	for w.left() > 0 {   // some lack their end
		start := w.at
		kind, err := w.byte()
		if err != nil {
			return err
		}
		switch kind {
		case gifTrailer:
			return w.keep(start)
		case gifImage:
			if err := w.gifFrame(); err != nil {
				return err
			}
			if control >= 0 {
				start, control = control, -1
			}
			if err := w.keep(start); err != nil {
				return err
			}
		case gifExtension:
			if control, err = w.gifExtension(start, control); err != nil {
				return err
			}
		default:
			return malformed("a block %02X", kind)
		}
	}
	return nil
}

// gifTable is the size of a colour table.
func gifTable(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (w *walker) gifFrame() error {
	head, err := w.take(9)
	if err != nil {
		return err
	}
	if err := w.skip(gifTable(head[8]) + 1); err != nil {
		return err
	}
	return w.gifData()
}

// gifData passes over sub-blocks up to the empty one.
func (w *walker) gifData() error {
	for {
		n, err := w.byte()
		if err != nil || n == 0 {
			return err
		}
		if err := w.skip(int64(n)); err != nil {
			return err
		}
	}
}

// gifExtension keeps or leaves out an extension. A control block is kept with
// the frame that it is for: its place is returned until that comes.
func (w *walker) gifExtension(start, control int64) (int64, error) {
	label, err := w.byte()
	if err != nil {
		return control, err
	}
	head, err := w.peek(17, w.left())
	if err != nil {
		return control, err
	}
	program, loop := "", []byte(nil)
	if label == gifProgram && len(head) >= 12 && head[0] == 11 {
		program = string(head[1:12])
		if (program == "NETSCAPE2.0" || program == "ANIMEXTS1.0") && len(head) >= 16 && head[12] == 3 && head[13] == 1 {
			loop = append([]byte{gifExtension, gifProgram, 11}, program...)
			loop = append(loop, 3, 1, head[14], head[15], 0)
		}
	}
	if err := w.gifData(); err != nil {
		return control, err
	}
	switch {
	case label == gifControl:
		if w.at-start != 8 {
			return control, malformed("a control block of %d bytes", w.at-start)
		}
		return start, nil
	case loop != nil:
		if w.at-start != int64(len(loop)) {
			w.remove("what a program noted (" + program + ")")
		}
		err = w.put(loop)
	case program == "ICCRGBG1012":
		err = w.keep(start)
	case program == "XMP DataXMP":
		w.remove("XMP")
	case label == gifComment:
		w.remove("a comment")
	case label == gifText:
		w.remove("a text")
		return -1, nil // and the control block for it
	default:
		w.remove(fmt.Sprintf("what a program noted (%02X)", label))
	}
	return control, err
}
