package pgp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/ed25519"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// both verifies with ours and with the library's.
func both(point, message, raw []byte) (ours, theirs bool) {
	key := &packet.PublicKey{Version: 4, PubKeyAlgo: packet.PubKeyAlgoEd25519, PublicKey: &ed25519.PublicKey{Point: point}}
	s := &packet.Signature{Version: 4, PubKeyAlgo: packet.PubKeyAlgoEd25519, EdSig: raw}
	over := func() hash.Hash {
		h := sha256.New()
		_, _ = h.Write(message)
		return h
	}
	return asEd25519(key).verify(over(), s), key.VerifySignature(over(), s) == nil
}

// oddPoints are encodings of the points of small order, and of others, that some
// accept and some do not.
var oddPoints = []string{
	"0100000000000000000000000000000000000000000000000000000000000000", // the neutral element
	"0100000000000000000000000000000000000000000000000000000000000080", // and with the sign of a zero
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // of order 2
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000", // of order 4
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // of order 8
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p, which is 0
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0200000000000000000000000000000000000000000000000000000000000000", // no point
	"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 3
	"5866666666666666666666666666666666666666666666666666666666666666", // the base point
}

// order is that of the base point: a number in a signature is less.
const order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

func unhex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// plusOrder is the same number modulo the order, in an encoding that is refused.
func plusOrder(s []byte) []byte {
	sum, carry := make([]byte, len(s)), 0
	for i, o := range unhex(order) {
		carry += int(s[i]) + int(o)
		sum[i] = byte(carry)
		carry >>= 8
	}
	return sum
}

// What is odd is accepted by both or by none: each pair of points with each odd
// number, over several messages, since for points of small order one in eight
// holds.
func TestEd25519AcceptsWhatTheLibraryDoes(t *testing.T) {
	secret := must(ed25519.GenerateKey(rand.Reader))(t)
	message := []byte("post")
	digest := sha256.Sum256(message)
	good := must(ed25519.Sign(secret, digest[:]))(t)
	points := [][]byte{secret.Point, good[:32]}
	for _, p := range oddPoints {
		points = append(points, unhex(p))
	}
	numbers := [][]byte{make([]byte, 32), good[32:], plusOrder(good[32:]), unhex(order), plusOrder(make([]byte, 32))}
	accepted, small := 0, 0
	for i, a := range points {
		for _, r := range points {
			for j, s := range numbers {
				for n := range 24 {
					m := message
					if n > 0 {
						m = fmt.Appendf(nil, "post %d", n)
					}
					raw := append(append([]byte{}, r...), s...)
					ours, theirs := both(a, m, raw)
					if ours != theirs {
						t.Errorf("key %x, signature %x over %q: ours %t, the library's %t", a, raw, m, ours, theirs)
					}
					switch {
					case ours && i == 0:
						accepted++
					case ours && j == 0:
						small++
					case ours:
						t.Errorf("key %x, signature %x over %q is accepted", a, raw, m)
					}
				}
			}
		}
	}
	if accepted != 1 || small == 0 {
		t.Errorf("%d good ones accepted, %d by keys of small order", accepted, small)
	}
}

// The halves of a signature of version 4 are numbers without leading zeros.
func TestEd25519WithLeadingZeros(t *testing.T) {
	me := mustGenerate("Alice", "")
	short := 0
	for n := uint32(0); short < 8; n++ {
		data := binary.BigEndian.AppendUint32(nil, n)
		sig := must(me.Sign(ContextPost, data, noon))(t)
		s := must(parseSignature(sig))(t)
		if len(s.EdDSASigR.Bytes()) == 32 && len(s.EdDSASigS.Bytes()) == 32 {
			continue
		}
		short++
		must(me.cert.Verify(ContextPost, data, sig))(t)
		_, err := me.cert.Verify(ContextPost, append(data, 0), sig)
		wantError(t, err, ErrSignature)
	}
}

func FuzzEd25519(f *testing.F) {
	for _, p := range oddPoints {
		f.Add(unhex(p), []byte("post"), unhex(p), make([]byte, 32))
	}
	f.Fuzz(func(t *testing.T, point, message, r, s []byte) {
		raw := joined(r, s)
		if len(point) != 32 || raw == nil {
			return
		}
		if ours, theirs := both(point, message, raw); ours != theirs {
			t.Errorf("ours %t, the library's %t", ours, theirs)
		}
	})
}
