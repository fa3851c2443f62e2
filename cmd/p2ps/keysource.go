package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// maxKeyFile is above every key that pgp takes.
const maxKeyFile = 256 << 10

// isWeb tells whether a source is to be fetched from.
func isWeb(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// keyFrom reads somebody's certificate from a file, stdin ("-") or, of whoever
// lives there, an http(s) address, which comes back as it is kept; or of who is
// nearby:N, and from where it came.
func (e *env) keyFrom(ctx context.Context, source string) (cert *pgp.Certificate, address string, err error) {
	var data []byte
	var want pgp.Fingerprint // if the source says whose key it is
	switch {
	case isWeb(source):
		data, address, err = e.fetchKey(ctx, source)
	case strings.HasPrefix(source, sourceNearby):
		data, address, want, err = e.keyNearby(ctx, source)
	default:
		data, err = e.readNamed(source, maxKeyFile, "is the name right? A friend makes the file with p2ps key export -o FILE, and gives it to you")
		if errors.Is(err, fs.ErrNotExist) && looksOtherwise(source) {
			return nil, "", usage("take an invite, a key file (p2ps key export makes one), - for stdin, nearby:N, or http(s)://host:port",
				"%q is no invite, key file, - or http(s) address", text.Clean(source))
		}
	}
	if err != nil {
		return nil, "", err
	}
	named := text.Clean(source)
	if source == "-" {
		named = "stdin"
	}
	cert, err = pgp.ParseCertificate(data)
	if errors.Is(err, pgp.ErrMalformed) {
		return nil, "", fail(exitError, "is it the right file? p2ps key export and gpg --armor --export write a key", "%s holds no OpenPGP key: %s", named, faultOf(err))
	}
	if err != nil {
		return nil, "", fmt.Errorf("the key from %s: %w", named, err)
	}
	if want != "" && cert.Fingerprint() != want {
		return nil, "", fail(exitUntrusted, "ask the person; p2ps key show tells the fingerprint there",
			"%s is announced with the fingerprint %s, and gives the key %s", named, want, cert.Fingerprint())
	}
	return cert, address, nil
}

// faultOf is what is wrong with a key, without what the message says already.
func faultOf(err error) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(err.Error(), ": "+pgp.ErrMalformed.Error()), ": "+pgp.ErrLimit.Error()), "certificate: ")
}

// looksOtherwise tells what may name a person, and is no way to a key yet: an
// invite, an e-mail address, a fingerprint.
func looksOtherwise(source string) bool {
	return strings.HasPrefix(strings.ToUpper(source), "P2PS:") || strings.Contains(source, "@") || text.IsHex(source)
}

func (e *env) fetchKey(ctx context.Context, source string) (data []byte, address string, err error) {
	if address, err = peer.CheckAddress(source); err != nil {
		return nil, "", err
	}
	s, err := e.settings()
	if err != nil {
		return nil, "", err
	}
	client := peer.NewClient(s.Timeout)
	defer client.Close()
	data, err = client.Key(ctx, address, "")
	switch {
	case errors.Is(err, peer.ErrUnreachable):
		return nil, "", fail(exitTemporary, "is it being served? Without public posts it shows its key to nobody: ask for the file that p2ps key export makes",
			"fetch the key: %w", at(address, err))
	case err != nil:
		return nil, "", fmt.Errorf("fetch the key: %w", at(address, err))
	}
	return data, address, nil
}

// at says of whom a failure is.
func at(address string, err error) error { return fmt.Errorf("%s: %w", address, err) }

// openNamed opens a file that the person named. hint says what it should be, for
// whoever named another.
func openNamed(name, hint string) (*os.File, error) {
	if name == "" {
		return nil, usage(hint, "the name of the file is empty")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(err, hint)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, fail(exitError, hint, "%s: it is a directory, not a file", text.Clean(name))
	}
	return f, nil
}

// unreadable says what to do about a file or directory that cannot be opened.
func unreadable(err error, hint string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(exitNotFound, hint, "%w", err)
	case errors.Is(err, fs.ErrPermission):
		return err
	}
	return fail(exitError, hint, "%w", err)
}

// openDir opens the directory in which a named file is to be written.
func (e *env) openDir(dir string) (*disk.Root, error) {
	root, err := disk.Open(dir, e.hook)
	if err != nil {
		return nil, unreadable(err, "make the directory first: mkdir -p "+typed(dir))
	}
	return root, nil
}

// readNamed reads a file that the person named, or stdin; hint as for openNamed.
func (e *env) readNamed(name string, limit int64, hint string) ([]byte, error) {
	in := e.stdin
	if name != "-" {
		f, err := openNamed(name, hint)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = disk.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", text.Clean(name), err)
	}
	return data, nil
}
