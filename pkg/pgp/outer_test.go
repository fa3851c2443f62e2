package pgp

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// pieces is a good message in two packets.
func pieces(t *testing.T) (key, data frame) {
	f := frames(t, sealed(t, inner(t, alice(), "hello"), bob()))
	return f[0], f[1]
}

// One flaw each; and what CheckOuter refuses, Decrypt refuses for the same reason.
func TestCheckOuterRefuses(t *testing.T) {
	key, data := pieces(t)
	gcm := frames(t, must(Seal([]byte("x"), ContextRequest, alice(), bob().cert, noon, SealOptions{GCM: true}))(t))
	skesk := []byte{0xc3, 13, 4, 9, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96}
	marker := []byte{0xca, 3, 'P', 'G', 'P'}
	retag := func(f frame, tag byte) []byte { return append(appendHeader(nil, tag, f.size), f.body...) }
	edit := func(f frame, at int, b ...byte) []byte {
		out := slices.Clone(f.raw)
		copy(out[len(f.raw)-f.size+at:], b)
		return out
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"text", []byte("-----BEGIN PGP MESSAGE-----"), ErrMalformed},
		{"session key alone", key.raw, ErrMalformed},
		{"no session key", data.raw, ErrMalformed},
		{"two session keys", slices.Concat(key.raw, key.raw, data.raw), ErrMalformed},
		{"10,000 session keys", slices.Concat(bytes.Repeat(key.raw, 10000), data.raw), ErrMalformed},
		{"a password besides", slices.Concat(skesk, key.raw, data.raw), ErrMalformed},
		{"a password after", slices.Concat(key.raw, skesk, data.raw), ErrMalformed},
		{"a password alone", slices.Concat(skesk, data.raw), ErrMalformed},
		{"a marker before", slices.Concat(marker, key.raw, data.raw), ErrMalformed},
		{"a marker between", slices.Concat(key.raw, marker, data.raw), ErrMalformed},
		{"a marker after", slices.Concat(key.raw, data.raw, marker), ErrMalformed},
		{"padding after", slices.Concat(key.raw, data.raw, []byte{0xd5, 1, 0}), ErrMalformed},
		{"two encrypted packets", slices.Concat(key.raw, data.raw, data.raw), ErrMalformed},
		{"a byte after", slices.Concat(key.raw, data.raw, []byte{0}), ErrMalformed},
		{"cut off", slices.Concat(key.raw, data.raw[:len(data.raw)-1]), ErrMalformed},
		{"no integrity protection", slices.Concat(key.raw, retag(data, 9)), ErrMalformed},
		{"LibrePGP's AEAD", slices.Concat(key.raw, retag(data, 20)), ErrMalformed},
		{"compressed", slices.Concat([]byte{0xc8, 1, 1}, key.raw, data.raw), ErrMalformed},
		{"signed, not encrypted", inner(t, alice(), "hello"), ErrMalformed},
		{"session key of 2,049 bytes", slices.Concat(appendHeader(nil, tagSessionKey, maxSessionKey+1), key.body, make([]byte, maxSessionKey+1-key.size), data.raw), ErrLimit},
		{"session key in parts", slices.Concat([]byte{0xc1, 0xe0}, key.body[:1], appendHeader(nil, 0, key.size-1)[1:], key.body[1:], data.raw), ErrMalformed},
		{"session key of indeterminate length", slices.Concat([]byte{0x87}, key.body, data.raw), ErrMalformed},
		{"empty session key", slices.Concat([]byte{0xc1, 0}, data.raw), ErrMalformed},
		{"session key of nine bytes", slices.Concat([]byte{0xc1, 9}, key.body[:9], data.raw), ErrMalformed},
		{"session key of version 2", slices.Concat(edit(key, 0, 2), data.raw), ErrMalformed},
		{"session key of version 6 to old data", slices.Concat(gcm[0].raw, data.raw), ErrMalformed},
		{"session key of version 3 to new data", slices.Concat(key.raw, gcm[1].raw), ErrMalformed},
		{"data of version 3", slices.Concat(key.raw, edit(data, 0, 3)), ErrMalformed},
		{"data of forty bytes", slices.Concat(key.raw, []byte{0xd2, 40}, data.body[:40]), ErrMalformed},
		{"no data", slices.Concat(key.raw, []byte{0xd2, 0}), ErrMalformed},
		{"new data of 67 bytes", slices.Concat(gcm[0].raw, []byte{0xd2, 67}, gcm[1].body[:67]), ErrMalformed},
		{"new data with 3DES", slices.Concat(gcm[0].raw, edit(gcm[1], 1, 2)), ErrMalformed},
		{"new data in mode 4", slices.Concat(gcm[0].raw, edit(gcm[1], 2, 4)), ErrMalformed},
		{"chunks of 512 KiB", slices.Concat(gcm[0].raw, edit(gcm[1], 3, 13)), ErrLimit},
		{"chunks of 2^261 bytes", slices.Concat(gcm[0].raw, edit(gcm[1], 3, 255)), ErrLimit},
		{"4 GiB announced", slices.Concat(key.raw, []byte{0xd2, 255, 255, 255, 255, 255}, data.body), ErrMalformed},
		{"a part of 1 GiB announced", slices.Concat(key.raw, []byte{0xd2, 254}, data.body), ErrMalformed},
		{"no last part", slices.Concat(key.raw, []byte{0xd2, 0xe6}, data.body[:64]), ErrMalformed},
		{"another key's id", slices.Concat(edit(key, 1, 1, 2, 3, 4, 5, 6, 7, 8), data.raw), ErrRecipient},
		{"my signing key's id", slices.Concat(edit(key, 1, keyID(bob().cert.subkeys[0])...), data.raw), ErrRecipient},
		{"an algorithm that I have no key of", slices.Concat(edit(key, 9, 1), data.raw), ErrRecipient},
		{"another fingerprint", slices.Concat(named(gcm[0], make([]byte, 20)), gcm[1].raw), ErrRecipient},
		{"half a fingerprint", slices.Concat(named(gcm[0], bob().opens[0].key.Fingerprint[:10]), gcm[1].raw), ErrRecipient},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, CheckOuter(c.in, bob()), c.want)
			o, err := Decrypt(c.in, bob(), 1<<20)
			wantError(t, err, c.want)
			if o != nil {
				t.Error("opened with an error")
			}
		})
	}
}

