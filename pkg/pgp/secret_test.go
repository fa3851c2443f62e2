package pgp

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
)

func never() ([]byte, error) { panic("asked for a passphrase") }

func phrase(s string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(s), nil }
}

func TestSecretKeyFiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    []byte
		primary bool
	}{
		{"daily", must(alice().Daily())(t), false},
		{"primary without a passphrase", must(alice().Primary(nil))(t), true},
		{"binary", must(dearmored(must(alice().Primary(nil))(t)))(t), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := must(ParseSecret(c.file, never))(t)
			if s.HasPrimary() != c.primary {
				t.Errorf("primary: %t", s.HasPrimary())
			}
			if !bytes.Equal(s.Certificate().Bytes(), alice().Certificate().Bytes()) {
				t.Error("another certificate")
			}
			sig := must(s.Sign(ContextPost, []byte("x"), noon))(t)
			must(alice().cert.Verify(ContextPost, []byte("x"), sig))(t)
			message := must(Seal([]byte("x"), ContextRequest, bob(), alice().cert, noon, SealOptions{}))(t)
			must(Decrypt(message, s, 1))(t)
		})
	}
}

// One passphrase opens all packets and is asked for once: the library's cache
// never hits, so its own way would be as dear and no simpler (trap 5).
func TestTrap05PassphraseIsAskedForOnce(t *testing.T) {
	file := must(alice().Primary([]byte("correct horse")))(t)
	asked := 0
	s := must(ParseSecret(file, func() ([]byte, error) { asked++; return []byte("correct horse"), nil }))(t)
	if asked != 1 || len(s.secrets) != 4 {
		t.Errorf("asked %d times for %d secrets", asked, len(s.secrets))
	}
}

