package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
)

// env is all that a command may touch of the world: no other file names
// os.Stdin, os.Stdout, os.Stderr or time.Now (a test reads the sources).
type env struct {
	stdin  io.Reader
	stdout *output // remembers the first failed write
	stderr io.Writer
	now    func() time.Time
	rand   io.Reader
	log    *slog.Logger
	getenv func(string) string
	hook   disk.Hook   // nil but in tests, which make the disk fail
	seek   home.Looker // nil but in tests: what looks on the local network

	terminal // which of the three are one
	globals  // the flags that every command has
	config   // settings: flag, environment, file, default

	dir  func() (string, error)     // where the home is; it may not exist
	home func() (*home.Home, error) // opened when first asked for

	running *cobra.Command // the command that has begun, for its flags
	unfit   error          // why help could not be printed as asked for

	paging    *exec.Cmd // the pager between stdout and the terminal
	closePipe func() error
	paged     bool // there is or was one
}

// terminal says which streams are a terminal: only there are questions asked,
// tables drawn, times relative and progress shown.
type terminal struct{ in, out, err bool }

// newEnv returns the real world. Nothing is opened yet.
func newEnv(ctx context.Context) *env {
	e := &env{
		stdin:  &patientReader{ctx, os.Stdin},
		stdout: &output{w: bufio.NewWriterSize(os.Stdout, 1<<16)},
		stderr: os.Stderr,
		now:    time.Now,
		rand:   rand.Reader,
		getenv: os.Getenv,
		terminal: terminal{
			in:  term.IsTerminal(int(os.Stdin.Fd())),
			out: term.IsTerminal(int(os.Stdout.Fd())),
			err: term.IsTerminal(int(os.Stderr.Fd())),
		},
	}
	e.dir = e.findHome
	e.home = sync.OnceValues(e.openHome)
	e.log = slog.New(slog.NewTextHandler(logWriter{e}, &slog.HandlerOptions{
		Level: &e.globals, // -q and -v are known when the first line is written
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				a.Value = slog.TimeValue(e.now().UTC())
			}
			return a
		},
	}))
	return e
}

// logWriter writes where stderr is now. slog's text form quotes everything
// that is not printable, so nothing foreign reaches the terminal raw.
type logWriter struct{ e *env }

func (w logWriter) Write(p []byte) (int, error) { return w.e.stderr.Write(p) }

// findHome returns the directory of the home: --home, P2PS_HOME, or p2ps in
// the person's data directory ($XDG_DATA_HOME).
func (e *env) findHome() (string, error) {
	if e.homeDir != "" {
		return e.homeDir, nil
	}
	if dir := e.getenv("P2PS_HOME"); dir != "" {
		return dir, nil
	}
	if xdg.DataHome == "" {
		return "", usage("say where with --home or P2PS_HOME", "no home: the data directory is not known")
	}
	return xdg.DataHome + string(os.PathSeparator) + "p2ps", nil
}

// zoneHere is the name of the zone where the person is, as Europe/Berlin: by TZ,
// else by where the system's zone leads; "" if that is not the one we keep to.
func (e *env) zoneHere() string {
	name := strings.TrimPrefix(e.getenv("TZ"), ":")
	if name == "" {
		target, _ := os.Readlink("/etc/localtime") // without it nothing is known
		_, name, _ = strings.Cut(target, "zoneinfo/")
	}
	zone, err := time.LoadLocation(name)
	if name == "" || name == "Local" || err != nil {
		return ""
	}
	now := e.now()
	if now.Format(time.RFC3339) != now.In(zone).Format(time.RFC3339) {
		return ""
	}
	return name
}

// width returns how many cells a line of the terminal has.
func (e *env) width() int {
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// window returns how many cells and lines the terminal has: those of the
// smallest that people use if it is not known, and no bounds in a pipe.
func (e *env) window() (width, height int) {
	if !e.out {
		return 1 << 20, 1 << 20
	}
	if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 && h > 0 {
		return w, h
	}
	return 80, 24
}

// child gives a program that p2ps starts (pager, editor, plug-in) the real
// streams and, as P2PS_HOME, the home that --home named.
func (e *env) child(c *exec.Cmd) *exec.Cmd {
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = os.Environ()
	if e.homeDir != "" {
		c.Env = append(c.Env, "P2PS_HOME="+e.homeDir)
	}
	return c
}

// self is this very program, to be run as another process.
func (e *env) self(ctx context.Context, args ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		path = "p2ps"
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Args[0] = "p2ps"
	c.Env = os.Environ()
	return c
}

// readSecret reads a line from the terminal without showing it.
func (e *env) readSecret(ctx context.Context) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type answer struct {
		line []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		_ = term.Restore(fd, before) // else the shell would go on without echo
		return nil, context.Cause(ctx)
	}
}

// patientReader reads until the context ends: Ctrl-C must end a command that
// waits for a person.
type patientReader struct {
	ctx  context.Context
	file *os.File
}

func (r *patientReader) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data := make([]byte, min(len(p), 1<<16))
		n, err := r.file.Read(data)
		done <- result{data[:n], err}
	}()
	select {
	case got := <-done:
		return copy(p, got.data), got.err
	case <-r.ctx.Done():
		return 0, context.Cause(r.ctx)
	}
}
