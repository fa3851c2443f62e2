package pgp

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func TestParseCertificateKeepsEveryByte(t *testing.T) {
	in := usual(t, freshMaterial(t, noon), noon).bytes()
	c := must(ParseCertificate(in))(t)
	if !bytes.Equal(c.Bytes(), in) {
		t.Error("bytes differ")
	}
	again := must(ParseCertificate(c.Armor()))(t)
	if !bytes.Equal(again.Bytes(), in) {
		t.Error("bytes differ after armor")
	}
}

// What the caller does with his bytes afterwards is his.
func TestCertificateNeverChanges(t *testing.T) {
	m := freshMaterial(t, noon)
	in := usual(t, m, noon).bytes()
	c := must(ParseCertificate(in))(t)
	want := must(c.Minimal())(t)
	clear(in)
	clear(c.Bytes())
	if least := must(c.Minimal())(t); !bytes.Equal(least, want) || c.UserID() != "Carol" {
		t.Error("changed")
	}
}

func TestCertificateTells(t *testing.T) {
	c := alice().Certificate()
	if _, err := ParseFingerprint(string(c.Fingerprint())); err != nil {
		t.Error(err)
	}
	for _, got := range [][2]string{
		{c.UserID(), "Alice <alice@example.org>"},
		{c.Name(), "Alice"},
		{c.Email(), "alice@example.org"},
		{c.Algorithm(), "ed25519"},
		{c.Created().Format(time.RFC3339), "2026-11-21T00:00:00Z"},
	} {
		if got[0] != got[1] {
			t.Errorf("got %q, want %q", got[0], got[1])
		}
	}
}

func TestSplitUserID(t *testing.T) {
	for _, c := range [][3]string{
		{"Alice <a@b>", "Alice", "a@b"},
		{"Alice (work) <a@b>", "Alice (work)", "a@b"},
		{"Alice", "Alice", ""},
		{"Alice (work)", "Alice (work)", ""},
		{"a@b", "", "a@b"},
		{"<a@b>", "", "a@b"},
		{"me @ home", "me @ home", ""},
		{"A <b> <c@d>", "A <b>", "c@d"},
		{"", "", ""},
	} {
		if name, email := splitUserID(c[0]); name != c[1] || email != c[2] {
			t.Errorf("%q: got %q and %q", c[0], name, email)
		}
	}
}

func TestAlgorithmNames(t *testing.T) {
	for name, e := range map[string]*packet.PublicKey{
		"nistp256":        entity(t, packet.PubKeyAlgoECDSA, packet.CurveNistP256, false).PrimaryKey,
		"nistp521":        entity(t, packet.PubKeyAlgoECDSA, packet.CurveNistP521, false).PrimaryKey,
		"brainpoolp256":   entity(t, packet.PubKeyAlgoECDSA, packet.CurveBrainpoolP256, false).PrimaryKey,
		"ed25519":         entity(t, packet.PubKeyAlgoEd25519, "", true).PrimaryKey,
		"ed448":           entity(t, packet.PubKeyAlgoEd448, "", true).PrimaryKey,
		"mldsa65-ed25519": entity(t, packet.PubKeyAlgoMldsa65Ed25519, "", true).PrimaryKey,
		"rsa2048":         entity(t, packet.PubKeyAlgoRSA, "", false).PrimaryKey,
	} {
		if got := algorithmName(e); got != name {
			t.Errorf("got %s, want %s", got, name)
		}
	}
}

