package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// request is the literal of a request. Only from, time and key must be right
// for the signature to be checked; every other member is looked at after it,
// so that its fault is told to nobody but the signer.
type request struct {
	P2PS   ijson.Value `json:"p2ps"`
	Kind   ijson.Value `json:"kind"`
	From   string      `json:"from"`
	To     ijson.Value `json:"to"`
	Time   string      `json:"time"`
	Nonce  ijson.Value `json:"nonce"`
	Key    string      `json:"key"`
	After  ijson.Value `json:"after,omitzero"`
	Months ijson.Value `json:"months,omitzero"`
	Want   ijson.Value `json:"want,omitzero"`
	Have   ijson.Value `json:"have,omitzero"`
	Wait   ijson.Value `json:"wait,omitzero"`
	Digest ijson.Value `json:"digest,omitzero"`
	Offer  ijson.Value `json:"offer,omitzero"`
	Token  ijson.Value `json:"token,omitzero"`
	Name   ijson.Value `json:"name,omitzero"`

	Addresses ijson.Value `json:"addresses,omitzero"`

	ID     ijson.Value `json:"id,omitzero"` // of an attachment
	SHA256 ijson.Value `json:"sha256,omitzero"`
	Offset ijson.Value `json:"offset,omitzero"`
	Accept ijson.Value `json:"accept,omitzero"`
}

// mostWait is how many seconds may be asked for (spec M43).
const mostWait = 3600

// maxKey is the size of a certificate that comes along (spec M17).
const maxKey = 24 << 10

var noncePattern = text.NewPattern(`^[0-9a-f]{32}$`)

// A Request is a sealed request that was decrypted. Nothing in it is believed
// before Verify returns nil.
type Request struct {
	From  pgp.Fingerprint
	Time  time.Time
	Nonce string
	Re    string // what the answer must name: SHA-256 of the literal

	raw    request
	key    []byte // the certificate that came along
	held   bool   // whoever sent this holds a key in it
	opened *pgp.Opened
}

// OpenRequest decrypts a body and reads what is needed to verify it.
func OpenRequest(body []byte, me *pgp.Secret) (*Request, error) {
	opened, err := open(body, me, MaxRequest)
	if err != nil {
		return nil, err
	}
	return requestOf(opened)
}

// requestOf reads what was decrypted as a request.
func requestOf(opened *pgp.Opened) (*Request, error) {
	r, err := readRequest(opened.Literal)
	if err != nil {
		return nil, err
	}
	r.held, err = opened.HeldBy(pgp.ContextRequest, r.key)
	if err != nil {
		return nil, err
	}
	r.opened = opened
	return r, nil
}

// Certificate is the one that came along, merged with what was known of From
// (spec M17, M18), nil if nothing is. One that says nothing new is not read, if
// who sent it holds a key in it: nobody else can tell by the time what is known.
func (r *Request) Certificate(known *pgp.Certificate) (*pgp.Certificate, error) {
	if known != nil && r.held && known.Holds(r.key) {
		return known, nil
	}
	cert, err := pgp.ParseCertificate(r.key)
	if err != nil {
		return nil, fmt.Errorf("%w: key: %w", ErrInvalid, err)
	}
	if cert.Fingerprint() != r.From {
		return nil, fmt.Errorf("%w: key is not the key of from", ErrInvalid)
	}
	if known == nil {
		return cert, nil
	}
	return known.Merge(cert)
}

// readRequest reads of a literal what must be right before its signature can
// be verified (spec M21), and the certificate in it, which is not read yet.
func readRequest(literal []byte) (r *Request, err error) {
	r = &Request{Re: sum(literal)}
	if err := read(literal, &r.raw); err != nil {
		return nil, err
	}
	if r.From, err = pgp.ParseFingerprint(r.raw.From); err != nil {
		return nil, fmt.Errorf("%w: from: %w", ErrInvalid, err)
	}
	if r.Time, err = post.ParseTime(r.raw.Time); err != nil {
		return nil, fmt.Errorf("%w: time: %w", ErrInvalid, err)
	}
	r.key, err = base64.StdEncoding.Strict().DecodeString(r.raw.Key)
	if err != nil || len(r.key) == 0 || len(r.key) > maxKey || strings.ContainsAny(r.raw.Key, "\r\n") {
		return nil, fmt.Errorf("%w: key is not base64 of at most 24 KiB", ErrInvalid)
	}
	return r, nil
}

