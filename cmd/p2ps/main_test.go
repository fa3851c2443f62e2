package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/p2ps/p2ps/pkg/nearby"
)

// update rewrites the generated files instead of comparing with them.
var update = flag.Bool("update", false, "rewrite the generated files")

// TestMain makes this test binary the p2ps of the stories, with the seams that
// they need and the real program has not.
func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){
		"p2ps": func() {
			ctx := interruptible(context.Background())
			e := newEnv(ctx)
			seams(e)
			os.Exit(run(ctx, e, os.Args[1:]))
		},
		"p2ps-ear": func() {
			if err := ear(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

// tidy removes, when all has run, what was made once for all.
type tidy struct{ *testing.M }

var madeOnce []string // directories

func (m tidy) Run() int {
	defer func() {
		for _, dir := range madeOnce {
			_ = os.RemoveAll(dir)
		}
	}()
	return m.M.Run()
}

// seams lets a story move the clock, and make the disk fail: P2PS_TEST_FAULT is
// OP:N:ERROR, such as write:3:ENOSPC or *:12:KILL, for the Nth operation of that
// kind and every one after it.
func seams(e *env) {
	if s := os.Getenv("P2PS_TEST_CLOCK_OFFSET"); s != "" {
		offset, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		e.now = func() time.Time { return time.Now().Add(offset) }
	}
	if s := os.Getenv("P2PS_TEST_FAULT"); s != "" {
		e.hook = faulty(s)
	}
	if os.Getenv("P2PS_TEST_LAN") == "" { // what stories ask stays on this machine
		e.seek = nobodyNearby
	}
	if os.Getenv("P2PS_TEST_PANIC") != "" {
		e.dir = func() (string, error) { panic("as the story wants it") }
	}
}

func nobodyNearby(context.Context) ([]nearby.Peer, error) { return nil, nil }

// A world is an env of which a test sees every side.
type world struct {
	*env
	t           *testing.T
	out, errout *bytes.Buffer
}

// newWorld returns an env with an empty home, an empty environment, no
// terminal and a clock that stands still.
func newWorld(t *testing.T) *world {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "P2PS_") {
			t.Setenv(name, "") // an empty variable counts as none
		}
	}
	w := &world{env: newEnv(t.Context()), t: t, out: &bytes.Buffer{}, errout: &bytes.Buffer{}}
	w.stdin = strings.NewReader("")
	w.stdout = &output{w: bufio.NewWriter(w.out)}
	w.stderr = w.errout
	w.now = func() time.Time { return time.Date(2026, 11, 22, 12, 34, 56, 0, time.UTC) }
	w.terminal = terminal{}
	w.seek = nobodyNearby
	dir := t.TempDir()
	w.dir = func() (string, error) { return dir, nil }
	return w
}

// run runs the program in a new world and returns what it said.
func runIn(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	w := newWorld(t)
	code = run(t.Context(), w.env, args)
	return code, w.out.String(), w.errout.String()
}
