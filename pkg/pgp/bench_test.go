package pgp

import (
	"crypto/ed25519"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func BenchmarkSign(b *testing.B) {
	data := make([]byte, 500)
	for b.Loop() {
		if _, err := alice().Sign(ContextPost, data, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	data := make([]byte, 500)
	sig, err := alice().Sign(ContextPost, data, noon)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := alice().cert.Verify(ContextPost, data, sig); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEd25519 is the floor under BenchmarkVerify: the curve alone.
func BenchmarkEd25519(b *testing.B) {
	public, secret, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 32)
	sig := ed25519.Sign(secret, digest)
	for b.Loop() {
		if !ed25519.Verify(public, digest, sig) {
			b.Fatal("does not verify")
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	forSizes(b, func(b *testing.B, literal []byte, opt SealOptions) {
		for b.Loop() {
			if _, err := Seal(literal, ContextRequest, alice(), bob().cert, noon, opt); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecryptAndVerify(b *testing.B) {
	forSizes(b, func(b *testing.B, literal []byte, opt SealOptions) {
		message, err := Seal(literal, ContextRequest, alice(), bob().cert, noon, opt)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			o, err := Decrypt(message, bob(), len(literal))
			if err == nil {
				err = o.Verify(ContextRequest, alice().cert, noon, noon)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func forSizes(b *testing.B, run func(*testing.B, []byte, SealOptions)) {
	for _, c := range []struct {
		name string
		size int
		opt  SealOptions
	}{
		{"1KiB", 1 << 10, SealOptions{}},
		{"1MiB", 1 << 20, SealOptions{}},
		{"1KiB/GCM", 1 << 10, SealOptions{GCM: true}},
		{"16MiB/GCM", 16 << 20, SealOptions{GCM: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(c.size))
			run(b, make([]byte, c.size), c.opt)
		})
	}
}

func BenchmarkCheckOuter(b *testing.B) {
	message, err := Seal(make([]byte, 1<<10), ContextRequest, alice(), bob().cert, noon, SealOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := CheckOuter(message, bob()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		mustGenerate("Carol", "")
	}
}

func BenchmarkParseCertificate(b *testing.B) {
	data := alice().cert.Bytes()
	for b.Loop() {
		if _, err := ParseCertificate(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHolds is what the key that comes along costs when it brings no news.
func BenchmarkHolds(b *testing.B) {
	data, err := alice().cert.Minimal()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !alice().cert.Holds(data) {
			b.Fatal("it has news")
		}
	}
}

// BenchmarkDearestCertificate is the most that a stranger can make us compute.
func BenchmarkDearestCertificate(b *testing.B) {
	t := &testing.T{}
	for _, c := range []struct {
		name      string
		algorithm packet.PublicKeyAlgorithm
		curve     packet.Curve
		v6        bool
		work      int
	}{
		{"Ed25519", packet.PubKeyAlgoEdDSA, packet.Curve25519, false, workPlain},
		{"P-256", packet.PubKeyAlgoECDSA, packet.CurveNistP256, false, workPlain},
		{"P-384", packet.PubKeyAlgoECDSA, packet.CurveNistP384, false, workDear},
		{"P-521", packet.PubKeyAlgoECDSA, packet.CurveNistP521, false, workDearest},
		{"Ed448", packet.PubKeyAlgoEd448, "", true, workDear},
		{"ML-DSA", packet.PubKeyAlgoMldsa65Ed25519, "", true, workDear},
		{"SLH-DSA", packet.PubKeyAlgoSlhdsaShake128s, "", true, workDearest},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := dearest(t, secretKey(t, c.algorithm, c.curve, c.v6), maxWork/c.work)
			b.ReportMetric(float64(len(data)), "bytes")
			for b.Loop() {
				if _, err := ParseCertificate(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// dearest is a certificate with n signatures, fewer if they do not fit, of which
// each must be verified.
func dearest(t *testing.T, k *packet.PrivateKey, n int) []byte {
	f := newForge(t, k).direct(noon).userID("Carol", noon)
	for i := 2; i < n && f.out.Len()*(i+1)/i < maxCertificate; i++ {
		f.revoke(second(i))
	}
	return f.bytes()
}

func BenchmarkDecryptRSA(b *testing.B) {
	t := &testing.T{}
	s := must(ParseSecret(serializedSecret(t, entity(t, packet.PubKeyAlgoRSA, "", false)), nil))(t)
	message := must(Seal(make([]byte, 1<<10), ContextRequest, alice(), s.cert, noon, SealOptions{}))(t)
	for b.Loop() {
		if _, err := Decrypt(message, s, 1<<10); err != nil {
			b.Fatal(err)
		}
	}
}