// One flaw each.
func TestParseCertificateRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	good := usual(t, m, noon).bytes()
	daily := must(alice().Daily())(t)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"text", []byte("hello"), ErrMalformed},
		{"two certificates", append(slices.Clone(good), alice().Certificate().Bytes()...), ErrMalformed},
		{"two armored blocks", append(alice().Certificate().Armor(), alice().Certificate().Armor()...), ErrMalformed},
		{"secret key, armored", daily, ErrSecret},
		{"secret key, binary", must(dearmored(daily))(t), ErrSecret},
		{"cut off", good[:len(good)-1], ErrMalformed},
		{"a byte after it", append(slices.Clone(good), 0), ErrMalformed},
		{"armor without an end", bytes.Split(alice().Certificate().Armor(), []byte("-----END"))[0], ErrMalformed},
		{"armor of another type", bytes.ReplaceAll(alice().Certificate().Armor(), []byte("PUBLIC KEY BLOCK"), []byte("MESSAGE")), ErrMalformed},
		{"armor that is not base64", bytes.Replace(alice().Certificate().Armor(), []byte("\n\n"), []byte("\n\n*"), 1), ErrMalformed},
		{"no user id", newForge(t, m.primary).subkey(m.seal, "E", noon).bytes(), ErrMalformed},
		{"user id without self-signature", newForge(t, m.primary).raw(userIDPacket("Carol")).bytes(), ErrMalformed},
		{"user id signed by another", foreignID(t, m), ErrMalformed},
		{"signature of one user id under another", otherID(t, m), ErrMalformed},
		{"user id only revoked", newForge(t, m.primary).raw(userIDPacket("Carol")).revokeID("Carol", noon).bytes(), ErrMalformed},
		{"nothing but a SHA-1 self-signature", newForge(t, m.primary).userID("Carol", noon, sha1Hash).bytes(), ErrWeak},
		{"nothing but an MD5 self-signature", md5Signed(t, m), ErrWeak},
		{"critical notation in the self-signature", newForge(t, m.primary).userID("Carol", noon, criticalNotation).bytes(), ErrMalformed},
		{"signature first", frames(t, good)[2].raw, ErrMalformed},
		{"a literal in it", append(slices.Clone(good), 0xcb, 6, 'b', 0, 0, 0, 0, 0), ErrMalformed},
		{"a packet in parts", inParts(t, good), ErrMalformed},
		{"33 user ids", userIDs(t, m, 33), ErrLimit},
		{"user id of 1,025 bytes", newForge(t, m.primary).userID(strings.Repeat("a", 1025), noon).bytes(), ErrLimit},
		{"17 subkeys", subkeys(t, m, 17), ErrLimit},
		{"257 self-signatures", selfSignatures(t, m, 257), ErrLimit},
		{"64 KiB and a byte", append(slices.Clone(good), make([]byte, maxCertificate-len(good)+1)...), ErrLimit},
		{"96 KiB of text", append(alice().Certificate().Armor(), bytes.Repeat([]byte("\n"), maxArmored)...), ErrLimit},
		{"DSA", keyOfAlgorithm(17), ErrWeak},
		{"ElGamal", keyOfAlgorithm(16), ErrWeak},
		{"version 3", []byte{0xc6, 14, 3, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, ErrWeak},
		{"version 5", []byte{0xc6, 14, 5, 0, 0, 0, 1, 22, 0, 0, 0, 0, 0, 0, 0, 0}, ErrMalformed},
		{"version 6 with another length inside", miscounted(t), ErrMalformed},
		{"RSA 1024", rsaKey(t, 1024), ErrWeak},
		{"RSA 16384", rsaKey(t, 16384), ErrWeak},
		{"RSA 4096 with zeros in front", paddedRSA(t), ErrWeak},
		{"brainpoolP256r1", serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, packet.CurveBrainpoolP256, false)), ErrWeak},
		{"brainpoolP384r1", serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, packet.CurveBrainpoolP384, false)), ErrWeak},
		{"brainpoolP512r1", serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, packet.CurveBrainpoolP512, false)), ErrWeak},
		{"secp256k1", serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, packet.CurveSecP256k1, false)), ErrWeak},
		{"primary key that cannot sign", newForge(t, &packet.PrivateKey{PublicKey: primaryOf(m.seal.PublicKey)}).bytes(), ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseCertificate(c.in)
			wantError(t, err, c.want)
			if got != nil {
				t.Error("a certificate with an error")
			}
		})
	}
}

// At the limit all of it is still taken.
func TestParseCertificateTakes(t *testing.T) {
	m := freshMaterial(t, noon)
	for name, in := range map[string][]byte{
		"32 user ids":           userIDs(t, m, 32),
		"16 subkeys":            subkeys(t, m, 16),
		"256 self-signatures":   selfSignatures(t, m, 256),
		"user id of 1 KiB":      newForge(t, m.primary).userID(strings.Repeat("a", 1024), noon).bytes(),
		"lines ending in CR LF": bytes.ReplaceAll(alice().Certificate().Armor(), []byte("\n"), []byte("\r\n")),
		"a byte order mark":     append([]byte("\xef\xbb\xbf"), alice().Certificate().Armor()...),
		"text around the armor": slices.Concat([]byte("My key:\n"), alice().Certificate().Armor(), []byte("Bye\n")),
		"v6 Ed25519":            serializedPublic(t, entity(t, packet.PubKeyAlgoEd25519, "", true)),
		"v6 ML-DSA":             serializedPublic(t, entity(t, packet.PubKeyAlgoMldsa65Ed25519, "", true)),
		"P-256":                 serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, packet.CurveNistP256, false)),
	} {
		t.Run(name, func(t *testing.T) {
			c := must(ParseCertificate(in))(t)
			if c.Usable(noon) != nil && strings.Contains(name, "P-256") {
				t.Error(c.Usable(noon))
			}
		})
	}
}

