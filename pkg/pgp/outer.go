package pgp

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// An outer is the outside of a message: what can be seen without a secret.
type outer struct {
	sessionKey frame
	sealed     frame
	aead       bool                  // SEIPDv2
	cipher     packet.CipherFunction // if aead
	chunk      int                   // bytes of plaintext a chunk, if aead
	algorithm  packet.PublicKeyAlgorithm
	anonymous  bool
	key        []byte // key id or fingerprint, unless anonymous
}

// CheckOuter is the cheap look at a message before any secret is touched
// (protocol §5.4): exactly one session-key packet of at most 2 KiB, to nobody in
// particular or to one of my keys, then exactly one integrity-protected packet,
// nothing else. It takes time linear in the length and next to no memory.
//
// ErrRecipient if it names a key that is not mine, ErrLimit for a long session
// key or chunks over 256 KiB, else ErrMalformed.
func CheckOuter(message []byte, me *Secret) error {
	o, err := readOuter(message)
	if err == nil {
		err = o.checkRecipient(me)
	}
	if err != nil {
		return fmt.Errorf("message: %w", err)
	}
	return nil
}

// readOuter takes the outside of a message apart.
func readOuter(message []byte) (o outer, err error) {
	var rest []byte
	if o.sessionKey, rest, err = nextFrame(message); err != nil {
		return o, err
	}
	if o.sessionKey.tag != tagSessionKey || o.sessionKey.partial() {
		return o, fmt.Errorf("begins with packet %d, no session key: %w", o.sessionKey.tag, ErrMalformed)
	}
	if o.sessionKey.size > maxSessionKey {
		return o, fmt.Errorf("session key of %d bytes, at most %d: %w", o.sessionKey.size, maxSessionKey, ErrLimit)
	}
	if o.sealed, rest, err = nextFrame(rest); err != nil {
		return o, err
	}
	if o.sealed.tag != tagSealed {
		return o, fmt.Errorf("packet %d after the session key: %w", o.sealed.tag, ErrMalformed)
	}
	if len(rest) != 0 {
		return o, fmt.Errorf("%d bytes after the message: %w", len(rest), ErrMalformed)
	}
	if err := o.readSealed(); err != nil {
		return o, err
	}
	return o, o.readSessionKey()
}

// readSealed reads the head of the encrypted packet (RFC 9580 §5.13).
func (o *outer) readSealed() error {
	const prefixAndMDC, saltAndTags = 1 + 18 + 22, 4 + 32 + 16 + 16
	var head [4]byte
	n := o.sealed.peek(head[:])
	switch {
	case n > 0 && head[0] == 1 && o.sealed.size >= prefixAndMDC:
		return nil
	case n == len(head) && head[0] == 2 && o.sealed.size >= saltAndTags:
	default:
		return fmt.Errorf("encrypted packet of version %d and %d bytes: %w", head[0], o.sealed.size, ErrMalformed)
	}
	cipher, mode, chunk := packet.CipherFunction(head[1]), packet.AEADMode(head[2]), head[3]
	if !isAES(cipher) || !mode.IsSupported() {
		return fmt.Errorf("cipher %d in mode %d: %w", cipher, mode, ErrMalformed)
	}
	if chunk > maxChunkByte {
		return fmt.Errorf("chunks of 2^%d bytes, at most 2^%d: %w", int(chunk)+6, maxChunkByte+6, ErrLimit)
	}
	o.aead, o.cipher, o.chunk = true, cipher, 1<<(chunk+6)
	return nil
}

// readSessionKey reads whom the session key is for (RFC 9580 §5.1). Its version
// goes with that of the encrypted packet.
func (o *outer) readSessionKey() error {
	body := o.sessionKey.body
	if len(body) < 3 {
		return fmt.Errorf("session key of %d bytes: %w", len(body), ErrMalformed)
	}
	version, id, after := body[0], 1, 9
	want := byte(3)
	if o.aead {
		want = 6
		id, after = 3, 2+int(body[1]) // after its length and the key's version
	}
	if version != want {
		return fmt.Errorf("session key of version %d: %w", version, ErrMalformed)
	}
	if len(body) <= after {
		return fmt.Errorf("session key of %d bytes: %w", len(body), ErrMalformed)
	}
	o.algorithm = packet.PublicKeyAlgorithm(body[after])
	if after < id { // version 6 without a name
		o.anonymous = true
		return nil
	}
	o.key = body[id:after]
	o.anonymous = version == 3 && binary.BigEndian.Uint64(o.key) == 0
	return nil
}

// isFor tells whether k may be the key that opens the message.
func (o *outer) isFor(k *packet.PublicKey) bool {
	if k.PubKeyAlgo != o.algorithm {
		return false
	}
	switch {
	case o.anonymous:
		return true
	case o.aead:
		return bytes.Equal(o.key, k.Fingerprint)
	}
	return binary.BigEndian.Uint64(o.key) == k.KeyId
}

func (o *outer) checkRecipient(me *Secret) error {
	for _, k := range me.opens {
		if o.isFor(k.key) {
			return nil
		}
	}
	return fmt.Errorf("session key of algorithm %d for %x: %w", o.algorithm, o.key, ErrRecipient)
}

func isAES(c packet.CipherFunction) bool {
	return c == packet.CipherAES128 || c == packet.CipherAES192 || c == packet.CipherAES256
}

// plaintext is how many bytes the encrypted packet holds, exactly: there is no
// compression that could hide more.
func (o *outer) plaintext() int {
	const versionPrefixMDC, headSalt, tag = 1 + 18 + 22, 4 + 32, 16
	if !o.aead {
		return o.sealed.size - versionPrefixMDC
	}
	n := o.sealed.size - headSalt - tag // without the last tag
	chunks := (n + o.chunk + tag - 1) / (o.chunk + tag)
	return n - chunks*tag
}
