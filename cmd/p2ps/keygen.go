package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// generation is what the flags of keygen say.
type generation struct {
	name, email    string
	passphraseFile string
	noPassphrase   bool
	importFile     string
}

func newKeygen(e *env) *cobra.Command {
	var g generation
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make your key, and the home",
		Long: `Make your key, and the home if there is none. It is an OpenPGP key: a primary
key that certifies, in key/primary.asc, and subkeys for daily use, in
key/daily.asc. A passphrase protects the primary key, which is better kept
offline; what runs daily (post, serve, pull, cron) needs the subkeys alone and
no passphrase. A revocation certificate is made at once.

The passphrase is asked for on a terminal, or is the first line of a file that
nobody else may read (--passphrase-file, P2PS_PASSPHRASE_FILE). It never stands
on the command line. Elsewhere --no-passphrase must be said.

--import takes a secret key that you have: as gpg --export-secret-keys writes
it, with RSA, P-256 or Ed25519, also without its primary key (which then stays
where it is, and no revocation certificate is made).

There is one identity in a home: if there is one already, nothing is changed.`,
		Example: `  p2ps keygen --name Alice
  p2ps keygen --name Alice --no-passphrase
  gpg --export-secret-keys alice@example.org | p2ps keygen --import -`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return e.keygen(cmd.Context(), g) },
	}
	cmd.Flags().StringVar(&g.name, "name", "", "your `NAME`, as friends will see it")
	cmd.Flags().StringVar(&g.email, "email", "", "`ADDRESS` to stand in the key")
	cmd.Flags().StringVar(&g.passphraseFile, "passphrase-file", "", "`FILE` with the passphrase, 0600 (P2PS_PASSPHRASE_FILE)")
	cmd.Flags().BoolVar(&g.noPassphrase, "no-passphrase", false, "keep the primary key without protection")
	cmd.Flags().StringVar(&g.importFile, "import", "", "secret key `FILE` to take instead of a new one; - for stdin")
	_ = cmd.MarkFlagFilename("passphrase-file") // it fails only for a flag that is not there
	_ = cmd.MarkFlagFilename("import")
	return cmd
}

// taken refuses to make a second identity, before anything is asked or made.
func (e *env) taken() error {
	_, me, err := e.identity()
	switch {
	case err == nil:
		return fail(exitExists, "p2ps key show shows it; another home is --home DIR", "identity: %w: %s", keyring.ErrExists, me.Fingerprint())
	case errors.Is(err, keyring.ErrNoIdentity):
		return nil
	}
	return err
}

func (e *env) keygen(ctx context.Context, g generation) error {
	if err := e.taken(); err != nil {
		return err
	}
	if g.noPassphrase && g.passphraseFile != "" && g.importFile == "" {
		return usage("say one of them", "keygen: --no-passphrase and --passphrase-file contradict each other")
	}
	if e.dryRun {
		return e.changed(change{What: "keygen", Name: g.name}, "a key is made")
	}
	obtain := e.generate
	if g.importFile != "" {
		obtain = e.importSecret
	}
	secret, passphrase, err := obtain(ctx, g)
	if err != nil {
		return err
	}
	h, err := e.saveIdentity(ctx, secret, passphrase)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	cert := secret.Certificate()
	if err := e.emit(e.myKeyLine(h, cert), e.fingerprint(cert.Fingerprint())); err != nil {
		return err
	}
	e.tellKey(h, secret, passphrase)
	return nil
}

// generate makes a new key. Its passphrase is nil if it is to have none.
func (e *env) generate(ctx context.Context, g generation) (*pgp.Secret, []byte, error) {
	name := strings.TrimSpace(g.name)
	if name == "" && g.name == "" {
		var err error
		if name, err = e.ask("Your name, as friends will see it:", "give it with --name"); err != nil {
			return nil, nil, err
		}
	}
	if name == "" {
		return nil, nil, usage("give it with --name", "keygen: a name is needed")
	}
	if err := keyring.CheckName(name); errors.Is(err, keyring.ErrExists) {
		return nil, nil, err // me, friends and public are words of --to
	}
	passphrase, err := e.newPassphrase(ctx, g)
	if err != nil {
		return nil, nil, err
	}
	secret, err := pgp.Generate(name, g.email, e.now())
	if err != nil {
		return nil, nil, usage("give a shorter name, of printable letters without < and >", "the name or the address cannot stand in a key: %s", faultOf(err))
	}
	return secret, passphrase, nil
}

// saveIdentity writes what there is of a key. Where its primary is elsewhere, so
// are its protection and its revocation certificate.
func (e *env) saveIdentity(ctx context.Context, secret *pgp.Secret, passphrase []byte) (*home.Home, error) {
	var primary, revocation []byte
	if secret.HasPrimary() {
		at := e.now()
		if made := secret.Certificate().Created(); at.Before(made) {
			at = made
		}
		var err error
		if primary, err = secret.Primary(passphrase); err != nil {
			return nil, err
		}
		if revocation, err = secret.Revocation(at); err != nil {
			return nil, err
		}
	}
	dir, err := e.dir()
	if err != nil {
		return nil, err
	}
	opt, err := e.homeOptions()
	if err != nil {
		return nil, err
	}
	h, err := home.Create(dir, opt)
	if err != nil {
		return nil, err
	}
	err = h.Locked(ctx, func(k *keyring.Keyring) error {
		if err := h.MakePlaces(); err != nil {
			return err
		}
		return k.SaveIdentity(secret, primary, revocation)
	})
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// tellKey says what was made, what to take care of, and what comes next.
func (e *env) tellKey(h *home.Home, secret *pgp.Secret, passphrase []byte) {
	e.say("%s's key is in %s", secret.Certificate().Name(), h.Path("key"))
	switch {
	case !secret.HasPrimary():
		e.say("its primary key was not there: it stays where it is, and no primary.asc and revocation.asc were made")
	case passphrase == nil:
		e.say("primary.asc has no passphrase: keep it, and revocation.asc, where nobody else reads them")
	default:
		e.say("keep copies of primary.asc and revocation.asc where nobody else reads them, best offline")
	}
	if secret.DailyHoldsPrimary() {
		e.warn("warning: the key has no subkeys to sign and decrypt with, so daily.asc holds the primary key itself, " +
			"without a passphrase; who steals that file can take over your name. Add subkeys in gpg (addkey) and import again")
	}
	next := []string{"p2ps post -m 'Hello'", "p2ps invite   # a link that makes a friend"}
	e.say("next: %s\n      %s", next[0], next[1])
}
