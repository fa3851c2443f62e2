package main

import (
	"errors"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name, typed  string
		terminal, no bool // --no-input
		answer       string
		exit         exit
	}{
		{"a line", " bob \nrest", true, false, "bob", exitOK},
		{"an empty line", "\n", true, false, "", exitOK},
		{"a last line without end", "bob", true, false, "bob", exitOK},
		{"nothing", "", true, false, "", exitUsage},
		{"no terminal", "bob\n", false, false, "", exitUsage},
		{"--no-input", "bob\n", true, true, "", exitUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			in := strings.NewReader(c.typed)
			w.stdin, w.terminal.in, w.noInput = in, c.terminal, c.no
			answer, err := w.ask("Who?", "say --name")
			x, hint := exitOK, ""
			if err != nil {
				x, hint = diagnose(err)
			}
			if answer != c.answer || x != c.exit || (x == exitUsage) != (hint == "say --name") {
				t.Errorf("%q, exit %d, hint %q; want %q, %d", answer, x, hint, c.answer, c.exit)
			}
			if c.name == "a line" && in.Len() != len("rest") {
				t.Errorf("%d bytes left of what follows the line, want %d", in.Len(), len("rest"))
			}
		})
	}
}

func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		typed    string
		yes      bool
		terminal bool
		exit     exit
	}{
		{"y\n", false, true, exitOK},
		{"YES\n", false, true, exitOK},
		{"n\n", false, true, exitError},
		{"\n", false, true, exitError}, // the capital N of the question
		{"yesterday\n", false, true, exitError},
		{"", true, false, exitOK},
		{"", false, false, exitUsage},
	} {
		w := newWorld(t)
		w.stdin, w.terminal.in, w.yes = strings.NewReader(c.typed), c.terminal, c.yes
		err := w.confirm("Remove bob\x1b?", "-y says yes")
		x := exitOK
		if err != nil {
			x, _ = diagnose(err)
		}
		if x != c.exit {
			t.Errorf("%q: %v, want exit %d", c.typed, err, c.exit)
		}
		if asked := w.errout.String(); c.terminal && asked != "Remove bob\uFFFD? [y/N] " {
			t.Errorf("asked %q", asked)
		}
	}
}

func TestSecretNeedsATerminal(t *testing.T) {
	w := newWorld(t)
	_, err := w.askSecret(t.Context(), "Passphrase", exitLocked, "give a file")
	x, hint := diagnose(err)
	if x != exitLocked || hint != "give a file" || !strings.Contains(err.Error(), "nobody can be asked") {
		t.Errorf("%v, exit %d, hint %q", err, x, hint)
	}
	if f, ok := errors.AsType[*failure](err); !ok || f.silent {
		t.Error("the failure says nothing")
	}
}
