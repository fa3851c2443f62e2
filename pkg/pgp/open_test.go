package pgp

import (
	"bytes"
	"compress/zlib"
	"crypto/des"
	"crypto/sha1"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// What lies inside must be exactly three packets.
func TestDecryptRefuses(t *testing.T) {
	whole := inner(t, alice(), "hello")
	f := frames(t, whole)
	ops, literal, sig := f[0], f[1], f[2]
	lit := func(body ...byte) []byte { return append(appendHeader(nil, tagLiteral, len(body)), body...) }
	notLast := slices.Clone(ops.raw)
	notLast[len(notLast)-1] = 0
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"not signed", literal.raw, ErrMalformed},
		{"no one-pass signature", slices.Concat(literal.raw, sig.raw), ErrMalformed},
		{"signature first, as in old times", slices.Concat(sig.raw, literal.raw), ErrMalformed},
		{"no signature", slices.Concat(ops.raw, literal.raw), ErrMalformed},
		{"no literal", slices.Concat(ops.raw, sig.raw), ErrMalformed},
		{"two one-pass signatures", slices.Concat(ops.raw, ops.raw, literal.raw, sig.raw), ErrMalformed},
		{"doubly signed", slices.Concat(ops.raw, ops.raw, literal.raw, sig.raw, sig.raw), ErrMalformed},
		{"two literals", slices.Concat(ops.raw, literal.raw, literal.raw, sig.raw), ErrMalformed},
		{"two signatures", slices.Concat(whole, sig.raw), ErrMalformed},
		{"a literal after", slices.Concat(whole, literal.raw), ErrMalformed},
		{"padding after", slices.Concat(whole, []byte{0xd5, 1, 0}), ErrMalformed},
		{"a marker inside", slices.Concat([]byte{0xca, 3, 'P', 'G', 'P'}, whole), ErrMalformed},
		{"a byte after", slices.Concat(whole, []byte{0}), ErrMalformed},
		{"cut off", whole[:len(whole)-1], ErrMalformed},
		{"compressed", compressed(whole), ErrMalformed},
		{"compressed literal", slices.Concat(ops.raw, compressed(literal.raw), sig.raw), ErrMalformed},
		{"encrypted once more", sealed(t, whole, bob()), ErrMalformed},
		{"signature in parts", slices.Concat(ops.raw, literal.raw, []byte{0xc2, 0xe0}, sig.body[:1], appendHeader(nil, 0, sig.size-1)[1:], sig.body[1:]), ErrMalformed},
		{"signature over 8 KiB", slices.Concat(ops.raw, literal.raw, withUnhashed(sig, make([]byte, maxSignature))), ErrLimit},
		{"signature with a byte behind it", slices.Concat(ops.raw, literal.raw, grown(sig)), ErrMalformed},
		{"one-pass signature with a byte behind it", slices.Concat(grown(ops), literal.raw, sig.raw), ErrMalformed},
		{"one-pass signature that is not the last", slices.Concat(notLast, literal.raw, sig.raw), ErrMalformed},
		{"text literal", slices.Concat(ops.raw, lit('t', 0, 0, 0, 0, 0, 'h'), sig.raw), ErrMalformed},
		{"UTF-8 literal", slices.Concat(ops.raw, lit('u', 0, 0, 0, 0, 0, 'h'), sig.raw), ErrMalformed},
		{"literal without a date", slices.Concat(ops.raw, lit('b', 0, 0, 0, 0), sig.raw), ErrMalformed},
		{"literal whose name has no end", slices.Concat(ops.raw, lit('b', 200, 0, 0, 0, 0, 'h'), sig.raw), ErrMalformed},
		{"empty literal packet", slices.Concat(ops.raw, lit(), sig.raw), ErrMalformed},
		{"literal over the limit", slices.Concat(ops.raw, lit(append([]byte{'b', 0, 0, 0, 0, 0}, make([]byte, 101)...)...), sig.raw), ErrLimit},
		{"a name that takes all the room", slices.Concat(ops.raw, make([]byte, 1<<20)), ErrLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := sealed(t, c.in, bob())
			wantError(t, CheckOuter(message, bob()), nil)
			o, err := Decrypt(message, bob(), 100)
			wantError(t, err, c.want)
			if o != nil {
				t.Error("opened with an error")
			}
		})
	}
}

