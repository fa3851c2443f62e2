package spec_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/p2ps/p2ps/spec"
)

const (
	base     = "p2ps:///"
	examples = "../testdata/schema"
)

// compiler knows every schema of the package under base and its path, and
// nothing else: a schema that refers elsewhere does not compile.
func compiler(t *testing.T) (*jsonschema.Compiler, []string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	var names []string
	err := fs.WalkDir(spec.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".json" {
			return err
		}
		data, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		object, _ := doc.(map[string]any) // anything else has no $id either
		if id := object["$id"]; id != path.Base(name) {
			return fmt.Errorf("%s: its $id is %v", name, id)
		}
		names = append(names, name)
		return c.AddResource(base+name, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, names
}

func TestSchemasCompile(t *testing.T) {
	c, names := compiler(t)
	for _, name := range names {
		if _, err := c.Compile(base + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(names) < 30 {
		t.Errorf("%d schemas embedded, want at least 30", len(names))
	}
}

// folder is where the examples of a schema are: those of schema/post.json in
// post, those of json/post.json in json/post.
func folder(schema string) string {
	return strings.TrimSuffix(strings.TrimPrefix(schema, "schema/"), ".json")
}

func TestExamples(t *testing.T) {
	c, names := compiler(t)
	for _, name := range names {
		schema, err := c.Compile(base + name)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(examples, folder(name), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, file := range files {
			kind, _, _ := strings.Cut(filepath.Base(file), "-")
			seen[kind]++
			err := schema.Validate(example(t, file))
			if kind == "valid" && err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if kind == "invalid" && err == nil {
				t.Errorf("%s: accepted by %s", file, name)
			}
		}
		if seen["valid"] == 0 || seen["invalid"] == 0 || len(seen) != 2 {
			t.Errorf("%s: examples %v, want valid-*.json and invalid-*.json", name, seen)
		}
	}
}

// No example is left over from a schema that is gone.
func TestExamplesHaveASchema(t *testing.T) {
	_, names := compiler(t)
	known := map[string]bool{".": true, "json": true}
	for _, name := range names {
		known[folder(name)] = true
	}
	err := filepath.WalkDir(examples, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(examples, file)
		if !known[filepath.ToSlash(rel)] {
			t.Errorf("%s: no such schema", file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func example(t *testing.T, file string) any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

var reference = regexp.MustCompile(`\$ref: "?([^"}\s]+)`)

// Every $ref of the OpenAPI description leads somewhere, and it describes
// exactly the routes of server.md.
func TestOpenAPI(t *testing.T) {
	data, err := fs.ReadFile(spec.FS, "openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components map[string]map[string]any
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q, want 3.1.0", doc.OpenAPI)
	}
	c, _ := compiler(t)
	for _, m := range reference.FindAllSubmatch(data, -1) {
		ref := string(m[1])
		if inside, ok := strings.CutPrefix(ref, "#/components/"); ok {
			kind, name, _ := strings.Cut(inside, "/")
			if doc.Components[kind][name] == nil {
				t.Errorf("$ref %s leads nowhere", ref)
			}
		} else if _, err := c.Compile(base + ref); err != nil {
			t.Errorf("$ref %s: %v", ref, err)
		}
	}
	var routes []string
	for route, methods := range doc.Paths {
		for method := range methods {
			routes = append(routes, strings.ToUpper(method)+" "+parameter.ReplaceAllString(route, "{}"))
		}
	}
	table, err := os.ReadFile("server.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range row.FindAllSubmatch(table, -1) {
		want = append(want, parameter.ReplaceAllString(string(m[1]), "{}"))
	}
	sameSet(t, "routes of openapi.yaml", routes, "server.md", want)
}

var (
	row       = regexp.MustCompile("(?m)^\\| `((?:GET|POST) [^`?]+)(?:\\?[^`]*)?` \\|")
	parameter = regexp.MustCompile(`\{[^}]*\}`)
)

func sameSet(t *testing.T, aName string, a []string, bName string, b []string) {
	t.Helper()
	in := map[string]int{}
	for _, s := range a {
		in[s] |= 1
	}
	for _, s := range b {
		in[s] |= 2
	}
	for s, where := range in {
		switch where {
		case 1:
			t.Errorf("%s: %q is not in %s", aName, s, bName)
		case 2:
			t.Errorf("%s: %q of %s is missing", aName, s, bName)
		}
	}
}

// The schemas and the vectors say the same: what a vector accepts is valid,
// and a post whose members are wrong is not.
func TestSchemasAgreeWithVectors(t *testing.T) {
	c, _ := compiler(t)
	for _, dir := range []string{"shape", "received", "request", "answer"} {
		files, err := filepath.Glob(filepath.Join(vectors, dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d vectors, error %v", dir, len(files), err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h, err := header(data)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			_, body, _ := bytes.Cut(data, []byte("\n\n"))
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
			if err != nil {
				continue // not JSON: no matter for a schema
			}
			invalid := schemaError(c, dir, v)
			switch expect := h["expect"][0]; {
			case expect == "accepted" && invalid != nil:
				t.Errorf("%s: %v", file, invalid)
			case expect == "refused member" && dir == "shape" && invalid == nil:
				t.Errorf("%s: valid by its schema", file)
			}
		}
	}
}

// schemaError holds a post against what all posts have in common and against
// its type, any other document against the schema of its folder.
func schemaError(c *jsonschema.Compiler, dir string, v any) error {
	names := []string{dir}
	if dir == "shape" || dir == "received" {
		names = []string{"post"}
		if post, ok := v.(map[string]any); ok {
			kind, _ := post["type"].(string)
			if _, err := fs.Stat(spec.FS, "schema/"+strings.ToLower(kind)+".json"); err == nil {
				names = append(names, strings.ToLower(kind))
			}
		}
	}
	for _, name := range names {
		schema, err := c.Compile(base + "schema/" + name + ".json")
		if err != nil {
			return err
		}
		if err := schema.Validate(v); err != nil {
			return err
		}
	}
	return nil
}
