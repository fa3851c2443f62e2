// Package vectors reads the cases in this folder, for the tests of the packages
// whose rules they show. Their form is described in README.md.
package vectors

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is this folder as seen from a package below pkg.
const root = "../../testdata/vectors"

// A Case is one vector.
type Case struct {
	Name   string
	Header map[string][]string
	Input  []byte
}

// Get is the first header of that name, "" if there is none.
func (c Case) Get(name string) string {
	if v := c.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Expect is what must come out: its lines, one each.
func (c Case) Expect() string { return strings.Join(c.Header["expect"], "\n") }

// Read gives all cases of a folder; none is an error.
func Read(tb testing.TB, folder string) []Case {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no vectors in %s: %v", folder, err)
	}
	cases := make([]Case, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		head, input, ok := bytes.Cut(data, []byte("\n\n"))
		if !ok {
			tb.Fatalf("%s: no empty line after the headers", file)
		}
		c := Case{Name: filepath.Base(file), Header: map[string][]string{}, Input: input}
		for line := range strings.Lines(string(head)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			c.Header[name] = append(c.Header[name], value)
		}
		cases = append(cases, c)
	}
	return cases
}

// Run runs each case of a folder as a test of its own: got says what came out,
// in the words of README.md.
func Run(t *testing.T, folder string, got func(t *testing.T, c Case) string) {
	t.Helper()
	for _, c := range Read(t, folder) {
		t.Run(folder+"/"+c.Name, func(t *testing.T) {
			if out, want := got(t, c), c.Expect(); out != want {
				t.Errorf("%s\ngot  %s\nwant %s", c.Get("why"), out, want)
			}
		})
	}
}
