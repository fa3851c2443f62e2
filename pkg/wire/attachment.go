package wire

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// KindAttachment asks for a part of a file that a post names.
const KindAttachment = "attachment"

// acceptGCM, in accept, says that the answer may be SEIPD version 2.
const acceptGCM = "seipd2"

// Limits of files (spec M40, M41, S10).
const (
	MaxPart       = 16 << 20 // bytes of a file in one answer
	MaxPartAnswer = 17 << 20 // bytes of that answer's body
	MaxPartBack   = 64 << 10 // bytes of a file in one answer to what was asked back (spec A9)
	MaxFile       = 1<<53 - 1

	// PartSize is how many bytes p2ps gives at once: both sides hold a few such
	// parts, and two answers are within what one address may have under way (S8).
	PartSize = 4<<20 - 128<<10
)

// A FileQuestion names the part of a file that is asked for: of which post, which
// hash, from which byte on.
type FileQuestion struct {
	ID     post.ID
	SHA256 string // lower-case hexadecimal
	Offset int64
	GCM    bool // the answer may be SEIPD version 2
}

// A Part is some bytes of a file of Size bytes, from Offset on: Data, or, of one
// that is given, Length bytes of File.
type Part struct {
	Size, Offset int64
	Data         []byte

	Length int64
	File   interface {
		io.ReaderAt
		io.Closer
	}
}

// length is how many bytes there are.
func (p *Part) length() int64 {
	if p.File != nil {
		return p.Length
	}
	return int64(len(p.Data))
}

// Load reads what is given of File into Data, and closes it.
func (p *Part) Load() error {
	data := make([]byte, p.Length)
	_, err := io.ReadFull(p.reader(), data)
	if closing := p.File.Close(); err == nil {
		err = closing
	}
	p.Data, p.File = data, nil
	return err
}

func (p *Part) reader() io.Reader {
	if p.File != nil {
		return io.NewSectionReader(p.File, p.Offset, p.Length)
	}
	return bytes.NewReader(p.Data)
}

var sha256Pattern = text.NewPattern(`^[0-9a-f]{64}$`)

// IsSHA256 tells whether s is a SHA-256 in lower-case hexadecimal.
func IsSHA256(s string) bool { return len(s) == 64 && sha256Pattern.MatchString(s) }

// readFile takes the members of a question for a file.
func (r *request) readFile() (*FileQuestion, error) {
	q := &FileQuestion{}
	id, _ := ijson.String(r.ID)
	var err error
	if q.ID, err = post.ParseID(id); err != nil {
		return nil, fmt.Errorf("%w: id: %w", ErrInvalid, err)
	}
	if q.SHA256, _ = ijson.String(r.SHA256); !IsSHA256(q.SHA256) {
		return nil, fmt.Errorf("%w: sha256 is not 64 digits of lower-case hexadecimal", ErrInvalid)
	}
	if err := ijson.UnmarshalTrusted(r.Offset, &q.Offset); r.Offset == nil || err != nil || q.Offset < 0 || q.Offset > MaxFile {
		return nil, fmt.Errorf("%w: offset is not a number of bytes", ErrInvalid)
	}
	if r.Accept != nil {
		var accept []string
		if err := ijson.UnmarshalTrusted(r.Accept, &accept); err != nil || r.Accept.Kind() != '[' {
			return nil, fmt.Errorf("%w: accept is not a list of words", ErrInvalid)
		}
		q.GCM = slices.Contains(accept, acceptGCM)
	}
	return q, nil
}

// TakesGCM tells whether a request that was found in order takes an answer of
// SEIPD version 2.
func (r *Request) TakesGCM() bool {
	q, err := r.raw.readFile()
	return err == nil && q.GCM
}

// writeFile is the other way round.
func (r *request) writeFile(q *FileQuestion) (err error) {
	r.ID, r.SHA256 = ijson.Quote(q.ID.String()), ijson.Quote(q.SHA256)
	if r.Offset, err = ijson.Encode(q.Offset); err == nil && q.GCM {
		r.Accept, err = ijson.Encode([]string{acceptGCM})
	}
	return err
}

