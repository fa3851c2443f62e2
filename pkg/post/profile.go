package post

import (
	"fmt"

	"github.com/p2ps/p2ps/pkg/ijson"
)

// A Link is a page that somebody names in his profile (spec K22).
type Link struct{ Name, URL string }

// checkProfile looks at what a Person has beside its name: a picture that is a
// file of ours, and links to pages (spec K21, K22).
func (d *document) checkProfile() error {
	if d.Icon != nil {
		if f, is, err := fileOf(d.Icon); err != nil || !is || f.Kind != "Image" {
			return fmt.Errorf("%w: the icon of a Person is no Image that is a file", first(err, ErrInvalid))
		}
	}
	var list []Value
	_ = ijson.UnmarshalTrusted(d.Attachment, &list) // texts has looked at it
	for _, v := range list {
		if _, is, err := linkOf(v); is && err != nil {
			return err
		}
	}
	return nil
}

// linkOf reads an attachment; is is false for one that is no link.
func linkOf(v Value) (l Link, is bool, err error) {
	var kind, name, href Value
	if err := fields(v, map[string]*Value{"type": &kind, "name": &name, "href": &href}); err != nil || lenient(kind) != "Link" {
		return l, false, err
	}
	l = Link{lenient(name), lenient(href)}
	if l.Name == "" || !IsWebAddress(l.URL) {
		return l, true, fmt.Errorf("%w: a Link of a Person needs name, and an http or https address as href", ErrInvalid)
	}
	return l, true, nil
}

// IsWebAddress tells whether s is what a Page or a Link may point at (spec P48).
func IsWebAddress(s string) bool { return webAddress.MatchString(s) }

// Links are the pages that a profile names.
func (p *Post) Links() (links []Link) {
	if p.doc.Type != "Person" {
		return nil
	}
	var list []Value
	_ = ijson.UnmarshalTrusted(p.doc.Attachment, &list) // it was checked when p was read
	for _, v := range list {
		if l, is, err := linkOf(v); is && err == nil {
			links = append(links, l)
		}
	}
	return links
}

// SetLinks replaces the links of a profile, and leaves what else is attached.
func (d *Draft) SetLinks(links []Link) error {
	var list, others []Value
	if v := d.members["attachment"]; v != nil {
		if err := ijson.UnmarshalTrusted(v, &list); err != nil {
			return fmt.Errorf("%w: attachment is not a list", ErrInvalid)
		}
	}
	for _, v := range list {
		if _, is, err := linkOf(v); !is || err != nil {
			others = append(others, v)
		}
	}
	for _, l := range links {
		v := `{"type":"Link","name":` + string(ijson.Quote(l.Name)) + `,"href":` + string(ijson.Quote(l.URL)) + `}`
		others = append(others, Value(v))
	}
	if len(others) == 0 {
		d.Remove("attachment")
		return nil
	}
	v, err := ijson.Encode(others)
	if err == nil {
		d.members["attachment"] = v
	}
	return err
}

// SetIcon makes a picture that of a profile.
func (d *Draft) SetIcon(f File) error {
	v, err := f.Value()
	if err == nil {
		d.members["icon"] = v
	}
	return err
}
