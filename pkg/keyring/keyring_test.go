package keyring

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// people are the keys of the tests: making one takes a few milliseconds.
var people = sync.OnceValue(func() map[string]*pgp.Secret {
	all := map[string]*pgp.Secret{}
	for _, name := range []string{"Alice", "Bob", "Carol"} {
		secret, err := pgp.Generate(name, strings.ToLower(name)+"@example.org", time.Now())
		if err != nil {
			panic(err)
		}
		all[name] = secret
	}
	return all
})

func cert(name string) *pgp.Certificate { return people()[name].Certificate() }
func fpr(name string) pgp.Fingerprint   { return cert(name).Fingerprint() }

// revoked is a newer version of a certificate.
func revoked(t *testing.T, name string) *pgp.Certificate {
	t.Helper()
	revocation, err := people()[name].Revocation(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	newer, err := cert(name).Revoke(revocation)
	if err != nil {
		t.Fatal(err)
	}
	return newer
}

// A world is a home on a real directory. Paths may hold {Alice} for her
// fingerprint.
type world struct {
	*testing.T
	*Keyring
	dir    string
	ahead  time.Duration // of the file system's clock
	newest post.Position
	fault  func(op disk.Op, name string) error
	logged bytes.Buffer
}

func home(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir()}
	w.reopen()
	return w
}

// reopen is a new process.
func (w *world) reopen() {
	w.Helper()
	root, err := disk.Open(w.dir, func(op disk.Op, name string) error {
		if w.fault != nil {
			return w.fault(op, name)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = root.Close() })
	now := func() time.Time { return time.Now().Add(w.ahead) }
	newest := func() (post.Position, error) { return w.newest, nil }
	w.Keyring = New(root, now, newest, slog.New(slog.NewTextHandler(&w.logged, nil)))
}

func (w *world) path(name string) string {
	for who := range people() {
		name = strings.ReplaceAll(name, "{"+who+"}", string(fpr(who)))
	}
	return filepath.Join(w.dir, name)
}

// put writes a file as an editor or cp does.
func (w *world) put(name, data string) {
	w.Helper()
	w.ok(os.MkdirAll(filepath.Dir(w.path(name)), 0o700))
	w.ok(os.WriteFile(w.path(name), []byte(data), 0o600))
}

func (w *world) cp(who, name string) {
	w.Helper()
	w.put(name, string(cert(who).Armor()))
}

func (w *world) rm(name string) {
	w.Helper()
	w.ok(os.RemoveAll(w.path(name)))
}

// old makes a file look untouched for an hour.
func (w *world) old(name string) {
	w.Helper()
	hour := time.Now().Add(-time.Hour)
	w.ok(os.Chtimes(w.path(name), hour, hour))
}

func (w *world) read(name string) string {
	w.Helper()
	data, err := os.ReadFile(w.path(name))
	w.ok(err)
	return string(data)
}

// names lists a directory, fingerprints as {Alice}, random parts as *.
func (w *world) names(dir string) []string {
	w.Helper()
	entries, err := os.ReadDir(w.path(dir))
	w.ok(err)
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		for who := range people() {
			name = strings.ReplaceAll(name, string(fpr(who)), "{"+who+"}")
		}
		for _, prefix := range []string{".dup-", ".broken-", ".old-"} {
			if strings.HasPrefix(name, prefix) {
				name = prefix + "*" + name[len(prefix)+8:]
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("got %v, want %v", err, want)
	}
}

func (w *world) equal(got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got %#v, want %#v", got, want)
	}
}

func (w *world) says(err error, want string) {
	w.Helper()
	if err == nil || err.Error() != want {
		w.Errorf("got %v, want %s", err, want)
	}
}

func (w *world) grants(who string) post.Grants {
	w.Helper()
	g, err := w.Grants(fpr(who))
	w.ok(err)
	return g
}

// befriend adds people with all history.
func (w *world) befriend(names ...string) {
	w.Helper()
	for _, name := range names {
		_, _, err := w.AddFriend(cert(name), AddOptions{})
		w.ok(err)
	}
}

func (w *world) problems() (list []string) {
	w.Helper()
	problems, err := w.Problems()
	w.ok(err)
	for _, p := range problems {
		path, err := filepath.Rel(w.dir, p.Path)
		w.ok(err)
		for who := range people() {
			path = strings.ReplaceAll(path, string(fpr(who)), "{"+who+"}")
		}
		list = append(list, path+": "+p.Why)
	}
	return list
}

// fail makes operations on a path fail.
func (w *world) fail(op disk.Op, path string, err error) {
	path, _ = filepath.Rel(w.dir, w.path(path))
	w.fault = func(o disk.Op, name string) error {
		if (op == "" || o == op) && name == path {
			return err
		}
		return nil
	}
}

func mustStamp(t *testing.T, s string) post.Position {
	t.Helper()
	p, err := post.ParseStamp(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func groupNamesOf(g post.Grants) []string {
	var names []string
	for name := range g.Groups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
