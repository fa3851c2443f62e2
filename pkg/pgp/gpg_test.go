package pgp

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A gpg is a keyring of its own with an agent of its own.
type gpg struct {
	t    *testing.T
	home string
}

// newGPG makes a keyring, or skips the test where there is no gpg. The directory
// has a short name: the agent's socket lies in it, and such names are short.
func newGPG(t *testing.T) *gpg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("gpg is not installed: nothing to be compatible with")
	}
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	g := &gpg{t, home}
	g.file("gpg-agent.conf", []byte("s2k-count 65536\n")) // else each passphrase takes 100 ms
	t.Cleanup(func() {
		stop := exec.CommandContext(context.Background(), "gpgconf", // t.Context is over by now
			"--kill", "all")
		stop.Env = g.environment()
		_ = stop.Run()
		_ = os.RemoveAll(home)
	})
	return g
}

func (g *gpg) environment() []string { return append(os.Environ(), "GNUPGHOME="+g.home, "LC_ALL=C") }

// try runs gpg; out is what it writes, log what it says, the status lines too.
func (g *gpg) try(stdin []byte, args ...string) (out []byte, log string, err error) {
	c := exec.CommandContext(g.t.Context(), "gpg", append([]string{
		"--batch", "--yes", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback", "--status-fd", "2",
	}, args...)...)
	c.Env = g.environment()
	c.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err = c.Run()
	return stdout.Bytes(), stderr.String(), err
}

// run is try that must succeed.
func (g *gpg) run(stdin []byte, args ...string) (out []byte, log string) {
	g.t.Helper()
	out, log, err := g.try(stdin, args...)
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, log)
	}
	return out, log
}