// read takes the literal of a message: one object, and after its brace nothing
// but spaces and newlines (spec M13, M14).
func read(literal []byte, v any) error {
	if end := bytes.LastIndexByte(literal, '}'); len(bytes.Trim(literal[end+1:], " \n")) > 0 {
		return fmt.Errorf("%w: something follows the object", ErrInvalid)
	}
	return ijson.Unmarshal(literal, v)
}

// Verify checks the signature with cert, the certificate of From: what came
// along, merged with what was known (spec M18).
func (r *Request) Verify(cert *pgp.Certificate, now time.Time) error {
	return r.opened.Verify(pgp.ContextRequest, cert, r.Time, now)
}

// Question reads what a verified request asks. Its errors are ErrVersion,
// ErrKind, ErrInvalid and ErrClock, in this order of looking.
func (r *Request) Question(me pgp.Fingerprint, now time.Time) (Question, error) {
	q := Question{}
	version, hasVersion := ijson.String(r.raw.P2PS)
	kind, hasKind := ijson.String(r.raw.Kind)
	if !hasVersion || !hasKind {
		return q, fmt.Errorf("%w: p2ps or kind is missing", ErrInvalid)
	}
	if version != RequestVersion {
		return q, fmt.Errorf("%w: %.40q", ErrVersion, version)
	}
	q.Kind = kind
	switch q.Kind {
	case KindPosts, KindManifest, KindIDs, KindHello, KindAttachment:
	default:
		return Question{}, fmt.Errorf("%w: %.40q", ErrKind, q.Kind)
	}
	if to, _ := ijson.String(r.raw.To); to != string(me) {
		return Question{}, fmt.Errorf("%w: to is not me", ErrInvalid)
	}
	r.Nonce, _ = ijson.String(r.raw.Nonce)
	if !noncePattern.MatchString(r.Nonce) {
		return Question{}, fmt.Errorf("%w: nonce is not 32 digits of lower-case hexadecimal", ErrInvalid)
	}
	var err error
	if q.Addresses, err = readAddresses(r.raw.Addresses); err != nil {
		return Question{}, err
	}
	if err := r.raw.read(&q); err != nil {
		return Question{}, err
	}
	if d := now.Sub(r.Time); d > ClockSkew || d < -ClockSkew {
		return Question{}, ErrClock
	}
	return q, nil
}

// read takes the members that belong to the kind; the others are ignored.
func (r *request) read(q *Question) (err error) {
	if (q.Kind == KindPosts || q.Kind == KindManifest) && r.After != nil {
		var ok bool
		if q.After, ok = ijson.String(r.After); !ok || q.After == "" {
			return fmt.Errorf("%w: after is not a text", ErrInvalid)
		}
	}
	switch q.Kind {
	case KindPosts:
		if _, err := ParseAfter(q.After); err != nil {
			return err
		}
		if err := r.readWait(q); err != nil {
			return err
		}
		if err := r.readOffer(q); err != nil {
			return err
		}
		q.Have, err = list(r.Have, "have")
	case KindManifest:
		if r.Months != nil {
			err = ijson.UnmarshalTrusted(r.Months, &q.Months)
			if err != nil || len(q.Months) == 0 || len(q.Months) > MaxMonths {
				return fmt.Errorf("%w: months is not a list of 1 to %d", ErrInvalid, MaxMonths)
			}
		}
		err = q.Check()
	case KindIDs:
		if q.Want, err = list(r.Want, "want"); err == nil {
			q.Have, err = list(r.Have, "have")
		}
	case KindHello:
		err = r.hello(q)
	case KindAttachment:
		q.File, err = r.readFile()
	}
	if err == nil && len(q.Want)+len(q.Have) > MaxIDs {
		err = fmt.Errorf("%w: more than %d ids", ErrInvalid, MaxIDs)
	}
	return err
}

