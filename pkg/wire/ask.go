package wire

import (
	"fmt"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// asked is a request without envelope, as it stands in an answer (spec A1).
type asked struct {
	Kind   ijson.Value `json:"kind"`
	After  ijson.Value `json:"after,omitzero"`
	Months ijson.Value `json:"months,omitzero"`
	Want   ijson.Value `json:"want,omitzero"`
	Have   ijson.Value `json:"have,omitzero"`

	ID     ijson.Value `json:"id,omitzero"` // of an attachment
	SHA256 ijson.Value `json:"sha256,omitzero"`
	Offset ijson.Value `json:"offset,omitzero"`
}

func (q *Question) encode() (ijson.Value, error) {
	r, err := q.members()
	if err != nil {
		return nil, err
	}
	return ijson.Encode(asked{ijson.Quote(q.Kind), r.After, r.Months, r.Want, r.Have, r.ID, r.SHA256, r.Offset})
}

// readAsk reads what an owner asks back: nil if he does not.
func readAsk(v ijson.Value) (*Question, error) {
	if v == nil {
		return nil, nil
	}
	var m asked
	if err := ijson.Unmarshal(v, &m); err != nil {
		return nil, fmt.Errorf("%w: ask: %w", ErrInvalid, err)
	}
	q := &Question{}
	switch q.Kind, _ = ijson.String(m.Kind); q.Kind {
	case KindPosts, KindManifest, KindIDs, KindAttachment:
	default:
		return nil, fmt.Errorf("%w: ask: the kind %.40q", ErrInvalid, q.Kind)
	}
	r := request{After: m.After, Months: m.Months, Want: m.Want, Have: m.Have, ID: m.ID, SHA256: m.SHA256, Offset: m.Offset}
	if err := r.read(q); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	return q, nil
}

// A Reply is a sealed answer that came where requests come: to what its reader
// asked back. Nothing in it is believed before Verify returns nil.
type Reply struct {
	From pgp.Fingerprint
	Re   string // of the answer that asked
	Sum  string // what the answer to it must name

	at     time.Time
	raw    answer
	part   literalPart
	opened *pgp.Opened
}

// OpenSealed decrypts what was sent to me: a request, or an answer to what I
// asked back; one of the two is nil.
func OpenSealed(body []byte, me *pgp.Secret) (*Request, *Reply, error) {
	opened, err := open(body, me, MaxRequest)
	if err != nil {
		return nil, nil, err
	}
	if r, err := readReply(opened.Literal); err == nil {
		r.opened = opened
		return nil, r, nil
	}
	r, err := requestOf(opened)
	return r, nil, err
}

// readReply reads a literal as an answer. The error is of no matter: then it
// is to be a request.
func readReply(literal []byte) (*Reply, error) {
	m, at, part, err := readPartAnswer(literal)
	if err != nil {
		return nil, err
	}
	r := &Reply{Re: m.Re, Sum: sum(literal), at: at, raw: m, part: part}
	if m.P2PS != AnswerVersion {
		return nil, ErrVersion
	}
	r.From, err = pgp.ParseFingerprint(m.From)
	return r, err
}

// Verify checks the signature, and that this is the answer to what sent asked.
func (r *Reply) Verify(sent *Sent, p Party, now time.Time) (Answer, error) {
	a, err := sent.believe(r.opened, r.raw, r.at, p, now)
	switch {
	case err != nil:
		return a, err
	case a.Ask != nil:
		return Answer{}, fmt.Errorf("%w: an answer to what was asked back asks", ErrInvalid)
	case a.Kind != KindAttachment:
		return a, nil
	}
	if a.Part, err = sent.readPart(r.part); err == nil && len(a.Part.Data) > MaxPartBack {
		err = fmt.Errorf("%w: a part of %d bytes, where at most %d were asked for", ErrInvalid, len(a.Part.Data), MaxPartBack)
	}
	return a, err
}

// Offer is the digest of what the asker says that he would give (spec M44); "" if
// he does not say.
func (r *Request) Offer() string {
	offer, _ := ijson.String(r.raw.Offer)
	return offer
}

// Re is what an answer to it must name.
func (s *Sent) Re() string { return s.re }

// members are those of a request that belong to its question.
func (q *Question) members() (r request, err error) {
	if q.After != "" {
		r.After = ijson.Quote(q.After)
	}
	if r.Want, err = writeIDs(q.Want); err != nil {
		return r, err
	}
	if r.Have, err = writeIDs(q.Have); err != nil {
		return r, err
	}
	if q.Months != nil {
		r.Months, err = ijson.Encode(q.Months)
	}
	if err == nil && q.File != nil {
		err = r.writeFile(q.File)
	}
	return r, err
}

func writeIDs(ids []post.ID) (ijson.Value, error) {
	if ids == nil {
		return nil, nil
	}
	ss := make([]string, len(ids))
	for i, id := range ids {
		ss[i] = id.String()
	}
	return ijson.Encode(ss)
}
