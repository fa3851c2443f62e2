package pgp

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// The library's traps, by number. Those that live where their subject does:
// 2 in seal_test, 5 in secret_test, 6 in generate_test, 7 in standing_test.

// Mallory passes on to Bob what Alice signed for her. The library looks whom a
// signature is meant for, but not if a password packet stands in the message.
func TestTrap01ForwardedMessage(t *testing.T) {
	k := signingSecret(t, alice())
	sig := signWith(t, k, []byte("hello"), noon, notations("request"), intended(mallory()))
	forwarded := sealed(t, wrapped(t, material{sign: k}, sig), bob())
	junk := []byte{0xc3, 13, 4, 9, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96}
	wantError(t, CheckOuter(append(junk, forwarded...), bob()), ErrMalformed)
	o := must(Decrypt(forwarded, bob(), 5))(t)
	wantError(t, o.Verify(ContextRequest, alice().cert, noon, noon), ErrRecipient)
}

func TestTrap03OnePassSignatureFlood(t *testing.T) {
	f := frames(t, inner(t, alice(), "hello"))
	flood := slices.Concat(bytes.Repeat(f[0].raw, 10000), f[1].raw, f[2].raw)
	_, err := Decrypt(sealed(t, flood, bob()), bob(), 1<<20)
	wantError(t, err, ErrMalformed)
}

func TestTrap04ArmorHeaderFlood(t *testing.T) {
	text := string(alice().cert.Armor())
	secret := string(must(alice().Daily())(t))
	for name, n := range map[string]int{"a line of 1,001 bytes": 1001, "a line of 90 KiB": 90 << 10, "a line of 256 KiB": 256 << 10} {
		t.Run(name, func(t *testing.T) {
			flood := "\nComment: " + strings.Repeat("x", n-len("Comment: ")) + "\n\n"
			_, err := ParseCertificate([]byte(strings.Replace(text, "\n\n", flood, 1)))
			wantError(t, err, ErrLimit)
			_, err = ParseSecret([]byte(strings.Replace(secret, "\n\n", flood, 1)), never)
			wantError(t, err, ErrLimit)
		})
	}
	ok := "\nComment: " + strings.Repeat("x", 1000-len("Comment: ")) + "\n\n"
	must(ParseCertificate([]byte(strings.Replace(text, "\n\n", ok, 1))))(t)
}

// The library keeps user ids in a map: twenty encodings of one key are not one.
func TestTrap08OneCertificateOneEncoding(t *testing.T) {
	m := freshMaterial(t, noon)
	in := newForge(t, m.primary).userID("A", noon).userID("B", noon).userID("C", noon).subkey(m.seal, "E", noon).bytes()
	for range 20 {
		c := must(ParseCertificate(in))(t)
		if !bytes.Equal(c.Bytes(), in) {
			t.Fatal("another encoding")
		}
		if least := must(c.Minimal())(t); !bytes.Equal(least, must(must(ParseCertificate(in))(t).Minimal())(t)) {
			t.Fatal("another shortened encoding")
		}
	}
}

// The library looks keys up by the short key id, and tries the first it finds.
// Here the certificate is the caller's choice, and what the signature calls its
// maker cannot lead elsewhere.
func TestTrap09KeyIDLeadsNowhere(t *testing.T) {
	data := []byte("post")
	mine := signingSecret(t, mallory())
	sig := signWith(t, mine, data, noon)
	f := frames(t, sig)[0]
	theirs := signingSecret(t, alice())
	disguised := withUnhashedSubpacket(f, 16, keyIDOf(theirs))
	disguised = withUnhashedSubpacket(frames(t, disguised)[0], 33, append([]byte{4}, theirs.Fingerprint...))
	_, err := alice().cert.Verify(ContextPost, data, disguised)
	wantError(t, err, ErrSignature)
	_, err = mallory().cert.Verify(ContextPost, data, disguised)
	wantError(t, err, ErrSignature)
}

// Neither of these is an error to the library's ReadMessage.
func TestTrap10UnsignedAndUnencrypted(t *testing.T) {
	f := frames(t, inner(t, alice(), "hello"))
	_, err := Decrypt(slices.Concat(f[0].raw, f[1].raw, f[2].raw), bob(), 5)
	wantError(t, err, ErrMalformed)
	_, err = Decrypt(f[1].raw, bob(), 5)
	wantError(t, err, ErrMalformed)
	_, err = Decrypt(sealed(t, f[1].raw, bob()), bob(), 5)
	wantError(t, err, ErrMalformed)
}