func TestPrimaryIsProtectedAsGPGReadsIt(t *testing.T) {
	file := must(dearmored(must(alice().Primary([]byte("x")))(t)))(t)
	n := 0
	for _, f := range frames(t, file) {
		if f.tag != tagSecretKey && f.tag != tagSecretSubkey {
			continue
		}
		public, k, err := readSecretKey(f)
		if err != nil {
			t.Fatal(err)
		}
		// SHA-1 checked, AES-256, iterated and salted, SHA-256, …, 65,011,712 bytes
		p := f.body[frames(t, public)[0].size:]
		if !k.Encrypted || !bytes.Equal(p[:4], []byte{254, 9, 3, 8}) || p[12] != 255 {
			t.Errorf("protected by %x", p[:13])
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d secrets", n)
	}
	if k := signingSecret(t, alice()); k.Encrypted || k.PrivateKey == nil {
		t.Error("the secret itself was locked")
	}
}

func TestLockedSecret(t *testing.T) {
	file := must(alice().Primary([]byte("right")))(t)
	_, err := ParseSecret(file, nil)
	wantError(t, err, ErrLocked)
	_, err = ParseSecret(file, phrase("wrong"))
	wantError(t, err, ErrLocked)
	broken := errors.New("no terminal")
	_, err = ParseSecret(file, func() ([]byte, error) { return nil, broken })
	wantError(t, err, ErrLocked)
	wantError(t, err, broken)
}

func TestWithoutThePrimary(t *testing.T) {
	s := must(ParseSecret(must(alice().Daily())(t), nil))(t)
	_, err := s.Primary(nil)
	wantError(t, err, ErrLocked)
	_, err = s.Revocation(noon)
	wantError(t, err, ErrLocked)
	if s.DailyHoldsPrimary() {
		t.Error("daily holds a primary that is not here")
	}
	again := must(ParseSecret(must(s.Daily())(t), nil))(t)
	must(again.Sign(ContextPost, nil, noon))(t)
}

func TestDailyOfAKeyWhosePrimarySigns(t *testing.T) {
	s := must(ParseSecret(serializedSecret(t, entity(t, packet.PubKeyAlgoEdDSA, packet.Curve25519, false)), nil))(t)
	if !s.DailyHoldsPrimary() || alice().DailyHoldsPrimary() {
		t.Errorf("%t, and for a generated key %t", s.DailyHoldsPrimary(), alice().DailyHoldsPrimary())
	}
	daily := must(ParseSecret(must(s.Daily())(t), nil))(t)
	if !daily.HasPrimary() {
		t.Error("cannot sign")
	}
	m := freshMaterial(t, noon)
	revoked := newForge(t, m.primary).userID("Carol", noon, flags("CS")).subkey(m.sign, "S", noon).revokeSubkey(m.sign, noon).subkey(m.seal, "E", noon)
	if !revoked.secret(m).DailyHoldsPrimary() {
		t.Error("the only signing subkey is revoked")
	}
}

// One flaw each.
func TestParseSecretRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	whole := must(dearmored(must(alice().Primary(nil))(t)))(t)
	f := frames(t, whole)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"a certificate", alice().cert.Bytes(), ErrMalformed},
		{"an armored certificate", alice().cert.Armor(), ErrMalformed},
		{"two keys", append(slices.Clone(whole), must(dearmored(must(bob().Primary(nil))(t)))(t)...), ErrMalformed},
		{"cut off", whole[:len(whole)-1], ErrMalformed},
		{"a public subkey among secrets", slices.Concat(f[0].raw, alice().cert.Bytes()[keyEnd(t, alice().cert.Bytes()):]), ErrNoSigning},
		{"damaged secret", damaged(t, f), ErrMalformed},
		{"no signing key", exported(t, newForge(t, m.primary).userID("Carol", noon).subkey(m.seal, "E", noon), m.primary, m.seal), ErrNoSigning},
		{"no encryption key", exported(t, newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon), m.primary, m.sign), ErrNoEncryption},
		{"signing secret elsewhere", exported(t, usual(t, m, noon), m.primary, m.seal, m.authenticate), ErrNoSigning},
		{"encryption secret elsewhere", exported(t, usual(t, m, noon), m.primary, m.sign), ErrNoEncryption},
		{"nothing but stubs", exported(t, usual(t, m, noon)), ErrNoSigning},
		{"signing secret on a card", onCard(t, exported(t, usual(t, m, noon), m.primary, m.seal)), ErrNoSigning},
		{"RSA 1024", bytes.Replace(rsaKey(t, 1024), []byte{0xc6}, []byte{0xc5}, 1), ErrWeak},
		{"DSA", []byte{0xc5, 14, 4, 0, 0, 0, 1, 17, 0, 1, 1, 0, 1, 1, 0, 1}, ErrWeak},
		{"18 keys", eighteen(f), ErrLimit},
		{"in parts", slices.Concat([]byte{0xc5, 0xe0}, f[0].body[:1], appendHeader(nil, 0, f[0].size-1)[1:], f[0].body[1:]), ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseSecret(c.in, never)
			wantError(t, err, c.want)
		})
	}
}

func TestArgon2IsMeasuredBeforeItRuns(t *testing.T) {
	good := argon2Key(t)
	s := must(ParseSecret(good, phrase("x")))(t)
	if !s.HasPrimary() {
		t.Error("not unlocked")
	}
	first, _, _ := nextFrame(good)
	body := must(publicBody(s.cert.primary.key))(t)
	at := len(first.raw) - first.size + len(body) + 3 // of the specifier: usage, cipher, mode
	if good[at] != 4 {
		t.Fatalf("specifier %d", good[at])
	}
	for _, c := range []struct {
		name   string
		offset int
		value  byte
		want   error
	}{
		{"2^31 KiB", 19, 31, ErrLimit},
		{"2^22 KiB", 19, 22, ErrLimit},
		{"11 passes", 17, 11, ErrLimit},
		{"17 lanes", 18, 17, ErrLimit},
		{"no passes", 17, 0, ErrMalformed},
		{"no lanes", 18, 0, ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := slices.Clone(good)
			bad[at+c.offset] = c.value
			_, err := ParseSecret(bad, never)
			wantError(t, err, c.want)
		})
	}
}

