// Command p2ps is a peer-to-peer social network for the terminal.
//
// This package is wiring: a file per command that parses flags, asks the home
// and prints lines. What a command may touch of the world is in env.go, what a
// failure means to a script is in exit.go, and the tree is listed in root.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // an event is shown in its own zone, also where the system knows none
)

func main() {
	ctx := interruptible(context.Background())
	os.Exit(run(ctx, newEnv(ctx), os.Args[1:]))
}

// run is the whole program but for the process around it. It returns the exit
// code, and has said on e.stderr what went wrong.
func run(ctx context.Context, e *env, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			code = e.finish(ctx, crashed(e, p, debug.Stack()))
		}
	}()
	if json, found := jsonWanted(args); found {
		e.json = json // so that a failure to parse the rest is told as JSON too
	}
	return e.finish(ctx, execute(ctx, e, args))
}

// execute finds the command and runs it. What fails before a command has begun
// is wrong usage: cobra's own errors have no type to tell them by.
func execute(ctx context.Context, e *env, args []string) error {
	root := newRoot(e)
	if done, err := lookUp(ctx, e, root, args); done || err != nil {
		return err
	}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = e.unfit
	}
	if err != nil && e.running == nil {
		return asUsage(err)
	}
	return err
}

// An interruption is the cause with which a signal ends the context.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return "interrupted" }

// interruptible returns a context that the first SIGINT or SIGTERM ends. The
// second one kills, for whoever does not want to wait for an orderly end.
//
// SIGPIPE is taken as well, for nothing but its effect: a write to a closed
// pipe comes back as an error, and what was begun is ended in order.
func interruptible(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		s := <-signals
		signal.Stop(signals)
		number, ok := s.(syscall.Signal)
		if !ok {
			number = syscall.SIGINT
		}
		cancel(interruption{number})
	}()
	return ctx
}

// crashed turns a panic into a failure. The stack goes to stderr at once: what
// happens once in a year cannot be asked for again with -v.
func crashed(e *env, p any, stack []byte) error {
	for line := range lines(string(stack)) {
		_, _ = fmt.Fprintln(e.stderr, line)
	}
	return fail(exitInternal, "this is a fault in p2ps: please report it with the lines above", "internal error: %v", p)
}