func TestDecryptTakes(t *testing.T) {
	f := frames(t, inner(t, alice(), "hello"))
	b := f[1].body
	for _, c := range []struct {
		name    string
		literal []byte
	}{
		{"as we write it", f[1].raw},
		{"in parts, as gpg writes it", slices.Concat([]byte{0xcb, 0xe3}, b[:8], []byte{byte(len(b) - 8)}, b[8:])},
		{"old header", append([]byte{0xac, byte(len(b))}, b...)},
		{"with name and date", append([]byte{0xcb, 14, 'b', 3, 'x', '.', 'y', 1, 2, 3, 4}, "hello"...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := must(Decrypt(sealed(t, slices.Concat(f[0].raw, c.literal, f[2].raw), bob()), bob(), 5))(t)
			if string(o.Literal) != "hello" {
				t.Errorf("got %q", o.Literal)
			}
			wantError(t, o.Verify(ContextRequest, alice().cert, noon, noon), nil)
		})
	}
}

func TestDecryptIsForTheRecipient(t *testing.T) {
	message := must(Seal([]byte("x"), ContextRequest, alice(), bob().cert, noon, SealOptions{}))(t)
	wantError(t, CheckOuter(message, mallory()), nil) // it is hidden whom it is for
	_, err := Decrypt(message, mallory(), 1)
	wantError(t, err, ErrRecipient)
}

// A session key that opens, but not for an AES, and one that names me and does
// not open.
func TestDecryptRefusesSessionKeys(t *testing.T) {
	t.Run("3DES, in order but for that", func(t *testing.T) {
		_, err := Decrypt(tripleDES(t, inner(t, alice(), "hello"), bob()), bob(), 5)
		wantError(t, err, ErrMalformed)
	})
	t.Run("for another under my name", func(t *testing.T) {
		message := sealed(t, inner(t, alice(), "hello"), mallory())
		f := frames(t, message)[0]
		copy(message[len(f.raw)-f.size+1:], keyID(bob().opens[0]))
		_, err := Decrypt(message, bob(), 5)
		wantError(t, err, ErrMalformed)
	})
}

// What was sent to a subkey that has expired or been replaced since still opens;
// a key that was never for encryption opens nothing.
func TestDecryptWithOlderSubkeys(t *testing.T) {
	m, young := freshMaterial(t, noon), freshMaterial(t, noon.Add(day))
	before := must(Seal([]byte("x"), ContextRequest, alice(), usual(t, m, noon).certificate(), noon, SealOptions{}))(t)
	f := newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).
		subkey(m.seal, "E", noon, lifetime(time.Hour)).revokeSubkey(m.seal, noon.Add(time.Hour)).
		subkey(young.seal, "E", noon.Add(day))
	me := must(newSecret(f.certificate(), []*packet.PrivateKey{m.primary, m.sign, m.seal, young.seal}))(t)
	must(Decrypt(before, me, 1))(t)
	after := must(Seal([]byte("x"), ContextRequest, alice(), me.cert, noon.Add(2*day), SealOptions{}))(t)
	must(Decrypt(after, me, 1))(t)

	g := newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).
		subkey(m.seal, "", noon).subkey(young.seal, "E", noon)
	stranger := must(newSecret(g.certificate(), []*packet.PrivateKey{m.primary, m.sign, m.seal, young.seal}))(t)
	_, err := Decrypt(before, stranger, 1)
	wantError(t, err, ErrRecipient)
}

