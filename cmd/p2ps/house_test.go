package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/p2ps/p2ps/"

// layers is the five-line table: a package imports only layers above its own
// line, never a neighbour. (spec holds embedded schemas and no code.)
var layers = [][]string{
	{"pkg/ijson", "pkg/text", "pkg/disk", "pkg/media", "spec"},
	{"pkg/pgp", "pkg/post", "pkg/wire"},
	{"pkg/keyring", "pkg/feed", "pkg/index", "pkg/peer", "pkg/pull", "pkg/nearby", "pkg/web"},
	{"pkg/home"},
	{"cmd/p2ps"},
}

// core is the one arrow between neighbours: pgp ← post ← wire.
var core = []string{"pkg/pgp", "pkg/post", "pkg/wire"}

// guests says for each outside module the one package that it serves (two,
// where the limit on requests or the form of names is kept in two places).
var guests = map[string]string{
	"github.com/ProtonMail/go-crypto":         "pkg/pgp",
	"github.com/adrg/xdg":                     "cmd/p2ps",
	"github.com/brutella/dnssd":               "pkg/nearby",
	"github.com/clipperhouse/displaywidth":    "pkg/text",
	"github.com/dustin/go-humanize":           "pkg/text",
	"github.com/fsnotify/fsnotify":            "pkg/disk",
	"github.com/go-json-experiment/json":      "pkg/ijson",
	"github.com/gofrs/flock":                  "pkg/disk",
	"github.com/gabriel-vasile/mimetype":      "pkg/media",
	"github.com/makiuchi-d/gozxing":           "cmd/p2ps",
	"github.com/mdp/qrterminal/v3":            "cmd/p2ps",
	"github.com/oasisprotocol/curve25519-voi": "pkg/pgp",
	"github.com/olekukonko/tablewriter":       "cmd/p2ps",
	"github.com/schollz/progressbar/v3":       "cmd/p2ps",
	"github.com/spf13/cobra":                  "cmd/p2ps",
	"github.com/spf13/pflag":                  "cmd/p2ps",
	"github.com/spf13/viper":                  "cmd/p2ps",
	"github.com/xhit/go-str2duration/v2":      "pkg/text",
	"golang.org/x/sync":                       "pkg/disk pkg/home",
	"golang.org/x/sys":                        "pkg/disk",
	"golang.org/x/term":                       "cmd/p2ps",
	"golang.org/x/text":                       "pkg/text pkg/keyring",
	"golang.org/x/time":                       "pkg/peer pkg/home",
	"modernc.org/sqlite":                      "pkg/index",
	"rsc.io/qr":                               "cmd/p2ps",
}

// testGuests are modules, and packages of modules, that only tests may import.
var testGuests = []string{
	"github.com/rogpeppe/go-internal",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"github.com/spf13/cobra/doc",
	"go.yaml.in/yaml/v3",
	"pgregory.net/rapid",
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath, Name, Dir              string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// short is the path within the module.
func (p pkg) short() string { return strings.TrimPrefix(p.ImportPath, module) }

// housed lists the module's packages.
func housed(t *testing.T) []pkg {
	t.Helper()
	var packages []pkg
	d := json.NewDecoder(bytes.NewReader(goList(t, "-e", "-json=ImportPath,Name,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")))
	for {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath+"/" != module {
			packages = append(packages, p)
		}
	}
	if len(packages) < 5 {
		t.Fatalf("only %d packages found", len(packages))
	}
	return packages
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if ended, ok := errors.AsType[*exec.ExitError](err); ok {
			stderr = ended.Stderr
		}
		t.Fatalf("%v: %v\n%s", cmd, err, stderr)
	}
	return out
}

func layerOf(short string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, short) })
}

func TestLayers(t *testing.T) {
	for _, p := range housed(t) {
		mine := layerOf(p.short())
		if mine < 0 {
			t.Errorf("%s has no place in layers", p.short())
			continue
		}
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			arrow := slices.Index(core, other) >= 0 && slices.Index(core, other) < slices.Index(core, p.short())
			if layerOf(other) >= mine && !arrow {
				t.Errorf("%s imports %s, which is not above it", p.short(), other)
			}
		}
	}
}

