package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveAs makes a server of the story's own; its URL is $NAME_URL.
func serveAs(ts *testscript.TestScript, name string, h http.HandlerFunc) {
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = false
	s.Start()
	ts.Setenv(strings.ToUpper(name)+"_URL", s.URL)
	ts.Defer(func() {
		s.CloseClientConnections()
		s.Close()
	})
}

// slow NAME URL N: a proxy before URL that hands on N answers, and then lets the
// bytes of one trickle. When it does, there is a file $WORK/NAME.trickles.
func slow(ts *testscript.TestScript, args []string) {
	name, url := args[0], args[1]
	left, err := strconv.Atoi(args[2])
	ts.Check(err)
	marker := ts.MkAbs(ts.Getenv("WORK") + "/" + name + ".trickles")
	var mu sync.Mutex
	serveAs(ts, name, func(w http.ResponseWriter, r *http.Request) {
		again, err := http.NewRequestWithContext(r.Context(), r.Method, url+r.URL.RequestURI(), r.Body)
		if err != nil {
			return
		}
		again.Header, again.ContentLength = r.Header, r.ContentLength
		answer, err := http.DefaultClient.Do(again)
		if err != nil {
			return
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		for key, values := range answer.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.StatusCode)
		mu.Lock()
		left--
		quick := left >= 0
		mu.Unlock()
		if quick {
			_, _ = w.Write(body)
			return
		}
		_ = os.WriteFile(marker, nil, 0o600)
		for i := range body { // as long as somebody listens
			_, err := w.Write(body[i : i+1])
			if f, ok := w.(http.Flusher); err == nil && ok {
				f.Flush()
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// impostor NAME KEYFILE: a server that understands nobody, and gives the key in
// the file as everybody's. Without KEYFILE it has no key; with - its answers are
// too long.
func impostor(ts *testscript.TestScript, args []string) {
	var key []byte
	if len(args) > 1 && args[1] != "-" {
		key = []byte(ts.ReadFile(args[1]))
	}
	tooLong := len(args) > 1 && args[1] == "-"
	serveAs(ts, args[0], func(w http.ResponseWriter, r *http.Request) {
		switch {
		case tooLong:
			w.Header().Set("Content-Type", "application/pgp-encrypted")
			w.Header().Set("Content-Length", fmt.Sprint(1<<30))
			w.WriteHeader(http.StatusOK)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
		case key == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "application/pgp-keys")
			_, _ = w.Write(key)
		}
	})
}

// startFor starts a program that runs until the story ends, at the latest, and
// tells when it ended.
func startFor(ts *testscript.TestScript, cmd *exec.Cmd) <-chan struct{} {
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return ended
}

// interrupts SIGNAL FILE CODE COMMAND...: run it until FILE (a pattern) is there, send the
// signal, and demand that exit code. What it says is in interrupted.out and .err.
func interrupts(ts *testscript.TestScript, args []string) {
	how := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[0]]
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	work := ts.Getenv("WORK")
	cmd := exec.Command(program(ts, args[3]), args[4:]...)
	cmd.Env, cmd.Dir = environ(ts, castOf(ts).now), work
	for _, name := range []string{"out", "err"} {
		_ = os.Remove(work + "/interrupted." + name)
	}
	cmd.Stdout, cmd.Stderr = appendTo(ts, work+"/interrupted.out"), appendTo(ts, work+"/interrupted.err")
	ended := startFor(ts, cmd)
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if found, err := filepath.Glob(ts.MkAbs(args[1])); err == nil && len(found) > 0 {
			break
		}
		select {
		case <-ended:
			ts.Fatalf("it ended before: %v\n%s", cmd.ProcessState, ts.ReadFile(work+"/interrupted.err"))
		default:
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s is not there after %v", args[1], patience)
		}
	}
	ts.Check(cmd.Process.Signal(how))
	select {
	case <-ended:
	case <-time.After(patience):
		ts.Fatalf("it has not ended %v after %v", patience, how)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// drains NAME: with a request under way, the server of that person gets SIGTERM.
// It must take nobody else, answer that request, and end with 0.
func drains(ts *testscript.TestScript, args []string) {
	name := args[0]
	cmd := castOf(ts).serves[name]
	if cmd == nil {
		ts.Fatalf("%s does not serve", name)
	}
	delete(castOf(ts).serves, name)
	address := strings.TrimPrefix(ts.Getenv(strings.ToUpper(name)+"_URL"), "http://")
	c, err := net.Dial("tcp", address)
	ts.Check(err)
	defer func() { _ = c.Close() }()
	ts.Check(c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "POST /p2ps/v1/sealed HTTP/1.1\r\nHost: x\r\nContent-Type: application/pgp-encrypted\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n")
	ts.Check(err)
	got := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err = io.ReadFull(c, got) // so it waits for the body now
	ts.Check(err)
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		other, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = other.Close()
		if time.Now().After(deadline) {
			ts.Fatalf("connections are still taken")
		}
	}
	_, err = io.WriteString(c, "nonsense")
	ts.Check(err)
	answer, err := io.ReadAll(c)
	ts.Check(err)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		ts.Fatalf("the request under way got %q", answer)
	}
	select {
	case <-castOf(ts).ended[name]:
	case <-time.After(patience):
		ts.Fatalf("the server has not ended")
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("the server ended with %d", code)
	}
}
