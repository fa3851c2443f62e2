package media

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A walker goes through a picture once, from its beginning, and notes which
// bytes are kept. It reads headers and skips what lies between them.
type walker struct {
	src      io.ReaderAt
	r        *bufio.Reader
	at, size int64

	width, height int
	turned        byte // the orientation of EXIF, 2 to 8; 0 is none, or upright
	removed       []string
	pieces        []piece
}

func newWalker(src io.ReaderAt, size int64) *walker {
	return &walker{src: src, size: size, r: bufio.NewReaderSize(io.NewSectionReader(src, 0, size), 32<<10)}
}

// left is how many bytes have not been walked.
func (w *walker) left() int64 { return w.size - w.at }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// fault makes the end of the file a fault of the picture.
func fault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("it is cut off")
	}
	return err
}

// take reads n bytes, at most 64 KiB.
func (w *walker) take(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(w.r, b)
	if err != nil {
		return nil, fault(err)
	}
	w.at += int64(n)
	return b, nil
}

func (w *walker) byte() (byte, error) {
	b, err := w.r.ReadByte()
	if err != nil {
		return 0, fault(err)
	}
	w.at++
	return b, nil
}

// peek looks at up to n bytes that come next, of the next size.
func (w *walker) peek(n int, size int64) ([]byte, error) {
	b, err := w.r.Peek(int(min(int64(n), size)))
	return b, fault(err)
}

// skip passes over n bytes.
func (w *walker) skip(n int64) error {
	if n < 0 || n > w.left() {
		return malformed("it is cut off")
	}
	if n <= int64(w.r.Buffered()) {
		_, _ = w.r.Discard(int(n)) // they are there
	} else {
		w.r.Reset(io.NewSectionReader(w.src, w.at+n, w.size-w.at-n))
	}
	w.at += n
	return nil
}

// keep shares the bytes of the source from one offset to here.
func (w *walker) keep(from int64) error {
	if n := len(w.pieces); n > 0 && w.pieces[n-1].own == nil && w.pieces[n-1].from+w.pieces[n-1].size == from {
		w.pieces[n-1].size += w.at - from
		return nil
	}
	return w.add(piece{from: from, size: w.at - from})
}

// put shares bytes of our own.
func (w *walker) put(own []byte) error { return w.add(piece{size: int64(len(own)), own: own}) }

func (w *walker) add(p piece) error {
	if len(w.pieces) == maxPieces {
		return ErrPieces
	}
	w.pieces = append(w.pieces, p)
	return nil
}

func big16(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