// readWait takes how long the asker would wait, and what he has (spec M43).
func (r *request) readWait(q *Question) error {
	if r.Wait == nil {
		return nil
	}
	if err := ijson.UnmarshalTrusted(r.Wait, &q.Wait); err != nil || q.Wait < 1 || q.Wait > mostWait {
		return fmt.Errorf("%w: wait is not a number of seconds from 1 to %d", ErrInvalid, mostWait)
	}
	if q.Digest, _ = ijson.String(r.Digest); !IsSHA256(q.Digest) {
		return fmt.Errorf("%w: digest is not 64 digits of lower-case hexadecimal", ErrInvalid)
	}
	return nil
}

// readOffer takes what the asker would give in turn (spec M44).
func (r *request) readOffer(q *Question) error {
	if r.Offer == nil {
		return nil
	}
	if q.Offer, _ = ijson.String(r.Offer); !IsSHA256(q.Offer) {
		return fmt.Errorf("%w: offer is not 64 digits of lower-case hexadecimal", ErrInvalid)
	}
	return nil
}

// Check holds the months and the line of a manifest question to their form.
func (q *Question) Check() error {
	if len(q.Months) > MaxMonths {
		return fmt.Errorf("%w: more than %d months", ErrInvalid, MaxMonths)
	}
	for _, m := range q.Months {
		if !IsMonth(m) {
			return fmt.Errorf("%w: the month %.20q is not like 202611", ErrInvalid, m)
		}
	}
	if q.After == "" {
		return nil
	}
	if q.Months == nil {
		_, err := ParseMonth(q.After)
		return err
	}
	_, err := ParseLine(q.After)
	return err
}

func list(v ijson.Value, name string) ([]post.ID, error) {
	if v == nil {
		return nil, nil
	}
	var ss []string
	if err := ijson.UnmarshalTrusted(v, &ss); err != nil || v.Kind() != '[' {
		return nil, fmt.Errorf("%w: %s is not a list of ids", ErrInvalid, name)
	}
	return ParseIDs(ss)
}

// A Sent request remembers what its answer must say.
type Sent struct {
	Body []byte
	re   string
	kind string

	offset int64 // of an attachment
	gcm    bool
}

// Seal asks a question of p.Other: signs it, encrypts it to him alone.
func (s *Sealer) SealRequest(p Party, q Question, at time.Time, nonce [16]byte) (*Sent, error) {
	literal, err := Literal(p, q, at, nonce)
	if err != nil {
		return nil, err
	}
	body, padded, err := s.seal(literal, ' ', pgp.ContextRequest, p, at)
	if err != nil {
		return nil, err
	}
	sent := &Sent{Body: body, re: sum(padded)}
	sent.expects(q)
	return sent, nil
}

// expects remembers of a question what the answer to it must say.
func (s *Sent) expects(q Question) {
	s.kind = q.Kind
	if q.File != nil {
		s.offset, s.gcm = q.File.Offset, q.File.GCM
	}
}

// Literal is the JSON of a request, before its padding.
func Literal(p Party, q Question, at time.Time, nonce [16]byte) ([]byte, error) {
	key, err := p.Me.Certificate().Minimal()
	if err != nil {
		return nil, fmt.Errorf("my key for the request: %w", err)
	}
	r, err := q.members()
	if err != nil {
		return nil, err
	}
	r.P2PS, r.Kind = ijson.Quote(RequestVersion), ijson.Quote(q.Kind)
	r.From, r.To = string(p.Me.Certificate().Fingerprint()), ijson.Quote(string(p.Other.Fingerprint()))
	r.Time, r.Nonce = post.FormatTime(at), ijson.Quote(hex.EncodeToString(nonce[:]))
	r.Key = base64.StdEncoding.EncodeToString(key)
	if q.Wait > 0 {
		r.Wait, r.Digest = ijson.Value(strconv.Itoa(q.Wait)), ijson.Quote(q.Digest)
	}
	if q.Offer != "" {
		r.Offer = ijson.Quote(q.Offer)
	}
	if err := r.meet(q); err != nil {
		return nil, err
	}
	return ijson.Encode(r)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
