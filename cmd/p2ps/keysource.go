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
// lives there, an http(s) address, which comes back as it is kept.
func (e *env) keyFrom(ctx context.Context, source string) (cert *pgp.Certificate, address string, err error) {
	var data []byte
	if isWeb(source) {
		data, address, err = e.fetchKey(ctx, source)
	} else {
		data, err = e.readNamed(source, maxKeyFile)
		if errors.Is(err, fs.ErrNotExist) && looksOtherwise(source) {
			return nil, "", usage("take a key file (p2ps key export makes one), - for stdin, or http(s)://host:port",
				"%q is no key file, - or http(s) address", text.Clean(source))
		}
	}
	if err != nil {
		return nil, "", err
	}
	cert, err = pgp.ParseCertificate(data)
	if err != nil {
		return nil, "", fmt.Errorf("the key from %s: %w", text.Clean(source), err)
	}
	return cert, address, nil
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
			"the key from %s: %w", address, err)
	case err != nil:
		return nil, "", fmt.Errorf("the key from %s: %w", address, err)
	}
	return data, address, nil
}

// readNamed reads a file that the person named, or stdin.
func (e *env) readNamed(name string, limit int64) ([]byte, error) {
	in := e.stdin
	if name != "-" {
		f, err := os.Open(name)
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
