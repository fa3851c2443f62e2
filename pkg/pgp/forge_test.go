package pgp

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// noon is now, for every test that does not meet gpg.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	alice   = sync.OnceValue(func() *Secret { return mustGenerate("Alice", "alice@example.org") })
	bob     = sync.OnceValue(func() *Secret { return mustGenerate("Bob", "") })
	mallory = sync.OnceValue(func() *Secret { return mustGenerate("Mallory", "") })
)

func mustGenerate(name, email string) *Secret {
	s, err := Generate(name, email, noon)
	if err != nil {
		panic(err)
	}
	return s
}

// must unwraps what cannot fail in a test that is about something else.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

// wantError checks for one sentinel; nil wants success.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// A forge makes certificates packet by packet, good and bad ones.
type forge struct {
	t   *testing.T
	by  *packet.PrivateKey
	out bytes.Buffer
}

// newForge begins a certificate of the primary key.
func newForge(t *testing.T, primary *packet.PrivateKey) *forge {
	f := &forge{t: t, by: primary}
	f.key(&primary.PublicKey)
	return f
}

// freshMaterial is keys made at the given time.
func freshMaterial(t *testing.T, at time.Time) material {
	t.Helper()
	return must(generateMaterial(at))(t)
}

func (f *forge) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *forge) key(k *packet.PublicKey) { f.check(k.Serialize(&f.out)) }

// signature is unsigned, with the edits made.
func (f *forge) signature(kind packet.SignatureType, at time.Time, edits []edit) *packet.Signature {
	s := newSignature(kind, &f.by.PublicKey, at)
	for _, e := range edits {
		e(s)
	}
	return s
}

// An edit changes a signature before it is made.
type edit func(*packet.Signature)

func lifetime(d time.Duration) edit {
	return func(s *packet.Signature) { n := uint32(d.Seconds()); s.KeyLifetimeSecs = &n }
}

func reason(r packet.ReasonForRevocation) edit {
	return func(s *packet.Signature) { s.RevocationReason = &r }
}

func flags(set string) edit {
	return func(s *packet.Signature) {
		s.FlagsValid = true
		s.FlagCertify = strings.Contains(set, "C")
		s.FlagSign = strings.Contains(set, "S")
		s.FlagEncryptCommunications = strings.Contains(set, "E")
		s.FlagAuthenticate = strings.Contains(set, "A")
	}
}

func sha1Hash(s *packet.Signature) { s.Hash = crypto.SHA1 }

// unsalted are settings by which the same content gives the same signature, and
// for hashes that the library has no salt size for.
func unsalted() *packet.Config {
	c := settings()
	c.NonDeterministicSignaturesViaNotation = packet.BoolPointer(false)
	return c
}

func (f *forge) userID(id string, at time.Time, edits ...edit) *forge {
	f.check((&packet.UserId{Id: id}).Serialize(&f.out))
	return f.certify(id, at, edits...)
}

