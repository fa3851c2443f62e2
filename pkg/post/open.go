package post

import (
	"fmt"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// Open verifies a post that came from somebody else: raw as it came, which the
// post keeps, cert the certificate of the one it must be by. A post that names an audience other
// than everybody is refused: it should never have travelled.
func Open(raw []byte, cert *pgp.Certificate) (*Post, error) {
	p, err := received(raw)
	if err != nil {
		return nil, err
	}
	if err := p.verify(cert); err != nil {
		return nil, err
	}
	return p, nil
}

// OpenMine verifies a post of my own feed/, which holds its private audience.
// An audience that is not in order is no error here: Audience says so, and the
// post is for nobody but me.
func OpenMine(raw []byte, cert *pgp.Certificate) (*Post, error) {
	p, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if err := p.verify(cert); err != nil {
		return nil, err
	}
	return p, nil
}

// Reopen reads a file that was verified before: its text must still have the
// hash of that time, and it is not verified again.
func Reopen(raw []byte, known Version) (*Post, error) {
	p, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if p.doc.signature == nil || p.Version() != known {
		return nil, fmt.Errorf("%w: the text is another than the one verified", ErrInvalid)
	}
	return p, nil
}

// Original is the public post that an Announce carries. It is verified if cert
// is its author's; without cert (nil) it is returned as ErrAuthor says: read,
// by nobody proved.
func (p *Post) Original(cert *pgp.Certificate) (*Post, error) {
	if p.doc.original == nil {
		return nil, fmt.Errorf("%w: it carries none", ErrInvalid)
	}
	original := *p.doc.original // verifying notes whether the key was revoked since
	if cert == nil {
		return &original, fmt.Errorf("%w: no key to verify it", ErrAuthor)
	}
	if err := original.verify(cert); err != nil {
		return nil, err
	}
	return &original, nil
}

// WireOf is the wire form of a file of mine that was verified before, and is
// the same to the byte.
func WireOf(file []byte) ([]byte, error) {
	members, err := ijson.CanonicalMembers(file)
	return ijson.Join(members, "bto"), err
}