func TestGuests(t *testing.T) {
	for _, p := range housed(t) {
		for _, path := range p.Imports {
			if m, ok := outside(path); ok && (!serves(m, p) || forTests(path)) {
				t.Errorf("%s imports %s, which is the guest of %q", p.short(), path, guests[m])
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if m, ok := outside(path); ok && !serves(m, p) && !forTests(path) {
				t.Errorf("a test of %s imports %s, which is the guest of %q", p.short(), path, guests[m])
			}
		}
	}
}

// outside returns the guest that an import path belongs to, or the path itself
// if it is nobody's; false for the standard library and this module.
func outside(path string) (guest string, ok bool) {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") || strings.HasPrefix(path+"/", module) {
		return "", false
	}
	for m := range guests {
		if path == m || strings.HasPrefix(path, m+"/") {
			return m, true
		}
	}
	return path, true
}

func serves(guest string, p pkg) bool {
	return slices.Contains(strings.Fields(guests[guest]), p.short())
}

func forTests(path string) bool {
	return slices.ContainsFunc(testGuests, func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") })
}

// TestStandardImports: encoding/json merges doubled names and folds their case
// (pkg/ijson does not); the file system belongs to pkg/disk, where tests make
// it fail.
func TestStandardImports(t *testing.T) {
	for _, p := range housed(t) {
		for _, path := range p.Imports {
			if strings.HasPrefix(path, "encoding/json") {
				t.Errorf("%s imports %s: use pkg/ijson", p.short(), path)
			}
			if path == "os" && p.short() != "pkg/disk" && p.short() != "cmd/p2ps" {
				t.Errorf("%s imports os: only pkg/disk touches the file system", p.short())
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	for _, p := range housed(t) {
		for _, word := range strings.Fields("util utils common helper helpers types base manager user account node") {
			if p.Name == word || filepath.Base(p.ImportPath) == word {
				t.Errorf("%s: a package is named by what it is about, not %q", p.ImportPath, word)
			}
		}
	}
}

// TestBinary looks at all that is linked into p2ps.
func TestBinary(t *testing.T) {
	deps := strings.Fields(string(goList(t, "-deps", "./cmd/p2ps")))
	if !slices.Contains(deps, "github.com/spf13/cobra") {
		t.Fatal("go list -deps does not name cobra: the test looks at the wrong thing")
	}
	for _, path := range deps {
		for _, banned := range []struct{ path, why string }{
			{"golang.org/x/crypto/openpgp", "it is unmaintained (GO-2026-5932)"},
			{"github.com/santhosh-tekuri/jsonschema", "it costs every start 7 ms: tests only"},
			{"github.com/spf13/cobra/doc", "it makes the manual: tests only"},
			{"testing", "tests only"},
			{"pgregory.net/rapid", "tests only"},
		} {
			if path == banned.path || strings.HasPrefix(path, banned.path+"/") {
				t.Errorf("%s is linked: %s", path, banned.why)
			}
		}
	}
}

// TestWorldIsInOnePlace holds the sources to what env.go promises: whoever
// wants to know what p2ps touches reads one file.
func TestWorldIsInOnePlace(t *testing.T) {
	places := map[string]string{
		"os.Stdin": "env.go", "os.Stdout": "env.go", "os.Stderr": "env.go",
		"os.Getenv": "env.go", "os.LookupEnv": "env.go", "os.Environ": "env.go",
		"time.Now": "env.go", "time.Since": "env.go", "time.Until": "env.go",
		"os.Exit": "main.go", "os.Args": "main.go", "log.Fatal": "nowhere", "viper.New": "config.go",
	}
	found := map[string]int{}
	for _, p := range housed(t) {
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok {
						used := x.Name + "." + n.Sel.Name
						found[used]++
						if place := places[used]; place != "" && p.short() == "cmd/p2ps" && place != name {
							t.Errorf("%s names %s: only %s does", name, used, place)
						}
					}
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s/%s: nothing happens at import: no init", p.short(), name)
					}
				}
				return true
			})
		}
	}
	if found["os.Exit"] != 1 {
		t.Errorf("os.Exit is called in %d places, want one", found["os.Exit"])
	}
}

func TestSourcesAreNamedForTheirQuestion(t *testing.T) {
	for _, p := range housed(t) {
		for _, name := range p.GoFiles {
			stem := strings.TrimSuffix(name, ".go")
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base"}, stem) {
				t.Errorf("%s/%s: a file is named by the question it answers", p.short(), name)
			}
		}
	}
}