// One flaw each.
func TestOpenedVerifyRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	carol := func(f *forge) *Certificate { return f.certificate() }
	plain := usual(t, m, noon).certificate()
	rsaUser := entity(t, packet.PubKeyAlgoRSA, "", false)
	sig := func(at time.Time, edits ...edit) []byte {
		return signWith(t, m.sign, []byte("hello"), at, append([]edit{notations("request")}, edits...)...)
	}
	for _, c := range []struct {
		name    string
		sig     []byte
		signer  *Certificate
		ctx     Context
		at, now time.Time
		want    error
	}{
		{"another person", sig(noon), alice().cert, ContextRequest, noon, noon, ErrSignature},
		{"another context", sig(noon), plain, ContextAnswer, noon, noon, ErrContext},
		{"signed 61 s before", sig(noon), plain, ContextRequest, noon.Add(61 * time.Second), noon, ErrSignature},
		{"signed 61 s after", sig(noon.Add(61 * time.Second)), plain, ContextRequest, noon, noon, ErrSignature},
		{"other bytes", signWith(t, m.sign, []byte("hallo"), noon, notations("request")), plain, ContextRequest, noon, noon, ErrSignature},
		{"text signature", sig(noon, kind(packet.SigTypeText)), plain, ContextRequest, noon, noon, ErrSignature},
		{"SHA-1", sig(noon, sha1Hash), plain, ContextRequest, noon, noon, ErrWeak},
		{"by the authentication subkey", signWith(t, m.authenticate, []byte("hello"), noon, notations("request")), plain, ContextRequest, noon, noon, ErrSignature},
		{"key made after that", sig(noon.Add(-time.Minute)), plain, ContextRequest, noon.Add(-time.Minute), noon, ErrExpired},
		{"key made in eleven minutes", sig(noon), plain, ContextRequest, noon, noon.Add(-11 * time.Minute), ErrExpired},
		{"key expired then", sig(noon.Add(day)), carol(usual(t, m, noon, lifetime(day))), ContextRequest, noon.Add(day), noon.Add(day), ErrExpired},
		{"back-dated: key expired since", sig(noon), carol(usual(t, m, noon, lifetime(day))), ContextRequest, noon, noon.Add(day + 11*time.Minute), ErrExpired},
		{"compromised since", sig(noon), carol(usual(t, m, noon).revoke(noon.Add(day))), ContextRequest, noon, noon, ErrRevoked},
		{"superseded then", sig(noon), carol(usual(t, m, noon).revoke(noon, reason(packet.KeySuperseded))), ContextRequest, noon, noon, ErrRevoked},
		{"superseded since", sig(noon), carol(usual(t, m, noon).revoke(noon.Add(time.Second), reason(packet.KeySuperseded))), ContextRequest, noon, noon.Add(time.Second), ErrRevoked},
		{"signing subkey revoked", sig(noon), carol(newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).revokeSubkey(m.sign, noon)), ContextRequest, noon, noon, ErrRevoked},
		{"signature expired", sig(noon, signatureLifetime(time.Minute)), plain, ContextRequest, noon, noon.Add(12 * time.Minute), ErrExpired},
		{"one-pass signature of another kind", signWith(t, rsaUser.PrivateKey, []byte("hello"), noon, notations("request")), plain, ContextRequest, noon, noon, ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := must(Decrypt(sealed(t, wrapped(t, m, c.sig), bob()), bob(), 5))(t)
			wantError(t, o.Verify(c.ctx, c.signer, c.at, c.now), c.want)
			_, err := o.HeldBy(c.ctx, c.signer.Bytes())
			if err == nil {
				err = o.Verify(c.ctx, c.signer, c.at, c.now)
			}
			wantError(t, err, c.want)
		})
	}
}

