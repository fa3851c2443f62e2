package main

import (
	"bufio"
	"errors"
	"strings"
	"syscall"
	"testing"
)

// full is a disk that takes so many bytes and no more.
type full struct {
	room int
	err  error
}

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		n := f.room
		f.room = 0
		return n, f.err
	}
	f.room -= len(p)
	return len(p), nil
}

func TestFirstFailedWriteIsTheExit(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   int
		stderr string
	}{
		{syscall.ENOSPC, 1, "p2ps: write the output: no space left on device\nmake room, and do it again\n"},
		{syscall.EPIPE, 141, ""}, // head has enough: nothing to complain of
	} {
		w := newWorld(t)
		w.stdout = &output{w: bufio.NewWriterSize(&full{room: 5, err: c.err}, 16)}
		code := run(t.Context(), w.env, []string{"help", "json"})
		if code != c.code || w.errout.String() != c.stderr {
			t.Errorf("%v: exit %d, stderr %q; want %d, %q", c.err, code, w.errout, c.code, c.stderr)
		}
	}
}

func TestQuitInThePagerIsNoFailure(t *testing.T) {
	w := newWorld(t)
	w.stdout = &output{w: bufio.NewWriter(&full{err: syscall.EPIPE})}
	w.paged = true
	if code := w.finish(t.Context(), w.emit(nil, "text")); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

func TestWriteErrorStays(t *testing.T) {
	first := errors.New("first")
	o := &output{w: bufio.NewWriterSize(&full{err: first}, 16)}
	_, _ = o.Write([]byte(strings.Repeat("x", 17)))
	if _, err := o.Write([]byte("y")); !errors.Is(err, first) {
		t.Errorf("second write: %v, want the first error", err)
	}
	if err := o.Flush(); !errors.Is(err, first) {
		t.Errorf("flush: %v, want the first error", err)
	}
}

type sample struct {
	header
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

func TestEmit(t *testing.T) {
	hostile := sample{kind("sample"), "1", "a\tb\nc\x1b\u202e"}
	for _, c := range []struct {
		name, flag, want string
	}{
		{"text", "", "1\ta b c\uFFFD\uFFFD\n"},
		{"json", "all", `{"kind":"sample","v":1,"id":"1","name":"a\tb\nc\u001b\u202e"}` + "\n"},
		{"one field", "id", `{"kind":"sample","v":1,"id":"1"}` + "\n"},
		{"in the order asked for", "name,id", `{"kind":"sample","v":1,"name":"a\tb\nc\u001b\u202e","id":"1"}` + "\n"},
		{"twice", "id,id", `{"kind":"sample","v":1,"id":"1"}` + "\n"},
		{"none", "", ""},
		{"unknown", "size", `{"kind":"sample","v":1}` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.flag != "" {
				_ = w.json.Set(c.flag)
			}
			if c.name == "none" {
				_ = w.json.Set("")
				c.want = `{"kind":"sample","v":1}` + "\n"
			}
			if err := w.emit(hostile, hostile.ID, hostile.Name); err != nil || w.out.String() != c.want {
				t.Errorf("%v, %q; want %q", err, w.out, c.want)
			}
		})
	}
}

func TestListing(t *testing.T) {
	rows := []sample{{kind("sample"), "1", "Alice"}, {kind("sample"), "22", "Bob\x1b"}}
	for _, c := range []struct {
		name           string
		json, terminal bool
		want           string
	}{
		{"pipe", false, false, "1\tAlice\n22\tBob\uFFFD\n"},
		{"json", true, true, `{"kind":"sample","v":1,"id":"1","name":"Alice"}` + "\n" +
			`{"kind":"sample","v":1,"id":"22","name":"Bob\u001b"}` + "\n"},
		{"terminal", false, true, "Id  Name \n1   Alice\n22  Bob\uFFFD \n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.json.on, w.terminal.out = c.json, c.terminal
			l := w.list("Id", "Name")
			for _, r := range rows {
				if err := l.add(r, r.ID, r.Name); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.end(); err != nil {
				t.Fatal(err)
			}
			if got := trimRight(w.out.String()); got != trimRight(c.want) {
				t.Errorf("got\n%q, want\n%q", got, c.want)
			}
		})
	}
}

func trimRight(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestEmptyListingDrawsNothing(t *testing.T) {
	w := newWorld(t)
	w.terminal.out = true
	if err := w.list("Id").end(); err != nil || w.out.Len() > 0 {
		t.Errorf("%v, %q; want nothing", err, w.out)
	}
}

func TestSayCleansWhatIsForeign(t *testing.T) {
	w := newWorld(t)
	w.say("%s: %v, %d", "a\x1b", errors.New("b\u202e"), 3)
	if got, want := w.errout.String(), "a\uFFFD: b\uFFFD, 3\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	w.errout.Reset()
	w.quiet = true
	w.say("nothing")
	if w.errout.Len() > 0 {
		t.Errorf("-q said %q", w.errout)
	}
}

func TestColors(t *testing.T) {
	for _, c := range []struct {
		name     string
		args     []string
		env      [2]string
		terminal bool
		want     bool
	}{
		{"pipe", nil, [2]string{}, false, false},
		{"terminal", nil, [2]string{}, true, true},
		{"NO_COLOR", nil, [2]string{"NO_COLOR", "1"}, true, false},
		{"CLICOLOR=0", nil, [2]string{"CLICOLOR", "0"}, true, false},
		{"CLICOLOR_FORCE", nil, [2]string{"CLICOLOR_FORCE", "1"}, false, true},
		{"dumb", nil, [2]string{"TERM", "dumb"}, true, false},
		{"the flag goes before", []string{"--color=always"}, [2]string{"NO_COLOR", "1"}, false, true},
		{"never", []string{"--color=never"}, [2]string{"CLICOLOR_FORCE", "1"}, true, false},
		{"the setting", nil, [2]string{"P2PS_COLOR", "never"}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			for _, name := range []string{"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"} {
				t.Setenv(name, "")
			}
			t.Setenv("TERM", "xterm")
			if c.env[0] != "" {
				t.Setenv(c.env[0], c.env[1])
			}
			if code := run(t.Context(), w.env, append([]string{"version"}, c.args...)); code != 0 {
				t.Fatal(w.errout)
			}
			w.terminal.out = c.terminal
			if got := w.colors(); got != c.want {
				t.Errorf("colors %v, want %v", got, c.want)
			}
		})
	}
}
