package keyring

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// The files of an identity. The first makes it one.
const (
	publicFile     = keyDir + "/public.asc"
	primaryFile    = keyDir + "/primary.asc"
	dailyFile      = keyDir + "/daily.asc"
	revocationFile = keyDir + "/revocation.asc"
)

// Me returns my own certificate. ErrNoIdentity before there is one.
func (k *Keyring) Me() (*pgp.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.me()
}

func (k *Keyring) me() (*pgp.Certificate, error) {
	cert, err := k.keyAt(publicFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoIdentity
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", k.root.Path(publicFile), ErrIdentity, why(err))
	}
	return cert, nil
}

// Secret returns the subkeys for daily use, under my newest certificate.
// Errors: ErrNoIdentity, ErrIdentity, disk.ErrExposed, with the chmod to
// run, unless the file is 0600 in 0700.
func (k *Keyring) Secret() (*pgp.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	me, err := k.me()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{keyDir, dailyFile} {
		err := k.root.Private(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", ErrIdentity, err)
		}
		if err != nil {
			return nil, err
		}
	}
	info, err := k.root.Lstat(dailyFile)
	if err != nil {
		return nil, err
	}
	if stat := disk.StatOf(info); k.secret != nil && k.public == me && k.daily == stat && !k.isRacy(stat) {
		return k.secret, nil
	}
	data, stat, err := k.root.ReadFile(dailyFile, maxKey)
	if err != nil {
		return nil, err
	}
	secret, err := pgp.ParseSecret(data, func() ([]byte, error) { return nil, pgp.ErrLocked })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.root.Path(dailyFile), err)
	}
	if secret.Certificate().Fingerprint() != me.Fingerprint() {
		return nil, fmt.Errorf("%s: %w: it is not the key in public.asc", k.root.Path(dailyFile), ErrIdentity)
	}
	// A renewal or revocation is written to public.asc alone.
	if secret, err = secret.WithCertificate(me); err != nil {
		return nil, fmt.Errorf("%s: %w", k.root.Path(dailyFile), err)
	}
	k.secret, k.public, k.daily = secret, me, stat
	return secret, nil
}

// SaveIdentity writes a new identity: primary and revocation, if not nil, are
// kept beside the daily subkeys. The public key comes last, so that a crash
// leaves none or a whole one. ErrExists if there is one already. What a crash
// or a lost public.asc left of another is kept under a dot name.
func (k *Keyring) SaveIdentity(s *pgp.Secret, primary, revocation []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	there, err := k.root.Exists(publicFile)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("identity in %s: %w", k.root.Path(keyDir), ErrExists)
	}
	daily, err := s.Daily()
	if err != nil {
		return err
	}
	if err := k.root.Mkdir(keyDir); err != nil {
		return err
	}
	if err := k.root.Private(keyDir); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		data []byte
	}{{primaryFile, primary}, {revocationFile, revocation}, {dailyFile, daily}} {
		if err := k.setAside(file.name); err != nil {
			return err
		}
		if file.data == nil {
			continue
		}
		if err := k.root.WriteNew(file.name, file.data, filePerm); err != nil {
			return err
		}
	}
	err = k.root.WriteNew(publicFile, s.Certificate().Armor(), filePerm)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("identity in %s: %w", k.root.Path(keyDir), ErrExists)
	}
	return err
}

// setAside keeps a secret file that is in the way: it may be all that is left
// of somebody's identity.
func (k *Keyring) setAside(name string) error {
	there, err := k.root.Exists(name)
	if err != nil || !there {
		return err
	}
	aside := fmt.Sprintf("%s/.old-%s-%s", keyDir, unique(), name[len(keyDir)+1:])
	k.log.Warn("set aside what was left of an identity", "path", k.root.Path(name), "to", k.root.Path(aside))
	return k.root.Rename(name, aside)
}

// SaveCertificate replaces public.asc by a renewed certificate of the same key.
// Errors: ErrNoIdentity, pgp.ErrOtherKey.
func (k *Keyring) SaveCertificate(cert *pgp.Certificate) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	me, err := k.me()
	if err != nil {
		return err
	}
	if me.Fingerprint() != cert.Fingerprint() {
		return fmt.Errorf("my certificate: %w", pgp.ErrOtherKey)
	}
	return k.root.WriteFile(publicFile, cert.Armor(), filePerm)
}
