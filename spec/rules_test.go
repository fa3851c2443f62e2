package spec_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const vectors = "../testdata/vectors"

var (
	ruleStart = regexp.MustCompile(`(?m)^\*\*([A-Z])([0-9]+)\.\*\* `)
	ruleName  = regexp.MustCompile(`^[PMWSFIAKN][1-9][0-9]*$`)
	inText    = regexp.MustCompile(`\b([PMWSFIAKN][1-9][0-9]*)\b`)
	inTest    = regexp.MustCompile(`(?m)^// spec: ([A-Z0-9, ]+)\n(?://.*\n)*func (?:Test|Fuzz)\w+\(`)
	documents = map[string]string{"post.md": "P", "message.md": "M", "walk.md": "W", "server.md": "S", "files.md": "F", "meet.md": "I", "back.md": "A", "kinds.md": "K", "nearby.md": "N"}
)

// rules lists every rule number of every document, in order.
func rules(t *testing.T) []string {
	t.Helper()
	var all []string
	for name, letter := range documents {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range ruleStart.FindAllSubmatch(data, -1) {
			if want := letter + strconv.Itoa(i+1); string(m[1])+string(m[2]) != want {
				t.Errorf("%s: rule %s%s stands where %s should", name, m[1], m[2], want)
			}
			all = append(all, string(m[1])+string(m[2]))
		}
	}
	slices.SortFunc(all, byNumber)
	return all
}

func byNumber(a, b string) int {
	if a[0] != b[0] {
		return int(a[0]) - int(b[0])
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// Rules are numbered one by one, each says why, and no number is mentioned
// that does not exist.
func TestRuleNumbers(t *testing.T) {
	all := rules(t)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("a rule number is used twice in %v", all)
	}
	for name := range documents {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inText.FindAllSubmatch(data, -1) {
			if !slices.Contains(all, string(m[1])) {
				t.Errorf("%s mentions %s, which is no rule", name, m[1])
			}
		}
		for _, paragraph := range strings.Split(string(data), "\n\n") {
			if ruleStart.MatchString(paragraph) && !strings.Contains(paragraph, "*Why:") && !strings.HasSuffix(paragraph, ":") {
				t.Errorf("%s: no reason given: %.40s", name, paragraph)
			}
		}
	}
}

// header reads the lines before the first empty one.
func header(data []byte) (map[string][]string, error) {
	head, _, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, errors.New("no empty line after the headers")
	}
	fields := map[string][]string{}
	for _, line := range strings.Split(string(head), "\n") {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || value == "" {
			return nil, errors.New("not a header: " + strconv.Quote(line))
		}
		fields[name] = append(fields[name], value)
	}
	return fields, nil
}

// eachVector calls f with the headers of every vector.
func eachVector(t *testing.T, f func(file string, h map[string][]string)) {
	t.Helper()
	err := filepath.WalkDir(vectors, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(file) == filepath.Clean(vectors) {
			return err // files at the top explain and generate
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		h, err := header(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return nil
		}
		f(file, h)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVectorHeaders(t *testing.T) {
	all := rules(t)
	seen := 0
	eachVector(t, func(file string, h map[string][]string) {
		seen++
		for _, name := range []string{"rule", "expect", "why"} {
			if len(h[name]) == 0 {
				t.Errorf("%s: no %s", file, name)
			}
		}
		for _, value := range h["rule"] {
			for _, rule := range strings.Fields(strings.ReplaceAll(value, ",", " ")) {
				if !ruleName.MatchString(rule) || !slices.Contains(all, rule) {
					t.Errorf("%s: rule %q does not exist", file, rule)
				}
			}
		}
	})
	if seen == 0 {
		t.Error("no vectors")
	}
}

// Every rule has a vector whose header names it, or a test function of the
// repository whose comment does: // spec: W12
func TestEveryRuleIsTested(t *testing.T) {
	tested := map[string]bool{}
	mark := func(list string) {
		for _, rule := range strings.Fields(strings.ReplaceAll(list, ",", " ")) {
			tested[rule] = true
		}
	}
	eachVector(t, func(_ string, h map[string][]string) {
		for _, list := range h["rule"] {
			mark(list)
		}
	})
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(file)
		for _, m := range inTest.FindAllSubmatch(data, -1) {
			mark(string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, rule := range rules(t) {
		if !tested[rule] {
			missing = append(missing, rule)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d rules have neither a vector (rule: …) nor a test (// spec: …):\n%s", len(missing), strings.Join(missing, " "))
	}
}
