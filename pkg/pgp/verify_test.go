package pgp

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func TestSignAndVerify(t *testing.T) {
	data := []byte("Walked the whole Teltow canal today.")
	for _, ctx := range []Context{ContextPost, ContextRequest, ContextAnswer, ContextBundle} {
		sig := must(alice().Sign(ctx, data, noon.Add(1500*time.Millisecond)))(t)
		v := must(alice().cert.Verify(ctx, data, sig))(t)
		if want := (Verdict{Time: noon.Add(time.Second)}); v != want {
			t.Errorf("got %v, want %v", v, want)
		}
	}
}

func TestTwoSignaturesDiffer(t *testing.T) {
	a, b := must(alice().Sign(ContextPost, nil, noon))(t), must(alice().Sign(ContextPost, nil, noon))(t)
	if bytes.Equal(a, b) {
		t.Error("equal")
	}
}

// One flaw each.
func TestVerifyRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	data := []byte("post")
	good := signWith(t, m.sign, data, noon)
	c := usual(t, m, noon).certificate()
	expiring := usual(t, m, noon, lifetime(day)).certificate()
	rsaUser := entity(t, packet.PubKeyAlgoRSA, "", false)
	for _, k := range []struct {
		name string
		cert *Certificate
		data string
		sig  []byte
		want error
	}{
		{"other data", c, "pest", good, ErrSignature},
		{"no data", c, "", good, ErrSignature},
		{"another person", alice().cert, "post", good, ErrSignature},
		{"nothing", c, "post", nil, ErrMalformed},
		{"two signatures", c, "post", append(slices.Clone(good), good...), ErrMalformed},
		{"a byte behind it", c, "post", append(slices.Clone(good), 0), ErrMalformed},
		{"a byte inside, behind it", c, "post", grown(frames(t, good)[0]), ErrMalformed},
		{"a marker before it", c, "post", append([]byte{0xca, 3, 'P', 'G', 'P'}, good...), ErrMalformed},
		{"in parts", c, "post", slices.Concat([]byte{0xc2, 0xe0}, frames(t, good)[0].body[:1], appendHeader(nil, 0, len(frames(t, good)[0].body)-1)[1:], frames(t, good)[0].body[1:]), ErrMalformed},
		{"armored", c, "post", must(enarmor("PGP SIGNATURE", nil, good))(t), ErrMalformed},
		{"over 8 KiB", c, "post", withUnhashed(frames(t, good)[0], make([]byte, maxSignature)), ErrLimit},
		{"a key", c, "post", c.Bytes()[:len(frames(t, c.Bytes())[0].raw)], ErrMalformed},
		{"version 6 by a key of version 4", c, "post", signatureOfVersion6(t, m.sign, packet.SigTypeBinary, data), ErrSignature},
		{"version 3", c, "post", []byte{0xc2, 8, 3, 5, 0, 0, 0, 0, 0, 0}, ErrMalformed},
		{"text signature", c, "post", signWith(t, m.sign, data, noon, kind(packet.SigTypeText)), ErrSignature},
		{"standalone signature", c, "post", signWith(t, m.sign, data, noon, kind(2)), ErrSignature},
		{"SHA-1", c, "post", signWith(t, m.sign, data, noon, sha1Hash), ErrWeak},
		{"MD5", c, "post", withHash(good, 1), ErrWeak},
		{"RIPEMD-160", c, "post", withHash(good, 3), ErrWeak},
		{"unknown hash", c, "post", withHash(good, 99), ErrMalformed},
		{"another context", c, "post", signWith(t, m.sign, data, noon, notations("request")), ErrContext},
		{"empty context", c, "post", signWith(t, m.sign, data, noon, notations("")), ErrContext},
		{"longer context", c, "post", signWith(t, m.sign, data, noon, notations("post ")), ErrContext},
		{"no context, as in a mail", c, "post", signWith(t, m.sign, data, noon, notations()), ErrContext},
		{"two contexts", c, "post", signWith(t, m.sign, data, noon, notations("post", "post")), ErrContext},
		{"two contexts that differ", c, "post", signWith(t, m.sign, data, noon, notations("post", "request")), ErrContext},
		{"critical context", c, "post", signWith(t, m.sign, data, noon, critical(contextNotation, "post")), ErrContext},
		{"context not hashed", c, "post", unhashedContext(t, signWith(t, m.sign, data, noon, notations())), ErrContext},
		{"unknown critical notation", c, "post", signWith(t, m.sign, data, noon, critical("x@example.org", "y"), addNotation(contextNotation, "post")), ErrSignature},
		{"by the authentication subkey", c, "post", signWith(t, m.authenticate, data, noon), ErrSignature},
		{"by a primary key that only certifies", c, "post", signWith(t, m.primary, data, noon), ErrSignature},
		{"by a key without flags", usual(t, m, noon).subkey(m.authenticate, "A", noon.Add(time.Second), func(s *packet.Signature) { s.FlagsValid = false }).certificate(), "post", signWith(t, m.authenticate, data, noon.Add(time.Minute)), ErrSignature},
		{"naming another's key", c, "post", signWith(t, signingSecret(t, mallory()), data, noon, issuer(m.sign)), ErrSignature},
		{"before the key was made", c, "post", signWith(t, m.sign, data, noon.Add(-time.Second)), ErrExpired},
		{"at the end of the key", expiring, "post", signWith(t, m.sign, data, noon.Add(day)), ErrExpired},
		{"after the end of the subkey", newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon, lifetime(day)).certificate(), "post", signWith(t, m.sign, data, noon.Add(day)), ErrExpired},
		{"after a soft revocation", usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeySuperseded)).certificate(), "post", signWith(t, m.sign, data, noon.Add(day)), ErrRevoked},
		{"after the subkey's soft revocation", newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).revokeSubkey(m.sign, noon.Add(day), reason(packet.KeyRetired)).certificate(), "post", signWith(t, m.sign, data, noon.Add(day)), ErrRevoked},
		{"RSA, of nothing", must(ParseCertificate(serializedPublic(t, rsaUser)))(t), "", signWith(t, rsaUser.PrivateKey, data, noon), ErrSignature},
	} {
		t.Run(k.name, func(t *testing.T) {
			v, err := k.cert.Verify(ContextPost, []byte(k.data), k.sig)
			wantError(t, err, k.want)
			if v != (Verdict{}) {
				t.Error("a verdict with an error")
			}
		})
	}
}

