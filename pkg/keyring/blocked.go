package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/p2ps/p2ps/pkg/pgp"
)

// Block refuses a key from now on, durably. cert, if there is one, is kept so
// that Unblock finds him by name; nil leaves an empty file, which blocks too.
func (k *Keyring) Block(fpr pgp.Fingerprint, cert *pgp.Certificate) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := pgp.ParseFingerprint(string(fpr)); err != nil {
		return err
	}
	if blocked, err := k.isBlocked(fpr); err != nil || blocked {
		return err
	}
	var data []byte
	if cert != nil && cert.Fingerprint() == fpr {
		data = cert.Armor()
	}
	return k.root.WriteFile(keyPath(blockedDir, fpr), data, filePerm)
}

// Unblock ends a block. Friends and groups are as they were before it.
func (k *Keyring) Unblock(fpr pgp.Fingerprint) (was bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.removeFrom(blockedDir, fpr)
}

// Blocked lists who is blocked, ascending. ErrUnsure if that cannot be read.
func (k *Keyring) Blocked() ([]pgp.Fingerprint, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, err := k.look(blockedDir)
	if err == nil {
		err = f.unread
	}
	if err != nil {
		return nil, unsure(err)
	}
	return append([]pgp.Fingerprint(nil), f.keys...), nil
}

// IsBlocked looks afresh. ErrUnsure if it cannot be read: treat him as blocked.
func (k *Keyring) IsBlocked(fpr pgp.Fingerprint) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.isBlocked(fpr)
}

func (k *Keyring) isBlocked(fpr pgp.Fingerprint) (bool, error) {
	f, err := k.look(blockedDir)
	if err != nil {
		return false, unsure(err)
	}
	// A file there that cannot be read may be this very key.
	if f.unread != nil {
		return false, unsure(f.unread)
	}
	if slices.Contains(f.keys, fpr) {
		return true, nil // also one that could not be renamed
	}
	_, err = k.root.Lstat(keyPath(blockedDir, fpr))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, unsure(err)
	}
	return true, nil
}

func unsure(err error) error {
	return fmt.Errorf("%w: %w", ErrUnsure, err)
}
