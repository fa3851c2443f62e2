package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// maxKeyFile is above every key that pgp takes.
const maxKeyFile = 256 << 10

// isURL tells whether a source is to be fetched from.
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

// A newcomer is somebody whose key was read, before he is a friend or followed.
type newcomer struct {
	cert    *pgp.Certificate
	source  string
	address string         // where the key came from; "" if from a file
	known   bool           // he is a friend, or followed, by this very key
	person  keyring.Person // if he is known
}

// newcomer reads a key and refuses my own, that of somebody blocked, and another
// than that of whom I know at the address.
func (e *env) newcomer(ctx context.Context, h *home.Home, me *pgp.Certificate, source string) (n newcomer, err error) {
	n.source = source
	if n.cert, n.address, err = e.keyFrom(ctx, source); err != nil {
		return n, err
	}
	fpr := n.cert.Fingerprint()
	if fpr == me.Fingerprint() {
		return n, usage("", "%s holds your own key", text.Clean(source))
	}
	blocked, err := h.People().IsBlocked(fpr)
	if err != nil {
		return n, err
	}
	if blocked {
		return n, fail(exitError, "p2ps block remove "+string(fpr)+" first", "%s is blocked", fpr)
	}
	if err := n.checkAddress(h); err != nil {
		return n, err
	}
	n.person, err = h.People().Find(string(fpr))
	n.known = err == nil
	if err != nil && !errors.Is(err, keyring.ErrUnknown) {
		return n, err
	}
	return n, e.checkUsable(n)
}

// checkAddress: a key that is not his at the address of somebody known is what
// an impostor looks like.
func (n newcomer) checkAddress(h *home.Home) error {
	if n.address == "" {
		return nil
	}
	friends, err := h.People().Friends()
	if err != nil {
		return err
	}
	follows, err := h.People().Follows()
	if err != nil {
		return err
	}
	for _, p := range append(friends, follows...) {
		if p.Fingerprint != n.cert.Fingerprint() && slices.Contains(p.Addresses, n.address) {
			return fail(exitUntrusted, "ask the person; if it is another's place now, change it with p2ps friend address "+typed(p.Name),
				"%s is the address of %s: %w: %s", n.address, p.Name, home.ErrKeyChanged, n.cert.Fingerprint())
		}
	}
	return nil
}

// checkUsable: somebody new must have a key that is good today. What is known to
// be bad of a friend's key is taken over, and said.
func (e *env) checkUsable(n newcomer) error {
	err := n.cert.Usable(e.now())
	if err != nil && n.known {
		e.warn("note: the key of %s is no longer good: %v", n.person.Name, err)
		return nil
	}
	return err
}

// confirm has the person confirm the fingerprint of a key that came over the
// net; what is known already needs none.
func (e *env) confirmKey(n newcomer) error {
	if n.address == "" || n.known || e.dryRun {
		return nil
	}
	return e.confirm(fmt.Sprintf("at %s lives %s, with the fingerprint %s: is it right?", n.address, n.cert.UserID(), inFours(n.cert.Fingerprint())),
		"compare it with what p2ps key show says there; -y then takes it")
}
