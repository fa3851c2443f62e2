package peer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const aFile = "0123456789abcdefghij"

var publicFile = strings.Repeat("ab", 32)

type content struct{ *strings.Reader }

func (content) Close() error { return nil }

// A file of a public post is given whole and in ranges, named by its hash, never
// shown by a browser.
// spec: S28, S29
func TestPublicFile(t *testing.T) {
	s := served(t, &house{}, Limits{})
	for _, c := range []struct {
		header, value, status, body string
	}{
		{"X", "", "200", aFile}, {"Range", "bytes=5-7", "206", "567"}, {"Range", "bytes=15-", "206", "fghij"}, {"Range", "bytes=20-", "416", ""},
		{"If-None-Match", `"` + publicFile + `"`, "304", ""}, {"If-None-Match", `"x"`, "200", aFile},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/p2ps/v1/attachments/"+publicFile, nil)
		r.Header.Set(c.header, c.value)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := readAll(resp.Body, nil, 0)
		_ = resp.Body.Close()
		if got := fmt.Sprint(resp.StatusCode); got != c.status || c.body != "" && string(body) != c.body {
			t.Errorf("%s: %s: %s %q", c.header, c.value, got, body)
		}
		if resp.StatusCode != 200 {
			continue
		}
		for name, want := range map[string]string{"Content-Type": "image/png", "Content-Disposition": `attachment; filename="a picture.png"`, "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "sandbox", "Etag": `"` + publicFile + `"`, "Last-Modified": "Sun, 22 Nov 2026 12:34:56 GMT", "Cache-Control": "max-age=60", "Accept-Ranges": "bytes"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// What is no public file is one and the same 404, whatever it is, whatever the
// method and header.
// spec: S28
func TestNoFile(t *testing.T) {
	s := served(t, &house{}, Limits{})
	seen := map[string]bool{}
	for _, path := range []string{strings.Repeat("cd", 32), strings.ToUpper(publicFile), publicFile + "/", publicFile + "?x=y", publicFile[:63], "", "..%2f" + publicFile, "%61" + publicFile[1:]} {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
			for _, header := range []string{"X: y", "Range: bytes=0-1", `If-None-Match: *`} {
				seen[raw(t, s, method+" /p2ps/v1/attachments/"+path+" HTTP/1.1\r\nHost: x\r\n"+header+"\r\nConnection: close\r\n\r\n")] = true
			}
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d answers: %v", len(seen), seen)
	}
	for answer := range seen {
		if !strings.HasPrefix(answer, "404 ") {
			t.Error(answer)
		}
	}
}

// What a post says of a file cannot write headers.
func TestSafeType(t *testing.T) {
	for in, want := range map[string]string{"image/png": "image/png", "text/html; charset=x": "text/html", "a\r\nSet-Cookie: x": "application/octet-stream", "": "application/octet-stream", "image": "application/octet-stream"} {
		if got := safeType(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
	if got := disposition("Übung\r\n.png"); strings.ContainsAny(got, "\r\n") {
		t.Errorf("%q", got)
	}
}

// The client takes the part that it asked for, and no other.
func TestClientFile(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		ranged string
		body   string
		offset int64
		want   string
	}{
		"whole":         {200, "", aFile, 0, "20 " + aFile},
		"part":          {206, "bytes 5-9/20", aFile[5:10], 5, "20 56789"},
		"other part":    {206, "bytes 4-8/20", aFile[4:9], 5, "cannot be reached: it gives another part of the file (\"bytes 4-8/20\")"},
		"other length":  {206, "bytes 5-9/20", aFile[5:9], 5, "cannot be reached: it gives another part of the file (\"bytes 5-9/20\")"},
		"beyond":        {206, "bytes 5-9/9", aFile[5:10], 5, "cannot be reached: it gives another part of the file (\"bytes 5-9/9\")"},
		"no range":      {206, "", aFile[5:10], 5, "cannot be reached: it gives another part of the file (\"\")"},
		"whole instead": {200, "", aFile, 5, "cannot be reached: what answers there is no p2ps (it sent \"text/plain\")"},
		"none":          {404, "", "", 0, "not found"},
		"too much":      {200, "", strings.Repeat("x", 101), 0, "the answer is over the limits: 101 bytes; a part of a file was asked for"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if c.ranged != "" {
				w.Header().Set("Content-Range", c.ranged)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		client := NewClient(0)
		data, size, err := client.File(context.Background(), s.URL, publicFile, c.offset, 100, nil)
		got := fmt.Sprint(size, " ", string(data))
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
		if name == "none" && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		client.Close()
		s.Close()
	}
}

// FuzzContentRange: what is taken is a range within the file, of n bytes.
func FuzzContentRange(f *testing.F) {
	f.Add("bytes 5-9/20", int64(5))
	f.Add("bytes 0--1/0", int64(0))
	f.Fuzz(func(t *testing.T, s string, n int64) {
		if first, size, ok := contentRange(s, n); ok && (first < 0 || first+n > size) {
			t.Errorf("%q of %d bytes: from %d, of %d", s, n, first, size)
		}
	})
}
