package ijson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// A Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// Members returns the members of the object in data, in their order, their
// values still as text (they share data's memory).
func Members(data []byte) ([]Member, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	if d.PeekKind() != '{' {
		return nil, fmt.Errorf("%w: not an object", ErrSyntax)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	members := make([]Member, 0, 16)
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		m := Member{Name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		end := d.InputOffset()
		m.Value = data[end-int64(len(value)) : end : end] // the decoder's own is good until it goes on
		members = append(members, m)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return members, end(d)
}

// Check holds data to the part of JSON on which RFC 8785 and jq agree, at most
// depth deep, and calls name (if not nil) for each member name with the depth
// of its object, the outermost being 1, and the name at depth 1 under which it
// lies (itself there).
func Check(data []byte, depth int, name func(name string, depth int, top string) error) error {
	return scan(data, nil, depth, func(d *jsontext.Decoder, t jsontext.Token, isName bool, top string) error {
		switch {
		case isName:
			if err := portableName(t.String()); err != nil {
				return err
			}
			if name != nil {
				return name(t.String(), d.StackDepth(), top)
			}
		case t.Kind() == '"' && strings.ContainsRune(t.String(), 0x7F):
			return fmt.Errorf("%w: the character U+007F", ErrPortable)
		case t.Kind() == '0':
			return portableNumber(t.String())
		}
		return nil
	})
}

type visitor func(d *jsontext.Decoder, t jsontext.Token, isName bool, top string) error

// scan reads every token once: the syntax, the depth, the case of the names in
// known, and whatever visit looks at.
func scan(data []byte, known map[string]string, depth int, visit visitor) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	top := ""
	for {
		t, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSyntax, noEOF(err))
		}
		at := d.StackDepth()
		if at > depth {
			return fmt.Errorf("%w: more than %d levels", ErrDepth, depth)
		}
		kind, n := d.StackIndex(at)
		isName := kind == '{' && n%2 == 1 && t.Kind() == '"'
		if isName && at == 1 {
			top = t.String()
			if exact, ok := known[strings.ToLower(top)]; ok && exact != top {
				return fmt.Errorf("%w: %q instead of %q", ErrCase, top, exact)
			}
		}
		if visit != nil {
			if err := visit(d, t, isName, top); err != nil {
				return err
			}
		}
		if d.StackDepth() == 0 {
			return end(d)
		}
	}
}

// end refuses anything but spaces after the value.
func end(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the value", ErrSyntax)
	}
	return nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func portableName(s string) error {
	if strings.ContainsRune(s, 0x7F) {
		return fmt.Errorf("%w: the character U+007F in a name", ErrPortable)
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7F {
			return fmt.Errorf("%w: the name %q is not ASCII", ErrPortable, s)
		}
	}
	return nil
}

// portableNumber looks at the text, not at the value: 1e400, 1.0, -0 and
// 20-digit integers all have a value.
func portableNumber(s string) error {
	digits := strings.TrimPrefix(s, "-")
	whole, part, decimal := strings.Cut(digits, ".")
	significant := len(strings.TrimLeft(whole+part, "0"))
	const largest = "9007199254740991" // 2^53 - 1
	switch {
	case strings.ContainsAny(digits, "eE"):
		return fmt.Errorf("%w: the number %.40s has an exponent", ErrPortable, s)
	case s == "-0":
		return fmt.Errorf("%w: the number -0", ErrPortable)
	case !decimal && (len(whole) > len(largest) || len(whole) == len(largest) && whole > largest):
		return fmt.Errorf("%w: the number %.40s is beyond 2^53-1", ErrPortable, s)
	case decimal && strings.HasSuffix(part, "0"):
		return fmt.Errorf("%w: the number %.40s ends in a zero", ErrPortable, s)
	case decimal && significant > 15:
		return fmt.Errorf("%w: the number %.40s has more than 15 digits", ErrPortable, s)
	case decimal && whole == "0" && strings.HasPrefix(part, "0000"):
		return fmt.Errorf("%w: the number %.40s is below 0.0001", ErrPortable, s)
	}
	return nil
}

// names remembers the JSON names of each struct type, by their lower case.
var names sync.Map // reflect.Type → map[string]string

// Names are the JSON names of the struct that v points at, by their lower case.
func Names(v any) map[string]string {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	if known, ok := names.Load(t); ok {
		if m, ok := known.(map[string]string); ok {
			return m
		}
	}
	m := map[string]string{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			m[strings.ToLower(name)] = name
		}
	}
	names.Store(t, m)
	return m
}
