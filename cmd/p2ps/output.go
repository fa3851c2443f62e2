package main

import (
	"bufio"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"syscall"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/text"
)

// output is where results go. It remembers the first failed write, so that no
// command needs to look: what was not written makes the exit code.
type output struct {
	w   *bufio.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.note(err)
	return n, o.err
}

// Flush hands on what was written.
func (o *output) Flush() error {
	if o.err == nil {
		o.note(o.w.Flush())
	}
	return o.err
}

func (o *output) note(err error) {
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("write the output: %w", err)
	}
}

// readerLeft says that whoever read the output went away, as head does when it
// has enough.
func (o *output) readerLeft() bool { return errors.Is(o.err, syscall.EPIPE) }

// header begins every line of JSON. Embed it first, made by kind.
type header struct {
	Kind string `json:"kind"`
	V    int    `json:"v"`
}

func kind(k string) header { return header{k, 1} }

// emit writes one result and hands it on at once: v as a line of JSON, or
// columns as text, with tabs between them.
func (e *env) emit(v any, columns ...string) error {
	if err := e.line(v, columns); err != nil {
		return err
	}
	return e.stdout.Flush()
}

// line is emit without the handing on.
func (e *env) line(v any, columns []string) error {
	if !e.json.on {
		_, err := fmt.Fprintln(e.stdout, strings.Join(cleaned(columns), "\t"))
		return err
	}
	data, err := ijson.Marshal(v)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if e.json.fields != nil {
		if data, err = selectFields(data, e.json.fields); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
	}
	_, err = e.stdout.Write(append(data, '\n'))
	return err
}

// selectFields keeps kind, v and the members named, these in the order asked
// for.
func selectFields(object []byte, fields []string) ([]byte, error) {
	members, err := ijson.Members(object)
	if err != nil {
		return nil, err
	}
	var chosen []ijson.Member
	for _, name := range append([]string{"kind", "v"}, fields...) {
		if i := slices.IndexFunc(members, func(m ijson.Member) bool { return m.Name == name }); i >= 0 {
			chosen = append(chosen, members[i])
			members = slices.Delete(members, i, i+1) // once
		}
	}
	return ijson.Join(chosen), nil
}

func cleaned(columns []string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = text.Clean(c)
	}
	return out
}

// say tells a person something that is no result, on stderr, unless -q. What
// may have come from outside is an argument: those are cleaned.
func (e *env) say(format string, args ...any) {
	if !e.quiet {
		e.warn(format, args...)
	}
}

// warn is say for what must be seen with -q too.
func (e *env) warn(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = text.Clean(arg)
		case error:
			args[i] = text.Clean(inOneLine(arg.Error()))
		case fmt.Stringer:
			args[i] = text.Clean(arg.String())
		}
	}
	_, _ = fmt.Fprintf(e.stderr, format+"\n", args...)
}

// lines yields the lines of a message, safe to show.
func lines(message string) iter.Seq[string] {
	return strings.SplitSeq(strings.TrimRight(text.Block(message), "\n"), "\n")
}
