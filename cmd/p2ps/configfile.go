package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/ijson"
)

// editConfig returns the config file with one setting changed, or with a nil
// value taken out, and all else, comments included, as it was. Whether it came
// out right is not believed but read: if the other settings are no longer the
// same, the file is left alone.
func editConfig(data []byte, path, name string, value any) ([]byte, error) {
	before, err := readTOML(data, path)
	if err != nil {
		return nil, err
	}
	line := ""
	if value != nil {
		if line, err = configLine(name, value); err != nil {
			return nil, err
		}
	}
	want := before.AllSettings()
	delete(want, name)
	lines := strings.SplitAfter(string(data), "\n")
	start := configStart(lines, name)
	// A value may stand on several lines: how many, the parser knows.
	for end := min(start+1, len(lines)); end <= len(lines); end++ {
		text := strings.Join(lines[:start], "")
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += line + strings.Join(lines[end:], "")
		after, err := readTOML([]byte(text), path)
		if err != nil {
			continue
		}
		got := after.AllSettings()
		set, is := got[name]
		delete(got, name)
		if maps.EqualFunc(got, want, same) && (value == nil && !is || value != nil && means(name, set, value)) {
			return []byte(text), nil
		}
	}
	return nil, fail(exitError, "edit it by hand: p2ps config path says where the file is", "%s: cannot change %s without changing more", path, name)
}

// means tells whether what stands in the file for a setting is this value.
func means(name string, set, value any) bool {
	parsed, err := mustSetting(name).kind.parse(set)
	return err == nil && same(parsed, value)
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

// configStart returns the line on which a setting stands, or the end.
func configStart(lines []string, name string) int {
	begins := regexp.MustCompile(`(?i)^\s*["']?` + regexp.QuoteMeta(name) + `["']?\s*=|^\s*\[+\s*["']?` + regexp.QuoteMeta(name) + `["']?\s*\]`)
	if table, _, dotted := strings.Cut(name, "."); dotted && !slices.ContainsFunc(lines, begins.MatchString) {
		return configStart(lines, table)
	}
	for i, line := range lines {
		if begins.MatchString(line) {
			return i
		}
	}
	return len(lines)
}

// configLine writes a setting as TOML. A JSON text, escaped as ijson does, is
// a TOML text too.
func configLine(name string, value any) (string, error) {
	switch value.(type) {
	case bool, int:
	case fmt.Stringer: // a time.Duration
		value = fmt.Sprint(value)
	}
	text, err := ijson.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", name, err)
	}
	return name + " = " + string(text) + "\n", nil
}
