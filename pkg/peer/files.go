package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/wire"
)

const pathFiles = pathService + "/attachments"

// A File is one that a public post names, open to be sent.
type File struct {
	Content interface {
		io.ReaderAt
		io.Closer
	}
	Size    int64
	Type    string // as the post says
	Name    string // safe, or ""
	SHA256  string
	Changed time.Time // when the post was published
}

// file sends a file of a public post. A private one, an unknown one and anything
// else are the same 404, for every method, header and spelling (spec S18, S28).
func (h *handler) file(w http.ResponseWriter, r *http.Request, sha256 string) {
	if !wire.IsSHA256(sha256) {
		problem(w, http.StatusNotFound)
		return
	}
	f, err := h.answerer.PublicFile(r.Context(), sha256)
	if err != nil {
		h.get(w, r, func(*http.Request) (*page, error) { return nil, err })
		return
	}
	defer func() { _ = f.Content.Close() }()
	if wrongMethod(w, r) {
		return
	}
	// It passes in pieces: what it takes of memory is one, however long it is.
	from := network(h.buckets.address(r))
	if !h.answers.take(from, pieceSize) {
		h.busy(w, http.StatusServiceUnavailable)
		return
	}
	defer h.answers.give(from, pieceSize)
	w.Header().Set("Content-Type", safeType(f.Type))
	w.Header().Set("Content-Disposition", disposition(f.Name))
	w.Header().Set("Cache-Control", "max-age=60")
	w.Header().Set("ETag", `"`+f.SHA256+`"`)
	if !f.Changed.IsZero() && !f.Changed.After(time.Now()) {
		w.Header().Set("Last-Modified", f.Changed.UTC().Format(http.TimeFormat))
	}
	http.ServeContent(&pieces{w, http.NewResponseController(w)}, r, "", time.Time{}, io.NewSectionReader(f.Content, 0, f.Size))
}

// safeType is what a post says of a file, if it can stand in a header.
func safeType(s string) string {
	if kind, _, err := mime.ParseMediaType(s); err == nil && strings.Contains(kind, "/") {
		return kind
	}
	return "application/octet-stream"
}

// disposition has a browser save the file, and never show it.
func disposition(name string) string {
	if name == "" {
		return "attachment"
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// SealedInto is Sealed into the memory of room, where it is enough.
func (c *Client) SealedInto(ctx context.Context, base string, body, room []byte, limit int64) ([]byte, error) {
	return c.sealed(ctx, base, body, room, limit)
}

// File fetches up to limit bytes of a public file from an offset on, into the
// memory of room where it is enough, and tells how long all of it is.
func (c *Client) File(ctx context.Context, base, sha256 string, offset, limit int64, room []byte) (data []byte, size int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+pathFiles+"/"+url.PathEscape(sha256), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+limit-1))
	var ranged string
	p, err := c.doInto(req, limit, room, func(h http.Header) { ranged = h.Get("Content-Range") })
	if errors.Is(err, ErrAnswer) {
		return nil, 0, fmt.Errorf("%w; a part of a file was asked for", err)
	}
	if err != nil {
		return nil, 0, err
	}
	switch p.Status {
	case http.StatusPartialContent:
		first, size, ok := contentRange(ranged, int64(len(p.Body)))
		if !ok || first != offset {
			return nil, 0, fmt.Errorf("%w: it gives another part of the file (%.60q)", ErrUnreachable, ranged)
		}
		return p.Body, size, nil
	case http.StatusOK:
		if offset == 0 {
			return p.Body, int64(len(p.Body)), nil
		}
	case http.StatusNotFound:
		return nil, 0, ErrNotFound
	}
	return nil, 0, p.failure()
}

// contentRange reads "bytes 0-99/200", which must be of n bytes.
func contentRange(s string, n int64) (first, size int64, ok bool) {
	span, all, cut := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	from, to, _ := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	size, err3 := strconv.ParseInt(all, 10, 64)
	return first, size, cut && errors.Join(err1, err2, err3) == nil && strings.HasPrefix(s, "bytes ") && first >= 0 && last-first+1 == n && last < size && size <= wire.MaxFile
}
