package post

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Links replace the links before, and leave a file and what means nothing; the
// picture is a file that the post names.
//
// spec: K21, K22
func TestProfile(t *testing.T) {
	me := secret(t, "Alice")
	sign := func(d *Draft) *Post {
		p, err := Sign(d, Particulars{ID: ID{me.Certificate().Fingerprint(), "20261122-123456789-k3q5vx2m4f7da"}, Published: time.Now(), Revision: 1, At: time.Now()}, me)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	d := NewDraft("Person")
	d.Set("name", "Alice")
	d.SetValue("attachment", Value(`[{"type":"Link","name":"old","href":"https://example.org/old"},{"type":"PropertyValue","name":"x"}]`))
	song := File{Kind: "Audio", MediaType: "audio/ogg", SHA256: strings.Repeat("cd", 32), Size: 1}
	picture := File{Kind: "Image", MediaType: "image/png", SHA256: strings.Repeat("ab", 32), Size: 2}
	links := []Link{{"Canals", "https://example.org/canals"}, {"\"quoted\"\n", "http://example.org/"}}
	for _, err := range []error{d.Attach(song), d.SetLinks(links), d.SetIcon(picture)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := sign(d)
	if !slices.Equal(p.Links(), links) || !slices.Equal(p.Files(), []File{song, picture}) || !strings.Contains(string(p.Signed()), "PropertyValue") {
		t.Errorf("links %v, files %v in %s", p.Links(), p.Files(), p.Signed())
	}
	if err := d.SetLinks(nil); err != nil {
		t.Fatal(err)
	}
	if p = sign(d); len(p.Links()) != 0 || len(p.Files()) != 2 {
		t.Errorf("without links: %v, files %v", p.Links(), p.Files())
	}
	d.SetValue("attachment", Value(`[{"type":"Link","name":"old","href":"https://example.org/old"}]`))
	if err := d.SetLinks(nil); err != nil || d.Has("attachment") {
		t.Errorf("an empty list is left, %v", err)
	}
}
