package post

import (
	"html"
	"strings"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/text"
)

// Text is all that a post says to people, as plain text, whatever its type:
// what a search looks at. A Tombstone says nothing.
func (p *Post) Text() string {
	if p.Tombstone() {
		return ""
	}
	var s []string
	add := func(text string) {
		if text != "" {
			s = append(s, text)
		}
	}
	add(p.Name())
	add(p.Summary())
	add(plain(p.Content(), p.MediaType()))
	add(p.URL())
	for _, v := range []Value{p.member("tag"), p.doc.Attachment, p.doc.Location} {
		for _, name := range namesIn(v) {
			add(name)
		}
	}
	if p.doc.original != nil {
		add(p.doc.original.Text())
	}
	return strings.Join(s, "\n")
}

// namesIn are the names of an object, or of a list of them.
func namesIn(v Value) []string {
	type named struct {
		Name Value `json:"name"`
	}
	var list []named
	switch v.Kind() {
	case '[':
		if ijson.UnmarshalTrusted(v, &list) != nil {
			return nil // of an unknown type: it may be anything
		}
	case '{':
		list = make([]named, 1)
		if ijson.UnmarshalTrusted(v, &list[0]) != nil {
			return nil
		}
	}
	var names []string
	for _, n := range list {
		names = append(names, lenient(n.Name))
	}
	return names
}

var (
	htmlTag = text.NewPattern(`(?s)<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)\s*>|</?[A-Za-z][^<>]*>`)
	linkTo  = text.NewPattern(`\]\([^()\s]*\)`)
)

// plain is what is read of a text: without the tags of HTML, which a text
// without mediaType is in ActivityStreams, and without where the links of
// Markdown lead.
func plain(s, mediaType string) string {
	switch mediaType {
	case "", "text/html":
		if !strings.ContainsAny(s, "<&") {
			return s
		}
		return html.UnescapeString(htmlTag.ReplaceAllString(s, " "))
	case "text/markdown":
		return linkTo.ReplaceAllString(s, "] ")
	}
	return s
}
