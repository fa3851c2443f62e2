package keyring

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// errNoKey: the file was read, and is not one certificate.
var errNoKey = errors.New("not a usable key")

// A keyFile is what was read of a path, good as long as the Stat is the same.
type keyFile struct {
	stat disk.Stat
	parsedKey
}

type parsedKey struct {
	cert *pgp.Certificate
	err  error // errNoKey and why
}

// keyAt returns the certificate in a file. The error is fs.ErrNotExist, errNoKey
// or that of a disk that cannot be read.
func (k *Keyring) keyAt(path string) (*pgp.Certificate, error) {
	info, err := k.root.Lstat(path)
	if err != nil {
		delete(k.files, path)
		return nil, err
	}
	if known, ok := k.files[path]; ok && known.stat == disk.StatOf(info) && !k.isRacy(known.stat) {
		return known.cert, known.err
	}
	data, stat, err := k.root.ReadFile(path, maxKey)
	if errors.Is(err, disk.ErrNotRegular) || errors.Is(err, disk.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", errNoKey, err)
	}
	if err != nil {
		return nil, err
	}
	key := k.parse(data)
	k.files[path] = keyFile{stat, key}
	return key.cert, key.err
}

// maxParsed bounds what is remembered of contents; far more than people have
// friends.
const maxParsed = 10_000

// parse remembers by content: a member's key is a copy of the friend's, and
// verifying its signatures is what costs.
func (k *Keyring) parse(data []byte) parsedKey {
	sum := sha256.Sum256(data)
	if key, ok := k.parsed[sum]; ok {
		return key
	}
	cert, err := pgp.ParseCertificate(data)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNoKey, err)
	}
	if len(k.parsed) >= maxParsed {
		clear(k.parsed)
	}
	k.parsed[sum] = parsedKey{cert, err}
	return k.parsed[sum]
}

// keyOf returns the certificate that dir holds of a fingerprint, if its name
// and content agree. Otherwise the error is as keyAt's.
func (k *Keyring) keyOf(dir string, fpr pgp.Fingerprint) (*pgp.Certificate, error) {
	cert, err := k.keyAt(keyPath(dir, fpr))
	if err == nil && cert.Fingerprint() != fpr {
		return nil, fmt.Errorf("%w: it holds %s", errNoKey, cert.Fingerprint())
	}
	return cert, err
}

// holds says whether dir holds the key of a fingerprint. An error is one of a
// disk that cannot be read.
func (k *Keyring) holds(dir string, fpr pgp.Fingerprint) (bool, error) {
	err := k.checkKey(dir, fpr)
	if errors.Is(err, errNoKey) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func keyPath(dir string, fpr pgp.Fingerprint) string {
	return dir + "/" + string(fpr) + keySuffix
}

func recordPath(dir string, fpr pgp.Fingerprint) string {
	return dir + "/" + string(fpr) + recordSuffix
}

const (
	keySuffix    = ".asc"
	recordSuffix = ".json"
)