func TestOpenedVerifyTakes(t *testing.T) {
	m := freshMaterial(t, noon)
	sig := func(at time.Time, edits ...edit) []byte {
		return signWith(t, m.sign, []byte("hello"), at, append([]edit{notations("request")}, edits...)...)
	}
	for _, c := range []struct {
		name    string
		sig     []byte
		signer  *Certificate
		at, now time.Time
	}{
		{"60 s before", sig(noon), usual(t, m, noon).certificate(), noon.Add(time.Minute), noon},
		{"60 s after", sig(noon.Add(time.Minute)), usual(t, m, noon).certificate(), noon, noon},
		{"key made in nine minutes", sig(noon), usual(t, m, noon).certificate(), noon, noon.Add(-9 * time.Minute)},
		{"key expired nine minutes ago", sig(noon.Add(day - time.Second)), usual(t, m, noon, lifetime(day)).certificate(), noon.Add(day), noon.Add(day + 9*time.Minute)},
		{"to be superseded tomorrow", sig(noon), usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeySuperseded)).certificate(), noon, noon},
		{"for me among others", sig(noon, intended(alice(), bob())), usual(t, m, noon).certificate(), noon, noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := must(Decrypt(sealed(t, wrapped(t, m, c.sig), bob()), bob(), 5))(t)
			wantError(t, o.Verify(ContextRequest, c.signer, c.at, c.now), nil)
			if !must(o.HeldBy(ContextRequest, c.signer.Bytes()))(t) {
				t.Error("not held")
			}
			wantError(t, o.Verify(ContextRequest, c.signer, c.at, c.now), nil)
		})
	}
}

// Each part of the one-pass signature must be the signature's.
func TestOnePassSignatureAgrees(t *testing.T) {
	f := frames(t, inner(t, alice(), "hello"))
	for _, c := range []struct {
		name string
		at   int
		b    byte
	}{{"type", 1, 1}, {"hash", 2, 10}, {"algorithm", 3, 1}, {"key id", 4, f[0].body[4] ^ 1}} {
		t.Run(c.name, func(t *testing.T) {
			ops := slices.Clone(f[0].raw)
			ops[len(ops)-f[0].size+c.at] = c.b
			o := must(Decrypt(sealed(t, slices.Concat(ops, f[1].raw, f[2].raw), bob()), bob(), 5))(t)
			wantError(t, o.Verify(ContextRequest, alice().cert, noon, noon), ErrSignature)
		})
	}
}

// wrapped puts a signature over "hello" behind a literal and what announces it.
func wrapped(t *testing.T, m material, sig []byte) []byte {
	t.Helper()
	s := must(parseSignature(sig))(t)
	ops := &packet.OnePassSignature{Version: 3, SigType: s.SigType, Hash: s.Hash, PubKeyAlgo: m.sign.PubKeyAlgo, KeyId: *s.IssuerKeyId, IsLast: true}
	var out bytes.Buffer
	if err := ops.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	literal := append([]byte{0xcb, 11, 'b', 0, 0, 0, 0, 0}, "hello"...)
	return slices.Concat(out.Bytes(), literal, sig)
}

// tripleDES encrypts as programs did twenty years ago.
func tripleDES(t *testing.T, plaintext []byte, to *Secret) []byte {
	t.Helper()
	session, prefix := make([]byte, 24), make([]byte, 8)
	block := must(des.NewTripleDESCipher(session))(t)
	stream, head := packet.NewOCFBEncrypter(block, prefix, packet.OCFBNoResync)
	plaintext = append(slices.Clone(plaintext), 0xd3, 20)
	sum := sha1.Sum(slices.Concat(prefix, prefix[6:], plaintext))
	body := slices.Concat([]byte{1}, head, plaintext, sum[:])
	stream.XORKeyStream(body[1+len(head):], body[1+len(head):])
	var key bytes.Buffer
	if err := packet.SerializeEncryptedKeyAEADwithHiddenOption(&key, to.opens[0].key, packet.Cipher3DES, false, session, true, settings()); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(key.Bytes(), appendHeader(nil, tagSealed, len(body)), body)
}

func intended(people ...*Secret) edit {
	return func(s *packet.Signature) {
		for _, p := range people {
			s.IntendedRecipients = append(s.IntendedRecipients, &packet.Recipient{KeyVersion: 4, Fingerprint: p.cert.primary.key.Fingerprint})
		}
	}
}

func compressed(data []byte) []byte {
	var out bytes.Buffer
	out.WriteByte(2)
	w := zlib.NewWriter(&out)
	_, _ = w.Write(data)
	_ = w.Close()
	return append(appendHeader(nil, 8, out.Len()), out.Bytes()...)
}
