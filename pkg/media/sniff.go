package media

import (
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Unknown is the type of what nobody knows.
const Unknown = "application/octet-stream"

// sniffed is how many bytes tell what a file is.
const sniffed = 3072

// Sniff tells what a file is by its first bytes, whatever it is called.
func Sniff(src io.ReaderAt, size int64) (string, error) {
	head := make([]byte, min(size, sniffed))
	if _, err := io.ReadFull(io.NewSectionReader(src, 0, size), head); err != nil {
		return "", err
	}
	kind, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if kind == "image/vnd.mozilla.apng" {
		kind = "image/apng" // as it is registered, and as browsers know it
	}
	return kind, nil
}

// extension is the usual ending of files of a type, with its dot; "" if there
// is none.
func extension(mediaType string) string {
	if m := mimetype.Lookup(mediaType); m != nil && mediaType != Unknown && mediaType != "text/plain" {
		return m.Extension()
	}
	return ""
}