func (f *forge) certify(id string, at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypePositiveCert, at, append([]edit{flags("C")}, edits...))
	f.check(s.SignUserId(id, &f.by.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

func (f *forge) revokeID(id string, at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypeCertificationRevocation, at, edits)
	f.check(s.SignUserId(id, &f.by.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

// subkey adds the key and a binding; flag "S" brings a cross-signature, by SHA-1
// if it is "S1".
func (f *forge) subkey(k *packet.PrivateKey, use string, at time.Time, edits ...edit) *forge {
	f.key(&k.PublicKey)
	return f.bind(k, use, at, edits...)
}

func (f *forge) bind(k *packet.PrivateKey, use string, at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypeSubkeyBinding, at, append([]edit{flags(use)}, edits...))
	if s.FlagSign {
		s.EmbeddedSignature = newSignature(packet.SigTypePrimaryKeyBinding, &k.PublicKey, at)
		if strings.Contains(use, "1") {
			sha1Hash(s.EmbeddedSignature)
		}
		f.check(s.EmbeddedSignature.CrossSignKey(&k.PublicKey, &f.by.PublicKey, k, unsalted()))
	}
	f.check(s.SignKey(&k.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

func (f *forge) revokeSubkey(k *packet.PrivateKey, at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypeSubkeyRevocation, at, edits)
	f.check(s.RevokeSubkey(&k.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

func (f *forge) revoke(at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypeKeyRevocation, at, edits)
	f.check(s.RevokeKey(&f.by.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

func (f *forge) direct(at time.Time, edits ...edit) *forge {
	s := f.signature(packet.SigTypeDirectSignature, at, edits)
	f.check(s.SignDirectKeyBinding(&f.by.PublicKey, f.by, unsalted()))
	f.check(s.Serialize(&f.out))
	return f
}

func (f *forge) bytes() []byte { return slices.Clone(f.out.Bytes()) }

func (f *forge) certificate() *Certificate {
	f.t.Helper()
	return must(ParseCertificate(f.bytes()))(f.t)
}

// usual is a certificate of m as Generate makes it, from the given time on.
func usual(t *testing.T, m material, at time.Time, edits ...edit) *forge {
	return newForge(t, m.primary).userID("Carol", at, edits...).
		subkey(m.sign, "S", at).subkey(m.seal, "E", at).subkey(m.authenticate, "A", at)
}

func (f *forge) secret(m material) *Secret {
	f.t.Helper()
	return must(newSecret(f.certificate(), m.all()))(f.t)
}

// signWith is a detached signature by any key, with any edits.
func signWith(t *testing.T, k *packet.PrivateKey, data []byte, at time.Time, edits ...edit) []byte {
	t.Helper()
	s := newSignature(packet.SigTypeBinary, &k.PublicKey, at)
	s.Notations = notation(contextNotation, "post")
	for _, e := range edits {
		e(s)
	}
	h := must(s.PrepareSign(settings()))(t)
	_, _ = h.Write(data)
	if err := s.Sign(h, k, unsalted()); err != nil {
		t.Fatal(err)
	}
	return must(serialize(s))(t)
}

func notation(name, value string) []*packet.Notation {
	return []*packet.Notation{{Name: name, Value: []byte(value), IsHumanReadable: true}}
}

func signingSecret(t *testing.T, s *Secret) *packet.PrivateKey {
	t.Helper()
	return must(s.signingKey(noon))(t)
}

// inner is a signed literal of from's, as it lies inside a message.
func inner(t *testing.T, from *Secret, literal string) []byte {
	t.Helper()
	return must(signedLiteral([]byte(literal), ContextRequest, signingSecret(t, from), noon))(t)
}

// sealed is any plaintext, encrypted to somebody as Seal does.
func sealed(t *testing.T, plaintext []byte, to *Secret) []byte {
	t.Helper()
	key := must(to.cert.encryptionKey(noon))(t)
	return must(encrypt(plaintext, key, SealOptions{}))(t)
}

// frames takes packets apart.
func frames(t *testing.T, data []byte) (all []frame) {
	t.Helper()
	for len(data) > 0 {
		f, rest, err := nextFrame(data)
		if err != nil {
			t.Fatal(err)
		}
		all, data = append(all, f), rest
	}
	return all
}

// entity is a key made by the library, as other programs have them.
func entity(t *testing.T, algorithm packet.PublicKeyAlgorithm, curve packet.Curve, v6 bool) *openpgp.Entity {
	t.Helper()
	c := settings()
	c.Algorithm, c.Curve, c.V6Keys = algorithm, curve, v6
	c.Time = func() time.Time { return noon.AddDate(0, 0, -1) }
	return must(openpgp.NewEntity("Dora", "", "", c))(t)
}

func serializedPublic(t *testing.T, e *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := e.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func serializedSecret(t *testing.T, e *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&out, settings()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
