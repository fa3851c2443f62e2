package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/p2ps/p2ps/pkg/disk"
)

const root = "../.." // of the repository

func TestExitCodesTopic(t *testing.T) {
	golden(t, "testdata/exit-codes.txt", exitTopic())
}

// golden holds text against a file, which -update writes.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./cmd/p2ps -update writes it)", err)
	}
	if string(want) != text {
		t.Errorf("%s is out of date (go test ./cmd/p2ps -update rewrites it)", file)
	}
}

// TestExitCodesAreFrozen is the table of the contract once more: a changed code
// breaks somebody's script.
func TestExitCodesAreFrozen(t *testing.T) {
	frozen := map[exit]string{0: "ok", 1: "error", 2: "usage", 3: "not_found", 4: "locked", 5: "temporary",
		6: "partial", 7: "untrusted", 8: "nothing_new", 9: "exists", 10: "busy", 12: "version", 70: "internal",
		130: "interrupted", 141: "pipe", 143: "interrupted"}
	if len(exits) != len(frozen) {
		t.Errorf("%d exit codes, want %d", len(exits), len(frozen))
	}
	for _, row := range exits {
		if frozen[row.exit] != row.name {
			t.Errorf("exit %d is %q, want %q", row.exit, row.name, frozen[row.exit])
		}
	}
}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		err  error
		exit exit
	}{
		{errors.New("anything"), exitError},
		{fmt.Errorf("post: %w", disk.ErrBusy), exitBusy},
		{fmt.Errorf("open: %w", fs.ErrNotExist), exitNotFound},
		{usage("", "bad: %w", disk.ErrBusy), exitUsage}, // the command knows better
		{silently(disk.ErrBusy), exitBusy},
		{asUsage(errors.New("stray")), exitUsage},
		{asUsage(fail(exitLocked, "", "locked")), exitLocked},
	} {
		if got, _ := diagnose(c.err); got != c.exit {
			t.Errorf("diagnose(%v) = %d, want %d", c.err, got, c.exit)
		}
	}
}

func TestFinish(t *testing.T) {
	ended := func(s syscall.Signal) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(interruption{s})
		return ctx
	}
	for _, c := range []struct {
		name   string
		ctx    context.Context
		err    error
		json   bool
		code   int
		stderr string
	}{
		{"nothing", t.Context(), nil, false, 0, ""},
		{"message and hint", t.Context(), fail(exitLocked, "do this", "the key of %s: locked", "alice"), false, 4,
			"p2ps: the key of alice: locked\ndo this\n"},
		{"json", t.Context(), fail(exitLocked, "do this", "locked"), true, 4,
			`{"kind":"error","v":1,"code":"locked","exit":4,"message":"locked","hint":"do this"}` + "\n"},
		{"json without hint", t.Context(), errors.New("broken"), true, 1,
			`{"kind":"error","v":1,"code":"error","exit":1,"message":"broken"}` + "\n"},
		{"foreign text", t.Context(), errors.New("bad \x1b[31m\u202ename"), false, 1, "p2ps: bad \uFFFD[31m\uFFFDname\n"},
		{"foreign text in json", t.Context(), errors.New("bad \x1b\u202e"), true, 1,
			`{"kind":"error","v":1,"code":"error","exit":1,"message":"bad \u001b\u202e"}` + "\n"},
		{"several lines", t.Context(), errors.Join(errors.New("one"), errors.New("two")), false, 1, "p2ps: one\n      two\n"},
		{"silent", t.Context(), silently(disk.ErrBusy), false, 10, ""},
		{"SIGINT", ended(syscall.SIGINT), errors.New("interrupted"), false, 130, "p2ps: interrupted\n"},
		{"SIGTERM", ended(syscall.SIGTERM), errors.New("interrupted"), false, 143, "p2ps: interrupted\n"},
		{"SIGTERM, but done", ended(syscall.SIGTERM), nil, false, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.json.on = c.json
			if code := w.finish(c.ctx, c.err); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			if w.errout.String() != c.stderr {
				t.Errorf("stderr %q, want %q", w.errout, c.stderr)
			}
		})
	}
}

func TestPanicExits70(t *testing.T) {
	w := newWorld(t)
	w.dir = func() (string, error) { panic("oh \x1b no") }
	code := run(t.Context(), w.env, []string{"config", "path"})
	if code != 70 || !strings.HasSuffix(w.errout.String(), "p2ps: internal error: oh \uFFFD no\n"+
		"this is a fault in p2ps: please report it with the lines above\n") {
		t.Errorf("exit %d, stderr %q", code, w.errout)
	}
	if !strings.Contains(w.errout.String(), "configcmd.go") {
		t.Error("the stack is missing")
	}
}

// TestEveryFailureSaysWhatIsNext: a sentinel, or a failure of a command, without
// a hint leaves a person alone.
func TestEveryFailureSaysWhatIsNext(t *testing.T) {
	for _, s := range sentinels {
		if s.hint == "" || strings.HasSuffix(s.hint, ".") {
			t.Errorf("%v: the hint is missing or ends in a period: %q", s.err, s.hint)
		}
	}
	bare := regexp.MustCompile(`(?:usage\(|fail\([^,"]+, )"", "([^"]+)"`)
	silent := []string{"nothing new", "nothing done: the answer was no"} // no failures but answers
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range bare.FindAllStringSubmatch(string(source), -1) {
			if !slices.Contains(silent, m[1]) {
				t.Errorf("%s: %q says nothing of what is next", file, m[1])
			}
		}
	}
}

// internal are exported errors that reach no person: who gets them acts on them.
var internal = map[string]string{
	"disk.ErrShort": "the tests' own, for a write that a full disk cuts short",
}

// TestEverySentinelIsInTheTable reads the packages' sources: an exported error
// without an exit would leave a script with 1 and a person without a hint.
func TestEverySentinelIsInTheTable(t *testing.T) {
	listed := sentinelsListed(t)
	exported := 0
	files, err := filepath.Glob(root + "/pkg/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^(?:var |\t)(Err[A-Z]\w*) +=`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			name := filepath.Base(filepath.Dir(file)) + "." + m[1]
			exported++
			_, hidden := internal[name]
			if listed[name] == hidden {
				t.Errorf("%s: must stand either in sentinels (sentinels.go) or in internal (here)", name)
			}
			delete(internal, name)
		}
	}
	for name := range internal {
		t.Errorf("%s is internal, and does not exist", name)
	}
	if exported < 4 {
		t.Errorf("only %d exported errors found", exported)
	}
}

// sentinelsListed returns the names in the composite literal of sentinels.
func sentinelsListed(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "sentinels.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if p, ok := s.X.(*ast.Ident); ok && strings.HasPrefix(s.Sel.Name, "Err") {
				listed[p.Name+"."+s.Sel.Name] = true
			}
		}
		return true
	})
	return listed
}
