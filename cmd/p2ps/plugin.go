package main

import (
	"context"
	"errors"
	"os/exec"
	"syscall"

	"github.com/p2ps/p2ps/pkg/text"
)

// pluginName keeps what is looked for on PATH to plain words.
var pluginName = text.NewPattern(`^[a-z0-9][a-z0-9-]*$`)

// plugin runs p2ps-WORD from PATH as `p2ps WORD`, as git does: with the
// arguments as they are, the streams, the home as P2PS_HOME, and its exit code
// as ours. It returns false if there is none.
func (e *env) plugin(ctx context.Context, home, word string, args []string) (ran bool, err error) {
	if !pluginName.MatchString(word) {
		return false, nil
	}
	path, err := exec.LookPath("p2ps-" + word)
	if err != nil {
		return false, nil //nolint:nilerr // there is no such plug-in: no failure
	}
	e.homeDir = home
	c := e.child(exec.Command(path, args...)) //nolint:noctx // it ends by itself, as the shell would have it
	if err := c.Start(); err != nil {
		return true, fail(exitError, "see that it can be run: chmod +x, and the program that its first line names", "run %s: %w", path, err)
	}
	// A Ctrl-C reaches the plug-in by itself, from the terminal.
	stop := context.AfterFunc(ctx, func() {
		if by, ok := errors.AsType[interruption](context.Cause(ctx)); ok && by.signal == syscall.SIGTERM {
			_ = c.Process.Signal(by.signal)
		}
	})
	err = c.Wait()
	stop()
	if err == nil {
		return true, nil
	}
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return true, &failure{exit: exitOf(ended), err: err, silent: true}
	}
	return true, fail(exitError, "see that it can be run: chmod +x, and the program that its first line names", "run %s: %w", path, err)
}

// exitOf returns the exit code of a child as a shell would: 128 and more for a
// signal.
func exitOf(ended *exec.ExitError) exit {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exit(128 + int(status.Signal()))
	}
	return exit(ended.ExitCode())
}
