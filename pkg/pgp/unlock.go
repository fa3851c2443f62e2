package pgp

import (
	"bytes"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// splitSecret takes a secret key apart: the packets of its certificate, and its
// secrets, still locked. Where the secret is elsewhere, there is only the former.
func splitSecret(packets []byte) (public []byte, secrets []*packet.PrivateKey, err error) {
	keys := 0
	for rest := packets; len(rest) > 0; {
		var f frame
		if f, rest, err = nextFrame(rest); err != nil {
			return nil, nil, err
		}
		switch f.tag {
		case tagPublicKey:
			return nil, nil, fmt.Errorf("a public key, no secret key: %w", ErrMalformed)
		case tagSecretKey, tagSecretSubkey:
		default:
			public = append(public, f.raw...)
			continue
		}
		if keys++; keys > 1+maxSubkeys {
			return nil, nil, fmt.Errorf("more than %d subkeys: %w", maxSubkeys, ErrLimit)
		}
		key, secret, err := readSecretKey(f)
		if err != nil {
			return nil, nil, err
		}
		public = append(public, key...)
		if secret != nil {
			secrets = append(secrets, secret)
		}
	}
	if keys == 0 {
		return nil, nil, fmt.Errorf("holds no secret key: %w", ErrMalformed)
	}
	return public, secrets, nil
}

// readSecretKey gives the public key packet in a secret one, and the secret, or
// nil if it is elsewhere. How it is protected is looked at first.
func readSecretKey(f frame) (public []byte, secret *packet.PrivateKey, err error) {
	if f.partial() {
		return nil, nil, fmt.Errorf("packet %d in parts: %w", f.tag, ErrMalformed)
	}
	if err := lookAtKey(f.body); err != nil {
		return nil, nil, err
	}
	tag := byte(tagPublicKey)
	if f.tag == tagSecretSubkey {
		tag = tagPublicSubkey
	}
	// The library reads a public key no further than it goes.
	p, err := packet.Read(bytes.NewReader(append(appendHeader(nil, tag, f.size), f.body...)))
	if err != nil {
		return nil, nil, fmt.Errorf("packet %d: %w: %w", f.tag, ErrMalformed, err)
	}
	key, ok := p.(*packet.PublicKey)
	if !ok {
		return nil, nil, fmt.Errorf("packet %d is no key: %w", f.tag, ErrMalformed)
	}
	body, err := publicBody(key)
	if err != nil {
		return nil, nil, err
	}
	protection, ok := bytes.CutPrefix(f.body, body)
	if !ok {
		return nil, nil, fmt.Errorf("secret key in another encoding: %w", ErrMalformed)
	}
	public = append(appendHeader(nil, tag, len(body)), body...)
	elsewhere, err := checkProtection(key.Version, protection)
	if err != nil || elsewhere {
		return public, nil, err
	}
	whole, err := f.parse()
	if err != nil {
		return nil, nil, err
	}
	secret, ok = whole.(*packet.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("packet %d is no secret key: %w", f.tag, ErrMalformed)
	}
	return public, secret, nil
}

// checkProtection reads how a secret is protected (RFC 9580 §5.5.3, §3.7.1.4),
// before the library does and a passphrase is put to it: Argon2 with the memory
// it may ask for kills the process. With gpg's specifier 101 there is no secret:
// it lies on a card, or was left out.
func checkProtection(version int, b []byte) (elsewhere bool, err error) {
	const aead, argon2, gnu = 253, 4, 101
	const maxMemory, maxPasses, maxLanes = 21, 10, 16 // 2^21 KiB
	if len(b) == 0 || b[0] < aead {
		return false, nil
	}
	at := 2 // usage, cipher
	if b[0] == aead {
		at++ // mode
	}
	if version == 6 {
		at += 2 // lengths
	}
	if len(b) <= at {
		return false, fmt.Errorf("protection is cut off: %w", ErrMalformed)
	}
	switch b[at] {
	case gnu:
		return bytes.HasPrefix(b[at+1:], []byte{0, 'G', 'N', 'U'}), nil
	case argon2:
		if len(b) < at+20 {
			return false, fmt.Errorf("protection is cut off: %w", ErrMalformed)
		}
		passes, lanes, memory := b[at+17], b[at+18], b[at+19]
		if passes > maxPasses || lanes > maxLanes || memory > maxMemory {
			return false, fmt.Errorf("protection with %d passes, %d lanes and 2^%d KiB: %w", passes, lanes, memory, ErrLimit)
		}
	}
	return false, nil
}

// unlock opens all secrets that are protected with one passphrase.
func unlock(secrets []*packet.PrivateKey, passphrase func() ([]byte, error)) error {
	var phrase []byte
	asked := false
	for _, k := range secrets {
		if !k.Encrypted {
			continue
		}
		if !asked {
			if passphrase == nil {
				return fmt.Errorf("passphrase needed: %w", ErrLocked)
			}
			var err error
			if phrase, err = passphrase(); err != nil {
				return fmt.Errorf("passphrase: %w: %w", ErrLocked, err)
			}
			asked = true
		}
		if err := k.Decrypt(phrase); err != nil {
			return fmt.Errorf("wrong passphrase, or a damaged key: %w", ErrLocked)
		}
	}
	return nil
}
