package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// tree returns every command, with the words that lead to it.
func tree(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	all := map[string]*cobra.Command{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		all[cmd.CommandPath()] = cmd
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(newRoot(newWorld(t).env))
	if len(all) < 8 {
		t.Fatalf("only %d commands found", len(all))
	}
	return all
}

// words returns the arguments that lead to a command.
func path(cmd string, more ...string) []string {
	return append(strings.Fields(cmd)[1:], more...)
}

func TestEveryCommandIsDescribed(t *testing.T) {
	for name, cmd := range tree(t) {
		switch {
		case cmd.Short == "" || strings.HasSuffix(cmd.Short, "."):
			t.Errorf("%s: Short is missing or ends in a period", name)
		case cmd.Long == "" || strings.HasSuffix(cmd.Long, "\n"):
			t.Errorf("%s: Long is missing or ends in a line break", name)
		case cmd.Example == "":
			t.Errorf("%s: Example is missing", name)
		case cmd.Args == nil:
			t.Errorf("%s: Args is not set: cobra would take anything", name)
		case cmd.RunE == nil || cmd.Run != nil:
			t.Errorf("%s: must have RunE and no Run", name)
		case cmd.HasParent() && !cmd.Parent().HasParent() && cmd.GroupID == "":
			t.Errorf("%s: is in no group", name)
		}
		for i, line := range strings.Split(cmd.Long, "\n") {
			if len([]rune(line)) > 80 {
				t.Errorf("%s: line %d of Long is wider than 80", name, i+1)
			}
		}
	}
}

func TestAliasesAreThree(t *testing.T) {
	for name, cmd := range tree(t) {
		for _, alias := range cmd.Aliases {
			if !slices.Contains([]string{"tl", "ls", "rm"}, alias) {
				t.Errorf("%s: alias %q", name, alias)
			}
		}
		want := map[string]string{"timeline": "tl", "list": "ls", "remove": "rm"}[cmd.Name()]
		if want != "" && !slices.Equal(cmd.Aliases, []string{want}) {
			t.Errorf("%s: aliases %q, want %q", name, cmd.Aliases, want)
		}
	}
}

func TestFlagsAreDescribed(t *testing.T) {
	for name, cmd := range tree(t) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s --%s: usage is missing or ends in a period", name, f.Name)
			}
			if f.Shorthand == "n" && f.Name != "limit" {
				t.Errorf("%s: -n is --%s, must be --limit everywhere", name, f.Name)
			}
		})
	}
}

func TestWrongUsageExits2(t *testing.T) {
	for name, cmd := range tree(t) {
		cases := [][]string{
			path(name, "--no-such-flag"),
			path(name, "--json", "--no-such-flag"),
			path(name, "--color=purple"),
		}
		if cmd.HasSubCommands() {
			cases = append(cases, path(name, "nosuchchild"), path(name, "nosuchchild", "--help"),
				path(name, "--quiet", "nosuchchild"), path(name, "nosuchchild", "--no-such-flag"))
		}
		many := strings.Fields(strings.Repeat("stray ", 20))
		if cmd.Args(cmd, many) != nil {
			cases = append(cases, path(name, many...))
		}
		if cmd.Args(cmd, nil) != nil {
			cases = append(cases, path(name))
		}
		for _, args := range cases {
			code, stdout, stderr := runIn(t, args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, "see p2ps") && !strings.Contains(stderr, "did you mean") {
				t.Errorf("p2ps %s: exit %d, stdout %q, stderr %q; want 2, nothing, and where to look",
					strings.Join(args, " "), code, stdout, stderr)
			}
		}
	}
}

func TestNounAloneExits2AndShowsChildren(t *testing.T) {
	code, _, stderr := runIn(t, "config")
	want := "p2ps: config: say what: get, list, path, set, unset\nsee p2ps config --help\n"
	if code != 2 || stderr != want {
		t.Errorf("exit %d, stderr %q; want 2, %q", code, stderr, want)
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	for name, cmd := range tree(t) {
		code, byFlag, stderr := runIn(t, path(name, "--help")...)
		if code != 0 || stderr != "" || !strings.Contains(byFlag, "Usage:") {
			t.Errorf("%s --help: exit %d, stderr %q", name, code, stderr)
		}
		_, byCommand, _ := runIn(t, append([]string{"help"}, path(name)...)...)
		if byCommand != byFlag {
			t.Errorf("help %s differs from %[1]s --help", name)
		}
		if cmd.HasSubCommands() && !strings.Contains(byFlag, cmd.Commands()[0].Name()) {
			t.Errorf("%s --help does not name its children", name)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for _, c := range []struct{ typed, hint string }{
		{"versio", "did you mean p2ps version?"}, // no prefix matching
		{"vresion", "did you mean p2ps version?"},
		{"config lits", "did you mean p2ps config list?"},
		{"config get tmieout", `did you mean "timeout"?`},
		{"help exit-code", "did you mean help exit-codes?"},
		{"help config gte", "did you mean config help get?"},
		{"version --jsno", "did you mean --json?"},
		{"frobnicate", "see p2ps --help"},
	} {
		code, _, stderr := runIn(t, strings.Fields(c.typed)...)
		if code != 2 || !strings.Contains(stderr, "\n"+c.hint) {
			t.Errorf("p2ps %s: exit %d, stderr %q; want 2 and %q", c.typed, code, stderr, c.hint)
		}
	}
}

// notYet are commands of the design that are not built. Take out what is.
var notYet = strings.Fields(`bundle import export`)

// TestExamplesParse reads the examples of help as the shell and cobra would.
func TestExamplesParse(t *testing.T) {
	texts := map[string]string{}
	for name, cmd := range tree(t) {
		texts[name] = cmd.Example + "\n" + cmd.Long
	}
	for _, topic := range topics() {
		texts["help "+topic.name] = topic.text()
	}
	seen := 0
	example := regexp.MustCompile(`(?m)^ +(?:\S+ \* \* \* \*  )?p2ps (.*)$`)
	for name, text := range texts {
		for _, m := range example.FindAllStringSubmatch(text, -1) {
			seen++
			checkExample(t, name, shellWords(m[1]))
		}
	}
	if seen < 10 {
		t.Errorf("only %d examples found", seen)
	}
}

func checkExample(t *testing.T, where string, args []string) {
	t.Helper()
	if len(args) == 0 || slices.Contains(notYet, args[0]) {
		return
	}
	cmd, rest, err := newRoot(newWorld(t).env).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: example p2ps %s: %v", where, strings.Join(args, " "), err)
	}
}

// shellWords splits a simple command: up to a pipe, redirection or comment.
func shellWords(line string) []string {
	var words []string
	for _, w := range regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(line, -1) {
		if strings.ContainsAny(w[:1], "|>#&") {
			break
		}
		words = append(words, strings.Trim(w, `'"`))
	}
	return words
}

func TestNotYetIsTrue(t *testing.T) {
	all := tree(t)
	for _, name := range notYet {
		if all["p2ps "+name] != nil {
			t.Errorf("%s exists: take it out of notYet", name)
		}
	}
}
