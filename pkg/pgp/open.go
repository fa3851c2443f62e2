package pgp

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// innerOverhead is what the packets inside need beside the literal: signature,
// one-pass signature, and lengths of parts.
const innerOverhead = maxSignature + 4<<10

// Decrypt opens a message for me: [CheckOuter], then one secret-key operation,
// then all of it is read, its integrity checked, and only then looked at: one
// one-pass signature, one literal of at most limit bytes, one signature, nothing
// else. Keys of mine that have expired still open what was sent to them. Nothing
// is verified.
//
// The error is one of ErrMalformed, ErrRecipient and ErrLimit. Do not tell the
// sender which.
func Decrypt(message []byte, me *Secret, limit int) (*Opened, error) {
	return messageOf(decrypt(nil, message, me, limit))
}

// DecryptInPlace is Decrypt that leaves the Literal where the message was, which
// is spoiled, also by an error. A large file comes in many messages, one after the
// other.
func DecryptInPlace(message []byte, me *Secret, limit int) (*Opened, error) {
	room := message[:0] // what is decrypted lies behind what is not read yet
	if len(me.opens) != 1 {
		room = nil // the next key needs it whole
	}
	return messageOf(decrypt(room, message, me, limit))
}

func messageOf(opened *Opened, err error) (*Opened, error) {
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return opened, nil
}

func decrypt(room, message []byte, me *Secret, limit int) (*Opened, error) {
	o, err := readOuter(message)
	if err != nil {
		return nil, err
	}
	if err := o.checkRecipient(me); err != nil {
		return nil, err
	}
	if n := o.plaintext(); n-innerOverhead > limit {
		return nil, fmt.Errorf("%d bytes inside, at most %d: %w", n, limit, ErrLimit)
	}
	err = ErrRecipient
	for _, k := range me.opens {
		if !o.isFor(k.key) {
			continue
		}
		var inner []byte
		if inner, err = o.open(room, me.secretOf(k)); err == nil {
			return readInner(inner, me, limit)
		}
		if !errors.Is(err, ErrRecipient) {
			return nil, err
		}
	}
	return nil, err
}

// open decrypts all of the message with one key. ErrRecipient if the session key
// is not for it.
func (o *outer) open(room []byte, key *packet.PrivateKey) ([]byte, error) {
	p, err := o.sessionKey.parse()
	if err != nil {
		return nil, err
	}
	wrapped, ok := p.(*packet.EncryptedKey)
	if !ok {
		return nil, fmt.Errorf("no session key: %w", ErrMalformed)
	}
	opened := wrapped.Decrypt(key, settings()) == nil
	if opened && o.fits(wrapped) {
		return o.unseal(room, wrapped.CipherFunc, wrapped.Key)
	}
	if _, ok := key.PublicKey.PublicKey.(*rsa.PublicKey); ok {
		// Go on as if nothing had happened: the time must not tell a session key
		// that was padded well from one that was not (Bleichenbacher's oracle).
		session := make([]byte, packet.CipherAES256.KeySize())
		_, _ = rand.Read(session)
		_, _ = o.unseal(room, packet.CipherAES256, session)
	}
	if o.anonymous && !opened {
		return nil, fmt.Errorf("session key does not open: %w", ErrRecipient)
	}
	return nil, fmt.Errorf("session key does not open: %w", ErrMalformed)
}

// fits tells whether the session key is one for the packet's cipher, an AES.
func (o *outer) fits(k *packet.EncryptedKey) bool {
	cipher := k.CipherFunc
	if o.aead {
		cipher = o.cipher
	}
	return isAES(cipher) && len(k.Key) == cipher.KeySize()
}

// unseal reads the encrypted packet to its end and checks its integrity.
func (o *outer) unseal(room []byte, cipher packet.CipherFunction, session []byte) ([]byte, error) {
	p, err := packet.Read(bytes.NewReader(o.sealed.raw))
	if err != nil {
		return nil, fmt.Errorf("encrypted packet: %w: %w", ErrMalformed, err)
	}
	sealed, ok := p.(*packet.SymmetricallyEncrypted)
	if !ok {
		return nil, fmt.Errorf("no encrypted packet: %w", ErrMalformed)
	}
	r, err := sealed.Decrypt(cipher, session)
	if err != nil {
		return nil, fmt.Errorf("decrypting: %w: %w", ErrMalformed, err)
	}
	inner := room[:0]
	if n := o.plaintext(); n <= cap(inner) {
		inner = inner[:n]
	} else {
		inner = make([]byte, n)
	}
	if _, err := io.ReadFull(r, inner); err != nil {
		return nil, fmt.Errorf("decrypting: %w: %w", ErrMalformed, err)
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n != 0 || !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("decrypting: longer than it says: %w", ErrMalformed)
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("decrypting: %w: %w", ErrMalformed, err)
	}
	return inner, nil
}
