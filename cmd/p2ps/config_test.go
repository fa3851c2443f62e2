package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// configured returns a world whose config file holds text.
func configured(t *testing.T, text string) *world {
	t.Helper()
	w := newWorld(t)
	dir, _ := w.dir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDefaults(t *testing.T) {
	got, err := newWorld(t).settings()
	want := settings{
		To: []string{"friends"}, Listen: ":7117", Announce: "off", PullNearby: true, MaxBytes: 2 << 30, Color: "auto", Timeout: 30 * time.Second, Wait: 10 * time.Second,
		Jobs: 8, TrustedProxy: []string{}, RatePerAddress: 1000, RatePerKey: 50, TimelineLimit: 50,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
}

// TestTableAndStruct: a row without a field would be lost, a field without a
// row could not be set.
func TestTableAndStruct(t *testing.T) {
	var fields []string
	for f := range reflect.TypeFor[settings]().Fields() {
		fields = append(fields, f.Tag.Get("mapstructure"))
	}
	if !slices.Equal(fields, settingNames()) {
		t.Errorf("fields %q\nrows %q", fields, settingNames())
	}
}

func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		name, file, env string
		args            []string
		want, origin    string
	}{
		{"default", "", "", nil, "10s", "default"},
		{"file", `wait = "1s"`, "", nil, "1s", "file"},
		{"environment", `wait = "1s"`, "2s", nil, "2s", "environment"},
		{"flag", `wait = "1s"`, "2s", []string{"--wait", "3s"}, "3s", "flag"},
		{"a flag that says the default", `wait = "1s"`, "2s", []string{"--wait=10s"}, "10s", "flag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := configured(t, c.file)
			t.Setenv("P2PS_WAIT", c.env)
			args := append([]string{"config", "get", "wait", "--json=value,origin"}, c.args...)
			if code := run(t.Context(), w.env, args); code != 0 {
				t.Fatal(w.errout)
			}
			want := `{"kind":"setting","v":1,"value":"` + c.want + `","origin":"` + c.origin + `"}` + "\n"
			if w.out.String() != want {
				t.Errorf("%s, want %s", w.out, want)
			}
		})
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"misspelt", "jbos = 3", `config.toml, line 1: there is no setting "jbos"` + "\ndid you mean \"jobs\"? p2ps config list shows all; p2ps config unset jbos takes it out\n"},
		{"unknown", "frobnicate = 3", `config.toml, line 1: there is no setting "frobnicate"` + "\np2ps config list shows all; p2ps config unset frobnicate takes it out\n"},
		{"a table", "[wait]\nlong = 3", `config.toml, line 1: there is no setting "wait.long"`},
		{"people", "[friends]\nBob = \"x\"", `config.toml, line 1: there is no setting "friends.bob"`},
		{"not TOML", "wait = '1s'\njobs = ", `config.toml, line 2: not TOML: expected value`},
		{"twice", "jobs = 1\njobs = 2", `config.toml: not TOML: key jobs is already defined` + "\nmend it in an editor: p2ps config path says where the file is\n"},
		{"number as text", `pager = 3`, `config.toml, line 1: pager: 3 is not a text in quotes`},
		{"half a number", `jobs = 1.5`, `config.toml, line 1: jobs: "1.5" is not a number from 1`},
		{"no number", `jobs = 0`, `config.toml, line 1: jobs: "0" is not a number from 1`},
		{"no duration", `wait = 10`, `config.toml, line 1: wait: "10" is not a time such as 30s or 5m`},
		{"negative duration", `wait = "-1s"`, `config.toml, line 1: wait: "-1s" is not a time such as 30s or 5m`},
		{"no color", `color = "red"`, `config.toml, line 1: color: "red" is none of auto, always, never`},
		{"no announcement", `announce = "all"`, `config.toml, line 1: announce: "all" is none of off, friends, everyone`},
		{"no yes or no", `mark-read = "maybe"`, `config.toml, line 1: mark-read: "maybe" is neither true nor false`},
		{"no list", `to = 3`, `config.toml, line 1: to: 3 is not a list such as ["a", "b"]`},
		{"a list of numbers", `to = [3]`, `config.toml, line 1: to: 3 is not a text in quotes`},
		{"no address", `address = "example.org"`, `config.toml, line 1: address: "example.org" is not an address such as`},
		{"no network", `trusted-proxy = ["10.0.0.0/33"]`, `config.toml, line 1: trusted-proxy: "10.0.0.0/33" is not a network`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := configured(t, c.file)
			code := run(t.Context(), w.env, []string{"status"})
			if code != 2 || w.out.Len() > 0 || !strings.Contains(w.errout.String(), c.want) {
				t.Errorf("exit %d, stdout %q, stderr %q; want 2, nothing, %q", code, w.out, w.errout, c.want)
			}
		})
	}
}

