package spec_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// The example is what its README says: a reader in at most 60 lines of POSIX
// shell. That it reads is shown by the story that runs it against p2ps serve.
func TestPullScript(t *testing.T) {
	const file = "examples/pull.sh"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("\n")); n > 60 {
		t.Errorf("%s has %d lines, want at most 60", file, n)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh to check the syntax with")
	}
	if out, err := exec.CommandContext(t.Context(), sh, "-n", file).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", file, err, out)
	}
}
