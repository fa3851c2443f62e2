package pgp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// readPublicKey reads a key packet of a certificate. Weak and unknown kinds are
// refused, and so is any encoding but the one that the fingerprint is made of.
func readPublicKey(f frame) (*packet.PublicKey, error) {
	if err := lookAtKey(f.body); err != nil {
		return nil, err
	}
	p, err := f.parse()
	if err != nil {
		return nil, err
	}
	key, ok := p.(*packet.PublicKey)
	if !ok {
		return nil, fmt.Errorf("packet %d is no public key: %w", f.tag, ErrMalformed)
	}
	body, err := publicBody(key)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(body, f.body) {
		return nil, fmt.Errorf("public key in another encoding: %w", ErrMalformed)
	}
	return key, checkStrength(key)
}

// keyIn is the component of a key that was read from a frame.
func keyIn(f frame, key *packet.PublicKey) *component {
	return &component{tag: f.tag, body: f.body, raw: f.raw, key: key, ed25519: asEd25519(key)}
}

// lookAtKey reads version, algorithm and RSA size off the first bytes of a
// public or secret key, before the library computes anything with it.
func lookAtKey(body []byte) error {
	if len(body) < 12 {
		return fmt.Errorf("key is cut off: %w", ErrMalformed)
	}
	version, algorithm, numbers := body[0], packet.PublicKeyAlgorithm(body[5]), body[6:]
	switch version {
	case 4:
	case 6:
		numbers = body[10:]
	case 2, 3:
		return fmt.Errorf("key of version %d: %w", version, ErrWeak)
	default:
		return fmt.Errorf("key of version %d: %w", version, ErrMalformed)
	}
	switch algorithm {
	case packet.PubKeyAlgoDSA, packet.PubKeyAlgoElGamal, 20: // 20: ElGamal that also signs
		return fmt.Errorf("DSA or ElGamal key: %w", ErrWeak)
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly, packet.PubKeyAlgoRSASignOnly:
		return checkRSA(int(binary.BigEndian.Uint16(numbers)))
	}
	return nil
}

func checkRSA(bits int) error {
	if bits < minRSA || bits > maxRSA {
		return fmt.Errorf("RSA key of %d bits, not %d to %d: %w", bits, minRSA, maxRSA, ErrWeak)
	}
	return nil
}

// checkStrength looks at what only the parsed key tells.
func checkStrength(key *packet.PublicKey) error {
	if k, ok := key.PublicKey.(*rsa.PublicKey); ok {
		return checkRSA(k.N.BitLen()) // a length with zeros in front lies
	}
	switch curve, _ := key.Curve(); curve {
	case packet.CurveSecP256k1, packet.CurveBrainpoolP256, packet.CurveBrainpoolP384, packet.CurveBrainpoolP512:
		// A verification on them takes 10 ms or more: weak is the code for them.
		return fmt.Errorf("key on curve %s: %w", strings.ToLower(string(curve)), ErrWeak)
	}
	return nil
}

// publicBody is the body of the public key packet: of a secret key too.
func publicBody(key *packet.PublicKey) ([]byte, error) {
	var out bytes.Buffer
	if err := key.Serialize(&out); err != nil {
		return nil, fmt.Errorf("public key: %w: %w", ErrMalformed, err)
	}
	f, _, err := nextFrame(out.Bytes())
	return f.body, err
}

// weakHash tells which hashes make a signature worthless.
func weakHash(h crypto.Hash) bool {
	return h == crypto.SHA1 || h == crypto.MD5 || h == crypto.RIPEMD160
}

// hashFor is SHA-256, or longer where gpg demands one as long as the curve.
func hashFor(key *packet.PublicKey) crypto.Hash {
	curve, err := key.Curve()
	if err != nil {
		return crypto.SHA256
	}
	switch curve {
	case packet.CurveNistP384:
		return crypto.SHA384
	case packet.CurveNistP521, packet.Curve448:
		return crypto.SHA512
	}
	return crypto.SHA256
}

// algorithmName names a key's algorithm as gpg does.
func algorithmName(key *packet.PublicKey) string {
	if k, ok := key.PublicKey.(*rsa.PublicKey); ok {
		return fmt.Sprintf("rsa%d", k.N.BitLen())
	}
	switch key.PubKeyAlgo {
	case packet.PubKeyAlgoEd25519:
		return "ed25519"
	case packet.PubKeyAlgoEd448:
		return "ed448"
	case packet.PubKeyAlgoMldsa65Ed25519:
		return "mldsa65-ed25519"
	case packet.PubKeyAlgoMldsa87Ed448:
		return "mldsa87-ed448"
	case packet.PubKeyAlgoSlhdsaShake128s, packet.PubKeyAlgoSlhdsaShake128f, packet.PubKeyAlgoSlhdsaShake256s:
		return "slhdsa"
	}
	curve, err := key.Curve()
	if err != nil {
		return fmt.Sprintf("algorithm %d", key.PubKeyAlgo)
	}
	switch curve {
	case packet.Curve25519:
		return "ed25519"
	case packet.Curve448:
		return "ed448"
	case packet.CurveNistP256, packet.CurveNistP384, packet.CurveNistP521:
		return "nist" + strings.ToLower(string(curve))
	}
	return strings.ToLower(string(curve))
}
