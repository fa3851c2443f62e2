package media

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzLook: whatever a picture is, what is shared of it is part of it or said by
// the rules, is no longer than a few bytes more, and cleaning it again changes
// nothing. What could be decoded has the same size after.
func FuzzLook(f *testing.F) {
	for _, seed := range [][]byte{dirtyJPEG(f, 6), dirtyPNG(f, 3), dirtyGIF(f), dirtyWebP(8), hugePNG(f), longGIF()[:200], []byte("PK\x03\x04")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Look(bytes.NewReader(data), int64(len(data)), false)
		if err != nil {
			return
		}
		out := shared(t, p, data)
		if len(out) > len(data)+64 {
			t.Errorf("%d bytes became %d", len(data), len(out))
		}
		if !p.Cleaned {
			return
		}
		again, err := Look(bytes.NewReader(out), int64(len(out)), false)
		if err != nil {
			t.Fatalf("what was cleaned is damaged: %v", err)
		}
		if again.MediaType == p.MediaType && !bytes.Equal(shared(t, again, out), out) {
			t.Errorf("cleaned twice it is another\n%q\n%q", out, shared(t, again, out))
		}
		was, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return
		}
		if now, _, err := image.DecodeConfig(bytes.NewReader(out)); err != nil || was.Width != now.Width || was.Height != now.Height {
			t.Errorf("%v became %v, %v", was, now, err)
		}
	})
}

// FuzzFileName: a name is one path component, whatever it was.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"photo.jpg", "../x", ".", "CON.png", "\xff", "a\u202Eb"} {
		f.Add(s, "image/png")
	}
	f.Fuzz(func(t *testing.T, raw, mediaType string) {
		name := FileName(raw, mediaType)
		if len(name) > maxName+1 || !utf8.ValidString(name) || strings.ContainsAny(name, "/\\\x00\n:*?\"<>|") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
			t.Errorf("%q became %q", raw, name)
		}
		if again := FileName(name, mediaType); again != name {
			t.Errorf("%q became %q and then %q", raw, name, again)
		}
	})
}
