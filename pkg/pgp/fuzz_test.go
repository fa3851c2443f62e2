package pgp

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// isOurs tells whether an error is one that callers know.
func isOurs(err error, known ...error) bool {
	return slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) })
}

func FuzzOuter(f *testing.F) {
	for _, opt := range []SealOptions{{}, {GCM: true}} {
		message, err := Seal([]byte("hello"), ContextRequest, alice(), bob().cert, noon, opt)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	f.Add([]byte{0xd2, 0xe6})
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := CheckOuter(data, bob())
		if outer != nil && !isOurs(outer, ErrMalformed, ErrRecipient, ErrLimit) {
			t.Errorf("unknown error: %v", outer)
		}
		o, err := Decrypt(data, bob(), 1<<10)
		if outer != nil && err == nil {
			t.Errorf("opened, although %v", outer)
		}
		if err != nil && !isOurs(err, ErrMalformed, ErrRecipient, ErrLimit) {
			t.Errorf("unknown error: %v", err)
		}
		if err == nil && len(o.Literal) > 1<<10 {
			t.Errorf("%d bytes", len(o.Literal))
		}
	})
}

func FuzzInner(f *testing.F) {
	whole, err := signedLiteral([]byte("hello"), ContextRequest, alice().secretOf(alice().cert.subkeys[0]), noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(compressed(whole))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Decrypt(sealed(t, data, bob()), bob(), 1<<10)
		if err != nil {
			if !isOurs(err, ErrMalformed, ErrRecipient, ErrLimit) {
				t.Errorf("unknown error: %v", err)
			}
			return
		}
		err = o.Verify(ContextRequest, alice().cert, noon, noon)
		if err == nil && string(o.Literal) != "hello" {
			t.Errorf("verified %q", o.Literal)
		}
		if err != nil && !isOurs(err, ErrMalformed, ErrSignature, ErrContext, ErrExpired, ErrRevoked, ErrWeak, ErrRecipient) {
			t.Errorf("unknown error: %v", err)
		}
	})
}

func FuzzCertificate(f *testing.F) {
	revoked := must(alice().cert.Revoke(must(alice().Revocation(noon))(&testing.T{})))(&testing.T{})
	f.Add(revoked.Bytes())
	f.Add(alice().cert.Armor())
	f.Add(keyOfAlgorithm(17))
	var nonsense bytes.Buffer
	if err := nonsenseRSA("even").Serialize(&nonsense); err != nil {
		f.Fatal(err)
	}
	f.Add(append(nonsense.Bytes(), alice().cert.Bytes()...))
	sig, _ := alice().Sign(ContextPost, nil, noon)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCertificate(data)
		if err != nil {
			if !isOurs(err, ErrMalformed, ErrLimit, ErrWeak, ErrSecret) {
				t.Errorf("unknown error: %v", err)
			}
			return
		}
		again, err := ParseCertificate(c.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), c.Bytes()) {
			t.Errorf("does not read itself: %v", err)
		}
		if merged, err := c.Merge(again); err != nil || merged != c {
			t.Errorf("merged with itself: %v", err)
		}
		if least, err := c.Minimal(); err == nil {
			if _, err := ParseCertificate(least); err != nil {
				t.Errorf("shortened: %v", err)
			}
		}
		_, _, _ = c.Algorithm(), c.Name(), c.Email()
		_ = c.Usable(noon)
		_, _ = c.Verify(ContextPost, nil, sig)
		for _, opt := range []SealOptions{{}, {GCM: true}} {
			_, _ = Seal([]byte("x"), ContextRequest, alice(), c, noon, opt)
		}
	})
}

func FuzzSignature(f *testing.F) {
	sig, err := alice().Sign(ContextPost, []byte("post"), noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sig)
	f.Add(append(slices.Clone(sig), sig...))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := alice().cert.Verify(ContextPost, []byte("post"), data)
		if err == nil && !v.Time.Equal(noon) {
			t.Errorf("made at %s", v.Time)
		}
		if err != nil && !isOurs(err, ErrMalformed, ErrLimit, ErrSignature, ErrContext, ErrExpired, ErrRevoked, ErrWeak) {
			t.Errorf("unknown error: %v", err)
		}
		if _, err := alice().cert.Verify(ContextPost, []byte("pest"), data); err == nil {
			t.Error("verifies other data")
		}
	})
}

func FuzzSecret(f *testing.F) {
	for _, file := range [][]byte{must(alice().Daily())(&testing.T{}), must(alice().Primary(nil))(&testing.T{})} {
		binary, err := dearmored(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
		f.Add(binary)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSecret(data, nil) // without a passphrase: none is worth trying
		if err != nil {
			if !isOurs(err, ErrMalformed, ErrLimit, ErrWeak, ErrLocked, ErrNoSigning, ErrNoEncryption) {
				t.Errorf("unknown error: %v", err)
			}
			return
		}
		_, _ = s.Sign(ContextPost, nil, noon)
		if daily, err := s.Daily(); err != nil {
			t.Error(err)
		} else if _, err := ParseSecret(daily, nil); err != nil {
			t.Errorf("does not read its own daily key: %v", err)
		}
	})
}
