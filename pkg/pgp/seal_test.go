package pgp

import (
	"bytes"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// The shape that protocol §1 fixes, packet by packet.
func TestSealedMessage(t *testing.T) {
	for _, c := range []struct {
		name    string
		opt     SealOptions
		key     []byte // the session key's version and recipient
		version byte
	}{
		{"SEIPDv1", SealOptions{}, []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 18}, 1},
		{"SEIPDv2", SealOptions{GCM: true}, []byte{6, 0, 18}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := must(Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, c.opt))(t)
			f := frames(t, message)
			if len(f) != 2 || f[0].tag != tagSessionKey || f[1].tag != tagSealed || f[1].partial() {
				t.Fatalf("%d packets", len(f))
			}
			if !bytes.HasPrefix(f[0].body, c.key) {
				t.Errorf("session key begins with %x", f[0].body[:10])
			}
			if f[1].body[0] != c.version {
				t.Errorf("version %d", f[1].body[0])
			}
			if head := f[1].body[1:4]; c.opt.GCM && !bytes.Equal(head, []byte{9, 3, 10}) {
				t.Errorf("cipher, mode and chunk %x", head)
			}
			o := must(readOuter(message))(t)
			in := frames(t, must(o.open(nil, bob().secretOf(bob().opens[0])))(t))
			if len(in) != 3 || in[0].tag != tagOnePass || in[1].tag != tagLiteral || in[2].tag != tagSignature {
				t.Fatalf("%d packets inside", len(in))
			}
			if want := append([]byte{'b', 0, 0, 0, 0, 0}, "hello"...); !bytes.Equal(in[1].body, want) {
				t.Errorf("literal %q", in[1].body)
			}
		})
	}
}

// What the padding of a message rests on.
func TestSizeFollowsFromTheLength(t *testing.T) {
	for _, opt := range []SealOptions{{}, {GCM: true}} {
		for _, n := range []int{0, 1000, 8000, 70000} {
			least, most := 1<<30, 0
			for range 40 {
				size := len(must(Seal(make([]byte, n), ContextAnswer, alice(), bob().cert, noon, opt))(t))
				least, most = min(least, size), max(most, size)
			}
			if most-least > 3 {
				t.Errorf("%d bytes, %+v: %d to %d", n, opt, least, most)
			}
			next := len(must(Seal(make([]byte, n+10), ContextAnswer, alice(), bob().cert, noon, opt))(t))
			if d := next - most; d < 5 || d > 15 {
				t.Errorf("%d bytes, %+v: ten more make %d more", n, opt, d)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	m := freshMaterial(t, noon)
	expiring := usual(t, m, noon, lifetime(day))
	for _, c := range []struct {
		name string
		from *Secret
		to   *Certificate
		at   time.Time
		want error
	}{
		{"to an expired key", alice(), expiring.certificate(), noon.Add(2 * day), ErrNoEncryption},
		{"and says so", alice(), expiring.certificate(), noon.Add(2 * day), ErrExpired},
		{"to a revoked key", alice(), usual(t, m, noon).revoke(noon).certificate(), noon, ErrRevoked},
		{"to a key that only signs", alice(), newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).certificate(), noon, ErrNoEncryption},
		{"from an expired key", expiring.secret(m), bob().cert, noon.Add(2 * day), ErrNoSigning},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Seal(nil, ContextRequest, c.from, c.to, c.at, SealOptions{})
			wantError(t, err, c.want)
		})
	}
}

// Without settings the library panics at everybody who advertises SEIPDv2 (trap 2).
func TestTrap02SealsToWhoeverAdvertisesSEIPDv2(t *testing.T) {
	for _, e := range []packet.PublicKeyAlgorithm{packet.PubKeyAlgoEd25519, packet.PubKeyAlgoEd448, packet.PubKeyAlgoMldsa65Ed25519} {
		them := must(ParseSecret(serializedSecret(t, entity(t, e, "", true)), nil))(t)
		if self, err := them.cert.primarySelf(noon); err != nil || !self.SEIPDv2 {
			t.Fatalf("does not advertise: %v", err)
		}
		for _, opt := range []SealOptions{{}, {GCM: true}} {
			message := must(Seal([]byte("x"), ContextRequest, alice(), them.cert, noon, opt))(t)
			wantError(t, must(Decrypt(message, them, 1))(t).Verify(ContextRequest, alice().cert, noon, noon), nil)
		}
	}
}

// A recipient whose numbers make no sense is refused, and nothing panics.
func TestSealToNonsense(t *testing.T) {
	m := freshMaterial(t, noon)
	for _, n := range []string{"even", "no exponent", "exponent one"} {
		t.Run(n, func(t *testing.T) {
			k := nonsenseRSA(n)
			c := newForge(t, m.primary).userID("Carol", noon).subkey(&packet.PrivateKey{PublicKey: *k}, "E", noon).certificate()
			_, err := Seal(nil, ContextRequest, alice(), c, noon, SealOptions{})
			wantError(t, err, ErrNoEncryption)
		})
	}
}

// What is opened in place is what is opened elsewhere, in both ways of sealing and
// however long it is, and it verifies.
func TestDecryptInPlace(t *testing.T) {
	at := time.Now()
	for _, size := range []int{0, 1, 100, 65535, 65536, 65537, 1 << 20} {
		literal := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		streamed := must(SealStream(nil, ContextAnswer, alice(), bob().Certificate(), at, size, bytes.NewReader(literal)))(t)
		plain := must(Seal(literal, ContextAnswer, alice(), bob().Certificate(), at, SealOptions{}))(t)
		for _, message := range [][]byte{streamed, plain} {
			opened := must(DecryptInPlace(message, bob(), 2<<20))(t)
			if !bytes.Equal(opened.Literal, literal) {
				t.Errorf("%d bytes are opened as others", size)
			}
			if err := opened.Verify(ContextAnswer, alice().Certificate(), at, at); err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
			if clear(message); size > 0 && bytes.Equal(opened.Literal, literal) {
				t.Errorf("%d bytes are not opened in place", size)
			}
		}
	}
}
