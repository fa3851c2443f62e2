package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
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
	plainFlags(tree)
	header := &doc.GenManHeader{Section: "1", Date: &manDate, Source: "p2ps", Manual: "p2ps manual"}
	if err := doc.GenManTree(tree, header, dir); err != nil {
		t.Fatal(err)
	}
	for name, page := range filesOf(t, dir) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(manOptions(page)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// plainFlags makes the flags of all commands say in the manual what they say in
// help: the name of their value where cobra writes the raw default, and the
// default in words.
func plainFlags(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	plain := func(f *pflag.Flag) {
		if f.Annotations["man"] != nil {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		if f.Name == "json" {
			name = "FIELDS"
		} else {
			f.NoOptDefVal = ""
		}
		if setting, ok := f.Value.(*settingValue); ok && setting.setting.value != "" {
			usage += " (default " + setting.setting.value + ")"
		}
		f.DefValue, f.Usage = name, usage
		f.Annotations = map[string][]string{"man": {"done"}}
	}
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, child := range cmd.Commands() {
		plainFlags(child)
	}
}

var (
	manQuoted = regexp.MustCompile(`(?m)^(\\fB-.*\\fP)="(.*)"$`)
	manSwitch = regexp.MustCompile(`(?m)^(\\fB-.*\\fP)=$`)
	manValue  = regexp.MustCompile(`(?m)^(\\fB-.*\\fP)=([A-Za-z]+)$`)
)

// manOptions writes the options of a page as git's manual does: a switch alone,
// and the name of a value behind its option.
func manOptions(page string) string {
	page = manQuoted.ReplaceAllString(page, "$1=$2")
	page = manSwitch.ReplaceAllString(page, "$1")
	page = manValue.ReplaceAllString(page, `$1=\fI$2\fP`)
	page = strings.ReplaceAll(page, `\fP[=FIELDS]`, `\fP[=\fIFIELDS\fP]`)
	page = strings.ReplaceAll(page, ".SH EXAMPLE\n", ".SH EXAMPLES\n")
	return strings.ReplaceAll(page, ".SH OPTIONS INHERITED FROM PARENT COMMANDS\n", ".SH OPTIONS OF EVERY COMMAND\n")
}

// TestManual: nothing of how flags are kept in the program stands in a page.
func TestManual(t *testing.T) {
	raw := regexp.MustCompile(`\\fP\[?=(\[\]|""|false|true|0|auto|[0-9]+s|)\]?$`)
	for name, page := range filesOf(t, filepath.Join(root, "man")) {
		for line := range strings.Lines(page) {
			if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, `\fB-`) && raw.MatchString(line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// TestHelpOfFlags: nor in help.
func TestHelpOfFlags(t *testing.T) {
	for name := range tree(t) {
		_, help, _ := runIn(t, path(name, "--help")...)
		for line := range strings.Lines(help) {
			flag, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
			if strings.HasPrefix(flag, "-") && regexp.MustCompile(`\[=|"| (count|string|strings|stringArray|int|list|bool)$`).MatchString(flag) {
				t.Errorf("%s: %s", name, flag)
			}
		}
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