func TestVerifyTakes(t *testing.T) {
	m := freshMaterial(t, noon)
	data := []byte("post")
	c := usual(t, m, noon).certificate()
	for _, k := range []struct {
		name string
		cert *Certificate
		sig  []byte
		want Verdict
	}{
		{"at the key's first second", c, signWith(t, m.sign, data, noon), Verdict{Time: noon}},
		{"by a clock seventy years ahead", c, signWith(t, m.sign, data, noon.AddDate(70, 0, 0)), Verdict{Time: noon.AddDate(70, 0, 0)}},
		{"in the key's last second", usual(t, m, noon, lifetime(day)).certificate(), signWith(t, m.sign, data, noon.Add(day-time.Second)), Verdict{Time: noon.Add(day - time.Second)}},
		{"other notations", c, signWith(t, m.sign, data, noon, addNotation("x@example.org", "request"), addNotation("post@p2ps", "")), Verdict{Time: noon}},
		{"a context that is not hashed besides", c, withUnhashedSubpacket(frames(t, signWith(t, m.sign, data, noon))[0], 20, notationBody("context@p2ps", "request")), Verdict{Time: noon}},
		{"old packet header", c, oldHeader(t, signWith(t, m.sign, data, noon)), Verdict{Time: noon}},
		{"just under 8 KiB", c, withUnhashed(frames(t, signWith(t, m.sign, data, noon))[0], make([]byte, 8000)), Verdict{Time: noon}},
		{"SHA-512", c, signWith(t, m.sign, data, noon, func(s *packet.Signature) { s.Hash = crypto.SHA512 }), Verdict{Time: noon}},
		{"before a soft revocation", usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeySuperseded)).certificate(), signWith(t, m.sign, data, noon.Add(day-time.Second)), Verdict{Time: noon.Add(day - time.Second)}},
		{"before a hard revocation", usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeyCompromised)).certificate(), signWith(t, m.sign, data, noon), Verdict{Time: noon, Revoked: true}},
		{"after a hard revocation", usual(t, m, noon).revoke(noon).certificate(), signWith(t, m.sign, data, noon.Add(day)), Verdict{Time: noon.Add(day), Revoked: true}},
		{"by a hard-revoked subkey", newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).revokeSubkey(m.sign, noon.Add(day)).certificate(), signWith(t, m.sign, data, noon), Verdict{Time: noon, Revoked: true}},
		{"by a primary key that signs", newForge(t, m.primary).userID("Carol", noon, flags("CS")).certificate(), signWith(t, m.primary, data, noon), Verdict{Time: noon}},
	} {
		t.Run(k.name, func(t *testing.T) {
			if got := must(k.cert.Verify(ContextPost, data, k.sig))(t); got != k.want {
				t.Errorf("got %v, want %v", got, k.want)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	for _, c := range []struct {
		name string
		s    *Secret
		at   time.Time
		want error
	}{
		{"an expired key", usual(t, m, noon, lifetime(day)).secret(m), noon.Add(2 * day), ErrNoSigning},
		{"and says so", usual(t, m, noon, lifetime(day)).secret(m), noon.Add(2 * day), ErrExpired},
		{"a revoked key", usual(t, m, noon).revoke(noon).secret(m), noon, ErrRevoked},
		{"a clock before the key", usual(t, m, noon).secret(m), noon.Add(-day), ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.s.Sign(ContextPost, []byte("x"), c.at)
			wantError(t, err, c.want)
		})
	}
}

// Every kind of key that is taken also signs, and with a hash that gpg takes for
// its curve.
func TestSignWithEveryKindOfKey(t *testing.T) {
	for _, k := range []struct {
		name  string
		algo  packet.PublicKeyAlgorithm
		curve packet.Curve
		v6    bool
		hash  crypto.Hash
	}{
		{"RSA", packet.PubKeyAlgoRSA, "", false, crypto.SHA256},
		{"Ed25519, v4", packet.PubKeyAlgoEdDSA, packet.Curve25519, false, crypto.SHA256},
		{"P-256", packet.PubKeyAlgoECDSA, packet.CurveNistP256, false, crypto.SHA256},
		{"P-384", packet.PubKeyAlgoECDSA, packet.CurveNistP384, false, crypto.SHA384},
		{"P-521", packet.PubKeyAlgoECDSA, packet.CurveNistP521, false, crypto.SHA512},
		{"Ed25519, v6", packet.PubKeyAlgoEd25519, "", true, crypto.SHA256},
		{"Ed448, v6", packet.PubKeyAlgoEd448, "", true, crypto.SHA512},
		{"ML-DSA, v6", packet.PubKeyAlgoMldsa65Ed25519, "", true, crypto.SHA256},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := must(ParseSecret(serializedSecret(t, entity(t, k.algo, k.curve, k.v6)), nil))(t)
			sig := must(s.Sign(ContextPost, []byte("x"), noon))(t)
			must(s.cert.Verify(ContextPost, []byte("x"), sig))(t)
			if got := must(parseSignature(sig))(t).Hash; got != k.hash {
				t.Errorf("hash %v, want %v", got, k.hash)
			}
			for _, gcm := range []bool{false, true} {
				message := must(Seal([]byte("x"), ContextRequest, s, s.cert, noon, SealOptions{GCM: gcm}))(t)
				wantError(t, must(Decrypt(message, s, 1))(t).Verify(ContextRequest, s.cert, noon, noon), nil)
			}
			for _, out := range [][]byte{must(s.Daily())(t), must(s.Primary([]byte("pass")))(t)} {
				again := must(ParseSecret(out, func() ([]byte, error) { return []byte("pass"), nil }))(t)
				must(again.Sign(ContextPost, nil, noon))(t)
			}
		})
	}
}

