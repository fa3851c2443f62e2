package pgp

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Generate makes a key that stock gpg 2.2, keyservers and mail programs can use
// (protocol §1): version 4; an Ed25519 primary key that only certifies, and
// subkeys to sign (Ed25519), to be sealed to (Curve25519) and to authenticate
// (Ed25519, the transport key); SHA-256, AES-256, no compression; it does not
// say that it understands SEIPDv2, because gpg, which shares it, does not.
// Nothing expires.
//
// Key and self-signatures are dated 00:00 UTC of the day before now: a reader
// whose clock is a minute behind refuses a key from the future. The name may
// hold any printable text but < and >; email may be empty. ErrMalformed for
// names that do not fit, ErrLimit for over 1 KiB.
func Generate(name, email string, now time.Time) (*Secret, error) {
	id, err := makeUserID(name, email)
	if err != nil {
		return nil, err
	}
	day := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	if day.Unix() <= 0 || day.Unix() > math.MaxUint32 {
		return nil, fmt.Errorf("generating a key in the year %d: %w", now.Year(), ErrMalformed)
	}
	m, err := generateMaterial(day)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	cert, err := m.certify(id, day)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	return newSecret(cert, m.all())
}

// material is the raw keys of a new person.
type material struct {
	primary, sign, seal, authenticate *packet.PrivateKey
}

func (m material) all() []*packet.PrivateKey {
	return []*packet.PrivateKey{m.primary, m.sign, m.seal, m.authenticate}
}

// generateMaterial takes fresh keys from the library's entity, and nothing else:
// its self-signatures make a primary key that signs.
func generateMaterial(day time.Time) (material, error) {
	s := settings()
	s.Algorithm, s.Curve = packet.PubKeyAlgoEdDSA, packet.Curve25519
	s.Time = func() time.Time { return day }
	e, err := openpgp.NewEntity("unused", "", "", s)
	if err != nil {
		return material{}, err
	}
	for range 2 {
		if err := e.AddSigningSubkey(s); err != nil {
			return material{}, err
		}
	}
	return material{
		primary: e.PrivateKey, seal: e.Subkeys[0].PrivateKey,
		sign: e.Subkeys[1].PrivateKey, authenticate: e.Subkeys[2].PrivateKey,
	}, nil
}

// certify makes the certificate: self-signatures by the primary key itself, not
// by what the library calls the certification key, which is the newest that signs.
func (m material) certify(id string, day time.Time) (*Certificate, error) {
	var out bytes.Buffer
	if err := m.primary.PublicKey.Serialize(&out); err != nil {
		return nil, err
	}
	if err := (&packet.UserId{Id: id}).Serialize(&out); err != nil {
		return nil, err
	}
	name := newSignature(packet.SigTypePositiveCert, &m.primary.PublicKey, day)
	primary := true
	name.IsPrimaryId = &primary
	name.FlagsValid, name.FlagCertify = true, true
	name.PreferredSymmetric = []uint8{uint8(packet.CipherAES256), uint8(packet.CipherAES128)}
	name.PreferredHash = []uint8{8, 10} // SHA-256, SHA-512
	name.PreferredCompression = []uint8{uint8(packet.CompressionNone)}
	name.SEIPDv1 = true
	name.KeyserverPrefsValid, name.KeyserverPrefNoModify = true, true
	if err := name.SignUserId(id, &m.primary.PublicKey, m.primary, settings()); err != nil {
		return nil, err
	}
	if err := name.Serialize(&out); err != nil {
		return nil, err
	}
	for _, k := range []*packet.PrivateKey{m.sign, m.seal, m.authenticate} {
		if err := m.bind(&out, k, day); err != nil {
			return nil, err
		}
	}
	return readCertificate(out.Bytes(), nil)
}

// bind writes a subkey and its binding. The keys that can sign sign back: else
// anybody could bind them to himself.
func (m material) bind(out *bytes.Buffer, k *packet.PrivateKey, day time.Time) error {
	b := newSignature(packet.SigTypeSubkeyBinding, &m.primary.PublicKey, day)
	b.FlagsValid = true
	b.FlagSign = k == m.sign
	b.FlagAuthenticate = k == m.authenticate
	b.FlagEncryptCommunications, b.FlagEncryptStorage = k == m.seal, k == m.seal
	if k != m.seal {
		b.EmbeddedSignature = newSignature(packet.SigTypePrimaryKeyBinding, &k.PublicKey, day)
		if err := b.EmbeddedSignature.CrossSignKey(&k.PublicKey, &m.primary.PublicKey, k, settings()); err != nil {
			return err
		}
	}
	if err := b.SignKey(&k.PublicKey, m.primary, settings()); err != nil {
		return err
	}
	if err := k.PublicKey.Serialize(out); err != nil {
		return err
	}
	return b.Serialize(out)
}
