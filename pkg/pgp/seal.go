package pgp

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// SealOptions choose how a message is encrypted.
type SealOptions struct {
	// GCM: SEIPDv2 with AES-256-GCM in chunks of 64 KiB, five times as fast, for
	// a reader that says he takes it, whatever his certificate advertises. Without
	// it SEIPDv1, which every gpg reads.
	GCM bool
}

// Seal signs literal for ctx at the given time, and encrypts it to the one
// recipient, hidden (key id 0): nobody on the path reads who it is for. The
// message is one session-key packet and one integrity-protected packet with a
// one-pass signature, a literal (binary, no name, no date) and a signature; no
// compression, which would undo the padding.
//
// The size depends on the length of the literal and the kinds of both keys
// alone, but for a byte or two that numbers in signature and session key are
// shorter by chance: seal again until the size is met.
//
// ErrNoSigning, or ErrNoEncryption and why: ErrExpired, ErrRevoked.
func Seal(literal []byte, ctx Context, from *Secret, to *Certificate, at time.Time, opt SealOptions) ([]byte, error) {
	recipient, err := to.encryptionKey(at)
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	signer, err := from.signingKey(at)
	if err != nil {
		return nil, err
	}
	inner, err := signedLiteral(literal, ctx, signer, at)
	if err != nil {
		return nil, err
	}
	message, err := encrypt(inner, recipient, opt)
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	return message, nil
}

// signedLiteral is the three packets inside a message.
func signedLiteral(literal []byte, ctx Context, signer *packet.PrivateKey, at time.Time) ([]byte, error) {
	sig, err := makeSignature(ctx, literal, signer, at)
	if err != nil {
		return nil, err
	}
	signature, err := serialize(sig)
	if err != nil {
		return nil, err
	}
	head, err := literalHead(sig, signer, len(literal))
	if err != nil {
		return nil, err
	}
	inner := make([]byte, 0, len(head)+len(literal)+len(signature))
	return append(append(append(inner, head...), literal...), signature...), nil
}

// literalHead is what stands before a literal of size bytes: the one-pass
// signature that announces sig, and its own header.
func literalHead(sig *packet.Signature, signer *packet.PrivateKey, size int) ([]byte, error) {
	ops := &packet.OnePassSignature{
		Version: 3, SigType: sig.SigType, Hash: sig.Hash, PubKeyAlgo: signer.PubKeyAlgo, KeyId: signer.KeyId, IsLast: true,
	}
	if sig.Version == 6 {
		ops.Version, ops.Salt, ops.KeyFingerprint = 6, sig.Salt(), signer.Fingerprint
	}
	var onePass bytes.Buffer
	if err := ops.Serialize(&onePass); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return append(appendHeader(onePass.Bytes(), tagLiteral, 6+size), 'b', 0, 0, 0, 0, 0), nil
}

// encryptTo writes the session key of a message, and begins its encrypted packet.
func encryptTo(key, sealed io.Writer, to *packet.PublicKey, opt SealOptions) (io.WriteCloser, error) {
	const cipher = packet.CipherAES256
	session := make([]byte, cipher.KeySize())
	if _, err := rand.Read(session); err != nil {
		return nil, err
	}
	if err := packet.SerializeEncryptedKeyAEADwithHiddenOption(key, to, cipher, opt.GCM, session, true, settings()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEncryption, err)
	}
	return packet.SerializeSymmetricallyEncrypted(sealed, cipher, opt.GCM, packet.CipherSuite{Cipher: cipher, Mode: packet.AEADModeGCM}, session, settings())
}

// encrypt is the two packets outside.
func encrypt(inner []byte, to *packet.PublicKey, opt SealOptions) ([]byte, error) {
	var key, sealed bytes.Buffer
	sealed.Grow(len(inner) + len(inner)>>10 + 512)
	w, err := encryptTo(&key, &sealed, to, opt)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(inner); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// The library writes in parts. In one piece the size follows from the length.
	f, _, err := nextFrame(sealed.Bytes())
	if err != nil {
		return nil, err
	}
	message := make([]byte, 0, key.Len()+f.size+6)
	message = append(message, key.Bytes()...)
	return f.appendBody(appendHeader(message, tagSealed, f.size)), nil
}
