package pgp

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const day = 24 * time.Hour

func TestUsable(t *testing.T) {
	m := freshMaterial(t, noon)
	year := 365 * day
	for _, c := range []struct {
		name string
		f    *forge
		now  time.Time
		want error
	}{
		{"in order", usual(t, m, noon), noon, nil},
		{"made nine minutes from now", usual(t, m, noon), noon.Add(-9 * time.Minute), nil},
		{"made eleven minutes from now", usual(t, m, noon), noon.Add(-11 * time.Minute), ErrExpired},
		{"a second before the end", usual(t, m, noon, lifetime(year)), noon.Add(year - time.Second), nil},
		{"expired nine minutes ago", usual(t, m, noon, lifetime(year)), noon.Add(year + 9*time.Minute), nil},
		{"expired eleven minutes ago", usual(t, m, noon, lifetime(year)), noon.Add(year + 11*time.Minute), ErrExpired},
		{"expired by a direct signature", newForge(t, m.primary).direct(noon, lifetime(year)).userID("Carol", noon).subkey(m.seal, "E", noon), noon.Add(2 * year), ErrExpired},
		{"a direct signature without an end", newForge(t, m.primary).direct(noon).userID("Carol", noon).subkey(m.seal, "E", noon), noon.Add(2 * year), nil},
		{"expired and renewed", usual(t, m, noon).raw(renewal(t, m, year)), noon.Add(2 * year), nil},
		{"revoked for no reason, later", usual(t, m, noon).revoke(noon.Add(year)), noon, ErrRevoked},
		{"compromised, later", usual(t, m, noon).revoke(noon.Add(year), reason(packet.KeyCompromised)), noon, ErrRevoked},
		{"reason unknown, later", usual(t, m, noon).revoke(noon.Add(year), reason(99)), noon, ErrRevoked},
		{"superseded now", usual(t, m, noon).revoke(noon, reason(packet.KeySuperseded)), noon, ErrRevoked},
		{"superseded later", usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeySuperseded)), noon, nil},
		{"retired before", usual(t, m, noon).revoke(noon, reason(packet.KeyRetired)), noon.Add(day), ErrRevoked},
		{"revoked by SHA-1", usual(t, m, noon).raw(sha1Revocation(t, m)), noon, ErrRevoked},
		{"revoked, then renewed", usual(t, m, noon).revoke(noon, reason(packet.KeySuperseded)).raw(renewal(t, m, year)), noon.Add(day), ErrRevoked},
		{"revoked, behind a photo", usual(t, m, noon).raw([]byte{0xd1, 3, 2, 1, 0}).revoke(noon), noon, ErrRevoked},
		{"only user id revoked", newForge(t, m.primary).userID("Carol", noon).revokeID("Carol", noon).subkey(m.seal, "E", noon), noon, ErrRevoked},
		{"no encryption subkey", newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon), noon, ErrNoEncryption},
		{"encryption subkey without the flag", newForge(t, m.primary).userID("Carol", noon).subkey(m.seal, "", noon), noon, ErrNoEncryption},
		{"encryption subkey expired", newForge(t, m.primary).userID("Carol", noon).subkey(m.seal, "E", noon, lifetime(day)), noon.Add(2 * day), ErrNoEncryption},
		{"and why", newForge(t, m.primary).userID("Carol", noon).subkey(m.seal, "E", noon, lifetime(day)), noon.Add(2 * day), ErrExpired},
		{"encryption subkey revoked", usual(t, m, noon).subkey(m.seal, "E", noon).revokeSubkey(m.seal, noon), noon, ErrNoEncryption},
		{"and why", usual(t, m, noon).subkey(m.seal, "E", noon).revokeSubkey(m.seal, noon), noon, ErrRevoked},
		{"self-signature expired", usual(t, m, noon, signatureLifetime(day)), noon.Add(2 * day), ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.f.certificate().Usable(c.now)
			wantError(t, err, c.want)
		})
	}
}

