package pgp

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// SealStream is Seal, with GCM, of a literal of size bytes that is read once, as
// it is signed and encrypted: it is never whole in memory. The message lies in
// room, if that is large enough; its encrypted packet in parts, each behind a
// length of its own.
func SealStream(room []byte, ctx Context, from *Secret, to *Certificate, at time.Time, size int, literal io.Reader) ([]byte, error) {
	recipient, err := to.encryptionKey(at)
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	signer, err := from.signingKey(at)
	if err != nil {
		return nil, err
	}
	sig, hash, err := beginSignature(ctx, signer, at)
	if err != nil {
		return nil, err
	}
	head, err := literalHead(sig, signer, size)
	if err != nil {
		return nil, err
	}
	message := bytes.NewBuffer(room[:0])
	message.Grow(size + size>>10 + 4096) // a tag a chunk of 64 KiB, a length a part, head and signature
	w, err := encryptTo(message, message, recipient, SealOptions{GCM: true})
	if err != nil {
		return nil, fmt.Errorf("sealing to %s: %w", to.Fingerprint(), err)
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(hash, w)}, struct{ io.Reader }{literal}, make([]byte, 64<<10))
	if err == nil && n != int64(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("sealing %d bytes: %w", size, err)
	}
	if err := sig.Sign(hash, signer, settings()); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	signature, err := serialize(sig)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(signature); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return message.Bytes(), nil
}
