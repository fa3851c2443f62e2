package post

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// A Draft is what somebody wants to say, before it is signed: a command's
// flags, a file made by hand, an edited post.
type Draft struct{ members map[string]Value }

// NewDraft begins a post of a type.
func NewDraft(kind string) *Draft {
	return &Draft{map[string]Value{"type": ijson.Quote(kind)}}
}

// ParseDraft reads an object made by hand, or by another program. Of its
// members only the form is checked here.
func ParseDraft(raw []byte) (*Draft, error) {
	if len(raw) > MaxFile {
		return nil, ErrTooLarge
	}
	if err := ijson.Check(raw, MaxDepth, nil); err != nil {
		return nil, err
	}
	members, err := ijson.Members(raw)
	if err != nil {
		return nil, err
	}
	d := &Draft{map[string]Value{}}
	for _, m := range members {
		d.members[m.Name] = m.Value
	}
	return d, nil
}

// Draft begins a new text of p: everything in it but what Sign sets.
func (p *Post) Draft() *Draft {
	d := &Draft{map[string]Value{}}
	for _, m := range p.members {
		d.members[m.Name] = m.Value
	}
	return d
}

// Set gives a member a text; an empty one removes it.
func (d *Draft) Set(name, text string) {
	if text == "" {
		delete(d.members, name)
		return
	}
	d.members[name] = ijson.Quote(text)
}

// SetValue gives a member any value.
func (d *Draft) SetValue(name string, v Value) { d.members[name] = v }

// Revision is the one that stands in a text that was signed before; 0 if there is
// none.
func (d *Draft) Revision() (n int64) {
	if d.Has("signature") {
		_ = ijson.UnmarshalTrusted(d.members["revision"], &n) // what is no number is none
	}
	return n
}

// Remove takes members out.
func (d *Draft) Remove(names ...string) {
	for _, n := range names {
		delete(d.members, n)
	}
}

// Text is a member's text, "" if it is none.
func (d *Draft) Text(name string) string { return lenient(d.members[name]) }

// Has tells whether the member is there.
func (d *Draft) Has(name string) bool { _, ok := d.members[name]; return ok }

// Words are the words of to in a file made by hand, like the words of --to:
// nil if there is no to. Any other audience name is an error.
func (d *Draft) Words() ([]string, error) {
	var words []string
	for name, v := range d.members {
		if !private[strings.ToLower(name)] {
			continue
		}
		if name != "to" {
			return nil, fmt.Errorf("%w: the name %q; say whom it is for in to", ErrAudience, name)
		}
		if err := ijson.UnmarshalTrusted(v, &words); err != nil || len(words) == 0 {
			return nil, fmt.Errorf(`%w: to is not a list such as ["friends"]`, ErrAudience)
		}
	}
	return words, nil
}

// SignedAudience reads to and bto of an edited post, which keep their signed
// form.
func (d *Draft) SignedAudience() (Audience, error) {
	return parseAudience(d.members["to"], d.members["bto"])
}

// Particulars are what signing decides about a text.
type Particulars struct {
	ID        ID
	Published time.Time
	Updated   time.Time // zero for a first revision
	Revision  int64
	Audience  Audience
	At        time.Time // of the signature
}

// Sign makes a draft a post: sets id, author, dates, revision and audience,
// and signs the canonical bytes (spec P19). The draft stays as it was.
func Sign(d *Draft, by Particulars, secret *pgp.Secret) (*Post, error) {
	m := maps.Clone(d.members)
	for name := range m {
		if private[strings.ToLower(name)] && name != "to" && name != "bto" {
			return nil, fmt.Errorf("%w: the name %q", ErrAudience, name)
		}
	}
	for _, name := range []string{"to", "bto", "signature", "updated"} {
		delete(m, name)
	}
	m["id"] = ijson.Quote(by.ID.String())
	m["attributedTo"] = ijson.Quote(by.ID.Author.URI())
	m["published"] = ijson.Quote(FormatTime(by.Published))
	m["revision"] = Value(fmt.Sprint(by.Revision))
	if !by.Updated.IsZero() {
		m["updated"] = ijson.Quote(FormatTime(by.Updated))
	}
	if by.Audience.Public {
		m["to"] = Value(`["` + public + `"]`)
	}
	members := make([]ijson.Member, 0, len(m)+2)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		members = append(members, ijson.Member{Name: name, Value: m[name]})
	}
	unsigned, err := parse(ijson.Join(members))
	if err != nil {
		return nil, err
	}
	sig, err := secret.Sign(pgp.ContextPost, unsigned.signed, by.At)
	if err != nil {
		return nil, fmt.Errorf("signing the post: %w", err)
	}
	members = append(members, ijson.Member{Name: "signature", Value: ijson.Quote(base64.StdEncoding.EncodeToString(sig))})
	if bto := by.Audience.private(); len(bto) > 0 {
		v, err := ijson.Encode(bto)
		if err != nil {
			return nil, err
		}
		members = append(members, ijson.Member{Name: "bto", Value: v})
	}
	return OpenMine(ijson.Join(members), secret.Certificate())
}

// Bury makes the Tombstone of a post: the same id and to, what it was, when it
// was deleted (spec P43).
func Bury(p *Post, deleted time.Time) *Draft {
	d := NewDraft("Tombstone")
	kind := p.Type()
	if p.Tombstone() {
		kind = p.FormerType()
	}
	d.Set("formerType", kind)
	d.Set("deleted", FormatTime(deleted))
	return d
}
