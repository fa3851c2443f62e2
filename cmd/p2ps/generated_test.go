package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manDate stands in the manual: a date of the build would make every build
// another one.
var manDate = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// TestGenerated holds man/ and completions/ against the commands. With -update
// it writes them.
func TestGenerated(t *testing.T) {
	fresh := t.TempDir()
	writeMan(t, newRoot(newWorld(t).env), filepath.Join(fresh, "man"))
	writeCompletions(t, newRoot(newWorld(t).env), filepath.Join(fresh, "completions"))
	for _, dir := range []string{"man", "completions"} {
		committed := filepath.Join(root, dir)
		if *update {
			if err := os.RemoveAll(committed); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(committed, os.DirFS(filepath.Join(fresh, dir))); err != nil {
				t.Fatal(err)
			}
		}
		want, got := filesOf(t, filepath.Join(fresh, dir)), filesOf(t, committed)
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%s/%s is out of date: go test ./cmd/p2ps -run TestGenerated -update", dir, name)
			}
		}
		for name := range got {
			if _, ok := want[name]; !ok {
				t.Errorf("%s/%s is of no command: go test ./cmd/p2ps -run TestGenerated -update", dir, name)
			}
		}
	}
}

func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%v: go test ./cmd/p2ps -run TestGenerated -update", err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// writeMan writes a page for every command; that of p2ps itself holds the
// topics of help as well.
func writeMan(t *testing.T, tree *cobra.Command, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics() {
		title := strings.ToUpper(strings.ReplaceAll(topic.name, "-", " "))
		tree.Long += "\n\n# " + title + "\n\n```\n" + topic.text() + "```"
	}
	header := &doc.GenManHeader{Section: "1", Date: &manDate, Source: "p2ps", Manual: "p2ps manual"}
	if err := doc.GenManTree(tree, header, dir); err != nil {
		t.Fatal(err)
	}
}

func writeCompletions(t *testing.T, tree *cobra.Command, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"bash": "p2ps.bash", "zsh": "_p2ps", "fish": "p2ps.fish"}
	for shell, write := range shells(tree) {
		name := names[shell]
		if name == "" {
			continue // powershell has no place where it is looked for
		}
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGeneratedTwice: what differs from build to build cannot be committed.
func TestGeneratedTwice(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	writeMan(t, newRoot(newWorld(t).env), one)
	writeMan(t, newRoot(newWorld(t).env), two)
	a, b := filesOf(t, one), filesOf(t, two)
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}