func TestWrongEnvironmentIsNamed(t *testing.T) {
	w := configured(t, `jobs = 3`)
	t.Setenv("P2PS_JOBS", "many")
	code := run(t.Context(), w.env, []string{"status"})
	if want := "p2ps: P2PS_JOBS: \"many\" is not a number from 1\nset it otherwise, or unset P2PS_JOBS\n"; code != 2 || w.errout.String() != want {
		t.Errorf("exit %d, stderr %q; want 2, %q", code, w.errout, want)
	}
}

func TestSetKeepsTheRest(t *testing.T) {
	for _, c := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"new file", "", []string{"jobs", "3"}, "jobs = 3\n"},
		{"appended", "# mine\nwait = '1s'", []string{"jobs", "3"}, "# mine\nwait = '1s'\njobs = 3\n"},
		{"replaced", "# a\njobs = 1 # b\n# c\n", []string{"jobs", "3"}, "# a\njobs = 3\n# c\n"},
		{"over several lines", "to = [\n 'a', # one\n]\njobs = 1\n", []string{"to", "me", "public"}, "to = [\"me\",\"public\"]\njobs = 1\n"},
		{"quoted name", "\"jobs\" = 1\n", []string{"jobs", "3"}, "jobs = 3\n"},
		{"a comment that looks so", "# jobs = 1\n", []string{"jobs", "3"}, "# jobs = 1\njobs = 3\n"},
		{"list with commas", "", []string{"to", "me,public"}, "to = [\"me\",\"public\"]\n"},
		{"duration", "", []string{"wait", "90s"}, "wait = \"1m30s\"\n"},
		{"size", "", []string{"max-bytes", "20 MiB"}, "max-bytes = \"20MiB\"\n"},
		{"odd size", "", []string{"max-bytes", "1KB"}, "max-bytes = \"1000\"\n"},
		{"no size", "", []string{"max-bytes", "0"}, "max-bytes = \"0\"\n"},
		{"yes", "", []string{"mark-read", "yes"}, "mark-read = true\n"},
		{"control characters", "", []string{"pager", "a\"\\\x7f"}, "pager = \"a\\\"\\\\\\u007f\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := configured(t, c.file)
			if code := run(t.Context(), w.env, append([]string{"config", "set"}, c.args...)); code != 0 {
				t.Fatal(w.errout)
			}
			dir, _ := w.dir()
			got, err := os.ReadFile(filepath.Join(dir, configFile))
			if err != nil || string(got) != c.want {
				t.Errorf("%v, file\n%s\nwant\n%s", err, got, c.want)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	hidden := "pager = '''\njobs = 1\n'''\n" // a line of a text, which is no setting
	for _, c := range []struct {
		name, file string
		args       []string
		code       int
		want       string
	}{
		{"a broken file", "jobs = ", []string{"jobs", "3"}, 2, "line 1: not TOML"},
		{"somebody unknown", "", []string{"to", "me", "zed"}, 3, "to: \"zed\": unknown"},
		{"no port", "", []string{"listen", "localhost"}, 2, "listen: \"localhost\" is not an address such as :7117"},
		{"no port of that name", "", []string{"listen", ":frobnicate"}, 2, "listen: \":frobnicate\" is not an address such as :7117"},
		{"what it cannot change", hidden, []string{"jobs", "3"}, 1, "cannot change jobs without changing more"},
		{"two values", "", []string{"jobs", "3", "4"}, 2, "jobs: takes one value, and got 2: put quotes around \"3 4\""},
		{"a wrong value", "", []string{"color", "red"}, 2, "color: \"red\" is none of"},
		{"dry run", "", []string{"jobs", "3", "--dry-run"}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := configured(t, c.file)
			code := run(t.Context(), w.env, append([]string{"config", "set"}, c.args...))
			if code != c.code || !strings.Contains(w.errout.String(), c.want) {
				t.Errorf("exit %d, stderr %q; want %d, %q", code, w.errout, c.code, c.want)
			}
			dir, _ := w.dir()
			if got, _ := os.ReadFile(filepath.Join(dir, configFile)); string(got) != c.file {
				t.Errorf("the file became %q", got)
			}
		})
	}
}

