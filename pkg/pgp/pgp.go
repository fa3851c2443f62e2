// Package pgp is all that p2ps knows of OpenPGP: fingerprints, certificates,
// secret keys, signatures and sealed messages (protocol §1 and §4). No other
// package may call the OpenPGP library.
//
// It works on packets, not on messages, because the library's message reader
// says "no error" to unsigned, forwarded, re-wrapped and endless input. Here a
// thing has one exact shape, looked at before anything is computed, and
// whatever differs from it is refused:
//
//   - a certificate is one public key with its own self-signatures, as many as
//     count, each verified once when it is read; what others signed, and what
//     does not verify, is left out;
//   - a signature is one packet of type 0x00, with one hashed notation
//     context@p2ps that says what it is for;
//   - a message is one session key, one integrity-protected packet, and in it
//     one one-pass signature, one literal and one signature.
//
// Time is always handed in. Whether a key was good at a moment is worked out
// anew for each question from signatures that were verified without regard to
// time, so no verdict found under a wrong clock can stay, and a Certificate
// never changes after it was made: it may be used by many at once.
package pgp

import (
	"crypto"
	"errors"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Context says what a signature is for, so that one made for a request can
// never pass for a post (protocol §1).
type Context string

// The four contexts of protocol version 1.
const (
	ContextPost    Context = "post"
	ContextRequest Context = "request"
	ContextAnswer  Context = "answer"
	ContextBundle  Context = "bundle"
)

// contextNotation is the name of the notation that holds the Context.
const contextNotation = "context@p2ps"

// Every error of this package wraps one of these; test with errors.Is.
var (
	// ErrMalformed: the input is not what it should be, or more than that.
	ErrMalformed = errors.New("malformed OpenPGP data")
	// ErrLimit: the input is larger, or holds more, than is ever looked at.
	ErrLimit = errors.New("OpenPGP data over the limit")
	// ErrSignature: the signature is not by this key over these bytes, or not
	// by one of its keys that may sign, or not made when the message says.
	ErrSignature = errors.New("bad signature")
	// ErrContext: the signature was made for something else.
	ErrContext = errors.New("signature for another purpose")
	// ErrExpired: the time that counts is outside the key's lifetime, after its
	// end or before its beginning.
	ErrExpired = errors.New("key is not valid at that time")
	// ErrRevoked: the owner has revoked the key.
	ErrRevoked = errors.New("key is revoked")
	// ErrWeak: an algorithm or a key size that no longer proves anything.
	ErrWeak = errors.New("algorithm or key too weak")
	// ErrRecipient: the message is not for this secret key.
	ErrRecipient = errors.New("message is for somebody else")
	// ErrLocked: a secret is needed that is not to be had: its passphrase was
	// not given, or it is kept offline.
	ErrLocked = errors.New("secret key is locked or offline")
	// ErrOtherKey: this is another person's primary key.
	ErrOtherKey = errors.New("another primary key")
	// ErrSecret: a secret key, where a certificate is expected.
	ErrSecret = errors.New("secret key where a public key is expected")
	// ErrNoEncryption: the key has nothing that a message could be sealed to.
	ErrNoEncryption = errors.New("key cannot be encrypted to")
	// ErrNoSigning: the secret key has nothing that could sign a post.
	ErrNoSigning = errors.New("key cannot sign")
)

// Limits of what is read from others. They bound the work before it begins; the
// verifications of a certificate are counted apart: see maxWork.
const (
	maxCertificate = 64 << 10 // bytes, binary
	maxArmored     = 96 << 10 // bytes, as text
	maxLine        = 1000     // bytes a line of it: the library's header reader is quadratic
	maxUserIDs     = 32
	maxUserID      = 1 << 10 // bytes
	maxSubkeys     = 16
	maxSignatures  = 256     // self-signatures in all
	maxSignature   = 8 << 10 // bytes, of a post's or message's signature
	maxSessionKey  = 2 << 10 // bytes, of a message's session-key packet
	maxMinimal     = 24 << 10
	maxChunkByte   = 12 // SEIPDv2 chunks of at most 2^(12+6) bytes
	minRSA         = 2048
	maxRSA         = 8192
)

// leeway is how far the clocks of two machines may differ where "now" counts.
const leeway = 10 * time.Minute

// maxDrift is how far a message's signature may lie from the time inside it.
const maxDrift = time.Minute

// settings are the library's settings for all that we write. They are never
// nil: with nil the library panics at some recipients.
func settings() *packet.Config {
	return &packet.Config{
		DefaultHash:   crypto.SHA256,
		DefaultCipher: packet.CipherAES256,
		AEADConfig:    &packet.AEADConfig{DefaultMode: packet.AEADModeGCM, ChunkSize: 64 << 10},
	}
}
