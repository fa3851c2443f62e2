package pgp

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// SealPieces is Seal, with GCM, of a long literal in pieces: what is encrypted is
// copied once. The encrypted packet lies in parts, each behind a length of its
// own.
func SealPieces(ctx Context, from *Secret, to *Certificate, at time.Time, pieces ...[]byte) ([]byte, error) {
	recipient, err := to.encryptionKey(at)
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	signer, err := from.signingKey(at)
	if err != nil {
		return nil, err
	}
	head, signature, err := signed(ctx, signer, at, pieces...)
	if err != nil {
		return nil, err
	}
	n := len(head) + len(signature)
	for _, piece := range pieces {
		n += len(piece)
	}
	var message bytes.Buffer
	message.Grow(n + n>>10 + 1024) // a tag a chunk of 64 KiB, a length a part, and the session key
	w, err := encryptTo(&message, recipient)
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	for _, piece := range append(append([][]byte{head}, pieces...), signature) {
		if _, err := w.Write(piece); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return message.Bytes(), nil
}

// encryptTo begins a message with GCM.
func encryptTo(message *bytes.Buffer, to *packet.PublicKey) (io.WriteCloser, error) {
	const cipher = packet.CipherAES256
	session := make([]byte, cipher.KeySize())
	if _, err := rand.Read(session); err != nil {
		return nil, err
	}
	if err := packet.SerializeEncryptedKeyAEADwithHiddenOption(message, to, cipher, true, session, true, settings()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEncryption, err)
	}
	return packet.SerializeSymmetricallyEncrypted(message, cipher, true, packet.CipherSuite{Cipher: cipher, Mode: packet.AEADModeGCM}, session, settings())
}
