package main

import (
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

// posting returns a home with one post of this text, and its id.
func posting(t *testing.T, text string) (dir, id string) {
	t.Helper()
	dir = t.TempDir()
	w := settled(t, dir)
	if code := run(t.Context(), w.env, []string{"post", "-m", text}); code != 0 {
		t.Fatalf("exit %d: %s", code, w.errout)
	}
	id, _, _ = strings.Cut(strings.TrimSpace(w.out.String()), "\t")
	return dir, id
}

func TestShowRawOnATerminal(t *testing.T) {
	const text = "a\u009bb\u202ec" // as a terminal obeys them
	dir, id := posting(t, text)
	for _, terminal := range []bool{false, true} {
		w := settled(t, dir)
		w.terminal.out = terminal
		code := run(t.Context(), w.env, []string{"show", "--raw", id})
		out, note := w.out.String(), w.errout.String()
		if code != 0 || strings.Contains(out, text) == terminal || strings.Contains(out, `a\u009bb\u202ec`) != terminal || strings.HasSuffix(out, "\n") != terminal {
			t.Errorf("terminal %v: exit %d, %q, %q", terminal, code, out, note)
		}
		if strings.Contains(note, "not byte for byte what is signed; redirect it") != terminal {
			t.Errorf("terminal %v: said %q", terminal, note)
		}
	}
}

func TestShowSignatureOnATerminal(t *testing.T) {
	dir, id := posting(t, "x")
	w := settled(t, dir)
	w.terminal.out = true
	code := run(t.Context(), w.env, []string{"show", "--signature", id})
	if code != int(exitUsage) || w.out.Len() > 0 || !strings.Contains(w.errout.String(), "redirect it") {
		t.Errorf("exit %d, %q, %q", code, w.out, w.errout)
	}
}

// The limit that somebody has set goes before ours.
func TestServingMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for set, want := range map[int64]int64{math.MaxInt64: 200 << 20, 1 << 30: 1 << 30} {
		debug.SetMemoryLimit(set)
		boundMemory()
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("set to %d: the limit is %d, want %d", set, got, want)
		}
	}
}
