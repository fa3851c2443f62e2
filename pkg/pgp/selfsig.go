package pgp

import (
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// verifySelf checks that primary made sig about the component. Time plays no part.
func verifySelf(primary *packet.PublicKey, about *component, sig *packet.Signature) error {
	if sig.Version != primary.Version {
		return fmt.Errorf("self-signature of another version: %w", ErrSignature)
	}
	if err := checkSelf(sig); err != nil {
		return err
	}
	var err error
	switch kind := sig.SigType; {
	case about.tag == tagPublicKey && kind == packet.SigTypeKeyRevocation:
		err = primary.VerifyRevocationSignature(sig)
	case about.tag == tagPublicKey && kind == packet.SigTypeDirectSignature:
		err = primary.VerifyDirectKeySignature(sig)
	case about.tag == tagUserID && (kind >= packet.SigTypeGenericCert && kind <= packet.SigTypePositiveCert ||
		kind == packet.SigTypeCertificationRevocation):
		err = primary.VerifyUserIdSignature(string(about.body), primary, sig)
	case about.tag == tagPublicSubkey && kind == packet.SigTypeSubkeyBinding:
		err = primary.VerifyKeySignature(about.key, sig)
	case about.tag == tagPublicSubkey && kind == packet.SigTypeSubkeyRevocation:
		err = primary.VerifySubkeyRevocationSignature(sig, about.key)
	default:
		return fmt.Errorf("signature of type %#x out of place: %w", kind, ErrMalformed)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// checkSelf refuses SHA-1 and critical notations, but not in revocations:
// there a doubt must be for the revocation.
func checkSelf(sig *packet.Signature) error {
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

// revokes tells whether sig takes back, rather than vouches for.
func revokes(sig *packet.Signature) bool {
	switch sig.SigType {
	case packet.SigTypeKeyRevocation, packet.SigTypeSubkeyRevocation, packet.SigTypeCertificationRevocation:
		return true
	}
	return false
}

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
