package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// maxText is what a post may hold at most, as text; the signed form is
// measured again.
const maxText = post.MaxSigned

// texts are the flags with which a command takes a text.
type texts struct {
	paragraphs []string
	file       string
}

func (t *texts) register(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&t.paragraphs, "message", "m", nil, "the `TEXT`; each further -m is a paragraph")
	fs.StringVarP(&t.file, "file", "F", "", "read the text from `FILE` (- is stdin)")
}

func (t *texts) given() bool { return t.paragraphs != nil || t.file != "" }

// text is what was given: -m, -F, a pipe on stdin, else what the editor makes
// of before.
func (e *env) text(ctx context.Context, t texts, before string) (string, error) {
	var (
		s   string
		err error
	)
	switch {
	case t.paragraphs != nil && t.file != "":
		return "", usage("give the text one way: -m TEXT, -F FILE or a pipe", "-m and -F exclude each other")
	case t.paragraphs != nil:
		s = strings.Join(t.paragraphs, "\n\n")
	case t.file != "" && t.file != "-":
		s, err = readText(t.file)
	case t.file == "-" || !e.in:
		s, err = e.pipedText()
	case !e.noInput:
		s, err = e.edited(ctx, before)
	default:
		return "", usage("give it with -m, -F or a pipe", "there is no text, and nobody can be asked")
	}
	if err != nil {
		return "", err
	}
	s = strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), " \t\n")
	switch {
	case !utf8.ValidString(s):
		return "", usage("convert it first, as with iconv", "the text is not UTF-8")
	case strings.ContainsRune(s, 0x7F):
		return "", usage("take it out, as with tr -d '\\177'", "the text holds the character U+007F (DEL), which no post may")
	}
	if strings.TrimSpace(s) == "" {
		return "", usage("give it with -m, -F or a pipe", "the text is empty")
	}
	return s, nil
}

func readText(name string) (string, error) {
	f, err := openNamed(name, "is the name right? Without -F the text comes from -m, a pipe or your editor")
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	return limited(f, name)
}

func (e *env) pipedText() (string, error) { return limited(e.stdin, "the text on stdin") }

func limited(r io.Reader, name string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxText {
		return "", fmt.Errorf("%s: %w", name, post.ErrTooLarge)
	}
	return string(data), nil
}

// edited lets the person write in his editor. What he wrote is kept if it
// cannot be read back.
func (e *env) edited(ctx context.Context, before string) (string, error) {
	s, err := e.settings()
	if err != nil {
		return "", err
	}
	command := s.Editor
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if command == "" {
			command = e.getenv(name)
		}
	}
	if command == "" {
		command = "vi"
	}
	dir, err := os.MkdirTemp("", "p2ps-")
	if err != nil {
		return "", err
	}
	root, err := disk.Open(dir, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	if err := root.WriteFile("post.txt", []byte(before), 0o600); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "post.txt")
	if err := e.child(shell(command + " " + shellWord(name))).Run(); err != nil {
		return "", fmt.Errorf("the editor (%s): %w; the text is in %s", command, err, name)
	}
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	text, err := readText(name)
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if before != "" && text == before {
		return "", usage("the text is as it was: write another, or give it with -m", "nothing was changed")
	}
	return text, err
}

func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// addTo adds the flag --to to commands whose default is not the setting.
func (e *env) addTo(cmd *cobra.Command, to *[]string, otherwise string) {
	cmd.Flags().StringArrayVar(to, "to", nil, "`WHO` it goes to, instead of "+otherwise+": me, friends, public, a group or a friend (repeatable)")
	completeFlag(cmd, "to", e.completeAudience)
}

// absent tells a file that is not there.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