// What is nobody's business is left out, and the rest kept as it was.
func TestParseCertificateLeavesOut(t *testing.T) {
	m := freshMaterial(t, noon)
	good := usual(t, m, noon).bytes()
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"signatures of others", slices.Concat(good[:idEnd(t, good)], bytes.Repeat(thirdParty(t, m), 300), good[idEnd(t, good):])},
		{"a photo and its signature", slices.Concat(good, []byte{0xd1, 3, 2, 1, 0}, thirdParty(t, m))},
		{"a trust packet", slices.Concat(good, []byte{0xcc, 2, 0, 0})},
		{"an unknown packet that may be ignored", slices.Concat(good, []byte{0xfc, 1, 0})},
		{"a doubled subkey", slices.Concat(good, frames(t, good)[3].raw, frames(t, good)[4].raw)},
		{"a subkey without binding", slices.Concat(good, mallory().cert.subkeys[0].raw)},
		{"a stolen signing subkey", slices.Concat(good, stolen(t, m, mallory().secretOf(mallory().cert.subkeys[0])))},
		{"a subkey bound with SHA-1", slices.Concat(good, newForge(t, m.primary).subkey(freshMaterial(t, noon).seal, "E", noon, sha1Hash).bytes()[keyEnd(t, good):])},
		{"a signing subkey that signs back with SHA-1", slices.Concat(good, newForge(t, m.primary).subkey(freshMaterial(t, noon).sign, "S1", noon).bytes()[keyEnd(t, good):])},
		{"a subkey of version 6", slices.Concat(good, newForge(t, m.primary).subkey(entity(t, packet.PubKeyAlgoEd25519, "", true).Subkeys[0].PrivateKey, "E", noon).bytes()[keyEnd(t, good):])},
		{"a self-signature of version 6", slices.Concat(good[:idEnd(t, good)], signatureOfVersion6(t, m.primary, packet.SigTypePositiveCert, certified(t, m, "Carol")), good[idEnd(t, good):])},
		{"a subkey of 1,024 bits", slices.Concat(good, weakSubkey(t, m, 1024)[keyEnd(t, good):])},
		{"a subkey of 65,528 bits", slices.Concat(good, weakSubkey(t, m, 65528)[keyEnd(t, good):])},
		{"a self-signature with a byte behind it", slices.Concat(good[:idEnd(t, good)], grown(frames(t, good)[2]), good[idEnd(t, good):])},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := must(ParseCertificate(c.in))(t)
			if !bytes.Equal(got.Bytes(), good) {
				t.Errorf("%d bytes, want %d", len(got.Bytes()), len(good))
			}
		})
	}
}

