package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newKey(e *env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "key",
		Short: "Show and hand out keys",
		Long: `Show and hand out keys: your own, of which only the public part ever leaves the
home, and those of friends.`,
		Example: `  p2ps key show
  p2ps key export -o alice.asc`,
	}, newKeyShow(e), newKeyExport(e), newKeyQR(e))
}

// keyLine is a key as JSON.
type keyLine struct {
	header
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name"`
	Created     string `json:"created"`
	Algorithm   string `json:"algorithm"`
	Secret      bool   `json:"secret"` // it is mine
	Path        string `json:"path"`
}

func keyLineOf(cert *pgp.Certificate, name, path string) keyLine {
	return keyLine{header: kind("key"), Fingerprint: string(cert.Fingerprint()), Name: name, Created: post.FormatTime(cert.Created()),
		Algorithm: cert.Algorithm(), Path: path}
}

func (e *env) myKeyLine(h *home.Home, cert *pgp.Certificate) keyLine {
	name := cert.Name()
	if name == "" {
		name = cert.UserID()
	}
	l := keyLineOf(cert, name, h.Path("key/public.asc"))
	l.Secret = true
	return l
}

// keyOf finds a key: mine for nobody or "me", else that of a friend or followed
// person.
func (e *env) keyOf(args []string) (*pgp.Certificate, keyLine, error) {
	h, me, err := e.identity()
	if err != nil {
		return nil, keyLine{}, err
	}
	if len(args) == 0 || args[0] == "me" {
		return me, e.myKeyLine(h, me), nil
	}
	p, err := h.People().Find(args[0])
	if err != nil {
		return nil, keyLine{}, err
	}
	cert, err := h.People().Certificate(p.Fingerprint)
	if err != nil {
		return nil, keyLine{}, err
	}
	dir := "friends/"
	if p.Follow {
		dir = "follows/"
	}
	return cert, keyLineOf(cert, p.Name, h.Path(dir+string(p.Fingerprint)+".asc")), nil
}

func newKeyShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show [WHO]",
		Short: "Show a key: yours, or a friend's",
		Long: `Show a key, yours or that of WHO: fingerprint, name, algorithm, when it was
made, and its file. To compare a fingerprint, read it aloud from here.`,
		Example: `  p2ps key show
  p2ps key show bob --json=fingerprint`,
		Args:              arguments(0, 1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(_ *cobra.Command, args []string) error {
			cert, l, err := e.keyOf(args)
			if err != nil {
				return err
			}
			if e.json.on || !e.out {
				return e.emit(l, l.Fingerprint, l.Name, l.Algorithm, l.Created, l.Path)
			}
			return e.sheet(l.Name, [2]string{"fingerprint", inFours(cert.Fingerprint())}, [2]string{"in the key", cert.UserID()},
				[2]string{"algorithm", l.Algorithm}, [2]string{"made", l.Created}, [2]string{"file", l.Path})
		},
	}
}

func newKeyExport(e *env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "export [WHO]",
		Short: "Print a public key, to give to friends",
		Long: `Print a public key, yours or that of WHO, armored: what friend add and gpg
--import take. With -o it is written to a file; with --json its line says where
it is.`,
		Example: `  p2ps key export -o alice.asc
  p2ps key export bob | gpg --import`,
		Args:              arguments(0, 1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(_ *cobra.Command, args []string) error {
			cert, l, err := e.keyOf(args)
			switch {
			case err != nil:
				return err
			case file != "" && file != "-":
				if l.Path, err = e.writeKey(file, cert.Armor()); err != nil {
					return err
				}
				if e.dryRun {
					e.say("the public key of %s would be written to %s", l.Name, file)
				} else {
					e.say("the public key of %s is in %s", l.Name, file)
				}
				if !e.json.on {
					return nil
				}
			case !e.json.on:
				_, _ = e.stdout.Write(cert.Armor()) // the first failed write is remembered
				return e.stdout.Flush()
			}
			return e.emit(l)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "`FILE` to write to; - for stdout")
	_ = cmd.MarkFlagFilename("output") // it fails only for a flag that is not there
	return cmd
}

// writeKey writes a public key to a file that the person named, and returns its
// whole path. Another file that is in the way is replaced only if he says so.
func (e *env) writeKey(name string, data []byte) (path string, err error) {
	if path, err = filepath.Abs(name); err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	if err == nil {
		if !info.Mode().IsRegular() {
			return "", usage("name a file to write to; for stdout leave out -o", "%s: %w", text.Clean(name), disk.ErrNotRegular)
		}
		there, err := e.readNamed(path, int64(len(data)), "")
		if err == nil && string(there) == string(data) {
			return path, nil
		}
		if err := e.confirm("replace "+name+"?", "-y replaces it"); err != nil {
			return "", err
		}
	}
	root, err := e.openDir(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	if e.dryRun {
		return path, nil
	}
	return path, root.WriteFile(filepath.Base(path), data, 0o644)
}
