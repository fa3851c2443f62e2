package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/p2ps/p2ps/pkg/text"
)

// canAsk says whether there is anybody to be asked.
func (e *env) canAsk() bool { return e.in && !e.noInput }

// confirm asks a question whose answer is yes or no; no ends the command.
// otherwise is the hint if nobody can be asked (such as "-y says yes").
func (e *env) confirm(question, otherwise string) error {
	if e.yes {
		return nil
	}
	answer, err := e.ask(question+" [y/N]", otherwise)
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return fail(exitError, "", "nothing done: the answer was no")
}

// ask asks for one line on the terminal. The question must be cleaned where it
// holds foreign text of several lines; one line is cleaned here.
func (e *env) ask(question, otherwise string) (string, error) {
	if !e.canAsk() {
		return "", usage(otherwise, "an answer is needed and nobody can be asked: %s", question)
	}
	_, _ = fmt.Fprintf(e.stderr, "%s ", text.Clean(question))
	var line []byte
	for one := make([]byte, 1); ; { // no further: what follows is not ours
		n, err := e.stdin.Read(one)
		if n == 1 && one[0] != '\n' {
			line = append(line, one[0])
			continue
		}
		if n == 1 || errors.Is(err, io.EOF) && len(line) > 0 {
			return strings.TrimSpace(string(line)), nil
		}
		if errors.Is(err, io.EOF) {
			return "", usage(otherwise, "an answer is needed and none was given: %s", question)
		}
		if err != nil {
			return "", err
		}
	}
}

// askSecret asks for a passphrase, which is not shown. If nobody can be asked
// the error has the exit that the caller says: locked, or usage for a new one.
func (e *env) askSecret(ctx context.Context, question string, x exit, otherwise string) ([]byte, error) {
	if !e.canAsk() {
		return nil, fail(x, otherwise, "%s: nobody can be asked", question)
	}
	_, _ = fmt.Fprintf(e.stderr, "%s: ", text.Clean(question))
	secret, err := e.readSecret(ctx)
	_, _ = fmt.Fprintln(e.stderr)
	if err != nil {
		return nil, fmt.Errorf("read the passphrase: %w", err)
	}
	return secret, nil
}
