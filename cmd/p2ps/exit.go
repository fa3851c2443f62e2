package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"github.com/p2ps/p2ps/pkg/ijson"
)

// An exit is what a script learns from a failure.
type exit int

const (
	exitOK          exit = 0
	exitError       exit = 1
	exitUsage       exit = 2
	exitNotFound    exit = 3
	exitLocked      exit = 4
	exitTemporary   exit = 5
	exitPartial     exit = 6
	exitUntrusted   exit = 7
	exitNothingNew  exit = 8
	exitExists      exit = 9
	exitBusy        exit = 10
	exitVersion     exit = 12
	exitInternal    exit = 70
	exitInterrupted exit = 130
	exitPipe        exit = 141
	exitTerminated  exit = 143
)

// exits is the table that the program, `p2ps help exit-codes`, the manual and
// the tests read. Codes and names are frozen.
var exits = []struct {
	exit    exit
	name    string
	meaning string
}{
	{exitOK, "ok", `done; also "nothing new", "already so"`},
	{exitError, "error", "anything not below"},
	{exitUsage, "usage", "bad flag, argument, command, time; an answer is needed and nobody can be asked"},
	{exitNotFound, "not_found", "no such friend, post, group, key, file"},
	{exitLocked, "locked", "a secret key is needed and no passphrase was to be had"},
	{exitTemporary, "temporary", "somebody named on the command line could not be reached: later may work"},
	{exitPartial, "partial", "some of it failed for a reason other than being away"},
	{exitUntrusted, "untrusted", "a signature, digest or fingerprint does not match; a friend's key changed. Never retry"},
	{exitNothingNew, "nothing_new", "only with pull --exit-code"},
	{exitExists, "exists", "name or identity already taken"},
	{exitBusy, "busy", "another p2ps holds the lock (after --wait D, default 10 s)"},
	{exitVersion, "version", "data or peer newer than this program"},
	{exitInternal, "internal", "a fault in p2ps itself"},
	{exitInterrupted, "interrupted", "by Ctrl-C: what was verified is kept"},
	{exitPipe, "pipe", "whoever read the output went away; nothing is said"},
	{exitTerminated, "interrupted", "by SIGTERM: what was verified is kept"},
}

// name returns the word for an exit in JSON.
func (x exit) name() string {
	for _, row := range exits {
		if row.exit == x {
			return row.name
		}
	}
	return "error"
}

// A failure is an error whose exit and hint the command knows itself.
type failure struct {
	exit   exit
	hint   string // one line that says what to do next, or ""
	err    error
	silent bool // nothing is printed
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail makes a failure; the format takes %w.
func fail(x exit, hint, format string, args ...any) error {
	return &failure{exit: x, hint: hint, err: fmt.Errorf(format, args...)}
}

// usage says that the command line is wrong.
func usage(hint, format string, args ...any) error {
	return fail(exitUsage, hint, format, args...)
}

// asUsage makes a usage error of any error that is not a failure already.
func asUsage(err error) error {
	if _, known := errors.AsType[*failure](err); known {
		return err
	}
	return &failure{exit: exitUsage, err: err}
}

// silently keeps the exit of err and prints nothing: all was said, or the
// person asked for silence (`pull -q`).
func silently(err error) error {
	x, hint := diagnose(err)
	return &failure{exit: x, hint: hint, err: err, silent: true}
}

// diagnose returns the exit of err and what to do next: as the command said,
// else as the first sentinel in the table says that err is.
func diagnose(err error) (exit, string) {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.exit, f.hint
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.exit, s.hint
		}
	}
	return exitError, ""
}

func hintOf(err error) string {
	_, hint := diagnose(err)
	return hint
}

// finish ends the output, says what went wrong, and returns the exit code.
func (e *env) finish(ctx context.Context, err error) int {
	if closed := e.closeOutput(); err == nil {
		err = closed
	}
	if err == nil {
		return int(exitOK)
	}
	if e.stdout.readerLeft() {
		if e.paged {
			return int(exitOK) // q in the pager is how one ends it
		}
		return int(exitPipe)
	}
	x, hint := diagnose(err)
	_, isPlugin := errors.AsType[*exec.ExitError](err)
	if by, ok := errors.AsType[interruption](context.Cause(ctx)); ok && x != exitInternal && !isPlugin {
		x, hint = exit(128+int(by.signal)), ""
		if by.signal == syscall.SIGTERM {
			x = exitTerminated
		}
	}
	if f, ok := errors.AsType[*failure](err); !ok || !f.silent {
		e.complain(x, err.Error(), hint)
	}
	return int(x)
}

// errorLine is a failure as JSON.
type errorLine struct {
	header
	Code    string `json:"code"`
	Exit    int    `json:"exit"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// complain writes a failure: one line of JSON, always the last, or the message
// and what to do next.
func (e *env) complain(x exit, message, hint string) {
	message = inPlainWords(message)
	if e.json.on {
		line, err := ijson.Marshal(errorLine{kind("error"), x.name(), int(x), message, hint})
		if err == nil {
			_, _ = fmt.Fprintf(e.stderr, "%s\n", line)
		}
		return
	}
	var b strings.Builder
	prefix := "p2ps: "
	for line := range lines(message) {
		b.WriteString(prefix + line + "\n")
		prefix = "      "
	}
	if hint != "" {
		for line := range lines(hint) {
			b.WriteString(line + "\n")
		}
	}
	_, _ = fmt.Fprint(e.stderr, b.String())
}
