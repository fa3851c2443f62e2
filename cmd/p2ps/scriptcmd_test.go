package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a server may take to begin or to end. It ends a test
// that hangs; none waits for it otherwise.
const patience = 30 * time.Second

// startServe starts p2ps serve of a person. What it says goes to
// $WORK/NAME.serve.out and .err, where a story can look for what must not be there.
func startServe(ts *testscript.TestScript, args []string) {
	c, name := castOf(ts), args[0]
	if c.serves[name] != nil {
		ts.Fatalf("%s serves already", name)
	}
	at := ts.Getenv("WORK") + "/" + name + ".serve"
	ready := at + ".ready"
	_ = os.Remove(ready)
	listen := "127.0.0.1:0"
	if slices.Contains(c.machines, name) {
		listen = ":0"
	}
	flags := append([]string{"serve", "--listen", listen, "--ready-file", ready}, args[1:]...)
	cmd := inNet(ts, name, program(ts, "p2ps"), flags...)
	cmd.Env, cmd.Dir = environ(ts, name), ts.Getenv("WORK")
	cmd.Stdout, cmd.Stderr = appendTo(ts, at+".out"), appendTo(ts, at+".err")
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	c.serves[name], c.ended[name] = cmd, ended
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if url, err := os.ReadFile(ready); err == nil && strings.HasSuffix(string(url), "\n") {
			ts.Setenv(strings.ToUpper(name)+"_URL", strings.TrimSpace(string(url)))
			return
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(at + ".err")
			ts.Fatalf("serve of %s ended with %v:\n%s", name, cmd.ProcessState, said)
		default:
		}
		if time.Now().After(deadline) {
			ts.Fatalf("serve of %s is not ready after %v", name, patience)
		}
	}
}

// meet gives people an identity each, if they have none, and makes each a friend
// of every other: by their key files, with all that was said before.
func meet(ts *testscript.TestScript, names []string) {
	as := func(name string, args ...string) {
		cmd := exec.Command(program(ts, "p2ps"), append([]string{"-q"}, args...)...)
		cmd.Env, cmd.Dir = environ(ts, name), ts.Getenv("WORK")
		if out, err := cmd.CombinedOutput(); err != nil {
			ts.Fatalf("%s: p2ps %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
	}
	key := func(name string) string { return ts.Getenv("WORK") + "/" + name + ".asc" }
	for _, name := range names {
		if _, err := os.Stat(key(name)); err != nil {
			as(name, "keygen", "--name", name, "--no-passphrase")
			as(name, "key", "export", "-o", key(name))
		}
	}
	for _, name := range names {
		for _, other := range names {
			if other != name {
				as(name, "friend", "add", key(other))
			}
		}
	}
}

func appendTo(ts *testscript.TestScript, path string) *os.File {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	ts.Defer(func() { _ = file.Close() })
	return file
}

// stopServe ends a server. In order means: by itself, with 0 or as SIGTERM does.
func stopServe(ts *testscript.TestScript, args []string) {
	how, name := syscall.SIGTERM, args[len(args)-1]
	if len(args) == 2 {
		if args[0] != "-KILL" {
			ts.Fatalf("usage: stopserve [-KILL] NAME")
		}
		how = syscall.SIGKILL
	}
	c := castOf(ts)
	cmd := c.serves[name]
	if cmd == nil {
		ts.Fatalf("%s does not serve", name)
	}
	delete(c.serves, name)
	if err := cmd.Process.Signal(how); how != syscall.SIGKILL || !errors.Is(err, os.ErrProcessDone) { // one that died already is dead
		ts.Check(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if errors.Is(cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("serve of %s has not ended %v after %v", name, patience, how)
		}
	}
}

// exitsWith runs a command and demands an exit code.
func exitsWith(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// capture keeps a part of the last stdout for later lines.
func capture(ts *testscript.TestScript, args []string) {
	re, err := regexp.Compile(`(?m)` + args[1])
	ts.Check(err)
	if re.NumSubexp() != 1 {
		ts.Fatalf("capture: %q has not one group", args[1])
	}
	m := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("capture: stdout has no match for %q", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// tamper replaces the one place where OLD stands in a file.
func tamper(ts *testscript.TestScript, args []string) {
	path := ts.MkAbs(args[0])
	info, err := os.Stat(path)
	ts.Check(err)
	data := ts.ReadFile(args[0])
	if n := strings.Count(data, args[1]); n != 1 {
		ts.Fatalf("tamper: %q stands %d times in %s", args[1], n, args[0])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(data, args[1], args[2], 1)), info.Mode().Perm()))
}
