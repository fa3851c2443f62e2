package pgp

import (
	"bytes"
	"crypto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// The shape that protocol §1 fixes, field by field.
func TestGeneratedKey(t *testing.T) {
	c := mustGenerate("Carol", "carol@example.org").Certificate()
	midnight := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	want := []struct {
		algorithm packet.PublicKeyAlgorithm
		use       string
		back      bool
	}{
		{packet.PubKeyAlgoEdDSA, "C", false},
		{packet.PubKeyAlgoEdDSA, "S", true},
		{packet.PubKeyAlgoECDH, "EE", false},
		{packet.PubKeyAlgoEdDSA, "A", true},
	}
	for i, k := range c.keys {
		self := k.newest()
		if k == c.primary {
			self = c.ids[0].newest()
		}
		if k.key.Version != 4 || k.key.PubKeyAlgo != want[i].algorithm || !k.key.CreationTime.Equal(midnight) {
			t.Errorf("key %d: version %d, algorithm %d, made %s", i, k.key.Version, k.key.PubKeyAlgo, k.key.CreationTime)
		}
		if curve, err := k.key.Curve(); err != nil || curve != packet.Curve25519 {
			t.Errorf("key %d: curve %s, %v", i, curve, err)
		}
		if use := usesOf(self); use != want[i].use {
			t.Errorf("key %d: for %q, want %q", i, use, want[i].use)
		}
		if !self.CreationTime.Equal(midnight) || self.Hash != crypto.SHA256 || self.KeyLifetimeSecs != nil || self.SigLifetimeSecs != nil {
			t.Errorf("key %d: self-signature of %s with %v, lifetimes %v %v", i, self.CreationTime, self.Hash, self.KeyLifetimeSecs, self.SigLifetimeSecs)
		}
		if back := self.EmbeddedSignature; (back != nil) != want[i].back {
			t.Errorf("key %d: cross-signature %v", i, back)
		}
	}
	if len(c.keys) != 4 || len(c.ids) != 1 || c.signatures() != 4 {
		t.Errorf("%d keys, %d user ids, %d signatures", len(c.keys), len(c.ids), c.signatures())
	}
	self := c.ids[0].newest()
	if !self.SEIPDv1 || self.SEIPDv2 || len(self.PreferredCipherSuites) != 0 {
		t.Errorf("features %t %t %v", self.SEIPDv1, self.SEIPDv2, self.PreferredCipherSuites)
	}
	if !bytes.Equal(self.PreferredCompression, []byte{0}) || self.PreferredSymmetric[0] != 9 || self.PreferredHash[0] != 8 {
		t.Errorf("preferences %v %v %v", self.PreferredCompression, self.PreferredSymmetric, self.PreferredHash)
	}
}

// The library would certify with the newest key that signs, which gpg calls a
// bad signature: both signatures here must be the primary's own.
func TestTrap06CertifiedByThePrimaryKey(t *testing.T) {
	c := mustGenerate("Carol", "").Certificate()
	for _, p := range c.components()[1:] {
		for _, s := range p.sigs {
			if !bytes.Equal(s.IssuerFingerprint, c.primary.key.Fingerprint) {
				t.Errorf("signed by %X", s.IssuerFingerprint)
			}
		}
	}
}

// The transport key is bound only with its own consent.
func TestAuthenticationSubkeySignsBack(t *testing.T) {
	c := mustGenerate("Carol", "").Certificate()
	k := c.subkeys[2]
	back := k.newest().EmbeddedSignature
	h := must(back.PrepareVerify())(t)
	if err := c.primary.key.SerializeForHash(h); err != nil {
		t.Fatal(err)
	}
	if err := k.key.SerializeForHash(h); err != nil {
		t.Fatal(err)
	}
	if err := k.key.VerifySignature(h, back); err != nil {
		t.Error(err)
	}
}

func TestGenerateIsDatedTheDayBefore(t *testing.T) {
	zone := time.FixedZone("", 14*3600)
	s := must(Generate("Carol", "", time.Date(2026, 3, 1, 1, 0, 0, 0, zone)))(t) // still 28 February in UTC
	if got := s.cert.Created().Format(time.DateTime); got != "2026-02-27 00:00:00" {
		t.Error(got)
	}
}

func TestGenerateNames(t *testing.T) {
	for _, c := range []struct {
		name, email, id string
		want            error
	}{
		{"Carol", "", "Carol", nil},
		{"Carol", "carol@example.org", "Carol <carol@example.org>", nil},
		{"  Carol ", "", "Carol", nil},
		{"Zoë 李 (home) \"Z\"", "z@b", "Zoë 李 (home) \"Z\" <z@b>", nil},
		{"👩\u200d🚀", "", "👩\u200d🚀", nil},
		{"می\u200cخواهم", "", "می\u200cخواهم", nil},
		{strings.Repeat("é", 512), "", strings.Repeat("é", 512), nil},
		{strings.Repeat("é", 513), "", "", ErrLimit},
		{"", "", "", ErrMalformed},
		{"  ", "", "", ErrMalformed},
		{"a<b", "", "", ErrMalformed},
		{"a>b", "", "", ErrMalformed},
		{"a\nb", "", "", ErrMalformed},
		{"a\x1b[31m", "", "", ErrMalformed},
		{"a\u0085b", "", "", ErrMalformed},
		{"a\u202eb", "", "", ErrMalformed},
		{"a\u2028b", "", "", ErrMalformed},
		{"a\xffb", "", "", ErrMalformed},
		{"Carol", "carol", "", ErrMalformed},
		{"Carol", "@example.org", "", ErrMalformed},
		{"Carol", "carol@", "", ErrMalformed},
		{"Carol", "carol@example.org>", "", ErrMalformed},
		{"Carol", "carol @example.org", "", ErrMalformed},
		{"Carol", "carol@example.org\n", "", ErrMalformed},
	} {
		s, err := Generate(c.name, c.email, noon)
		wantError(t, err, c.want)
		if err == nil && s.cert.UserID() != c.id {
			t.Errorf("got %q, want %q", s.cert.UserID(), c.id)
		}
		if err == nil && (s.cert.Name() != strings.TrimSpace(c.name) || s.cert.Email() != c.email) {
			t.Errorf("%q apart: %q and %q", c.id, s.cert.Name(), s.cert.Email())
		}
	}
}

func TestGenerateNeedsAClock(t *testing.T) {
	for _, year := range []int{1, 1969, 2107} {
		_, err := Generate("Carol", "", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		wantError(t, err, ErrMalformed)
	}
}

func usesOf(s *selfSignature) string {
	var use []byte
	for _, f := range []struct {
		set  bool
		name byte
	}{{s.FlagCertify, 'C'}, {s.FlagSign, 'S'}, {s.FlagEncryptCommunications, 'E'}, {s.FlagEncryptStorage, 'E'}, {s.FlagAuthenticate, 'A'}} {
		if f.set {
			use = append(use, f.name)
		}
	}
	return string(slices.Clip(use))
}
