package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// importSecret reads a key that the person has. The passphrase that opened it
// protects it here as well.
func (e *env) importSecret(ctx context.Context, g generation) (*pgp.Secret, []byte, error) {
	if g.name != "" || g.email != "" {
		e.warn("note: the name and the address are those of the imported key; --name and --email are not used")
	}
	data, err := e.readNamed(g.importFile, maxSecretFile, "is the name right? gpg --export-secret-keys ADDRESS > FILE makes it")
	if err != nil {
		return nil, nil, err
	}
	var passphrase []byte
	secret, err := pgp.ParseSecret(data, func() (_ []byte, err error) {
		passphrase, err = e.oldPassphrase(ctx, g)
		return passphrase, err
	})
	if errors.Is(err, pgp.ErrNoEncryption) || errors.Is(err, pgp.ErrNoSigning) {
		return nil, nil, fail(exitError, "add a subkey to it with gpg --quick-add-key, and import it again", "import: %w", err)
	}
	if errors.Is(err, pgp.ErrMalformed) {
		return nil, nil, fail(exitError, "gpg --export-secret-keys ADDRESS > FILE writes one", "import: %s holds no secret OpenPGP key: %s", text.Clean(g.importFile), faultOf(err))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("import: %w", err)
	}
	cert := secret.Certificate()
	if err := cert.Usable(e.now()); err != nil {
		return nil, nil, fail(exitUntrusted, "renew it with gpg --quick-set-expire, or make another: p2ps keygen --name YOU", "import: %w", err)
	}
	if _, err := cert.Minimal(); err != nil {
		return nil, nil, fmt.Errorf("import: %w", err)
	}
	switch {
	case g.noPassphrase, !secret.HasPrimary():
		return secret, nil, nil
	case passphrase == nil:
		passphrase, err = e.newPassphrase(ctx, g)
	}
	return secret, passphrase, err
}

// maxSecretFile is above every secret key that pgp takes.
const maxSecretFile = 1 << 20