// TestMending: the commands by which a wrong config file is mended work with it,
// and name what is wrong; others do not.
func TestMending(t *testing.T) {
	const file = "# mine\nwiat = '1s' # a slip\njobs = 0\nto = ['me']\n"
	wiat := `config.toml, line 2: there is no setting "wiat"; did you mean "wait"? p2ps config list shows all; p2ps config unset wiat takes it out` + "\n"
	jobs := `config.toml, line 3: jobs: "0" is not a number from 1; p2ps config set jobs VALUE puts it right` + "\n"
	for _, c := range []struct {
		args, out string
		notes     []string
		file      string
	}{
		{"config get to", "me\n", []string{wiat, jobs}, file},
		{"config get jobs --json=value,origin", `{"kind":"setting","v":1,"value":8,"origin":"default"}` + "\n", []string{wiat, jobs}, file},
		{"config list --json=name", "", []string{wiat, jobs}, file},
		{"config set wait 2s", "", []string{wiat, jobs}, file + "wait = \"2s\"\n"},
		{"config set jobs 3", "", []string{wiat}, "# mine\nwiat = '1s' # a slip\njobs = 3\nto = ['me']\n"},
		{"config unset wiat", "", []string{strings.Replace(jobs, "line 3", "line 2", 1)}, "# mine\njobs = 0\nto = ['me']\n"},
		{"config unset wiat --dry-run", "", []string{wiat, jobs}, file},
		{"config unset JOBS", "", []string{wiat}, "# mine\nwiat = '1s' # a slip\nto = ['me']\n"},
		{"config unset wait", "", nil, file},
	} {
		t.Run(c.args, func(t *testing.T) {
			w := configured(t, file)
			code := run(t.Context(), w.env, strings.Fields(c.args))
			said := w.errout.String()
			if code != 0 || c.out != "" && w.out.String() != c.out || strings.Count(said, "note: ") != len(c.notes) {
				t.Errorf("exit %d, %q, %q", code, w.out, said)
			}
			for _, note := range c.notes {
				if !strings.Contains(said, note) {
					t.Errorf("it does not say %q but %q", note, said)
				}
			}
			dir, _ := w.dir()
			if got, _ := os.ReadFile(filepath.Join(dir, configFile)); string(got) != c.file {
				t.Errorf("the file became %q, want %q", got, c.file)
			}
		})
	}
	w := configured(t, file)
	if code := run(t.Context(), w.env, []string{"timeline"}); code != 2 || !strings.Contains(w.errout.String(), `there is no setting "wiat"`) {
		t.Errorf("timeline: exit %d, %q", code, w.errout)
	}
	w = configured(t, "[friends]\nBob = 'x'\n")
	if code := run(t.Context(), w.env, []string{"config", "unset", "friends"}); code != 0 {
		t.Errorf("a table: exit %d, %q", code, w.errout)
	}
	if code, _, said := runIn(t, "config", "unset", "jbos"); code != 2 || !strings.Contains(said, "did you mean \"jobs\"?") {
		t.Errorf("exit %d, %q", code, said)
	}
}

func TestNoHomeIsMadeByReading(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "none")
	w.dir = func() (string, error) { return dir, nil }
	for _, args := range []string{"config list", "config get to", "config path", "config set to me --dry-run"} {
		if code := run(t.Context(), w.env, strings.Fields(args)); code != 0 {
			t.Errorf("%s: exit %d: %s", args, code, w.errout)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("reading made the home: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("jobs = 1\nto = [\n\"a\"]\n"), 7)
	f.Add([]byte("pager = '''\njobs = 1\n'''\n"), 3)
	f.Add([]byte("jobs.x = 1"), 1)
	f.Fuzz(func(t *testing.T, data []byte, jobs int) {
		before, err := readTOML(data, "f")
		if err != nil {
			return
		}
		out, err := editConfig(data, "f", "jobs", jobs)
		if err != nil {
			return
		}
		after, err := readTOML(out, "f")
		if err != nil {
			t.Fatalf("%q became %q: %v", data, out, err)
		}
		want := before.AllSettings()
		want["jobs"] = int64(jobs)
		if got := after.AllSettings(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %q: %v, want %v", data, out, got, want)
		}
	})
}
