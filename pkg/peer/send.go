package peer

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// How answers are sent. Who reads a piece in its time is waited for as long as
// the answer lasts; who does not read holds its memory for seconds.
const (
	pieceSize    = 64 << 10
	pieceTimeout = 5 * time.Second
	greatAnswer  = 16 << 10 // bytes; above, an answer counts as Limits.Answers
)

// send lets write send an answer with this body, if not too many great ones are
// under way.
func (h *handler) send(w http.ResponseWriter, r *http.Request, body []byte, write func(http.ResponseWriter)) {
	if n := len(body); n > greatAnswer && r.Method != http.MethodHead {
		from := network(h.buckets.address(r))
		if !h.answers.take(from, n) {
			h.busy(w, http.StatusServiceUnavailable)
			return
		}
		defer h.answers.give(from, n)
	}
	write(&pieces{w, http.NewResponseController(w)})
}

// show sends a public page. Whoever has it already is told so by its ETag: a
// page may change back to an older one.
func (h *handler) show(w http.ResponseWriter, r *http.Request, p *page) {
	h.send(w, r, p.body, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", p.kind)
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("ETag", p.tag)
		if !p.changed.IsZero() && !p.changed.After(time.Now()) { // HTTP knows no changes to come
			w.Header().Set("Last-Modified", p.changed.UTC().Format(http.TimeFormat))
		}
		if p.status == http.StatusOK {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(p.body)))
		w.WriteHeader(p.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(p.body)
		}
	})
}

// pieces writes in pieces, each in its own time.
type pieces struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *pieces) Write(data []byte) (written int, err error) {
	for {
		piece := data[:min(len(data), pieceSize)]
		_ = p.control.SetWriteDeadline(time.Now().Add(pieceTimeout)) // what has no deadline is no connection
		n, err := p.ResponseWriter.Write(piece)
		written, data = written+n, data[n:]
		if err != nil || len(data) == 0 {
			return written, err
		}
	}
}
