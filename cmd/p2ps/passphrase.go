package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/text"
)

const noPassphraseHint = "say --no-passphrase, or give a file with --passphrase-file or P2PS_PASSPHRASE_FILE"

// newPassphrase is one for a key that has none yet: from a file, or asked for
// twice; nil for none. Where nobody can be asked, none must be said.
func (e *env) newPassphrase(ctx context.Context, g generation) ([]byte, error) {
	if g.noPassphrase {
		return nil, nil
	}
	if file := e.passphraseFile(g); file != "" {
		return readPassphrase(file)
	}
	if !e.canAsk() {
		return nil, usage(noPassphraseHint, "a passphrase is needed and nobody can be asked")
	}
	for range 3 {
		first, err := e.askSecret(ctx, "Passphrase for the primary key (empty: none)", exitUsage, noPassphraseHint)
		if err != nil {
			return nil, err
		}
		if len(first) == 0 {
			return nil, nil
		}
		second, err := e.askSecret(ctx, "The same again", exitUsage, noPassphraseHint)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(first, second) {
			return first, nil
		}
		e.warn("the two differ")
	}
	return nil, usage("do it again; or "+noPassphraseHint, "no passphrase was typed twice alike")
}

// oldPassphrase is that of a protected key: from a file, or asked for.
func (e *env) oldPassphrase(ctx context.Context, g generation) ([]byte, error) {
	if file := e.passphraseFile(g); file != "" {
		return readPassphrase(file)
	}
	return e.askSecret(ctx, "Passphrase of the key", exitLocked, "give a file with it: --passphrase-file or P2PS_PASSPHRASE_FILE")
}

func (e *env) passphraseFile(g generation) string {
	if g.passphraseFile != "" {
		return g.passphraseFile
	}
	return e.getenv("P2PS_PASSPHRASE_FILE")
}

// readPassphrase reads the first line of a file that nobody else may read. It
// may be a pipe, as from a password manager.
func readPassphrase(name string) ([]byte, error) {
	const most = 4 << 10
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(fmt.Errorf("passphrase: %w", err), "is the name right? The file holds the passphrase in its first line, and only you may read it (chmod 600)")
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("passphrase: %s: %w: run chmod 600 %s", name, disk.ErrExposed, typed(name))
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(data) > most {
		err = disk.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("passphrase: %s: %w", name, err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return nil, usage("write the passphrase into its first line, or say --no-passphrase", "passphrase: %s is empty", text.Clean(name))
	}
	return line, nil
}
