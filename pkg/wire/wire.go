// Package wire is what two peers say to each other: sealed requests and
// answers, the lines and digests by which they agree (spec M and W). It knows
// no HTTP and no files.
//
// A message is one OpenPGP message, signed inside the encryption, whose
// literal is strict JSON followed by spaces that hide its size.
package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// Versions of the two messages.
const (
	RequestVersion = "request/1"
	AnswerVersion  = "answer/1"
)

// Kinds of requests, beside attachment.
const (
	KindPosts    = "posts"
	KindManifest = "manifest"
	KindIDs      = "ids"
	KindHello    = "hello"
	KindError    = "error" // only of an answer
	KindAsk      = "ask"   // only of an answer to an answer
)

// Limits of messages (spec S4, S10, W5, W12 to W14, M22).
const (
	MaxRequest = 128 << 10 // bytes of the body of a request
	MaxAnswer  = 2 << 20   // bytes of the body of an answer
	MaxPage    = 1 << 20   // bytes of JSON of the items or lines of one page
	MaxItems   = 500       // items of one page
	MaxIDs     = 500       // ids in want and have together
	MaxMonths  = 500       // months of one question
	MaxBack    = 96 << 10  // bytes of JSON of a page that was asked back (spec A4)

	ClockSkew = 10 * time.Minute // between the clocks of two peers
)

// Codes of an error answer.
const (
	CodeClock   = "clock"
	CodeReplay  = "replay"
	CodeVersion = "version"
	CodeKind    = "kind"
	CodeInvalid = "invalid"
	CodeBusy    = "busy"

	// Of hello: there is no such invite any more; another key used it. The first also
	// of a file: there is none that the asker may have, or it is not here.
	CodeNotFound = "not_found"
	CodeSpent    = "spent"
)

var (
	// ErrInvalid: a member is missing or malformed.
	ErrInvalid = errors.New("not a valid message")
	// ErrVersion: a version of the protocol that is not known here.
	ErrVersion = errors.New("a version that is not known")
	// ErrKind: a kind of request that is not known here.
	ErrKind = errors.New("a kind that is not known")
	// ErrClock: the time of a request is more than ten minutes from ours.
	ErrClock = errors.New("the clocks differ by more than ten minutes")
	// ErrReplay: the request was seen before, or may have been.
	ErrReplay = errors.New("the request may have been seen before")
	// ErrBinding: an answer to another question, of another person, or to another.
	ErrBinding = errors.New("the answer does not belong to the request")
	// ErrInvite: a text that begins like an invite and is none.
	ErrInvite = errors.New("not an invite")
)

// A Question is what a request asks, whatever carries it.
type Question struct {
	Kind   string
	After  string    // posts: a stamp or position; manifest: a line
	Months []string  // manifest: post lines of these months instead of month lines
	Want   []post.ID // ids: the posts to send
	Have   []post.ID // posts and ids: what the asker holds and was not offered
	Wait   int       // posts: seconds that the asker would wait for something new; 0: none
	Digest string    // posts, with Wait: of what he counts
	Offer  string    // posts: the digest of what he would give in turn; "": he does not say
	Token  string    // hello: of an invite; "" for a stranger's
	Name   string    // hello: what the asker calls himself; not safe to show

	Limit int // bytes of a page, for who answers; 0 is MaxPage; it is not sent

	Addresses []string // of any kind: where the asker is reached now; nil: he does not say

	File *FileQuestion // attachment
}

// News tells whether an answer to q holds something that the asker, by what he
// says of himself, does not know.
func (a *Answer) News(q Question) bool {
	return len(a.Items) > 0 || len(a.Gone) > 0 || a.More || a.Digest != q.Digest
}

// An Answer is what comes back, whatever carries it. At which time it was given
// decides what has expired.
type Answer struct {
	Kind   string
	Time   time.Time
	Gone   []post.ID     // of Have: taken back
	Items  []ijson.Value // posts, not yet believed
	Lines  []string
	More   bool
	Count  *int   // with More false, of posts
	Digest string // with More false, of posts
	Code   string // of an error
	Part   *Part  // of an attachment
	Name   string // of hello: what the owner calls himself; not safe to show
	Met    bool   // of hello: in person, the owner says

	Addresses []string // where the owner is reached now; nil: he does not say

	Ask *Question // what the owner asks back; nil: nothing
	Sum string    // of an answer that came: what the answer to Ask must name

	Changed time.Time // of an answer to everybody: when the public posts last changed; it is not sealed
}

// ParseAfter reads the after of a posts question: a time or a position; empty
// is the beginning (spec W2).
func ParseAfter(s string) (post.Position, error) {
	if s == "" {
		return "", nil
	}
	if t, err := post.ParseTime(s); err == nil {
		return post.PositionAt(t), nil
	}
	p, err := post.ParsePosition(s)
	if err != nil {
		return "", fmt.Errorf("%w: after: %w", ErrInvalid, err)
	}
	return p, nil
}

// ParseIDs reads a list of ids.
func ParseIDs(ss []string) ([]post.ID, error) {
	ids := make([]post.ID, 0, len(ss))
	for _, s := range ss {
		id, err := post.ParseID(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// A Party is who seals or opens: his key, and the certificate of the other.
type Party struct {
	Me    *pgp.Secret
	Other *pgp.Certificate
}
