package pgp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A certificateReader puts packets together to a certificate.
type certificateReader struct {
	c      *Certificate
	about  *component // what the next signatures are about; nil: something left out
	known  *Certificate
	ids    int // counted before anything is left out
	keys   int
	own    int // signatures that say they are the primary key's
	claims map[*component][]*claim
	work   int  // spent on verifying them
	broken bool // a self-signature was left out for its hash
}

// readCertificate reads the packets of one certificate. Signatures that known
// holds too need no second verification. A certificate without user ids is
// taken only as news of a known one: keyservers strip the names.
func readCertificate(packets []byte, known *Certificate) (*Certificate, error) {
	r := &certificateReader{c: &Certificate{}, known: known}
	return r.read(packets)
}

func (r *certificateReader) read(packets []byte) (*Certificate, error) {
	for rest := bytes.Clone(packets); len(rest) > 0; { // the caller may use his again
		var f frame
		var err error
		if f, rest, err = nextFrame(rest); err != nil {
			return nil, err
		}
		if err := r.packet(f); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// packet takes the next packet.
func (r *certificateReader) packet(f frame) error {
	if f.partial() {
		return fmt.Errorf("packet %d in parts: %w", f.tag, ErrMalformed)
	}
	if r.c.primary == nil && f.tag != tagPublicKey && f.tag != tagSecretKey {
		return fmt.Errorf("packet %d before the primary key: %w", f.tag, ErrMalformed)
	}
	switch f.tag {
	case tagPublicKey:
		return r.primary(f)
	case tagSecretKey, tagSecretSubkey:
		return ErrSecret
	case tagPublicSubkey:
		return r.subkey(f)
	case tagUserID:
		return r.userID(f)
	case tagSignature:
		return r.signature(f)
	case tagTrust, tagMarker, tagPadding:
		return nil
	}
	const userAttribute, critical = 17, 40 // a photo; RFC 9580 §4.3
	if f.tag != userAttribute && f.tag < critical {
		return fmt.Errorf("packet %d in a certificate: %w", f.tag, ErrMalformed)
	}
	r.about = nil
	return nil
}

func (r *certificateReader) primary(f frame) error {
	if r.c.primary != nil {
		return fmt.Errorf("more than one certificate: %w", ErrMalformed)
	}
	key, err := readPublicKey(f)
	if err != nil {
		return fmt.Errorf("primary key: %w", err)
	}
	if !key.PubKeyAlgo.CanSign() {
		return fmt.Errorf("primary key cannot sign: %w", ErrMalformed)
	}
	r.c.primary = keyIn(f, key)
	r.about = r.c.primary
	return nil
}

// subkey takes a subkey; one that we would never use is left out.
func (r *certificateReader) subkey(f frame) error {
	if r.keys++; r.keys > maxSubkeys {
		return fmt.Errorf("more than %d subkeys: %w", maxSubkeys, ErrLimit)
	}
	key, err := readPublicKey(f)
	if err != nil || key.Version != r.c.primary.key.Version {
		r.about = nil
		return nil //nolint:nilerr // it is left out, and with it what it says
	}
	r.about = keyIn(f, key).in(&r.c.subkeys)
	return nil
}

func (r *certificateReader) userID(f frame) error {
	if r.ids++; r.ids > maxUserIDs {
		return fmt.Errorf("more than %d user ids: %w", maxUserIDs, ErrLimit)
	}
	if f.size > maxUserID {
		return fmt.Errorf("user id of %d bytes, at most %d: %w", f.size, maxUserID, ErrLimit)
	}
	r.about = (&component{tag: f.tag, body: f.body, raw: f.raw}).in(&r.c.ids)
	return nil
}

// in finds the component in list, or adds it.
func (p *component) in(list *[]*component) *component {
	for _, have := range *list {
		if bytes.Equal(have.body, p.body) {
			return have
		}
	}
	*list = append(*list, p)
	return p
}

// signature takes a signature about the component before it, if it says that the
// primary key made it. What does not parse, or counts for nothing, is left out.
func (r *certificateReader) signature(f frame) error {
	sig, err := readSignature(f)
	r.broken = r.broken || errors.Is(err, ErrWeak)
	if sig == nil || !sig.CheckKeyIdOrFingerprint(r.c.primary.key) {
		return nil
	}
	about := r.about
	if sig.SigType == packet.SigTypeKeyRevocation {
		about = r.c.primary // wherever it stands: a revocation must not get lost
	}
	if about == nil {
		return nil
	}
	if r.own++; r.own > maxSignatures {
		return fmt.Errorf("more than %d self-signatures: %w", maxSignatures, ErrLimit)
	}
	if err := checkSelf(r.c.primary.key, about, sig); err != nil {
		r.broken = r.broken || errors.Is(err, ErrWeak)
		return nil
	}
	r.claim(about, &selfSignature{raw: f.raw, Signature: sig})
	return nil
}

// knows tells whether this very signature was verified before, about the same.
func (r *certificateReader) knows(about *component, s *selfSignature) bool {
	if r.known == nil || !bytes.Equal(r.known.primary.body, r.c.primary.body) {
		return false
	}
	for _, part := range r.known.components() {
		if part.tag != about.tag || !bytes.Equal(part.body, about.body) {
			continue
		}
		for _, have := range part.sigs {
			if bytes.Equal(have.raw, s.raw) {
				return true
			}
		}
	}
	return false
}

// finish verifies what was claimed, drops what no self-signature vouches for, and checks what remains.
func (r *certificateReader) finish() (*Certificate, error) {
	c := r.c
	if c.primary == nil {
		return nil, fmt.Errorf("no packets: %w", ErrMalformed)
	}
	if err := r.settle(); err != nil {
		return nil, err
	}
	c.ids, c.subkeys = vouched(c.ids), vouched(c.subkeys)
	proven := r.known != nil
	if c.primary.key.Version == 6 {
		proven = proven || c.primary.hasSelf()
	} else {
		proven = proven || slices.ContainsFunc(c.ids, (*component).hasSelf)
	}
	switch {
	case !proven && r.broken:
		return nil, fmt.Errorf("no self-signature but with a broken hash: %w", ErrWeak)
	case !proven:
		return nil, fmt.Errorf("no user id with a valid self-signature: %w", ErrMalformed)
	}
	return c.assembled(), nil
}

func vouched(list []*component) []*component {
	var kept []*component
	for _, p := range list {
		if len(p.sigs) > 0 {
			kept = append(kept, p)
		}
	}
	return kept
}
