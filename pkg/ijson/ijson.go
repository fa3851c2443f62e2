// Package ijson reads and writes I-JSON (RFC 7493), the only JSON that p2ps
// signs, sends or keeps: no doubled names, no invalid UTF-8, no lone
// surrogates, exact case of names, nothing after the value.
//
// What is verified must be what is parsed. The standard library's decoder
// merges doubled names and folds their case, so that two programs can read two
// different posts out of the same signed bytes; this package refuses both.
package ijson

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Value is one JSON value as text: what has not been looked at yet, or what is
// passed on as it came.
type Value = jsontext.Value

// MaxDepth is how deep objects and arrays may nest (spec M13).
const MaxDepth = 16

var (
	// ErrSyntax: not I-JSON, or not of the shape that is wanted.
	ErrSyntax = errors.New("not valid I-JSON")
	// ErrDepth: nested deeper than allowed.
	ErrDepth = errors.New("nested too deep")
	// ErrCase: a known name in another case, such as "TO".
	ErrCase = errors.New("a known name in another case")
	// ErrPortable: a name, string or number on which RFC 8785 and jq differ.
	ErrPortable = errors.New("outside the portable part of JSON")
)

// Unmarshal reads data, one JSON value and nothing after it, into v. Names
// that v does not know are ignored, so that formats can grow; names that v
// knows, written in another case, are refused.
func Unmarshal(data []byte, v any) error {
	if err := scan(data, Names(v), MaxDepth, nil); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return nil
}

// UnmarshalTrusted reads data that Check or Canonical has already passed: the
// same result as Unmarshal without the second look.
func UnmarshalTrusted(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return nil
}

// Canonical returns the RFC 8785 (JCS) form of data. It does not look at the
// text of numbers: Check does, and a post passes both.
func Canonical(data []byte) ([]byte, error) {
	v := Value(append([]byte(nil), data...))
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return v, nil
}

// Encode writes v compactly with the fewest escapes, in the order of its
// fields, for signing and sending.
func Encode(v any) ([]byte, error) { return json.Marshal(v, json.Deterministic(true)) }

// Marshal writes v compactly for people and pipes: control characters, DEL,
// C1 and bidirectional controls are always escaped.
func Marshal(v any) ([]byte, error) {
	data, err := Encode(v)
	return escape(data), err
}

// MarshalIndent writes v for a file that people open: two spaces, a final
// newline, escaped as by Marshal.
func MarshalIndent(v any) ([]byte, error) {
	data, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, err
	}
	return append(escape(data), '\n'), nil
}

// Indent writes data, one JSON value, as MarshalIndent would, its names in the
// order in which they stand.
func Indent(data []byte) ([]byte, error) {
	v := Value(append([]byte(nil), data...))
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return append(escape(v), '\n'), nil
}

// String reads v as a JSON string; false if it is anything else.
func String(v Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	s, err := jsontext.AppendUnquote(nil, v)
	return string(s), err == nil
}

// Quote writes s as a JSON string; invalid UTF-8 in it becomes U+FFFD.
func Quote(s string) Value {
	q, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return q
}
