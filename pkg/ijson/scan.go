package ijson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Check holds data to the part of JSON on which RFC 8785 and jq agree, at most
// depth deep, and calls name (if not nil) for each member name with the depth
// of its object, the outermost being 1, and the name at depth 1 under which it
// lies (itself there).
func Check(data []byte, depth int, name func(name string, depth int, top string) error) error {
	// Where there is none in the text as it stands, no string is taken out to look.
	del := bytes.IndexByte(data, 0x7F) >= 0 || bytes.Contains(data, []byte(`\u007`))
	return scan(data, nil, depth, func(t jsontext.Token, at place) error {
		switch {
		case at.isName:
			if err := portableName(at.name); err != nil {
				return err
			}
			if name != nil {
				return name(at.name, at.depth, at.top)
			}
		case del && t.Kind() == '"' && strings.ContainsRune(t.String(), 0x7F):
			return fmt.Errorf("%w: the character U+007F", ErrPortable)
		case t.Kind() == '0':
			return portableNumber(t.String())
		}
		return nil
	})
}

type visitor func(jsontext.Token, place) error

// place is where a token stands.
type place struct {
	depth  int    // of its object or array, the outermost being 1
	isName bool   // of a member
	name   string // the token, if it is one
	top    string // the name at depth 1 under which it lies
}

// scan reads every token once: the syntax, the depth, the case of the names in
// known, and whatever visit looks at.
func scan(data []byte, known map[string]string, depth int, visit visitor) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	var at place
	for {
		t, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSyntax, noEOF(err))
		}
		at.depth = d.StackDepth()
		if at.depth > depth {
			return fmt.Errorf("%w: more than %d levels", ErrDepth, depth)
		}
		kind, n := d.StackIndex(at.depth)
		at.isName = kind == '{' && n%2 == 1 && t.Kind() == '"'
		if at.isName && (at.depth == 1 || visit != nil) {
			at.name = t.String()
		}
		if at.isName && at.depth == 1 {
			at.top = at.name
			if exact, ok := known[strings.ToLower(at.top)]; ok && exact != at.top {
				return fmt.Errorf("%w: %q instead of %q", ErrCase, at.top, exact)
			}
		}
		if visit != nil {
			if err := visit(t, at); err != nil {
				return err
			}
		}
		if at.depth == 0 {
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
