package pgp

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Packet types of RFC 9580 §5 that we name.
const (
	tagSessionKey   = 1
	tagSignature    = 2
	tagOnePass      = 4
	tagSecretKey    = 5
	tagPublicKey    = 6
	tagSecretSubkey = 7
	tagMarker       = 10
	tagLiteral      = 11
	tagTrust        = 12
	tagUserID       = 13
	tagPublicSubkey = 14
	tagSealed       = 18 // integrity-protected data, SEIPD
	tagPadding      = 21
)

// A frame is one packet as it lies in the input: nothing is copied.
type frame struct {
	tag  byte
	raw  []byte // header and body
	body []byte // nil if the body lies in parts
	size int    // bytes of the body
}

// partial tells whether the body lies in parts, each behind a length of its own.
func (f frame) partial() bool { return f.body == nil }

// nextFrame cuts the first packet off data (RFC 9580 §4.2). Old packets of
// indeterminate length are refused: where they end nobody says.
func nextFrame(data []byte) (f frame, rest []byte, err error) {
	if len(data) == 0 || data[0]&0x80 == 0 {
		return frame{}, nil, fmt.Errorf("not a packet: %w", ErrMalformed)
	}
	if data[0]&0x40 == 0 {
		return oldFrame(data)
	}
	f.tag = data[0] & 0x3f
	at, inParts := 1, false
	for {
		header, size, partial := newLength(data[at:])
		if header == 0 || size > uint64(len(data)-at-header) {
			return frame{}, nil, fmt.Errorf("packet %d is cut off: %w", f.tag, ErrMalformed)
		}
		start := at + header
		at = start + int(size)
		f.size += int(size)
		if partial {
			inParts = true
			continue
		}
		if !inParts {
			f.body = data[start:at:at]
		}
		f.raw = data[:at:at]
		return f, data[at:], nil
	}
}

// oldFrame cuts off a packet with a header of the old format.
func oldFrame(data []byte) (f frame, rest []byte, err error) {
	f.tag = data[0] >> 2 & 0x0f
	kind := data[0] & 3
	if kind == 3 {
		return frame{}, nil, fmt.Errorf("packet %d of indeterminate length: %w", f.tag, ErrMalformed)
	}
	start := 1 + 1<<kind
	var size uint64
	for i := 1; i < start && i < len(data); i++ {
		size = size<<8 | uint64(data[i])
	}
	if len(data) < start || size > uint64(len(data)-start) {
		return frame{}, nil, fmt.Errorf("packet %d is cut off: %w", f.tag, ErrMalformed)
	}
	end := start + int(size)
	return frame{tag: f.tag, raw: data[:end:end], body: data[start:end:end], size: int(size)}, data[end:], nil
}

// newLength reads a length of the new format; header is 0 if it is cut off.
func newLength(data []byte) (header int, size uint64, partial bool) {
	switch {
	case len(data) >= 1 && data[0] < 192:
		return 1, uint64(data[0]), false
	case len(data) >= 2 && data[0] < 224:
		return 2, uint64(data[0]-192)<<8 + uint64(data[1]) + 192, false
	case len(data) >= 5 && data[0] == 255:
		return 5, uint64(binary.BigEndian.Uint32(data[1:])), false
	case len(data) >= 1 && data[0] >= 224 && data[0] < 255:
		return 1, 1 << (data[0] & 0x1f), true
	}
	return 0, 0, false
}

// appendBody appends the whole body to dst, joining its parts.
func (f frame) appendBody(dst []byte) []byte {
	if !f.partial() {
		return append(dst, f.body...)
	}
	for rest, more := f.raw[1:], true; more; {
		header, size, partial := newLength(rest)
		dst = append(dst, rest[header:header+int(size)]...)
		rest, more = rest[header+int(size):], partial
	}
	return dst
}

// peek copies the beginning of the body into dst and returns how much there is.
func (f frame) peek(dst []byte) int {
	if !f.partial() {
		return copy(dst, f.body)
	}
	n := 0
	for rest, more := f.raw[1:], true; more && n < len(dst); {
		header, size, partial := newLength(rest)
		n += copy(dst[n:], rest[header:header+int(size)])
		rest, more = rest[header+int(size):], partial
	}
	return n
}

// appendHeader appends a header of the new format for a body of size bytes.
func appendHeader(dst []byte, tag byte, size int) []byte {
	dst = append(dst, 0xc0|tag)
	switch {
	case size < 192:
		return append(dst, byte(size))
	case size < 8384:
		return append(dst, byte((size-192)>>8)+192, byte(size-192))
	}
	return binary.BigEndian.AppendUint32(append(dst, 255), uint32(size))
}

// parse hands a packet to the library, which must use up all of it: bytes it
// does not read would be part of no hash.
func (f frame) parse() (packet.Packet, error) {
	r := bytes.NewReader(f.raw)
	p, err := packet.Read(r)
	if err != nil {
		return nil, fmt.Errorf("packet %d: %w: %w", f.tag, ErrMalformed, err)
	}
	if r.Len() != 0 {
		return nil, fmt.Errorf("packet %d has bytes left over: %w", f.tag, ErrMalformed)
	}
	return p, nil
}
