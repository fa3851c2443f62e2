package pgp

import (
	"bytes"
	"slices"
	"testing"
)

func TestNextFrame(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 9000)
	for _, c := range []struct {
		name string
		in   []byte
		tag  byte
		body []byte
		rest int
		want error
	}{
		{"old, one octet", []byte{0x88, 2, 7, 7, 9}, tagSignature, long[:2], 1, nil},
		{"old, two octets", append([]byte{0x89, 0, 3}, long[:3]...), tagSignature, long[:3], 0, nil},
		{"old, four octets", append([]byte{0x8a, 0, 0, 0, 3}, long[:3]...), tagSignature, long[:3], 0, nil},
		{"new, one octet", append([]byte{0xc2, 191}, long[:191]...), tagSignature, long[:191], 0, nil},
		{"new, two octets", append([]byte{0xc2, 192, 0}, long[:192]...), tagSignature, long[:192], 0, nil},
		{"new, two octets at the end", append([]byte{0xc2, 223, 255}, long[:8383]...), tagSignature, long[:8383], 0, nil},
		{"new, five octets", append([]byte{0xc2, 255, 0, 0, 0x20, 0xc0}, long[:8384]...), tagSignature, long[:8384], 0, nil},
		{"empty body", []byte{0xc2, 0}, tagSignature, nil, 0, nil},
		{"in parts", slices.Concat([]byte{0xd2, 0xe9}, long[:512], []byte{3}, long[:3]), tagSealed, long[:515], 0, nil},
		{"in parts, last one empty", slices.Concat([]byte{0xd2, 0xe1}, long[:2], []byte{0}), tagSealed, long[:2], 0, nil},
		{"nothing", nil, 0, nil, 0, ErrMalformed},
		{"text", []byte("-----BEGIN"), 0, nil, 0, ErrMalformed},
		{"indeterminate length", append([]byte{0x8b}, long...), 0, nil, 0, ErrMalformed},
		{"old, length cut off", []byte{0x89, 0}, 0, nil, 0, ErrMalformed},
		{"old, body cut off", []byte{0x88, 2, 7}, 0, nil, 0, ErrMalformed},
		{"no length", []byte{0xc2}, 0, nil, 0, ErrMalformed},
		{"new, length cut off", []byte{0xc2, 192}, 0, nil, 0, ErrMalformed},
		{"new, body cut off", []byte{0xc2, 2, 7}, 0, nil, 0, ErrMalformed},
		{"4 GiB announced", []byte{0xc2, 255, 255, 255, 255, 255, 7}, 0, nil, 0, ErrMalformed},
		{"1 GiB part announced", []byte{0xd2, 0xfe, 7}, 0, nil, 0, ErrMalformed},
		{"parts without an end", slices.Concat([]byte{0xd2, 0xe1}, long[:2]), 0, nil, 0, ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, rest, err := nextFrame(c.in)
			wantError(t, err, c.want)
			if err != nil {
				return
			}
			if f.tag != c.tag || f.size != len(c.body) || !bytes.Equal(f.appendBody(nil), c.body) || len(rest) != c.rest {
				t.Errorf("tag %d, %d bytes, %d left", f.tag, f.size, len(rest))
			}
			if !bytes.Equal(f.raw, c.in[:len(c.in)-c.rest]) {
				t.Errorf("raw is %x", f.raw)
			}
			var head [4]byte
			if n := f.peek(head[:]); !bytes.Equal(head[:n], c.body[:min(4, len(c.body))]) {
				t.Errorf("peek gives %x", head[:n])
			}
		})
	}
}

func TestAppendHeaderIsReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 191, 192, 8383, 8384, 70000} {
		in := append(appendHeader(nil, tagLiteral, n), make([]byte, n)...)
		f, rest, err := nextFrame(in)
		if err != nil || f.tag != tagLiteral || f.size != n || len(rest) != 0 {
			t.Errorf("%d bytes: got %d, %v", n, f.size, err)
		}
	}
}
