package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestTour runs the tour of the README as it stands.
func TestTour(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the tour is for a POSIX shell")
	}
	tour := "set -eu\n" + tourOf(t)
	dir, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "p2ps")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", tour)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "P2PS_HOME="+filepath.Join(dir, "nobody"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the tour ends with %v:\n%s", err, out)
	}
	for _, want := range []string{"Alice\t2 new", "Sunday lunch at ours", `"complete":true,"count":3`, "made\t", "signed; it goes to family (1 person)"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour does not show %q:\n%s", want, out)
		}
	}
}

func tourOf(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)<!-- tour -->\n```sh\n(.*?)```").FindSubmatch(data)
	if m == nil {
		t.Fatal("README.md has no tour")
	}
	return string(m[1])
}
