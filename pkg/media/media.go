// Package media looks at files before they are shared: what they are, by their
// bytes and not by their names; how large a picture is, by its headers; and
// what in it tells more than the picture does.
//
// Cleaning is done on the container and loses nothing: the segments of a JPEG,
// the chunks of a PNG or WebP and the blocks of a GIF that hold no pixels and no
// colours are left out, and every other byte is copied. Nothing here decodes a
// picture, so that a small file that says it is a large one costs nothing. It is
// written by hand because the libraries that edit EXIF decode all of it, and keep
// what they do not know; here what is not known to be needed is left out.
package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

var (
	// ErrMalformed: a picture that breaks its format, so that what is in it cannot
	// be told.
	ErrMalformed = errors.New("the picture is damaged")
	// ErrPieces: a picture of more pieces than are ever looked at.
	ErrPieces = errors.New("the picture is in too many pieces")
)

// maxPieces bounds the memory of a Plan.
const maxPieces = 100_000

// A piece is a run of bytes of the source, or bytes of our own.
type piece struct {
	from, size int64
	own        []byte
}

// A Plan says what a file is, and which of its bytes are shared.
type Plan struct {
	MediaType     string   // without parameters
	Width, Height int      // of a picture; 0 if its headers do not say, or are not known here
	Cleaned       bool     // the format is known: what is not in Removed was looked at
	Removed       []string // in words: "EXIF", "the GPS position", "a comment"
	pieces        []piece
}

// Look sniffs the size bytes of src and, unless keep, plans what of them is
// shared. An error is ErrMalformed or ErrPieces, for a picture that cannot be
// cleaned, or of reading.
func Look(src io.ReaderAt, size int64, keep bool) (*Plan, error) {
	kind, err := Sniff(src, size)
	if err != nil {
		return nil, err
	}
	p := &Plan{MediaType: kind}
	clean := cleaners()[kind]
	if clean != nil {
		w := newWalker(src, size)
		if err = clean(w); err == nil && w.left() > 0 {
			w.remove(fmt.Sprintf("%d bytes after its end", w.left()))
		}
		if !keep && err != nil {
			return nil, err
		}
		p.Width, p.Height = w.width, w.height
		if !keep {
			p.Cleaned, p.Removed, p.pieces = true, w.removed, w.pieces
			return p, nil
		}
	}
	p.pieces = []piece{{size: size}}
	return p, nil
}

// cleaners are the formats whose containers are known here.
func cleaners() map[string]func(*walker) error {
	return map[string]func(*walker) error{
		"image/jpeg": (*walker).jpeg, "image/png": (*walker).png, "image/apng": (*walker).png,
		"image/gif": (*walker).gif, "image/webp": (*walker).webp,
	}
}

// Size is how many bytes are shared.
func (p *Plan) Size() (n int64) {
	for _, piece := range p.pieces {
		n += piece.size
	}
	return n
}

// Reader reads what is shared of src, which must be what was looked at.
func (p *Plan) Reader(src io.ReaderAt) io.Reader {
	readers := make([]io.Reader, len(p.pieces))
	for i, piece := range p.pieces {
		if readers[i] = io.NewSectionReader(src, piece.from, piece.size); piece.own != nil {
			readers[i] = bytes.NewReader(piece.own)
		}
	}
	return io.MultiReader(readers...)
}

// Kind is the ActivityStreams type of an attachment: Image, Audio, Video or
// Document.
func Kind(mediaType string) string {
	top, _, _ := strings.Cut(mediaType, "/")
	switch top {
	case "image":
		return "Image"
	case "audio":
		return "Audio"
	case "video":
		return "Video"
	}
	return "Document"
}

// removed once is said once.
func (w *walker) remove(what string) {
	if !slices.Contains(w.removed, what) {
		w.removed = append(w.removed, what)
	}
}