func TestCheckOuterTakes(t *testing.T) {
	key, data := pieces(t)
	gcm := frames(t, must(Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, SealOptions{GCM: true}))(t))
	byName := slices.Clone(key.raw)
	copy(byName[len(key.raw)-key.size+1:], keyID(bob().opens[0]))
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"hidden recipient", slices.Concat(key.raw, data.raw)},
		{"named recipient", slices.Concat(byName, data.raw)},
		{"old session key header", slices.Concat([]byte{0x85, 0, byte(key.size)}, key.body, data.raw)},
		{"data in parts", slices.Concat(key.raw, []byte{0xd2, 0xe6}, data.body[:64], []byte{0xe0}, data.body[64:65], appendHeader(nil, 0, data.size-65)[1:], data.body[65:])},
		{"data in parts, the head too", slices.Concat(key.raw, []byte{0xd2, 0xe0}, data.body[:1], []byte{0xe0}, data.body[1:2], appendHeader(nil, 0, data.size-2)[1:], data.body[2:])},
		{"SEIPDv2, hidden", slices.Concat(gcm[0].raw, gcm[1].raw)},
		{"SEIPDv2, named", slices.Concat(named(gcm[0], bob().opens[0].key.Fingerprint), gcm[1].raw)},
		{"SEIPDv2 in parts, the head too", slices.Concat(gcm[0].raw, []byte{0xd2, 0xe0}, gcm[1].body[:1], []byte{0xe0}, gcm[1].body[1:2], appendHeader(nil, 0, gcm[1].size-2)[1:], gcm[1].body[2:])},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, CheckOuter(c.in, bob()), nil)
			o := must(Decrypt(c.in, bob(), 5))(t)
			if string(o.Literal) != "hello" {
				t.Errorf("got %q", o.Literal)
			}
			wantError(t, o.Verify(ContextRequest, alice().cert, noon, noon), nil)
		})
	}
}

func TestCheckOuterAllocatesNothing(t *testing.T) {
	message := sealed(t, inner(t, alice(), "hello"), bob())
	if n := testing.AllocsPerRun(100, func() { _ = CheckOuter(message, bob()) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func keyID(k *component) []byte { return binary.BigEndian.AppendUint64(nil, k.key.KeyId) }

// named gives a session key of version 6 the name of a recipient.
func named(f frame, fingerprint []byte) []byte {
	body := slices.Concat([]byte{6, byte(1 + len(fingerprint)), 4}, fingerprint, f.body[2:])
	return append(appendHeader(nil, tagSessionKey, len(body)), body...)
}

func nonsenseRSA(kind string) *packet.PublicKey {
	k := &rsa.PublicKey{N: modulus(2048), E: 65537}
	switch kind {
	case "even":
		k.N = new(big.Int).Lsh(big.NewInt(1), 2047)
	case "no exponent":
		k.E = 0
	case "exponent one":
		k.E = 1
	}
	p := packet.NewRSAPublicKey(noon, k)
	p.IsSubkey = true
	return p
}