// signatureOfVersion6 is made by hand over data, with a key of version 4, which
// must not make such.
func signatureOfVersion6(t *testing.T, k *packet.PrivateKey, kind packet.SignatureType, data []byte) []byte {
	t.Helper()
	note := notationBody(contextNotation, "post")
	hashed := binary.BigEndian.AppendUint32([]byte{5, 2}, uint32(noon.Unix()))
	hashed = slices.Concat(hashed, []byte{22, 33, 4}, k.Fingerprint, []byte{byte(len(note) + 1), 20}, note)
	suffix := []byte{6, byte(kind), byte(k.PubKeyAlgo), 8}
	suffix = append(binary.BigEndian.AppendUint32(suffix, uint32(len(hashed))), hashed...)
	salt := make([]byte, 16)
	digest := sha256.Sum256(slices.Concat(salt, data, suffix, binary.BigEndian.AppendUint32([]byte{6, 255}, uint32(len(suffix)))))
	secret, ok := k.PrivateKey.(*eddsa.PrivateKey)
	if !ok {
		t.Fatal("not of the old EdDSA")
	}
	r, s, err := eddsa.Sign(secret, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	body := slices.Concat(suffix, []byte{0, 0, 0, 0}, digest[:2], []byte{16}, salt, []byte{1, 0}, r, []byte{1, 0}, s)
	return append(appendHeader(nil, tagSignature, len(body)), body...)
}

func kind(k packet.SignatureType) edit { return func(s *packet.Signature) { s.SigType = k } }

// notations replaces the context by any number of them.
func notations(contexts ...string) edit {
	return func(s *packet.Signature) {
		s.Notations = nil
		for _, v := range contexts {
			s.Notations = append(s.Notations, notation(contextNotation, v)...)
		}
	}
}

func addNotation(name, value string) edit {
	return func(s *packet.Signature) { s.Notations = append(s.Notations, notation(name, value)...) }
}

func critical(name, value string) edit {
	return func(s *packet.Signature) {
		s.Notations = notation(name, value)
		s.Notations[0].IsCritical = true
	}
}

// issuer makes the signature name another key (but not its fingerprint, which
// the library fills in from the real one).
func issuer(k *packet.PrivateKey) edit {
	return func(s *packet.Signature) { s.IssuerKeyId = &k.KeyId }
}

func withHash(sig []byte, id byte) []byte {
	out := slices.Clone(sig)
	f, _, _ := nextFrame(out)
	f.body[3] = id
	return out
}

func notationBody(name, value string) []byte {
	return slices.Concat([]byte{0x80, 0, 0, 0, 0, byte(len(name)), 0, byte(len(value))}, []byte(name), []byte(value))
}

func unhashedContext(t *testing.T, sig []byte) []byte {
	return withUnhashedSubpacket(frames(t, sig)[0], 20, notationBody(contextNotation, "post"))
}

func oldHeader(t *testing.T, packet []byte) []byte {
	f := frames(t, packet)[0]
	return append([]byte{0x81 | f.tag<<2, byte(f.size >> 8), byte(f.size)}, f.body...)
}