// The newest that is valid is taken, whatever the order.
func TestEncryptionKeyIsTheNewestValidOne(t *testing.T) {
	old, young := freshMaterial(t, noon), freshMaterial(t, noon.Add(day))
	base := func() *forge { return newForge(t, old.primary).userID("Carol", noon) }
	for _, c := range []struct {
		name string
		f    *forge
		want *packet.PrivateKey
	}{
		{"newest", base().subkey(young.seal, "E", noon.Add(day)).subkey(old.seal, "E", noon), young.seal},
		{"newest key, although the older was renewed since", base().subkey(old.seal, "E", noon).bind(old.seal, "E", noon.Add(day+time.Hour)).subkey(young.seal, "E", noon.Add(day)), young.seal},
		{"not a revoked one", base().subkey(old.seal, "E", noon).subkey(young.seal, "E", noon.Add(day)).revokeSubkey(young.seal, noon.Add(day)), old.seal},
		{"not an expired one", base().subkey(old.seal, "E", noon).subkey(young.seal, "E", noon.Add(day), lifetime(time.Hour)), old.seal},
		{"not one from the future", base().subkey(old.seal, "E", noon).subkey(freshMaterial(t, noon.Add(9*day)).seal, "E", noon.Add(9*day)), old.seal},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := must(c.f.certificate().encryptionKey(noon.Add(2 * day)))(t)
			if got.KeyId != c.want.KeyId {
				t.Errorf("got %X, want %X", got.KeyId, c.want.KeyId)
			}
		})
	}
}

// A certificate that kept only its newest self-signatures, as gpg's "clean" and
// our Minimal leave them, still vouches for what was signed before.
func TestStrippedCertificateVouchesForThePast(t *testing.T) {
	m := freshMaterial(t, noon)
	sig := signWith(t, m.sign, []byte("old post"), noon.Add(day))
	c := usual(t, m, noon.Add(365*day)).certificate()
	v := must(c.Verify(ContextPost, []byte("old post"), sig))(t)
	if v.Revoked {
		t.Error("revoked")
	}
}

// Two answers of the library stay with a key for good: which of its signatures
// are good, and that under whatever clock it was first asked (trap 7).
func TestTrap07NoVerdictOfAWrongClockStays(t *testing.T) {
	m := freshMaterial(t, noon)
	c := usual(t, m, noon).certificate()
	wantError(t, c.Usable(noon.AddDate(-20, 0, 0)), ErrExpired)
	wantError(t, c.Usable(noon), nil)
	d := usual(t, m, noon, lifetime(day)).certificate()
	wantError(t, d.Usable(noon.AddDate(20, 0, 0)), ErrExpired)
	wantError(t, d.Usable(noon), nil)
}

// And they are written when first asked for: the race detector watches here.
func TestTrap07FreshCertificateIsSafeForConcurrentUse(t *testing.T) {
	m := freshMaterial(t, noon)
	c := usual(t, m, noon).certificate()
	sig := signWith(t, m.sign, []byte("post"), noon)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.Verify(ContextPost, []byte("post"), sig); err != nil {
				t.Error(err)
			}
			if _, err := Seal([]byte("x"), ContextRequest, alice(), c, noon, SealOptions{}); err != nil {
				t.Error(err)
			}
			if err := c.Usable(noon); err != nil {
				t.Error(err)
			}
			if _, err := c.Merge(c); err != nil {
				t.Error(err)
			}
			if _, err := alice().Sign(ContextPost, []byte("x"), noon); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func signatureLifetime(d time.Duration) edit {
	return func(s *packet.Signature) { n := uint32(d.Seconds()); s.SigLifetimeSecs = &n }
}

// renewal is a later self-signature with another lifetime, under its user id.
func renewal(t *testing.T, m material, after time.Duration) []byte {
	f := newForge(t, m.primary).userID("Carol", noon.Add(after))
	return slices.Concat(frames(t, f.bytes())[1].raw, frames(t, f.bytes())[2].raw)
}

func sha1Revocation(t *testing.T, m material) []byte {
	s := newSignature(packet.SigTypeKeyRevocation, &m.primary.PublicKey, noon)
	sha1Hash(s)
	if err := s.RevokeKey(&m.primary.PublicKey, m.primary, unsalted()); err != nil {
		t.Fatal(err)
	}
	return must(serialize(s))(t)
}
