package main

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/p2ps/p2ps/spec"
)

// TestFieldsAreThoseOfTheSchemas: what --json=FIELDS can name is what the
// schemas promise.
func TestFieldsAreThoseOfTheSchemas(t *testing.T) {
	files, err := fs.Glob(spec.FS, "json/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(lineTypes()) {
		t.Errorf("%d schemas and %d kinds", len(files), len(lineTypes()))
	}
	for _, file := range files {
		data, err := fs.ReadFile(spec.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		object, _ := doc.(map[string]any)
		properties, _ := object["properties"].(map[string]any)
		kind := strings.TrimSuffix(strings.TrimPrefix(file, "json/"), ".json")
		fields := fieldsOf(kind)
		for name := range properties {
			if !slices.Contains(fields, name) {
				t.Errorf("%s: no line has the field %s", kind, name)
			}
		}
		for _, name := range fields {
			if _, ok := properties[name]; !ok {
				t.Errorf("%s: the schema does not name %s", kind, name)
			}
		}
	}
}

// TestUnknownFieldIsRefused, before anything is done, and by --help too.
func TestUnknownFieldIsRefused(t *testing.T) {
	for name, cmd := range tree(t) {
		for _, args := range [][]string{path(name, "--json=kind,frobnicate"), path(name, "--help", "--json=frobnicate")} {
			if cmd.Args(cmd, nil) != nil && args[len(args)-2] != "--help" {
				continue // the missing argument is told first
			}
			code, stdout, stderr := runIn(t, args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, `"message":"--json: there is no field \"frobnicate\" here","hint":"the fields are: kind, v, `) {
				t.Errorf("p2ps %s: exit %d, %q, %q", strings.Join(args, " "), code, stdout, stderr)
			}
		}
	}
	code, _, stderr := runIn(t, "config", "get", "jobs", "--json=names")
	if code != 2 || !strings.Contains(stderr, `"hint":"did you mean name? the fields are: kind, v, name, value, default, origin, env, about, path"`) {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
