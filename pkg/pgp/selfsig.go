package pgp

import (
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// verifySelf checks that primary made sig about the component, which checkSelf
// has passed. Time plays no part.
func verifySelf(primary *packet.PublicKey, about *component, sig *packet.Signature) error {
	var err error
	switch sig.SigType {
	case packet.SigTypeKeyRevocation:
		err = primary.VerifyRevocationSignature(sig)
	case packet.SigTypeDirectSignature:
		err = primary.VerifyDirectKeySignature(sig)
	case packet.SigTypeSubkeyBinding:
		err = primary.VerifyKeySignature(about.key, sig)
	case packet.SigTypeSubkeyRevocation:
		err = primary.VerifySubkeyRevocationSignature(sig, about.key)
	default:
		err = primary.VerifyUserIdSignature(string(about.body), primary, sig)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// checkSelf refuses what needs no verification to be refused: another version
// than the primary key's, a type out of place, SHA-1 and critical notations. The
// last two not in revocations: there a doubt must be for the revocation.
func checkSelf(primary *packet.PublicKey, about *component, sig *packet.Signature) error {
	if sig.Version != primary.Version {
		return fmt.Errorf("self-signature of another version: %w", ErrSignature)
	}
	if !inPlace(about.tag, sig.SigType) {
		return fmt.Errorf("signature of type %#x out of place: %w", uint8(sig.SigType), ErrMalformed)
	}
	if revokes(sig) {
		return nil
	}
	if weakHash(sig.Hash) || sig.EmbeddedSignature != nil && weakHash(sig.EmbeddedSignature.Hash) {
		return fmt.Errorf("self-signature with %v: %w", sig.Hash, ErrWeak)
	}
	for _, n := range sig.Notations {
		if n.IsCritical {
			return fmt.Errorf("critical notation %q: %w", n.Name, ErrSignature)
		}
	}
	return nil
}

// inPlace tells whether a signature of the type can be about such a component.
func inPlace(tag byte, kind packet.SignatureType) bool {
	switch tag {
	case tagPublicKey:
		return kind == packet.SigTypeKeyRevocation || kind == packet.SigTypeDirectSignature
	case tagPublicSubkey:
		return kind == packet.SigTypeSubkeyRevocation || kind == packet.SigTypeSubkeyBinding
	}
	return kind >= packet.SigTypeGenericCert && kind <= packet.SigTypePositiveCert || kind == packet.SigTypeCertificationRevocation
}

// revokes tells whether sig takes back, rather than vouches for.
func revokes(sig *packet.Signature) bool {
	switch sig.SigType {
	case packet.SigTypeKeyRevocation, packet.SigTypeSubkeyRevocation, packet.SigTypeCertificationRevocation:
		return true
	}
	return false
}

// vouches tells whether sig does not take back.
func vouches(sig *packet.Signature) bool { return !revokes(sig) }

// hard tells whether a revocation says that the secret may be in other hands:
// then it counts for ever, also for what was signed before (RFC 9580 §5.2.3.31).
// A reason that is missing or unknown is taken for the worst.
func hard(sig *packet.Signature) bool {
	if sig.RevocationReason == nil {
		return true
	}
	switch *sig.RevocationReason {
	case packet.KeySuperseded, packet.KeyRetired, packet.UserIDNotValid:
		return false
	}
	return true
}
