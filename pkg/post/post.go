// Package post is the document that p2ps is about: one ActivityStreams 2.0
// object, read as plain JSON, signed by its author, in one file (spec P).
//
// Whoever holds a *Post holds something verified: only Open, OpenMine, Reopen
// and Sign make one. What has not been verified has no type of its own; it is
// an ijson.Value, or a Draft that waits to be signed.
package post

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
)

// Limits of one post (spec P8, P10, P20).
const (
	MaxSigned    = 64 << 10 // bytes of the signed form
	MaxSignature = 8 << 10  // bytes of the signature packet
	MaxDepth     = 14       // so that a page of posts stays within ijson.MaxDepth
	MaxFile      = 512 << 10
)

var (
	// ErrID: an id or position that does not match the closed pattern.
	ErrID = errors.New("not a post id")
	// ErrInvalid: a member that is missing or malformed.
	ErrInvalid = errors.New("not a valid post")
	// ErrAudience: an audience that is malformed, doubled or misspelt, or that
	// travelled although it is private. Such a post is for nobody but its author.
	ErrAudience = errors.New("the audience is not in order")
	// ErrUnsigned: there is no signature yet.
	ErrUnsigned = errors.New("the post is not signed")
	// ErrAuthor: signed by, or named after, somebody else than it should be.
	ErrAuthor = errors.New("the post is not by its author")
	// ErrTooLarge: more than 64 KiB of signed bytes.
	ErrTooLarge = errors.New("the post is larger than 64 KiB")
)

// A Version names one text of one post; it is what lists and digests compare.
type Version struct {
	ID       ID
	Revision int64
	Hash     [sha256.Size]byte // of the signed bytes
}

// String is the version's line without its LF: id, revision and hash,
// separated by single spaces (spec W7).
func (v Version) String() string {
	return v.ID.String() + " " + strconv.FormatInt(v.Revision, 10) + " " + hex.EncodeToString(v.Hash[:])
}

// Standing is what decides between two texts of one post.
type Standing struct {
	Revision int64
	Updated  string // "" is earliest
	Hash     [sha256.Size]byte
}

// Beats is the rule for two texts of one id: the higher revision, then the
// later updated, then the greater SHA-256, everywhere (spec P40).
func (s Standing) Beats(other Standing) bool {
	if s.Revision != other.Revision {
		return s.Revision > other.Revision
	}
	if s.Updated != other.Updated {
		return s.Updated > other.Updated
	}
	return bytes.Compare(s.Hash[:], other.Hash[:]) > 0
}

// A Post is a verified post.
type Post struct {
	id          ID
	doc         document
	members     []ijson.Member // canonical order, without bto
	signed      []byte
	hash        [sha256.Size]byte
	audience    Audience
	audienceErr error
	revoked     bool
}

func (p *Post) ID() ID                { return p.id }
func (p *Post) Type() string          { return p.doc.Type }
func (p *Post) Revision() int64       { return p.doc.Revision }
func (p *Post) Hash() [32]byte        { return p.hash }
func (p *Post) Version() Version      { return Version{p.id, p.doc.Revision, p.hash} }
func (p *Post) Standing() Standing    { return Standing{p.doc.Revision, p.Updated(), p.hash} }
func (p *Post) Tombstone() bool       { return p.doc.Type == "Tombstone" }
func (p *Post) Public() bool          { return p.doc.To != nil && p.audienceErr == nil }
func (p *Post) Published() time.Time  { t, _ := ParseTime(p.doc.Published); return t }
func (p *Post) Updated() string       { return lenient(p.doc.Updated) }
func (p *Post) FormerType() string    { return lenient(p.doc.FormerType) }
func (p *Post) Signed() []byte        { return p.signed }
func (p *Post) Content() string       { return lenient(p.doc.Content) }
func (p *Post) Summary() string       { return lenient(p.doc.Summary) }
func (p *Post) Name() string          { return lenient(p.doc.Name) }
func (p *Post) MediaType() string     { return lenient(p.doc.MediaType) }
func (p *Post) InReplyTo() string     { return lenient(p.doc.InReplyTo) }
func (p *Post) Context() string       { return lenient(p.doc.Context) }
func (p *Post) URL() string           { return lenient(p.doc.URL) }
func (p *Post) Member(n string) Value { return p.member(n) }

// Value is a member of a post as it stands there.
type Value = ijson.Value

// Revoked tells that the key that signed was revoked as lost or compromised:
// such a post is kept, and flagged.
func (p *Post) Revoked() bool { return p.revoked }

// Expires is when the post stops being served and shown; false if never.
func (p *Post) Expires() (time.Time, bool) {
	if p.doc.Expires == nil {
		return time.Time{}, false
	}
	t, err := ParseTime(lenient(p.doc.Expires))
	return t, err == nil
}

// Audience says who may see this post of mine. With an error it is nobody but
// me, whatever else stands in the file.
func (p *Post) Audience() (Audience, error) { return p.audience, p.audienceErr }

// Object is what a Like or an Announce is about: the id, or the whole original.
func (p *Post) Object() Value { return p.doc.Object }

// Signature is the binary signature packet.
func (p *Post) Signature() []byte { return p.doc.signature }

// Wire is the post as it travels: canonical, without bto (spec P29).
func (p *Post) Wire() []byte { return ijson.Join(p.members) }

func (p *Post) member(name string) Value {
	for _, m := range p.members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// lenient is the text of v if it is text: a field of an unknown type may be
// anything, and is then shown as nothing.
func lenient(v Value) string {
	s, _ := ijson.String(v)
	return s
}

// File is the post as it is kept: indented, in the order of the
// specification, a final newline; with bto if it is my own (spec F2).
func (p *Post) File() ([]byte, error) {
	members := p.members
	if bto := p.audience.private(); len(bto) > 0 {
		v, err := ijson.Encode(bto)
		if err != nil {
			return nil, err
		}
		members = append(members[:len(members):len(members)], ijson.Member{Name: "bto", Value: v})
	}
	return file(members)
}

// SameFile tells whether p and q are one text with one audience.
func (p *Post) SameFile(q *Post) bool {
	return p.hash == q.hash && bytes.Equal(p.doc.signature, q.doc.signature) &&
		fmt.Sprint(p.audience.Members()) == fmt.Sprint(q.audience.Members())
}

// About is the id of the post that this one answers, likes or repeats; "" if
// none.
func (p *Post) About() string {
	switch p.doc.Type {
	case "Like", "Accept", "TentativeAccept", "Reject":
		return lenient(p.doc.Object)
	case "Announce":
		var original struct {
			ID string `json:"id"`
		}
		_ = ijson.UnmarshalTrusted(p.doc.Object, &original) // it was checked when p was read
		return original.ID
	}
	return lenient(p.doc.InReplyTo)
}
