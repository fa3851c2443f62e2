package pgp

import (
	"bytes"
	"fmt"
)

// HeldBy tells whether o was signed for ctx by a key that stands in data, a binary
// certificate of which nothing is believed yet: it may put any key under any name.
// An error means that it was signed by nobody for that. It costs one verification;
// to prove the certificate takes one for each of its self-signatures.
// [Opened.Verify] does not make it a second time.
func (o *Opened) HeldBy(ctx Context, data []byte) (held bool, err error) {
	if err := checkForm(ctx, o.sig); err != nil {
		return false, err
	}
	keys := 0
	for rest := data; len(rest) > 0; {
		var (
			f   frame
			err error
		)
		if f, rest, err = nextFrame(rest); err != nil {
			return false, fmt.Errorf("certificate: %w", err)
		}
		if f.tag != tagPublicKey && f.tag != tagPublicSubkey || f.partial() {
			continue
		}
		if keys++; keys > 1+maxSubkeys {
			return false, fmt.Errorf("certificate: more than %d subkeys: %w", maxSubkeys, ErrLimit)
		}
		key, err := readPublicKey(f)
		if err != nil || !isBy(o.sig, key) {
			continue
		}
		if err := keyIn(f, key).verify(o.sig, o.Literal); err != nil {
			return false, err
		}
		o.holder = f.body
		return true, nil
	}
	return false, nil
}

// verifyHeld is k.verify, unless HeldBy has done it.
func (o *Opened) verifyHeld(k *component) error {
	if o.holder != nil && bytes.Equal(o.holder, k.body) {
		return nil
	}
	return k.verify(o.sig, o.Literal)
}
