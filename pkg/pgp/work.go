package pgp

import (
	"crypto/rsa"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Verifying is what makes a certificate dear, and by how much is its maker's
// choice. It is paid in verifications of Ed25519, by the key's algorithm and
// before the first is made.
const (
	maxWork     = 96 // for one certificate
	workPlain   = 1  // Ed25519, P-256, RSA to 2,048 bits
	workLong    = 3  // RSA to 4,096 bits: 32 of them
	workDear    = 6  // P-384, Ed448, ML-DSA: 16 of them
	workDearest = 8  // P-521, SLH-DSA, RSA over 4,096 bits: 12 of them
)

// workOfKey is what one verification with key costs.
func workOfKey(key *packet.PublicKey) int {
	if k, ok := key.PublicKey.(*rsa.PublicKey); ok {
		return workOfRSA(k)
	}
	switch key.PubKeyAlgo {
	case packet.PubKeyAlgoMldsa65Ed25519, packet.PubKeyAlgoMldsa87Ed448:
		return workDear
	}
	switch curve, err := key.Curve(); {
	case err != nil || curve == packet.CurveNistP521:
		return workDearest
	case curve == packet.Curve25519 || curve == packet.CurveNistP256:
		return workPlain
	}
	return workDear
}

// workOfRSA goes by the length of the numbers; an exponent beyond the usual one,
// of up to 24 bits, doubles it.
func workOfRSA(k *rsa.PublicKey) int {
	const usual = 65537
	n := workDearest
	switch bits := k.N.BitLen(); {
	case bits <= 2048:
		n = workPlain
	case bits <= 4096:
		n = workLong
	}
	if k.E > usual {
		n *= 2
	}
	return n
}

// workOf is what it costs to verify that primary made sig about the component;
// a signing subkey signs back.
func workOf(primary *packet.PublicKey, about *component, sig *packet.Signature) int {
	n := workOfKey(primary)
	if sig.SigType == packet.SigTypeSubkeyBinding && sig.FlagSign && sig.EmbeddedSignature != nil {
		n += workOfKey(about.key)
	}
	return n
}

// work is what it costs to read c.
func (c *Certificate) work() (n int) {
	for _, p := range c.components() {
		for _, s := range p.sigs {
			n += workOf(c.primary.key, p, s.Signature)
		}
	}
	return n
}

func tooMuchWork() error {
	return fmt.Errorf("self-signatures that cost more than %d verifications: %w", maxWork, ErrLimit)
}
