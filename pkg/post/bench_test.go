package post

import (
	"strings"
	"testing"
)

// What a post of about 300 bytes of text costs on its way: read and verified,
// read alone, as a file, and from a file to the wire.
func BenchmarkPost(b *testing.B) {
	me := secret(b, "Alice")
	d := NewDraft("Note")
	d.Set("content", strings.Repeat("All work and no play makes a long walk. ", 7))
	d.Set("mediaType", "text/plain")
	p := sign(b, me, d, Audience{Friends: true})
	file, err := p.File()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"Open", func() error { _, err := Open(p.Wire(), me.Certificate()); return err }},
		{"Reopen", func() error { _, err := Reopen(file, p.Version()); return err }},
		{"File", func() error { _, err := p.File(); return err }},
		{"WireOf", func() error { _, err := WireOf(file); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
