package post

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/spec"
	"github.com/p2ps/p2ps/testdata/vectors"
)

// schemas are those of spec/schema: of all posts in wire form, and of each type.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	names, err := fs.Glob(spec.FS, "schema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("p2ps:///"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]*jsonschema.Schema{}
	for kind, at := range map[string]string{"": "post.json#/$defs/wire", "Note": "note.json", "Article": "article.json", "Page": "page.json", "Like": "like.json",
		"Announce": "announce.json", "Person": "person.json", "Tombstone": "tombstone.json", "Arrive": "arrive.json", "Event": "event.json", "Accept": "accept.json",
		"TentativeAccept": "tentativeaccept.json", "Reject": "reject.json", "Question": "question.json", "Listen": "listen.json", "Read": "read.json", "View": "view.json",
		"Travel": "travel.json", "Activity": "activity.json"} {
		if all[kind], err = c.Compile("p2ps:///schema/" + at); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// beyondSchemas are errors of what no schema sees: texts of numbers, existing
// dates, names in another case or below the top, two members that agree.
func beyondSchemas(err error) bool {
	for _, e := range []error{ijson.ErrPortable, ijson.ErrCase, ijson.ErrDepth, ErrAuthor, ErrTooLarge} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.Is(err, ijson.ErrSyntax) && !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "the time") || strings.Contains(err.Error(), "stands there twice") || errors.Is(err, ErrAudience) && strings.Contains(err.Error(), "the name")
}

// The checks written by hand and the schemas agree on every vector, and on an
// accepted one of each type, with a text and without, with each of its members
// replaced, or taken out, or another added.
func TestChecksAgreeWithSchemas(t *testing.T) {
	all := schemas(t)
	sum := "sha256:" + strings.Repeat("ab", 32)
	values := []string{`null`, `true`, `0`, `1`, `-1`, `1.5`, `""`, `"x"`, `[]`, `["as:Public"]`, `["as:Public","as:Public"]`, `{}`, `"2026-11-22T12:34:56Z"`, `"2026-11-22"`,
		`"https://example.org/x"`, `"ftp://example.org/"`, `"p2ps:x"`, `"p2ps:6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D/20261122-123456789-k3q5vx2m4f7da"`,
		`"Note"`, `"Juggling"`, `"AAAA"`, `"AA=="`, `"A"`, `9007199254740991`, `"` + strings.Repeat("x", 65) + `"`, `"https://example.org/a b"`, "\"https://example.org/\u0085\"",
		`"https://"`, `"openpgp4fpr:6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D"`,
		`"2026-02-30"`, `"de-DE"`, `"Europe/Berlin"`, `"../x"`, `["Pizza","Pasta"]`, `["Pizza","Pizza"]`, `[""]`, `{"type":"Place"}`, `{"type":"Place","name":"x","latitude":1}`,
		`{"type":"Place","name":"x"}`, `{"type":"Place","latitude":90,"longitude":-180,"radius":5}`, `{"type":"Place","latitude":90.5,"longitude":0}`, `{"type":"Place","name":""}`,
		`{"type":"Place","latitude":1,"longitude":2,"radius":5,"units":"m"}`, `{"type":"Place","name":"x","units":7}`, `{"type":"Page","name":"x"}`, `{"type":"Page","url":"x"}`, `{"type":"","name":"x"}`,
		`[{"type":"Note","name":"a"},{"type":"Note","name":"b"}]`, `[{"type":"Note","name":"a"},{"type":"Note","name":"a","x":1}]`, `[{"type":"Note","name":"a"}]`, `[{"type":"Note","name":"a"},"b"]`,
		`[{"type":"Note","name":"a"},{"type":"Page","name":"b"}]`, `[{"type":"Note","name":"a"},{"type":"Note","name":7}]`,
		`{"type":"Image"}`, `{"type":"Image","mediaType":"image/png","size":1,"url":[{"href":"` + sum + `"}]}`, `{"type":"Audio","mediaType":"audio/ogg","size":1,"url":[{"href":"` + sum + `"}]}`,
		`[{"type":"Image","mediaType":"image/png","size":1,"url":[{"href":"` + sum + `"}]}]`, `[{"type":"Link","name":"x","href":"https://example.org/"}]`, `[{"type":"Link","name":"","href":"https://example.org/"}]`,
		`[{"type":"Link","name":"x","href":"ftp://example.org/"}]`, `[{"type":"Link","name":7,"href":"https://example.org/"}]`, `[{"type":["Link"],"href":7}]`}
	names := []string{"id", "type", "attributedTo", "published", "updated", "expires", "deleted", "formerType", "revision", "signature", "to", "bto", "cc", "content", "summary", "name",
		"mediaType", "inReplyTo", "context", "object", "url", "attachment", "icon", "location", "other",
		"language", "startTime", "endTime", "timezone", "origin", "target", "oneOf", "anyOf", "choices"}
	n := 0
	check := func(raw []byte) {
		n++
		_, err := received(raw)
		invalid := validate(all, raw)
		switch {
		case err == nil && invalid != nil:
			t.Errorf("%s\nis taken, and invalid by its schema: %v", raw, invalid)
		case err != nil && invalid == nil && !beyondSchemas(err):
			t.Errorf("%s\nis refused, and valid by its schema: %v", raw, err)
		}
	}
	changed := map[string]bool{} // one of each type, with a text and without
	for _, folder := range []string{"shape", "received", "line", "post"} {
		for _, c := range vectors.Read(t, folder) {
			check(c.Input)
			var members map[string]json.RawMessage
			if c.Expect() != "accepted" || folder != "shape" || json.Unmarshal(c.Input, &members) != nil {
				continue
			}
			if key := string(members["type"]) + fmt.Sprint(members["content"] == nil); changed[key] {
				continue
			} else {
				changed[key] = true
			}
			for _, name := range names {
				was, there := members[name]
				for _, value := range append(values, "") {
					if members[name] = json.RawMessage(value); value == "" {
						delete(members, name)
					}
					raw, err := json.Marshal(members)
					if err != nil {
						t.Fatal(err)
					}
					check(raw)
				}
				if members[name] = was; !there {
					delete(members, name)
				}
			}
		}
	}
	if n < 10000 {
		t.Errorf("only %d documents", n)
	}
}

func validate(all map[string]*jsonschema.Schema, raw []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if err := all[""].Validate(v); err != nil {
		return err
	}
	kind, _ := v.(map[string]any)["type"].(string)
	if s := all[kind]; s != nil {
		return s.Validate(v)
	}
	return nil
}

// Every known type has a schema, and is checked.
func TestEveryTypeIsChecked(t *testing.T) {
	all := schemas(t)
	for _, c := range vectors.Read(t, "shape") {
		var p struct {
			Type string `json:"type"`
		}
		if c.Expect() == "refused member" && json.Unmarshal(c.Input, &p) == nil && p.Type != "" && len(p.Type) < 64 && all[p.Type] == nil {
			t.Errorf("%s: %s", path.Join("shape", c.Name), fmt.Sprintf("no schema of a %s", p.Type))
		}
	}
}
