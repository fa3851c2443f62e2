package ijson_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/ijson"
)

type message struct {
	From string      `json:"from"`
	Have []string    `json:"have,omitempty"`
	Post ijson.Value `json:"post,omitempty"`
}

// spec: M13, M14, P1, P2, P3
func TestUnmarshalRefuses(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"doubled name", `{"from":"a","from":"b"}`, ijson.ErrSyntax},
		{"doubled name by escape", `{"from":"a","\u0066rom":"b"}`, ijson.ErrSyntax},
		{"doubled unknown name", `{"x":1,"x":2}`, ijson.ErrSyntax},
		{"doubled name inside", `{"post":{"a":1,"a":2}}`, ijson.ErrSyntax},
		{"known name in capitals", `{"From":"a"}`, ijson.ErrCase},
		{"known name in capitals beside it", `{"from":"a","HAVE":["x"]}`, ijson.ErrCase},
		{"text after the brace", `{"from":"a"}x`, ijson.ErrSyntax},
		{"second value", `{"from":"a"} {}`, ijson.ErrSyntax},
		{"invalid UTF-8", "{\"from\":\"\xff\"}", ijson.ErrSyntax},
		{"lone surrogate", `{"from":"\ud800"}`, ijson.ErrSyntax},
		{"nothing", ``, ijson.ErrSyntax},
		{"half", `{"from":`, ijson.ErrSyntax},
		{"wrong type", `{"from":1}`, ijson.ErrSyntax},
		{"too deep", strings.Repeat("[", 17) + strings.Repeat("]", 17), ijson.ErrDepth},
	} {
		var m message
		if err := ijson.Unmarshal([]byte(c.in), &m); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestUnmarshalIgnoresUnknownNames(t *testing.T) {
	var m message
	err := ijson.Unmarshal([]byte(" {\"from\":\"a\",\"new\":{\"From\":1},\"post\":{\"b\":1}}  \n"), &m)
	if err != nil || m.From != "a" || string(m.Post) != `{"b":1}` {
		t.Fatalf("got %+v, %v", m, err)
	}
}

// spec: P4, P5, P6, P7
func TestCheckNumbersAndNames(t *testing.T) {
	for _, ok := range []string{"0", "1", "-1", "9007199254740991", "-9007199254740991", "0.0001", "-0.5", "123456789.012345", "0.123456789012345", "1.5"} {
		if err := ijson.Check([]byte(`{"n":`+ok+`}`), 16, nil); err != nil {
			t.Errorf("%s is refused: %v", ok, err)
		}
	}
	for _, bad := range []string{"-0", "1e2", "1E2", "1e400", "1.0", "1.50", "9007199254740992", "-9007199254740992", "12345678901234567890",
		"0.00001", "0.00009", "1.234567890123456", "-0.0"} {
		if err := ijson.Check([]byte(`{"n":[`+bad+`]}`), 16, nil); !errors.Is(err, ijson.ErrPortable) {
			t.Errorf("%s: got %v, want ErrPortable", bad, err)
		}
	}
	for _, bad := range []string{`{"é":1}`, `{"a":{"\u007f":1}}`, `{"a":"\u007f"}`, "{\"a\":\"\x7f\"}", `{"\u0001":1}`} {
		if err := ijson.Check([]byte(bad), 16, nil); !errors.Is(err, ijson.ErrPortable) {
			t.Errorf("%s: got %v, want ErrPortable", bad, err)
		}
	}
}

func TestCheckTellsWhereNamesLie(t *testing.T) {
	var got []string
	err := ijson.Check([]byte(`{"a":{"b":[{"c":1}]},"d":2}`), 16, func(name string, depth int, top string) error {
		got = append(got, name+strings.Repeat("'", depth)+top)
		return nil
	})
	if want := "a'a b''a c''''a d'd"; err != nil || strings.Join(got, " ") != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestMarshalEscapesWhatATerminalObeys(t *testing.T) {
	got, err := ijson.Marshal(map[string]string{"t": "a\x1b\x7f\u009b\u202eé🙂"})
	if want := `{"t":"a\u001b\u007f\u009b\u202eé🙂"}`; err != nil || string(got) != want {
		t.Fatalf("got %s, %v; want %s", got, err, want)
	}
}

func TestMembersKeepTheirOrder(t *testing.T) {
	ms, err := ijson.Members([]byte(`{"b":1,"a":[2]}`))
	if err != nil || len(ms) != 2 || ms[0].Name != "b" || string(ms[1].Value) != "[2]" {
		t.Fatalf("got %v, %v", ms, err)
	}
	if _, err := ijson.Members([]byte(`[]`)); !errors.Is(err, ijson.ErrSyntax) {
		t.Fatalf("an array: got %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"from":"a","have":["b"],"post":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m message
		if ijson.Unmarshal(data, &m) != nil {
			return
		}
		c, err := ijson.Canonical(data)
		if err != nil {
			return // a number out of range: Check says so
		}
		again, err := ijson.Canonical(c)
		if err != nil || string(again) != string(c) {
			t.Fatalf("the canonical form of %q is not stable: %q, %v", c, again, err)
		}
	})
}

// FuzzCanonicalMembers: what CanonicalMembers and Assign make of an object is what
// Canonical and UnmarshalTrusted make of it.
func FuzzCanonicalMembers(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"to":["b","a"],"from":"a\tb","post":{"z":1,"a":[{"y":1, "x":"\u0065"}]}}`, ` {"n" : 10.50 , "b":-1,"a":123456789012345678 } `,
		`{"\u0066rom":"\ud83d\ude42","n":1e3,"t":true,"z":null}`, `{"from":"é\u00e9\u007f","have":null}`, `{"from":1}`, `{"have":"x"}`, `{"from":null}`,
		`{"a":{"b":1,"b":2}}`, `{"a":1,"a":2}`, `{"é":1}`, `[1]`, `{"a":1}x`, `{"":{}}`, "{\"from\":\"\x7f\\\\\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := ijson.Canonical(data)
		if err != nil || ijson.Check(data, ijson.MaxDepth, nil) != nil || want[0] != '{' {
			if _, err := ijson.CanonicalMembers(data); err == nil && want == nil {
				t.Fatalf("it takes %q", data)
			}
			return
		}
		members, err := ijson.CanonicalMembers(data)
		if err != nil {
			t.Fatalf("of %q: %v", data, err)
		}
		if got := ijson.Join(members); string(got) != string(want) {
			t.Fatalf("of %q it makes %s instead of %s", data, got, want)
		}
		indented, err := ijson.IndentMembers(members)
		if want, e := ijson.Indent(want); err != nil || e != nil || string(indented) != string(want) {
			t.Fatalf("of %q it makes %s, %v instead of %s, %v", data, indented, err, want, e)
		}
		var one, other message
		err = ijson.UnmarshalTrusted(want, &one)
		if e := ijson.Assign(members, &other); (e == nil) != (err == nil) || err == nil && !reflect.DeepEqual(one, other) {
			t.Fatalf("of %q: %+v, %v instead of %+v, %v", data, other, e, one, err)
		}
	})
}
