package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"runtime"
)

// page sends what follows on stdout through the pager, as git does: only on a
// terminal, through the setting pager, else PAGER, else less, which leaves at
// once if all fits. finish waits for it.
func (e *env) page() error {
	if !e.out || e.json.on || e.paged {
		return nil
	}
	s, err := e.settings()
	if err != nil {
		return err
	}
	command := s.Pager
	if command == "" {
		command = e.getenv("PAGER")
	}
	if command == "" {
		command = "less"
	}
	if command == "cat" {
		return nil
	}
	c := e.child(shell(command))
	if e.getenv("LESS") == "" {
		c.Env = append(c.Env, "LESS=FRX")
	}
	c.Stdin = nil
	pipe, err := c.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the pager: %w", err)
	}
	if err := c.Start(); err != nil {
		e.log.Debug("no pager", "command", command, "err", err)
		return nil // the text is shown all the same
	}
	if err := e.stdout.Flush(); err != nil {
		return err
	}
	e.stdout.w, e.closePipe = bufio.NewWriter(pipe), pipe.Close
	e.paging, e.paged = c, true
	return nil
}

// shell runs a command of the person's own, which may hold arguments.
func shell(command string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.Command("cmd", "/C", command) //nolint:noctx // see below
	}
	return exec.Command("sh", "-c", command) //nolint:noctx // Ctrl-C in the pager is the pager's
}

// closeOutput hands on what is left of the output, and waits for the pager.
func (e *env) closeOutput() error {
	err := e.stdout.Flush()
	if e.paging != nil {
		_ = e.closePipe()
		_ = e.paging.Wait() // its exit is no failure of ours
		e.paging = nil
	}
	return err
}
