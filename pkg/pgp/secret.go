package pgp

import (
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Secret is my own key: a certificate and the secrets of some of its keys,
// unlocked. The primary's may be missing: it is best kept offline. A Secret
// never changes; it may be used by many at once.
type Secret struct {
	cert    *Certificate
	secrets map[string]*packet.PrivateKey // by raw fingerprint
	opens   []*component                  // the keys that decrypt, newest first
}

// ParseSecret reads a secret key as gpg and p2ps write it, armored or binary,
// with the limits of [ParseCertificate]: whole, or with the secrets of the primary
// or some subkeys missing (left out, or on a card). The passphrase is asked for
// once, and only if something is protected; it must open everything that is. The
// function may be nil.
//
// ErrLocked if it is nil, fails or is wrong; ErrLimit for a protection made to
// exhaust the machine; ErrNoSigning or ErrNoEncryption if what remains cannot
// sign or decrypt; ErrWeak and ErrMalformed as for certificates.
func ParseSecret(data []byte, passphrase func() ([]byte, error)) (*Secret, error) {
	packets, kind, err := dearmor(data)
	if err == nil && kind != "" && kind != armorSecret {
		err = fmt.Errorf("a %s, no secret key: %w", kind, ErrMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	public, secrets, err := splitSecret(packets)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	cert, err := readCertificate(public, nil)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	if err := unlock(secrets, passphrase); err != nil {
		return nil, fmt.Errorf("secret key %s: %w", cert.Fingerprint(), err)
	}
	return newSecret(cert, secrets)
}

// newSecret puts certificate and unlocked secrets together.
func newSecret(cert *Certificate, secrets []*packet.PrivateKey) (*Secret, error) {
	s := &Secret{cert: cert, secrets: make(map[string]*packet.PrivateKey)}
	for _, k := range secrets {
		s.secrets[string(k.Fingerprint)] = k
	}
	signs := false
	for _, k := range s.held() {
		signs = signs || cert.wasFor(k, (*component).signs)
		if cert.wasFor(k, (*component).sealable) {
			s.opens = append(s.opens, k)
		}
	}
	switch {
	case !signs:
		return nil, fmt.Errorf("secret key %s: %w", cert.Fingerprint(), ErrNoSigning)
	case len(s.opens) == 0:
		return nil, fmt.Errorf("secret key %s: %w", cert.Fingerprint(), ErrNoEncryption)
	}
	newestFirst(s.opens)
	return s, nil
}

// Certificate is the public part.
func (s *Secret) Certificate() *Certificate { return s.cert }

// HasPrimary tells whether the primary's secret is here: renewing, adding keys
// and revoking need it.
func (s *Secret) HasPrimary() bool { return s.secretOf(s.cert.primary) != nil }

// WithCertificate gives the same secrets under the certificate merged with c:
// after a renewal or a revocation. ErrOtherKey as in [Certificate.Merge].
func (s *Secret) WithCertificate(c *Certificate) (*Secret, error) {
	merged, err := s.cert.Merge(c)
	if err != nil {
		return nil, err
	}
	secrets := make([]*packet.PrivateKey, 0, len(s.secrets))
	for _, k := range s.secrets {
		secrets = append(secrets, k)
	}
	return newSecret(merged, secrets)
}

func (s *Secret) secretOf(k *component) *packet.PrivateKey {
	return s.secrets[string(k.key.Fingerprint)]
}

// held are the keys whose secrets are here.
func (s *Secret) held() []*component {
	var held []*component
	for _, k := range s.cert.keys {
		if s.secretOf(k) != nil {
			held = append(held, k)
		}
	}
	return held
}
