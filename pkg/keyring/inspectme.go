package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

const fromBackup = "put it back from a backup: p2ps key backup makes one"

// identity looks at key. ErrNoIdentity if there is nothing of one.
func (i *inspector) identity() error {
	entries, err := i.k.root.ReadDir(keyDir)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoIdentity
	}
	if err != nil {
		i.flaw(keyDir, err, fromBackup)
		return nil
	}
	i.private(keyDir)
	there := map[string]bool{}
	for _, e := range entries {
		name := keyDir + "/" + e.Name
		i.out.Keys++
		switch {
		case e.Dir:
		case !e.Regular:
			i.flaw(name, disk.ErrNotRegular, "put the file itself there")
		case name != publicFile:
			i.private(name)
			there[name] = true
		default:
			there[name] = true
		}
	}
	if !there[publicFile] && !there[dailyFile] && !there[primaryFile] {
		return ErrNoIdentity
	}
	daily := i.daily(there[dailyFile])
	i.public(there[publicFile], daily)
	if i.out.Me == nil {
		return nil
	}
	if there[primaryFile] {
		i.primary()
	}
	if there[revocationFile] {
		i.revocation()
	}
	return nil
}

func (i *inspector) private(name string) {
	if err := i.k.root.Private(name); err != nil {
		i.flaw(name, disk.ErrExposed, "chmod "+map[bool]string{true: "700 ", false: "600 "}[name == keyDir]+i.k.root.Path(name))
	}
}

// public looks at public.asc. If it is damaged, what is in daily.asc says who I
// am, so that all else can be verified.
func (i *inspector) public(there bool, daily *pgp.Certificate) {
	cert, err := (*pgp.Certificate)(nil), error(fs.ErrNotExist)
	if there {
		var data []byte
		if data, _, err = i.k.root.ReadFile(publicFile, maxKey); err == nil {
			cert, err = pgp.ParseCertificate(data)
		}
	}
	if err != nil {
		i.flaw(publicFile, err, fromBackup)
		i.out.Me = daily
		return
	}
	i.out.Me = cert
	if daily != nil && daily.Fingerprint() != cert.Fingerprint() {
		i.flaw(dailyFile, fmt.Errorf("%w: it is not the key in public.asc", pgp.ErrOtherKey), fromBackup)
	}
	if err := cert.Usable(i.k.now()); err != nil {
		i.flaw(publicFile, err, "p2ps help trust says what a new key means to friends")
	}
}

// daily looks at the secret of daily use, and tries it.
func (i *inspector) daily(there bool) *pgp.Certificate {
	if !there {
		i.flaw(dailyFile, fs.ErrNotExist, fromBackup)
		return nil
	}
	data, _, err := i.k.root.ReadFile(dailyFile, maxKey)
	var s *pgp.Secret
	if err == nil {
		s, err = pgp.ParseSecret(data, nil)
	}
	if err == nil {
		err = i.works(s)
	}
	if err != nil {
		i.flaw(dailyFile, err, fromBackup)
	}
	if s == nil {
		return nil
	}
	return s.Certificate()
}

// works signs and opens something, as no checksum in a key file tells for sure
// that its secret is the one of its public part. A key that has expired does
// neither, and is told of where it stands.
func (i *inspector) works(s *pgp.Secret) error {
	cert, now, probe := s.Certificate(), i.k.now(), []byte("p2ps check")
	if made := cert.Created(); now.Before(made) {
		now = made
	}
	if cert.Usable(now) != nil {
		return nil //nolint:nilerr // told of where it stands
	}
	sig, err := s.Sign(pgp.ContextRequest, probe, now)
	if err == nil {
		_, err = cert.Verify(pgp.ContextRequest, probe, sig)
	}
	if err != nil {
		return fmt.Errorf("it does not sign: %w", err)
	}
	sealed, err := pgp.Seal(probe, pgp.ContextRequest, s, cert, now, pgp.SealOptions{})
	if err == nil {
		var opened *pgp.Opened
		if opened, err = pgp.Decrypt(sealed, s, len(probe)); err == nil && !bytes.Equal(opened.Literal, probe) {
			err = pgp.ErrMalformed
		}
	}
	if err != nil {
		return fmt.Errorf("it does not open what is sealed to it: %w", err)
	}
	return nil
}

// primary looks at the primary key as far as it goes without its passphrase.
func (i *inspector) primary() {
	data, _, err := i.k.root.ReadFile(primaryFile, maxKey)
	if err == nil {
		var s *pgp.Secret
		s, err = pgp.ParseSecret(data, nil)
		if err == nil && s.Certificate().Fingerprint() != i.out.Me.Fingerprint() {
			err = fmt.Errorf("%w: it is not the key in public.asc", pgp.ErrOtherKey)
		}
	}
	if err != nil && !errors.Is(err, pgp.ErrLocked) && !errors.Is(err, pgp.ErrNoSigning) && !errors.Is(err, pgp.ErrNoEncryption) {
		i.flaw(primaryFile, err, fromBackup)
	}
}

func (i *inspector) revocation() {
	data, _, err := i.k.root.ReadFile(revocationFile, maxKey)
	if err == nil {
		_, err = i.out.Me.Revoke(data)
	}
	if err != nil {
		i.flaw(revocationFile, err, fromBackup)
	}
}
