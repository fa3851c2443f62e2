package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// spec: N1
// TestScripts runs the stories: testdata/script/*.txtar at the root of the
// repository. Beside the commands of testscript they have
//
//	as NAME               go on as this person: own home ($WORK/NAME), own gpg, own clock
//	clock OFFSET          move this person's clock, from now on (-87600h, 5m; 0 puts it right)
//	meet NAME...          make them an identity each, and friends of each other
//	serve NAME [FLAG...]  p2ps serve of that person, in the background; its URL is $NAME_URL
//	stopserve [-KILL] NAME  end it, in order (SIGTERM) or not
//	exits CODE COMMAND... run it and demand that exit code
//	capture VAR REGEX     set VAR to what the group of REGEX matches in the last stdout
//	tamper FILE OLD NEW   change what stands once in a file, as a hostile hand would
//	slow, impostor, interrupts, drains   see scriptnet_test.go
//	picture, decoy, noise  make a file, see scriptfile_test.go
//	cable, unplug, eavesdrop, avahi, until   see scriptlan_test.go
//
// and the conditions [exec:PROGRAM], [root] and [lan]: there can be machines.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "script"),
		Setup:               setUp,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"as":         plainly("as NAME", 1, 1, becomes),
			"clock":      plainly("clock OFFSET", 1, 1, setClock),
			"meet":       plainly("meet NAME...", 1, -1, meet),
			"serve":      plainly("serve NAME [FLAG...]", 1, -1, startServe),
			"stopserve":  plainly("stopserve [-KILL] NAME", 1, 2, stopServe),
			"exits":      plainly("exits CODE COMMAND [ARGUMENT...]", 2, -1, exitsWith),
			"capture":    plainly("capture VAR REGEX", 2, 2, capture),
			"tamper":     plainly("tamper FILE OLD NEW", 3, 3, tamper),
			"slow":       plainly("slow NAME URL N", 3, 3, slow),
			"impostor":   plainly("impostor NAME [KEYFILE | -]", 1, 2, impostor),
			"interrupts": plainly("interrupts SIGNAL FILE CODE COMMAND [ARGUMENT...]", 4, -1, interrupts),
			"drains":     plainly("drains NAME", 1, 1, drains),
			"cable":      plainly("cable N ONE OTHER", 3, 3, cable),
			"unplug":     plainly("unplug N NAME", 2, 2, unplug),
			"eavesdrop":  plainly("eavesdrop NAME FILE", 2, 2, eavesdrop),
			"avahi":      plainly("avahi NAME HOST", 2, 2, avahi),
			"until":      plainly("until REGEX COMMAND [ARGUMENT...]", 2, -1, until),
			"picture":    plainly("picture FILE [WIDTH]", 1, 2, picture),
			"decoy":      plainly("decoy KIND FILE", 2, 2, makeDecoy),
			"noise":      plainly("noise FILE KIB", 2, 2, makeNoise),
		},
	})
}

// plainly makes a command of a story that cannot be negated.
func plainly(use string, least, most int, f func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least || (most >= 0 && len(args) > most) {
			ts.Fatalf("usage: %s", use)
		}
		f(ts, args)
	}
}

// A cast is the people of one story.
type cast struct {
	now      string            // who acts
	clocks   map[string]string // offset of each
	serves   map[string]*exec.Cmd
	machines []string                 // of those who have one, in order
	ended    map[string]chan struct{} // closed when that serve has ended
}

type castKey struct{}

func castOf(ts *testscript.TestScript) *cast {
	c, ok := ts.Value(castKey{}).(*cast)
	if !ok {
		ts.Fatalf("the story has no cast")
	}
	return c
}

// setUp gives a story an environment in which nothing of the developer's is
// left: neither home nor locale nor colors.
func setUp(e *testscript.Env) error {
	e.Vars = append(e.Vars, "TZ=UTC", "LC_ALL=C.UTF-8", "TERM=dumb", "P2PS_HOME="+filepath.Join(e.WorkDir, "nobody"))
	e.Values[castKey{}] = &cast{clocks: map[string]string{}, serves: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{}}
	return nil
}

func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "lan":
		return os.Geteuid() == 0 && canCable(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// personal are the variables that make somebody of a process.
func personal(ts *testscript.TestScript, name string) map[string]string {
	return map[string]string{
		"P2PS_HOME": ts.MkAbs(ts.Getenv("WORK") + "/" + name),
		// Beside the home and not in it: gpg needs it to exist, the home must not.
		"GNUPGHOME":              ts.MkAbs(ts.Getenv("WORK") + "/" + name + ".gnupg"),
		"P2PS_TEST_CLOCK_OFFSET": castOf(ts).clocks[name],
	}
}

func becomes(ts *testscript.TestScript, args []string) {
	name := args[0]
	castOf(ts).now = name
	for key, value := range personal(ts, name) {
		ts.Setenv(key, value)
	}
	ts.Check(os.MkdirAll(ts.Getenv("GNUPGHOME"), 0o700))
}

func setClock(ts *testscript.TestScript, args []string) {
	c := castOf(ts)
	c.clocks[c.now] = args[0]
	ts.Setenv("P2PS_TEST_CLOCK_OFFSET", args[0])
}

// program finds a program on the story's PATH, which begins with our p2ps.
func program(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		for _, ext := range []string{"", ".exe"} {
			path := filepath.Join(dir, name+ext)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path
			}
		}
	}
	ts.Fatalf("no %s on PATH", name)
	return ""
}

// environ is the environment of a person's process in the background.
func environ(ts *testscript.TestScript, name string) []string {
	vars := []string{}
	for _, key := range strings.Fields("PATH HOME TMPDIR WORK TZ LC_ALL TERM SYSTEMROOT GOCOVERDIR P2PS_TEST_FAULT") {
		if value := ts.Getenv(key); value != "" {
			vars = append(vars, key+"="+value)
		}
	}
	for key, value := range personal(ts, name) {
		vars = append(vars, key+"="+value)
	}
	return vars
}