// partHead is the first line of an answer with a part of a file.
type partHead struct {
	P2PS   string `json:"p2ps"`
	Kind   string `json:"kind"`
	From   string `json:"from"`
	To     string `json:"to"`
	Time   string `json:"time"`
	Re     string `json:"re"`
	Size   int64  `json:"size"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
}

// SealPart signs a.Part for p.Other and encrypts it to him alone: the JSON on a
// line of its own, the bytes, and zeros that hide how many there are. The message
// lies in room, if that is large enough.
func (s *Sealer) SealPart(room []byte, p Party, a Answer, re string, gcm bool) ([]byte, error) {
	head, err := a.head(p, re)
	if err != nil {
		return nil, err
	}
	size := len(head) + int(a.Part.length())
	const perTag = 16 // bytes a chunk
	kind := fmt.Sprint("part", p.Other.Algorithm(), gcm, size>>16)
	added := s.recall(kind) + size>>16*perTag
	// What sealing adds is known from the last part of this length; of a first one
	// it may be wrong by a few bytes, and then it is sealed once more.
	for again := true; ; again = false {
		target := Size(size + added)
		padding := make([]byte, target-size-added)
		message, err := sealStream(room, p, a.Time, gcm, size+len(padding), io.MultiReader(bytes.NewReader(head), a.Part.reader(), bytes.NewReader(padding)))
		if err != nil {
			return nil, err
		}
		d := len(message) - target
		if s.remember(kind, added+d-size>>16*perTag); !again || -2 <= d && d <= 2 {
			return message, nil
		}
		added += d
	}
}

// head is the first line of an answer with a part of a file.
func (a Answer) head(p Party, re string) ([]byte, error) {
	head, err := ijson.Encode(partHead{AnswerVersion, a.Kind, string(p.Me.Certificate().Fingerprint()), string(p.Other.Fingerprint()),
		post.FormatTime(a.Time), re, a.Part.Size, a.Part.Offset, a.Part.length()})
	return append(head, '\n'), err
}

func sealStream(room []byte, p Party, at time.Time, gcm bool, size int, literal io.Reader) ([]byte, error) {
	if gcm {
		return pgp.SealStream(room, pgp.ContextAnswer, p.Me, p.Other, at, size, literal)
	}
	whole := make([]byte, size)
	if _, err := io.ReadFull(literal, whole); err != nil {
		return nil, err
	}
	return pgp.Seal(whole, pgp.ContextAnswer, p.Me, p.Other, at, pgp.SealOptions{})
}

// OpenPart is OpenAnswer for a question for a file. The bytes of the part lie where
// the body was, which is spoiled, also by an error.
func (s *Sent) OpenPart(body []byte, p Party, now time.Time) (Answer, error) {
	if !s.gcm && pgp.UsesGCM(body) {
		return Answer{}, fmt.Errorf("%w: it is sealed in a way that nobody asked for", pgp.ErrMalformed)
	}
	opened, err := pgp.DecryptInPlace(body, p.Me, MaxPartAnswer)
	if err != nil {
		return Answer{}, err
	}
	m, at, part, err := readPartAnswer(opened.Literal)
	if err != nil {
		return Answer{}, err
	}
	a, err := s.believe(opened, m, at, p, now)
	if err != nil || a.Kind == KindError {
		return a, err
	}
	a.Part, err = s.readPart(part)
	return a, err
}

// literalPart is the literal of a part: its first line, and what follows.
type literalPart struct{ head, rest []byte }

// readPartAnswer reads a literal whose first line may be the head of a part;
// else it is an answer like any other, most likely an error.
func readPartAnswer(literal []byte) (m answer, at time.Time, part literalPart, err error) {
	if head, rest, cut := bytes.Cut(literal, []byte{'\n'}); cut {
		if m, at, err = readAnswer(head); err == nil && m.Kind == KindAttachment {
			return m, at, literalPart{head, rest}, nil
		}
	}
	if len(literal) > MaxAnswer {
		return m, at, part, fmt.Errorf("%w: %d bytes, and no part of a file", ErrInvalid, len(literal))
	}
	if m, at, err = readAnswer(literal); err == nil && m.Kind == KindAttachment {
		err = fmt.Errorf("%w: no bytes after the first line", ErrInvalid)
	}
	return m, at, part, err
}

// readPart reads a part out of a verified literal.
func (s *Sent) readPart(p literalPart) (*Part, error) {
	var m struct {
		Size   *int64 `json:"size"`
		Offset *int64 `json:"offset"`
		Length *int64 `json:"length"`
	}
	if err := ijson.UnmarshalTrusted(p.head, &m); err != nil || m.Size == nil || m.Offset == nil || m.Length == nil {
		return nil, fmt.Errorf("%w: size, offset or length is missing", ErrInvalid)
	}
	length := *m.Length
	switch {
	case *m.Offset != s.offset:
		return nil, fmt.Errorf("%w: from byte %d, asked was from %d", ErrBinding, *m.Offset, s.offset)
	case *m.Size < 0 || *m.Size > MaxFile || length < 0 || length > MaxPart || length > int64(len(p.rest)) || *m.Offset+length > *m.Size:
		return nil, fmt.Errorf("%w: %d bytes from %d on, of %d", ErrInvalid, length, *m.Offset, *m.Size)
	case length == 0 && *m.Offset < *m.Size:
		return nil, fmt.Errorf("%w: no bytes, although there are more", ErrInvalid)
	}
	for _, b := range p.rest[length:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: what follows the bytes is not zero", ErrInvalid)
		}
	}
	return &Part{Size: *m.Size, Offset: *m.Offset, Data: p.rest[:length]}, nil
}
