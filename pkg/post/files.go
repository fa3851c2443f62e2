package post

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/text"
)

// A File is one that a post names. Its bytes are found by their SHA-256, beside
// the posts.
type File struct {
	Kind          string // Image, Audio, Video or Document
	MediaType     string
	Description   string
	Name          string // of the file, as its author had it; not safe to use
	SHA256        string // lower-case hexadecimal
	Size          int64  // bytes
	Width, Height int    // of a picture; 0 if unknown
}

// MaxFiles is how many files one post may name.
const MaxFiles = 64

// fileKinds are the types of an attachment that is a file.
var fileKinds = []string{"Image", "Audio", "Video", "Document"}

const fileScheme = "sha256:"

var (
	mediaTypePattern = text.NewPattern(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$`)
	filePattern      = text.NewPattern(`^sha256:[0-9a-f]{64}$`)
)

// attached is an attachment as it stands in a post. What is not there is nil.
type attached struct {
	Type      string `json:"type"`
	MediaType string `json:"mediaType"`
	Name      Value  `json:"name,omitzero"`
	Size      *int64 `json:"size"`
	URL       []link `json:"url"`
}

type link struct {
	Type      string `json:"type"`
	Href      string `json:"href"`
	MediaType string `json:"mediaType,omitzero"`
	Name      string `json:"name,omitzero"`
	Width     int64  `json:"width,omitzero"`
	Height    int64  `json:"height,omitzero"`
}

// file is what it names.
func (v attached) file() (f File, err error) {
	f = File{Kind: v.Type, MediaType: v.MediaType}
	f.Description, _ = ijson.String(v.Name)
	switch {
	case v.Name != nil && v.Name.Kind() != '"':
		return f, fmt.Errorf("%w: the name of an attachment is not a text", ErrInvalid)
	case !isMediaType(v.MediaType):
		return f, fmt.Errorf("%w: an attachment needs mediaType, such as image/png", ErrInvalid)
	case v.Size == nil || *v.Size < 0:
		return f, fmt.Errorf("%w: an attachment needs size, a number of bytes", ErrInvalid)
	case len(v.URL) != 1 || !filePattern.MatchString(v.URL[0].Href):
		return f, fmt.Errorf("%w: an attachment needs url, one link to sha256: and 64 digits", ErrInvalid)
	case v.URL[0].Width < 0 || v.URL[0].Width > maxPixels || v.URL[0].Height < 0 || v.URL[0].Height > maxPixels:
		return f, fmt.Errorf("%w: the width or height of an attachment", ErrInvalid)
	}
	f.Size, f.SHA256, f.Name = *v.Size, strings.TrimPrefix(v.URL[0].Href, fileScheme), v.URL[0].Name
	f.Width, f.Height = int(v.URL[0].Width), int(v.URL[0].Height)
	return f, nil
}

// isMediaType: both names of at most 63 bytes. Were this in the pattern, each
// process would spend more time on compiling it than on all others.
func isMediaType(s string) bool {
	kind, of, _ := strings.Cut(s, "/")
	return len(kind) <= 63 && len(of) <= 63 && mediaTypePattern.MatchString(s)
}

// maxPixels is above the width of every picture.
const maxPixels = 1<<31 - 1

// files holds attachment to its form (spec P56): a list of objects, of which
// those that are files say which.
func (d *document) files() error {
	if d.Attachment == nil {
		return nil
	}
	var list []Value
	if err := ijson.UnmarshalTrusted(d.Attachment, &list); err != nil || len(list) == 0 || len(list) > MaxFiles {
		return fmt.Errorf("%w: attachment is not a list of 1 to %d", ErrInvalid, MaxFiles)
	}
	for _, v := range list {
		if _, _, err := fileOf(v); err != nil {
			return err
		}
	}
	return nil
}

// fileOf reads an attachment; is is false for one that is no file.
func fileOf(v Value) (f File, is bool, err error) {
	var kind struct {
		Type Value `json:"type"`
	}
	if v.Kind() != '{' || ijson.UnmarshalTrusted(v, &kind) != nil {
		return f, false, fmt.Errorf("%w: an attachment is not an object", ErrInvalid)
	}
	if s, _ := ijson.String(kind.Type); !slices.Contains(fileKinds, s) {
		return f, false, nil
	}
	var a attached
	if err := ijson.UnmarshalTrusted(v, &a); err != nil {
		return f, false, fmt.Errorf("%w: a member of an attachment: %w", ErrInvalid, err)
	}
	f, err = a.file()
	return f, err == nil, err
}

// Files are the files that p names itself: in attachment, and as the icon or
// image of whatever it is. Those of a post that it passes on are not its own:
// whoever gives them is that post's author (spec P58).
func (p *Post) Files() []File {
	var files []File
	add := func(v Value) {
		if f, is, err := fileOf(v); err == nil && is && len(files) < MaxFiles {
			files = append(files, f)
		}
	}
	if p.Tombstone() {
		return nil
	}
	for _, name := range []string{"attachment", "icon", "image"} {
		v := p.member(name)
		var list []Value
		switch {
		case v == nil:
		case v.Kind() == '[' && ijson.UnmarshalTrusted(v, &list) == nil:
			for _, one := range list {
				add(one)
			}
		default:
			add(v)
		}
	}
	return files
}

// Attach adds files to the attachments of a draft.
func (d *Draft) Attach(files ...File) error {
	var list []Value
	if v := d.members["attachment"]; v != nil {
		if err := ijson.UnmarshalTrusted(v, &list); err != nil {
			return fmt.Errorf("%w: attachment is not a list", ErrInvalid)
		}
	}
	for _, f := range files {
		v, err := f.Value()
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return nil
	}
	v, err := ijson.Encode(list)
	if err == nil {
		d.members["attachment"] = v
	}
	return err
}

// Value is the object that names f in a post.
func (f File) Value() (Value, error) {
	if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != 32 {
		return nil, fmt.Errorf("%w: %.80q is not a SHA-256", ErrInvalid, f.SHA256)
	}
	a := attached{Type: f.Kind, MediaType: f.MediaType, Size: &f.Size, URL: []link{{"Link", fileScheme + f.SHA256, f.MediaType, f.Name, int64(f.Width), int64(f.Height)}}}
	if f.Description != "" {
		a.Name = ijson.Quote(f.Description)
	}
	return ijson.Encode(a)
}