func (g *gpg) file(name string, data []byte) string {
	g.t.Helper()
	path := filepath.Join(g.home, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

// lists gives the first and the given fields of gpg's listing, line by line.
func (g *gpg) list(what string) string {
	g.t.Helper()
	out, _ := g.run(nil, "--with-colons", what)
	return string(out)
}

func wantText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// generatedNow is a key made a second ago: gpg's clock is a tick behind ours,
// and a key of tomorrow would be no key to it.
func generatedNow(t *testing.T, name string) *Secret {
	t.Helper()
	return must(Generate(name, "", time.Now().Add(-time.Second)))(t)
}

func TestGPGReadsOurKeys(t *testing.T) {
	me := generatedNow(t, "Zoë 李 (home)")
	fingerprint := string(me.cert.Fingerprint())
	day := me.cert.Created().Unix()
	t.Run("public", func(t *testing.T) {
		g := newGPG(t)
		g.run(me.cert.Armor(), "--import")
		wantText(t, g.list("-k"),
			fmt.Sprintf("pub:-:255:22:%s:%d:::-:::c", fingerprint[24:], day),
			"Zoë 李 (home)", ":::::s:::::ed25519:", ":::::e:::::cv25519:", ":::::a:::::ed25519:")
		if keys := g.list("-k"); strings.Count(keys, "\nsub:") != 3 {
			t.Errorf("not three subkeys:\n%s", keys)
		}
	})
	t.Run("certified by the primary key", func(t *testing.T) {
		g := newGPG(t)
		g.run(me.cert.Bytes(), "--import")
		if sigs := g.list("--check-sigs"); strings.Count(sigs, "sig:!:") != 4 || strings.Contains(sigs, "sig:-:") {
			t.Error(sigs)
		}
	})
	t.Run("daily", func(t *testing.T) {
		g := newGPG(t)
		g.run(must(me.Daily())(t), "--import")
		out, _ := g.run(nil, "-K")
		wantText(t, string(out), "sec#", "[C]", "ssb ", "[S]", "[E]", "[A]")
		signed, _ := g.run([]byte("x"), "-b")
		if len(signed) == 0 {
			t.Error("cannot sign")
		}
	})
	t.Run("primary", func(t *testing.T) {
		g := newGPG(t)
		g.run(must(me.Primary([]byte("correct horse")))(t), "--passphrase", "correct horse", "--import")
		out, _ := g.run(nil, "-K")
		wantText(t, string(out), "sec  ")
		if strings.Contains(string(out), "sec#") {
			t.Error("the primary key is missing")
		}
		g.run(nil, "--passphrase", "correct horse", "--quick-set-expire", fingerprint, "1y")
		renewed, _ := g.run(nil, "--export")
		c := must(me.cert.Update(renewed))(t)
		wantError(t, c.Usable(time.Now()), nil)
		wantError(t, c.Usable(time.Now().AddDate(2, 0, 0)), ErrExpired)
		wantError(t, me.cert.Usable(time.Now().AddDate(2, 0, 0)), nil)
	})
	t.Run("revocation", func(t *testing.T) {
		g := newGPG(t)
		g.run(me.cert.Bytes(), "--import")
		g.run(nil, "--trust-model", "pgp", "--check-trustdb") // makes one, or the import below fails
		g.run(must(me.Revocation(time.Now()))(t), "--import")
		wantText(t, g.list("-k"), "pub:r:")
		out, _ := g.run(nil, "--export")
		wantError(t, must(ParseCertificate(out))(t).Usable(time.Now()), ErrRevoked)
	})
}

// gpgKeys are the kinds of keys that people bring along.
var gpgKeys = []struct {
	name       string
	make       [][]string
	algorithm  string
	passphrase string
	offline    bool
}{
	{"ed25519 [SC] cv25519 [E]", [][]string{{"--quick-gen-key", "Gil", "future-default", "default", "0"}}, "ed25519", "", false},
	{"rsa4096 [SC] [E]", [][]string{{"--quick-gen-key", "Gil", "rsa4096", "sign", "0"}, {"--quick-add-key", "", "rsa4096", "encrypt", "0"}}, "rsa4096", "", false},
	{"nistp256 [SC] [E]", [][]string{{"--quick-gen-key", "Gil", "nistp256", "sign", "0"}, {"--quick-add-key", "", "nistp256", "encrypt", "0"}}, "nistp256", "", false},
	{"[C] [S] [E] [A]", separate(), "ed25519", "", false},
	{"offline primary", separate(), "ed25519", "", true},
	{"passphrase", separate(), "ed25519", "correct horse", false},
}

func separate() [][]string {
	return [][]string{
		{"--quick-gen-key", "Gil", "ed25519", "cert", "0"},
		{"--quick-add-key", "", "ed25519", "sign", "0"},
		{"--quick-add-key", "", "cv25519", "encrypt", "0"},
		{"--quick-add-key", "", "ed25519", "auth", "1y"},
	}
}

// makeKey makes the key, and gives what gpg exports of it.
func (g *gpg) makeKey(make [][]string, passphrase string, offline bool) (fingerprint string, public, secret []byte) {
	g.t.Helper()
	for _, args := range make {
		full := append([]string{"--passphrase", passphrase}, args...)
		if args[1] == "" {
			full[3] = fingerprint
		}
		g.run(nil, full...)
		if fingerprint == "" {
			_, after, _ := strings.Cut(g.list("-K"), "\nfpr:::::::::")
			fingerprint, _, _ = strings.Cut(after, ":")
		}
	}
	public, _ = g.run(nil, "--export", fingerprint)
	export := "--export-secret-keys"
	if offline {
		export = "--export-secret-subkeys"
	}
	secret, _ = g.run(nil, "--armor", "--passphrase", passphrase, export, fingerprint)
	return fingerprint, public, secret
}

// Both ways, for every kind of key: we read theirs, and each reads what the
// other wrote.
func TestGPGAndWe(t *testing.T) {
	for _, k := range gpgKeys {
		t.Run(k.name, func(t *testing.T) {
			g := newGPG(t)
			fingerprint, public, exported := g.makeKey(k.make, k.passphrase, k.offline)
			them := must(ParseSecret(exported, phrase(k.passphrase)))(t)
			c := must(ParseCertificate(public))(t)
			if c.Algorithm() != k.algorithm || string(c.Fingerprint()) != fingerprint || c.Name() != "Gil" {
				t.Errorf("%s %s %q", c.Algorithm(), c.Fingerprint(), c.Name())
			}
			if them.HasPrimary() == k.offline {
				t.Errorf("primary: %t", them.HasPrimary())
			}
			if k.passphrase != "" {
				_, err := ParseSecret(exported, nil)
				wantError(t, err, ErrLocked)
			}
			x := exchange{t, g, c, k.passphrase}
			x.theyReadOurs()
			x.weReadTheirs()
			x.importedKeyWorks(them)
		})
	}
}

// An exchange is between a key in gpg and one of ours.
type exchange struct {
	t          *testing.T
	g          *gpg
	them       *Certificate
	passphrase string
}

func (x exchange) theyReadOurs() {
	t, g, me, now := x.t, x.g, generatedNow(x.t, "Alice"), time.Now()
	t.Helper()
	g.run(me.cert.Armor(), "--import")
	data := g.file("data", []byte("post"))
	sig := g.file("data.sig", must(me.Sign(ContextPost, []byte("post"), now))(t))
	_, log := g.run(nil, "--verify", sig, data)
	wantText(t, log, "GOODSIG", "VALIDSIG", string(me.cert.Fingerprint()), "NOTATION_NAME context@p2ps", "NOTATION_DATA post")
	for _, n := range []int{0, 5, 1000, 300_000} {
		literal := bytes.Repeat([]byte("x"), n)
		message := must(Seal(literal, ContextAnswer, me, x.them, now, SealOptions{}))(t)
		out, log := g.run(message, "--passphrase", x.passphrase, "-d")
		if !bytes.Equal(out, literal) {
			t.Errorf("%d bytes became %d", n, len(out))
		}
		wantText(t, log, "DECRYPTION_OKAY", "GOODMDC", "GOODSIG", "VALIDSIG", string(me.cert.Fingerprint()))
	}
}

func (x exchange) weReadTheirs() {
	t, g, me := x.t, x.g, generatedNow(x.t, "Bob")
	t.Helper()
	g.run(me.cert.Bytes(), "--import")
	from := []string{"--passphrase", x.passphrase, "--local-user", string(x.them.Fingerprint())}
	sig, _ := g.run([]byte("post"), append(from, "--sig-notation", "context@p2ps=post", "--detach-sign")...)
	must(x.them.Verify(ContextPost, []byte("post"), sig))(t)
	_, err := x.them.Verify(ContextPost, []byte("pest"), sig)
	wantError(t, err, ErrSignature)
	mail, _ := g.run([]byte("post"), append(from, "--detach-sign")...)
	_, err = x.them.Verify(ContextPost, []byte("post"), mail)
	wantError(t, err, ErrContext)
	for _, to := range []string{"-R", "-r"} {
		for _, n := range []int{1, 1000, 300_000} { // the last in parts
			literal := bytes.Repeat([]byte("y"), n)
			message, _ := g.run(literal, append(from, "--rfc4880", "-z", "0", "--sig-notation", "context@p2ps=request",
				"--sign", "--encrypt", to, string(me.cert.Fingerprint()))...)
			now := time.Now()
			wantError(t, CheckOuter(message, me), nil)
			o := must(Decrypt(message, me, n))(t)
			if !bytes.Equal(o.Literal, literal) {
				t.Errorf("%d bytes became %d", n, len(o.Literal))
			}
			wantError(t, o.Verify(ContextRequest, x.them, now, now), nil)
		}
	}
	packed, _ := g.run(bytes.Repeat([]byte("y"), 1000), append(from, "--rfc4880", "--compress-algo", "zlib", "--sign", "--encrypt", "-r", string(me.cert.Fingerprint()))...)
	_, err = Decrypt(packed, me, 1000)
	wantError(t, err, ErrMalformed) // compressed
}

// importedKeyWorks signs and decrypts with the key that came from gpg, and gives
// it back to another gpg.
func (x exchange) importedKeyWorks(them *Secret) {
	t, me, now := x.t, generatedNow(x.t, "Carol"), time.Now()
	t.Helper()
	data := x.g.file("more", []byte("post"))
	sig := x.g.file("more.sig", must(them.Sign(ContextPost, []byte("post"), now))(t))
	_, log := x.g.run(nil, "--verify", sig, data)
	wantText(t, log, "GOODSIG")
	message := must(Seal([]byte("hello"), ContextRequest, me, them.cert, now, SealOptions{}))(t)
	must(Decrypt(message, them, 5))(t)
	files := [][]byte{must(them.Daily())(t)}
	if them.HasPrimary() {
		files = append(files, must(them.Primary([]byte("other")))(t))
	}
	for _, file := range files {
		other := newGPG(t)
		other.run(file, "--passphrase", "other", "--import")
		out, _ := other.run(message, "--passphrase", "other", "-d", "--skip-verify")
		if string(out) != "hello" {
			t.Errorf("got %q", out)
		}
		other.run([]byte("x"), "--passphrase", "other", "-b")
	}
}

// Revocations by gpg, with a reason: soft ones count from their time on.
func TestGPGRevocations(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		revoked      bool // a mark on what was signed before
		after        error
	}{
		{"no reason", "0", true, nil},
		{"compromised", "1", true, nil},
		{"superseded", "2", false, ErrRevoked},
		{"no longer used", "3", false, ErrRevoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGPG(t)
			fingerprint, public, _ := g.makeKey(separate(), "", false)
			before, _ := g.run([]byte("x"), "--passphrase", "", "--sig-notation", "context@p2ps=post", "-b")
			time.Sleep(1100 * time.Millisecond) // for a signature counts the second
			certificate := g.revoke(fingerprint, c.reason)
			revoked := must(must(ParseCertificate(public))(t).Revoke(certificate))(t)
			v := must(revoked.Verify(ContextPost, []byte("x"), before))(t)
			if v.Revoked != c.revoked {
				t.Errorf("revoked: %t", v.Revoked)
			}
			after, _ := g.run([]byte("x"), "--passphrase", "", "--sig-notation", "context@p2ps=post", "-b")
			_, err := revoked.Verify(ContextPost, []byte("x"), after)
			wantError(t, err, c.after)
			wantError(t, revoked.Usable(time.Now()), ErrRevoked)
		})
	}
}

// revoke answers gpg's questions.
func (g *gpg) revoke(fingerprint, reason string) []byte {
	g.t.Helper()
	c := exec.CommandContext(g.t.Context(), "gpg", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0", "--gen-revoke", fingerprint)
	c.Env = g.environment()
	c.Stdin = strings.NewReader("y\n" + reason + "\n\ny\n")
	out, err := c.Output()
	if err != nil {
		g.t.Fatalf("gpg --gen-revoke: %v", err)
	}
	return out
}
