package ijson

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
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

// CanonicalMembers returns the members of the object in data in the form and the
// order that Canonical gives them. Values that are canonical as they stand share
// data's memory. Names are ASCII, as Check has it.
func CanonicalMembers(data []byte) ([]Member, error) {
	members, err := Members(data)
	if err != nil {
		return nil, err
	}
	for i, m := range members {
		if err := portableName(m.Name); err != nil { // others have another order
			return nil, err
		}
		if isCanonical(m.Value) {
			continue
		}
		if members[i].Value, err = Canonical(m.Value); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return members, nil
}

// isCanonical knows the most frequent of canonical values: a text in which nothing
// is escaped, and a whole number that any float holds.
func isCanonical(v Value) bool {
	if v[0] == '"' {
		return bytes.IndexByte(v, '\\') < 0
	}
	return len(v) <= 15 && !bytes.ContainsFunc(v, func(r rune) bool { return r < '0' || r > '9' })
}

// Join writes members as one object, in their order, without those of some names.
func Join(members []Member, without ...string) []byte {
	out := append(make([]byte, 0, length(members)), '{')
	for _, m := range members {
		if slices.Contains(without, m.Name) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.Name)
		out = append(append(out, ':'), m.Value...)
	}
	return append(out, '}')
}

// IndentMembers is what Indent makes of the object that Join writes.
func IndentMembers(members []Member) ([]byte, error) {
	out := append(make([]byte, 0, length(members)), '{')
	for _, m := range members {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(append(out, "\n  "...), m.Name)
		v := m.Value
		if v[0] == '{' || v[0] == '[' {
			v = v.Clone()
			if err := v.Indent(jsontext.WithIndentPrefix("  "), jsontext.WithIndent("  ")); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
			}
		}
		out = append(append(out, ": "...), v...)
	}
	if len(out) > 1 {
		out = append(out, '\n')
	}
	return append(escape(append(out, '}')), '\n'), nil
}

// length is about how long an object of members is.
func length(members []Member) (n int) {
	for _, m := range members {
		n += len(m.Name) + len(m.Value) + len(",\n  \"\": ")
	}
	return n + len("{\n}\n")
}

// Assign gives the fields of the struct that v points at the values of the members
// of their names, as UnmarshalTrusted gives them those of an object. A Value
// shares its memory with the member's.
func Assign(members []Member, v any) error {
	s := reflect.ValueOf(v).Elem()
	fields := fieldsOf(s.Type())
	for i, m := range members {
		at, ok := fields[m.Name]
		if !ok {
			continue
		}
		field := s.FieldByIndex(at).Addr().Interface()
		if value, ok := field.(*Value); ok {
			*value = m.Value
			continue
		}
		if text, ok := field.(*string); ok {
			if *text, ok = String(m.Value); ok {
				continue
			}
		}
		if UnmarshalTrusted(m.Value, field) != nil {
			return UnmarshalTrusted(Join(members[i:i+1]), v) // says where
		}
	}
	return nil
}

// fields remembers the fields of each struct type, by their JSON names, and names
// the JSON names, by their lower case.
var (
	fields sync.Map // reflect.Type → map[string][]int, as of reflect.Value.FieldByIndex
	names  sync.Map // reflect.Type → map[string]string
)

func fieldsOf(t reflect.Type) map[string][]int {
	return remembered(&fields, t, func(m map[string][]int, name string, f reflect.StructField) { m[name] = f.Index })
}

// Names are the JSON names of the struct that v points at, by their lower case.
func Names(v any) map[string]string {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	return remembered(&names, t, func(m map[string]string, name string, _ reflect.StructField) { m[strings.ToLower(name)] = name })
}

// remembered makes a map of the fields that are in the JSON of a type, once.
func remembered[V any](all *sync.Map, t reflect.Type, put func(map[string]V, string, reflect.StructField)) map[string]V {
	if known, ok := all.Load(t); ok {
		if m, ok := known.(map[string]V); ok {
			return m
		}
	}
	m := map[string]V{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && name != "" && name != "-" {
			put(m, name, f)
		}
	}
	all.Store(t, m)
	return m
}
