package pgp

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
)

// Daily is what the machine needs every day, armored and without a passphrase:
// the secret subkeys, and in place of the primary's secret a stub (gnu-dummy;
// gpg lists it as sec#). Only if the primary key alone can sign, as in many keys
// made by gpg, its secret is included: see [Secret.DailyHoldsPrimary].
func (s *Secret) Daily() ([]byte, error) {
	stub := !s.DailyHoldsPrimary()
	return s.export(func(k *component) *packet.PrivateKey {
		if k == s.cert.primary && stub {
			return nil
		}
		return s.secretOf(k)
	})
}

// DailyHoldsPrimary tells whether [Secret.Daily] includes the primary's secret,
// because no subkey is there to sign, or none to decrypt. Whoever steals that
// file can then take over the name itself.
func (s *Secret) DailyHoldsPrimary() bool {
	signs, opens := false, false
	for _, k := range s.held() {
		if forever, since := k.revokedAt(endOfTime()); k != s.cert.primary && !forever && !since {
			signs = signs || s.cert.wasFor(k, (*component).signs)
			opens = opens || s.cert.wasFor(k, (*component).sealable)
		}
	}
	return s.HasPrimary() && (!signs || !opens)
}

// Primary is the whole secret key, armored. With a passphrase it is protected
// in the way that every gpg can read: iterated and salted SHA-256 at the highest
// count, AES-256. ErrLocked if the primary's secret is not here.
func (s *Secret) Primary(passphrase []byte) ([]byte, error) {
	if !s.HasPrimary() {
		return nil, fmt.Errorf("primary key %s is offline: %w", s.cert.Fingerprint(), ErrLocked)
	}
	if len(passphrase) == 0 {
		return s.export(s.secretOf)
	}
	locked := make(map[*component]*packet.PrivateKey)
	var all []*packet.PrivateKey
	for _, k := range s.held() {
		copied := *s.secretOf(k) // the library locks in place
		locked[k] = &copied
		all = append(all, &copied)
	}
	how := settings()
	how.AEADConfig = nil // it would protect with AEAD, which gpg cannot read
	how.S2KConfig = &s2k.Config{S2KMode: s2k.IteratedSaltedS2K, Hash: crypto.SHA256, S2KCount: 65011712}
	if err := packet.EncryptPrivateKeys(all, passphrase, how); err != nil {
		return nil, fmt.Errorf("protecting key %s: %w", s.cert.Fingerprint(), err)
	}
	return s.export(func(k *component) *packet.PrivateKey { return locked[k] })
}

// Revocation is a revocation certificate of the primary key, armored, to be kept
// safe: whoever publishes it ends the key for ever. It gives no reason, which
// counts as the worst. ErrLocked if the primary's secret is not here.
func (s *Secret) Revocation(at time.Time) ([]byte, error) {
	primary := s.secretOf(s.cert.primary)
	if primary == nil {
		return nil, fmt.Errorf("primary key %s is offline: %w", s.cert.Fingerprint(), ErrLocked)
	}
	sig := newSignature(packet.SigTypeKeyRevocation, &primary.PublicKey, at)
	reason := packet.NoReason
	sig.RevocationReason = &reason
	if err := sig.RevokeKey(&primary.PublicKey, primary, settings()); err != nil {
		return nil, fmt.Errorf("revoking key %s: %w", s.cert.Fingerprint(), err)
	}
	body, err := serialize(sig)
	if err != nil {
		return nil, err
	}
	return enarmor(armorPublic, map[string]string{"Comment": "This is a revocation certificate"}, body)
}

// export writes the secret key, with stubs where secret gives none.
func (s *Secret) export(secret func(*component) *packet.PrivateKey) ([]byte, error) {
	var out bytes.Buffer
	for _, part := range s.cert.components() {
		if part.key == nil {
			out.Write(part.raw)
		} else if k := secret(part); k != nil {
			if err := k.Serialize(&out); err != nil {
				return nil, fmt.Errorf("writing key %s: %w", s.cert.Fingerprint(), err)
			}
		} else {
			out.Write(stub(part))
		}
		for _, sig := range part.sigs {
			out.Write(sig.raw)
		}
	}
	return enarmor(armorSecret, nil, out.Bytes())
}

// stub is the packet of a key whose secret is elsewhere, by gpg's extension to
// RFC 9580 §3.7.1: usage, cipher, specifier 101, hash, "GNU", 1.
func stub(k *component) []byte {
	tag := byte(tagSecretKey)
	if k.tag == tagPublicSubkey {
		tag = tagSecretSubkey
	}
	none := []byte{254, 0, 101, 0, 'G', 'N', 'U', 1}
	if k.key.Version == 6 { // with the lengths of what follows
		none = []byte{254, 8, 0, 6, 101, 0, 'G', 'N', 'U', 1}
	}
	body := slices.Concat(k.body, none)
	return append(appendHeader(nil, tag, len(body)), body...)
}

// newestFirst sorts keys by the time they were made.
func newestFirst(keys []*component) {
	slices.SortStableFunc(keys, func(a, b *component) int { return b.key.CreationTime.Compare(a.key.CreationTime) })
}
