package pgp

import (
	"bytes"
	"testing"
)

// A certificate of which nothing is proved tells whether who wrote the message
// holds a key in it, and no more.
func TestHeldBy(t *testing.T) {
	m := freshMaterial(t, noon)
	plain := usual(t, m, noon).certificate()
	many := bytes.Clone(plain.Bytes())
	for range maxSubkeys + 1 {
		many = append(many, frames(t, alice().cert.Bytes())[0].raw...)
	}
	unbound := append(bytes.Clone(frames(t, alice().cert.Bytes())[0].raw), frames(t, bareKey(t, m))[0].raw...)
	open := func() *Opened {
		return must(Decrypt(sealed(t, wrapped(t, m, signWith(t, m.sign, []byte("hello"), noon, notations("request"))), bob()), bob(), 5))(t)
	}
	for _, c := range []struct {
		name string
		data []byte
		held bool
		want error
	}{
		{"his own", plain.Bytes(), true, nil},
		{"a key under another's name", unbound, true, nil},
		{"another's", alice().cert.Bytes(), false, nil},
		{"none", nil, false, nil},
		{"cut off", plain.Bytes()[:30], false, ErrMalformed},
		{"more keys than are looked at", append(bytes.Clone(many[len(plain.Bytes()):]), plain.Bytes()...), false, ErrLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			held, err := open().HeldBy(ContextRequest, c.data)
			if wantError(t, err, c.want); held != c.held {
				t.Errorf("held: %v", held)
			}
		})
	}
	t.Run("it proves nothing of anybody else", func(t *testing.T) {
		o := open()
		must(o.HeldBy(ContextRequest, unbound))(t)
		wantError(t, o.Verify(ContextRequest, alice().cert, noon, noon), ErrSignature)
		wantError(t, o.Verify(ContextRequest, plain, noon, noon), nil)
	})
	t.Run("nor of another message", func(t *testing.T) {
		o := must(Decrypt(sealed(t, wrapped(t, m, signWith(t, m.sign, []byte("hallo"), noon, notations("request"))), bob()), bob(), 5))(t)
		_, err := o.HeldBy(ContextRequest, plain.Bytes())
		wantError(t, err, ErrSignature)
		wantError(t, o.Verify(ContextRequest, plain, noon, noon), ErrSignature)
	})
}

// bareKey is the signing key alone, as a packet.
func bareKey(t *testing.T, m material) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := m.sign.PublicKey.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Only what stands in a certificate packet for packet says nothing new of it.
func TestHolds(t *testing.T) {
	c := alice().cert
	minimal := must(c.Minimal())(t)
	for _, data := range [][]byte{c.Bytes(), minimal, nil} {
		if !c.Holds(data) {
			t.Errorf("%d bytes of it are news", len(data))
		}
	}
	spoiled := bytes.Clone(minimal)
	spoiled[len(spoiled)-1] ^= 1
	for name, data := range map[string][]byte{
		"another's": bob().cert.Bytes(), "with another's": append(bytes.Clone(minimal), bob().cert.Bytes()...),
		"a changed bit": spoiled, "cut off": minimal[:len(minimal)-1], "something after it": append(bytes.Clone(minimal), 0),
	} {
		if c.Holds(data) {
			t.Errorf("%s: no news", name)
		}
	}
}
