package pgp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// An Opened is a message that was decrypted to its end and is whole. Who wrote it
// is not known before [Opened.Verify] has said so.
type Opened struct {
	Literal []byte // what was sent; not yet believed
	onePass *packet.OnePassSignature
	sig     *packet.Signature
	me      []byte // my primary fingerprint
	holder  []byte // the key that was found to have made sig, as a packet's body; nil before
}

// Verify checks all that protocol §1 wants of a message but its content: signed
// for ctx by a key of signer that may sign and was valid when the signature was
// made, and is now, give or take ten minutes; made within 60 s of at, the time
// inside; not revoked, whatever the reason; and, if the signature names its
// recipients, for me.
func (o *Opened) Verify(ctx Context, signer *Certificate, at, now time.Time) error {
	if err := o.verify(ctx, signer, at, now); err != nil {
		return fmt.Errorf("message of %s: %w", signer.Fingerprint(), err)
	}
	return nil
}

func (o *Opened) verify(ctx Context, signer *Certificate, at, now time.Time) error {
	if err := o.agree(); err != nil {
		return err
	}
	made := o.sig.CreationTime
	if d := made.Sub(at); d > maxDrift || d < -maxDrift {
		return fmt.Errorf("signed at %s, but says %s: %w", made.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339), ErrSignature)
	}
	k, err := signer.check(ctx, o.sig, o.verifyHeld)
	if err != nil {
		return err
	}
	if over(made, o.sig.SigLifetimeSecs, now.Add(-leeway)) {
		return fmt.Errorf("signature expired: %w", ErrExpired)
	}
	forever, err := signer.maySign(k, made, 0)
	if err == nil && !forever {
		forever, err = signer.maySign(k, now, leeway)
	}
	if err != nil {
		return err
	}
	if forever {
		return ErrRevoked
	}
	return o.checkIntended()
}

// agree checks that the one-pass signature announces this very signature.
func (o *Opened) agree() error {
	a, s := o.onePass, o.sig
	same := a.SigType == s.SigType && a.Hash == s.Hash && a.PubKeyAlgo == s.PubKeyAlgo &&
		(a.Version == 6) == (s.Version == 6) && bytes.Equal(a.Salt, s.Salt()) &&
		s.IssuerKeyId != nil && a.KeyId == *s.IssuerKeyId
	if !same {
		return fmt.Errorf("one-pass signature announces another: %w", ErrSignature)
	}
	return nil
}

// checkIntended checks the recipients that other programs name in signatures
// (RFC 9580 §5.2.3.36); ours names none, for `to` inside says it.
func (o *Opened) checkIntended() error {
	for _, r := range o.sig.IntendedRecipients {
		if bytes.Equal(r.Fingerprint, o.me) {
			return nil
		}
	}
	if len(o.sig.IntendedRecipients) > 0 {
		return fmt.Errorf("signed for others: %w", ErrRecipient)
	}
	return nil
}