func TestUserIDIsTheNewestThatIsNotRevoked(t *testing.T) {
	m := freshMaterial(t, noon)
	later := noon.Add(time.Hour)
	primary := func(s *packet.Signature) { yes := true; s.IsPrimaryId = &yes }
	for _, c := range []struct {
		name string
		f    *forge
		want string
	}{
		{"newest", newForge(t, m.primary).userID("New", later).userID("Old", noon), "New"},
		{"last of equals", newForge(t, m.primary).userID("First", noon).userID("Last", noon), "Last"},
		{"primary of equals", newForge(t, m.primary).userID("First", noon, primary).userID("Last", noon), "First"},
		{"newer than the primary", newForge(t, m.primary).userID("First", noon, primary).userID("Last", later), "Last"},
		{"not a revoked one", newForge(t, m.primary).userID("Old", noon).userID("New", later).revokeID("New", later), "Old"},
		{"vouched for anew", newForge(t, m.primary).userID("Old", noon).userID("New", later).revokeID("New", later).certify("New", later.Add(time.Hour)), "New"},
		{"revoked when there is no other", newForge(t, m.primary).userID("Only", noon).revokeID("Only", later), "Only"},
		{"raw", newForge(t, m.primary).userID("\x1b[31mEve\n", noon), "\x1b[31mEve\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.f.certificate().UserID(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The pieces that the tables above are made of.

func (f *forge) raw(b []byte) *forge { f.out.Write(b); return f }

func userIDPacket(id string) []byte { return append(appendHeader(nil, tagUserID, len(id)), id...) }

func dearmored(text []byte) ([]byte, error) { b, _, err := dearmor(text); return b, err }

func criticalNotation(s *packet.Signature) {
	s.Notations = []*packet.Notation{{Name: "x@example.org", IsCritical: true}}
}

// certified is what a certification of a user id is made over (RFC 9580 §5.2.4).
func certified(t *testing.T, m material, id string) []byte {
	var out bytes.Buffer
	if err := m.primary.SerializeForHash(&out); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(out.Bytes(), []byte{0xb4, 0, 0, 0, byte(len(id))}, []byte(id))
}

func keyEnd(t *testing.T, cert []byte) int { return len(frames(t, cert)[0].raw) }

func idEnd(t *testing.T, cert []byte) int {
	n := 0
	for _, f := range frames(t, cert)[:3] {
		n += len(f.raw)
	}
	return n
}

func foreignID(t *testing.T, m material) []byte {
	s := newSignature(packet.SigTypePositiveCert, &m.primary.PublicKey, noon)
	if err := s.SignUserId("Carol", &m.primary.PublicKey, mallory().secretOf(mallory().cert.primary), settings()); err != nil {
		t.Fatal(err)
	}
	return newForge(t, m.primary).raw(userIDPacket("Carol")).raw(must(serialize(s))(t)).bytes()
}

func otherID(t *testing.T, m material) []byte {
	f := frames(t, newForge(t, m.primary).userID("Carol", noon).bytes())
	return newForge(t, m.primary).raw(userIDPacket("Mallory")).raw(f[2].raw).bytes()
}

func md5Signed(t *testing.T, m material) []byte {
	in := newForge(t, m.primary).userID("Carol", noon).bytes()
	f := frames(t, in)[2]
	f.body[3] = 1
	return in
}

// inParts gives the self-signature a length in parts.
func inParts(t *testing.T, cert []byte) []byte {
	f := frames(t, cert)
	body := f[2].body
	return slices.Concat(f[0].raw, f[1].raw, []byte{0xc2, 0xe1}, body[:2], appendHeader(nil, 0, len(body)-2)[1:], body[2:])
}

func grown(f frame) []byte {
	return slices.Concat(appendHeader(nil, f.tag, f.size+1), f.body, []byte{0})
}

func userIDs(t *testing.T, m material, n int) []byte {
	f := newForge(t, m.primary)
	for i := range n {
		f.userID(fmt.Sprintf("Carol %d", i), noon)
	}
	return f.bytes()
}

func subkeys(t *testing.T, m material, n int) []byte {
	f := newForge(t, m.primary).userID("Carol", noon)
	for range n {
		f.subkey(freshMaterial(t, noon).seal, "E", noon)
	}
	return f.bytes()
}

func selfSignatures(t *testing.T, m material, n int) []byte {
	f := newForge(t, m.primary).userID("Carol", noon)
	for i := 1; i < n; i++ {
		f.certify("Carol", noon.Add(time.Duration(i)*time.Second))
	}
	return f.bytes()
}

func thirdParty(t *testing.T, m material) []byte {
	s := newSignature(packet.SigTypeGenericCert, mallory().cert.primary.key, noon)
	if err := s.SignUserId("Carol", &m.primary.PublicKey, mallory().secretOf(mallory().cert.primary), settings()); err != nil {
		t.Fatal(err)
	}
	return must(serialize(s))(t)
}

// stolen binds somebody's signing key without its consent.
func stolen(t *testing.T, m material, k *packet.PrivateKey) []byte {
	s := newSignature(packet.SigTypeSubkeyBinding, &m.primary.PublicKey, noon)
	flags("S")(s)
	if err := s.SignKey(&k.PublicKey, m.primary, settings()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := k.PublicKey.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), must(serialize(s))(t)...)
}

func keyOfAlgorithm(n byte) []byte {
	return []byte{0xc6, 14, 4, 0, 0, 0, 1, n, 0, 1, 1, 0, 1, 1, 0, 1}
}

// modulus is a number of so many bits that nobody can factor, or needs to.
func modulus(bits int) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return n.Add(n, big.NewInt(0x10001))
}

func rsaKey(t *testing.T, bits int) []byte {
	var out bytes.Buffer
	if err := packet.NewRSAPublicKey(noon, &rsa.PublicKey{N: modulus(bits), E: 65537}).Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// paddedRSA says 4,096 bits and has 1,024.
func paddedRSA(*testing.T) []byte {
	body := slices.Concat([]byte{4, 0, 0, 0, 1, 1, 0x10, 0}, make([]byte, 384), modulus(1024).Bytes(), []byte{0, 17, 1, 0, 1})
	return append(appendHeader(nil, tagPublicKey, len(body)), body...)
}

// miscounted says another length of its numbers, which goes into no fingerprint.
func miscounted(t *testing.T) []byte {
	in := serializedPublic(t, entity(t, packet.PubKeyAlgoEd25519, "", true))
	frames(t, in)[0].body[9]++
	return in
}

func weakSubkey(t *testing.T, m material, bits int) []byte {
	k := packet.NewRSAPublicKey(noon, &rsa.PublicKey{N: modulus(bits), E: 65537})
	k.IsSubkey = true
	return newForge(t, m.primary).subkey(&packet.PrivateKey{PublicKey: *k}, "E", noon).bytes()
}

func primaryOf(k packet.PublicKey) packet.PublicKey { k.IsSubkey = false; return k }