func TestArgon2AtTheLimitIsTaken(t *testing.T) {
	protection := slices.Concat([]byte{253, 9, 2, 4}, make([]byte, 16), []byte{10, 16, 21})
	_, err := checkProtection(4, protection)
	wantError(t, err, nil)
	_, err = checkProtection(4, protection[:22])
	wantError(t, err, ErrMalformed)
	v6 := slices.Concat([]byte{253, 38, 9, 2, 20, 4}, make([]byte, 16), []byte{10, 16, 22})
	_, err = checkProtection(6, v6)
	wantError(t, err, ErrLimit)
}

// The primary on a card, the subkeys here: a stub like any other.
func TestPrimaryOnACard(t *testing.T) {
	s := must(ParseSecret(onCard(t, must(alice().Daily())(t)), never))(t)
	if s.HasPrimary() {
		t.Error("has it")
	}
	must(s.Sign(ContextPost, nil, noon))(t)
}

func TestWithCertificate(t *testing.T) {
	m := freshMaterial(t, noon)
	s := usual(t, m, noon).secret(m)
	revoked := must(s.WithCertificate(usual(t, m, noon).revoke(noon).certificate()))(t)
	_, err := revoked.Sign(ContextPost, nil, noon)
	wantError(t, err, ErrRevoked)
	if _, err := s.Sign(ContextPost, nil, noon); err != nil {
		t.Errorf("the old one changed: %v", err)
	}
	_, err = s.WithCertificate(alice().cert)
	wantError(t, err, ErrOtherKey)
}

func TestRevocationIsHard(t *testing.T) {
	f := frames(t, must(dearmored(must(alice().Revocation(noon.Add(time.Hour)))(t)))(t))
	if len(f) != 1 {
		t.Fatalf("%d packets", len(f))
	}
	sig := must(readSignature(f[0]))(t)
	if sig.SigType != packet.SigTypeKeyRevocation || *sig.RevocationReason != packet.NoReason || !sig.CreationTime.Equal(noon.Add(time.Hour)) {
		t.Errorf("type %#x, reason %d, made %s", sig.SigType, *sig.RevocationReason, sig.CreationTime)
	}
}

// exported is the certificate with the secrets given, and stubs for the others.
func exported(t *testing.T, f *forge, secrets ...*packet.PrivateKey) []byte {
	t.Helper()
	s := &Secret{cert: f.certificate()}
	return must(s.export(func(k *component) *packet.PrivateKey {
		for _, secret := range secrets {
			if secret.KeyId == k.key.KeyId {
				return secret
			}
		}
		return nil
	}))(t)
}

// onCard turns the stubs into those of a smartcard.
func onCard(t *testing.T, text []byte) []byte {
	return bytes.ReplaceAll(must(dearmored(text))(t), []byte("GNU\x01"), []byte("GNU\x02"))
}

// damaged has another secret number than its checksum says.
func damaged(t *testing.T, f []frame) []byte {
	out := slices.Clone(f[0].raw)
	out[len(out)-3] ^= 1
	for _, more := range f[1:] {
		out = append(out, more.raw...)
	}
	return out
}

func eighteen(f []frame) []byte {
	var out []byte
	for range 18 {
		out = append(out, f[0].raw...)
	}
	return out
}

// argon2Key is protected as newer programs do, cheaply.
func argon2Key(t *testing.T) []byte {
	e := entity(t, packet.PubKeyAlgoEdDSA, packet.Curve25519, false)
	c := settings()
	c.S2KConfig = &s2k.Config{S2KMode: s2k.Argon2S2K, Argon2Config: &s2k.Argon2Config{NumberOfPasses: 1, DegreeOfParallelism: 1, Memory: 1 << 10}}
	if err := e.EncryptPrivateKeys([]byte("x"), c); err != nil {
		t.Fatal(err)
	}
	return serializedSecret(t, e)
}
