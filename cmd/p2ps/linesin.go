package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// eachLine calls do with each line of a file, or of stdin for "-", that is not
// empty. An error names the line.
func (e *env) eachLine(name string, do func([]byte) error) error {
	in := e.stdin
	if name != "-" {
		f, err := openNamed(name, "is the name right? --json-in - reads the objects from stdin")
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	r := bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return inLine(name, n, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := do(line); err != nil {
			return inLine(name, n, err)
		}
	}
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, more, err := r.ReadLine()
		line = append(line, part...)
		if err != nil || !more {
			return line, err
		}
		if len(line) > post.MaxFile {
			return nil, post.ErrTooLarge
		}
	}
}

// inLine says where a line is that cannot be taken. What stood before it is done.
func inLine(name string, n int, err error) error {
	x, hint := diagnose(err)
	if hint == "" || errors.Is(err, ijson.ErrSyntax) {
		hint = `each line is one whole object, such as {"type":"Note","content":"Hello"}`
	}
	if n > 1 {
		hint += "; the lines before it are done"
	}
	if name == "-" {
		name = "stdin"
	}
	return fail(x, hint, "%s, line %d: %w", text.Clean(name), n, err)
}