// Bombs are never unpacked, however they are nested.
func TestCompressionBombs(t *testing.T) {
	bomb := compressed(append(appendHeader(nil, tagLiteral, 6+1<<20), append([]byte{'b', 0, 0, 0, 0, 0}, make([]byte, 1<<20)...)...))
	nested := bomb
	for range 40 {
		nested = compressed(nested)
	}
	bzip := append(appendHeader(nil, 8, 5), 3, 'B', 'Z', 'h', '9')
	for name, b := range map[string][]byte{"ZLIB": bomb, "forty deep": nested, "BZIP2": bzip} {
		t.Run(name, func(t *testing.T) {
			wantError(t, CheckOuter(b, bob()), ErrMalformed)
			_, err := Decrypt(sealed(t, b, bob()), bob(), 1<<20)
			wantError(t, err, ErrMalformed)
		})
	}
}

// A message cut off anywhere is no message.
func TestTruncatedAnywhere(t *testing.T) {
	for _, opt := range []SealOptions{{}, {GCM: true}} {
		message := must(Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, opt))(t)
		for n := range message {
			if _, err := Decrypt(message[:n], bob(), 5); err == nil {
				t.Fatalf("%+v: opened with %d of %d bytes", opt, n, len(message))
			}
		}
	}
}

// Cut off, and the lengths mended: only the integrity check can tell.
func TestTruncatedAndMended(t *testing.T) {
	for _, opt := range []SealOptions{{}, {GCM: true}} {
		message := must(Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, opt))(t)
		f := frames(t, message)
		for n := range f[1].size {
			mended := append(slices.Clone(f[0].raw), appendHeader(nil, tagSealed, n)...)
			_, err := Decrypt(append(mended, f[1].body[:n]...), bob(), 5)
			wantError(t, err, ErrMalformed)
		}
	}
}

// No flipped bit is ever read as something else. (A few in the session key's
// lengths say the same in other words.)
func TestFlippedBits(t *testing.T) {
	for _, opt := range []SealOptions{{}, {GCM: true}} {
		message := must(Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, opt))(t)
		outside := len(frames(t, message)[0].raw)
		for i := range len(message) * 8 {
			flipped := slices.Clone(message)
			flipped[i/8] ^= 1 << (i % 8)
			o, err := Decrypt(flipped, bob(), 5)
			if err != nil {
				continue
			}
			if i/8 >= outside || string(o.Literal) != "hello" || o.Verify(ContextRequest, alice().cert, noon, noon) != nil {
				t.Errorf("%+v: bit %d of byte %d", opt, i%8, i/8)
			}
		}
	}
}

func TestFlippedBitsOfASignature(t *testing.T) {
	data := []byte("post")
	sig := must(alice().Sign(ContextPost, data, noon))(t)
	f := frames(t, sig)[0]
	head := len(f.raw) - f.size
	hashed := head + 6 + int(f.body[4])<<8 + int(f.body[5])
	for i := range hashed * 8 {
		flipped := slices.Clone(sig)
		flipped[i/8] ^= 1 << (i % 8)
		if _, err := alice().cert.Verify(ContextPost, data, flipped); err == nil {
			t.Errorf("bit %d of byte %d", i%8, i/8)
		}
	}
}

// A huge user id or key is not even read.
func TestHugeInput(t *testing.T) {
	huge := append(slices.Clone(alice().cert.Bytes()), append(appendHeader(nil, tagUserID, 1<<20), make([]byte, 1<<20)...)...)
	_, err := ParseCertificate(huge)
	wantError(t, err, ErrLimit)
	_, err = ParseSecret(append([]byte{0xc5}, huge[1:]...), never)
	wantError(t, err, ErrLimit)
	_, err = alice().cert.Verify(ContextPost, nil, huge)
	wantError(t, err, ErrLimit)
}

// A message made by another program of the same library, as it makes them: with
// parts, with the recipients named. It is one of ours in other clothes.
func TestMessageOfAnotherProgram(t *testing.T) {
	them := entity(t, packet.PubKeyAlgoEdDSA, packet.Curve25519, false)
	me := must(openpgp.ReadKeyRing(bytes.NewReader(bob().cert.Bytes())))(t)
	c := settings()
	c.AEADConfig = nil
	c.Time = func() time.Time { return noon }
	c.SignatureNotations = notation(contextNotation, "request")
	var out bytes.Buffer
	w, err := openpgp.Encrypt(&out, me, nil, []*openpgp.Entity{them}, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	literal := make([]byte, 100_000)
	_, _ = rand.Read(literal)
	if _, err := w.Write(literal); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	o := must(Decrypt(out.Bytes(), bob(), len(literal)))(t)
	if !bytes.Equal(o.Literal, literal) {
		t.Error("another literal")
	}
	cert := must(ParseCertificate(serializedPublic(t, them)))(t)
	wantError(t, o.Verify(ContextRequest, cert, noon, noon), nil)
	_, err = Decrypt(out.Bytes(), bob(), len(literal)-1)
	wantError(t, err, ErrLimit)
}

func keyIDOf(k *packet.PrivateKey) []byte {
	return keyID(&component{key: &k.PublicKey})
}
