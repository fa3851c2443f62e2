package pgp

import (
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// readInner takes what was inside apart: exactly three packets.
func readInner(inner []byte, me *Secret, limit int) (*Opened, error) {
	var frames [3]frame
	rest := inner
	for i, tag := range [3]byte{tagOnePass, tagLiteral, tagSignature} {
		var err error
		if frames[i], rest, err = nextFrame(rest); err != nil {
			return nil, err
		}
		if f := frames[i]; f.tag != tag || f.partial() && tag != tagLiteral {
			return nil, fmt.Errorf("packet %d inside, where %d is expected: %w", f.tag, tag, ErrMalformed)
		}
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("more than a signed literal inside: %w", ErrMalformed)
	}
	literal, err := readLiteral(frames[1], limit)
	if err != nil {
		return nil, err
	}
	p, err := frames[0].parse()
	if err != nil {
		return nil, err
	}
	onePass, ok := p.(*packet.OnePassSignature)
	if !ok || !onePass.IsLast {
		return nil, fmt.Errorf("one-pass signature of another kind: %w", ErrMalformed)
	}
	if frames[2].size > maxSignature {
		return nil, fmt.Errorf("signature of %d bytes, at most %d: %w", frames[2].size, maxSignature, ErrLimit)
	}
	p, err = frames[2].parse()
	if err != nil {
		return nil, err
	}
	sig, ok := p.(*packet.Signature)
	if !ok {
		return nil, fmt.Errorf("no signature: %w", ErrMalformed)
	}
	return &Opened{Literal: literal, onePass: onePass, sig: sig, me: me.cert.primary.key.Fingerprint}, nil
}

// readLiteral gives the data of a literal packet. Its name and date prove
// nothing, for no signature covers them.
func readLiteral(f frame, limit int) ([]byte, error) {
	body := f.body
	if f.partial() {
		body = f.appendBody(make([]byte, 0, f.size))
	}
	if len(body) < 2 || body[0] != 'b' || len(body) < 6+int(body[1]) {
		return nil, fmt.Errorf("literal is not binary, or cut off: %w", ErrMalformed)
	}
	data := body[6+int(body[1]):]
	if len(data) > limit {
		return nil, fmt.Errorf("literal of %d bytes, at most %d: %w", len(data), limit, ErrLimit)
	}
	return data, nil
}
