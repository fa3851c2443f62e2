package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// releaseSchema is what goreleaser itself says its configuration must be.
func releaseSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "testdata", "goreleaser", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// release reads the release configuration as JSON would hold it.
func release(t *testing.T, edit func(string) string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config any
	if err := yaml.Unmarshal([]byte(edit(string(text))), &config); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	config, err = jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestReleaseConfiguration(t *testing.T) {
	schema := releaseSchema(t)
	if err := schema.Validate(release(t, func(s string) string { return s })); err != nil {
		t.Errorf(".goreleaser.yaml: %v", err)
	}
	misspelt := func(s string) string { return strings.Replace(s, "mod_timestamp:", "mod_time:", 1) }
	if err := schema.Validate(release(t, misspelt)); err == nil {
		t.Error("the schema takes a misspelt name: it holds nothing")
	}
}

// TestReleaseNamesWhatExists: a pattern that matches nothing would be left out
// of the archive without a word.
func TestReleaseNamesWhatExists(t *testing.T) {
	config, _ := release(t, func(s string) string { return s }).(map[string]any)
	archives, _ := config["archives"].([]any)
	archive, _ := archives[0].(map[string]any)
	files, _ := archive["files"].([]any)
	if len(files) < 4 {
		t.Fatalf("%d files in the archive", len(files))
	}
	for _, f := range files {
		src, _ := f.(map[string]any)["src"].(string)
		// The pages are packed by a hook that runs before.
		src = strings.TrimSuffix(strings.Replace(src, "man-gz/", "man/", 1), ".gz")
		found, err := filepath.Glob(filepath.Join(root, src))
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %v, no such file", src, err)
		}
	}
}
