package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

func newFriendVerify(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "verify WHO [FINGERPRINT]",
		Short: "Say that you compared a friend's fingerprint",
		Long: `Say that you compared a friend's fingerprint, on the phone or in person: he is
verified from then on. With FINGERPRINT, as he gave it to you, p2ps compares,
and another one is exit code 7; without, the fingerprint is shown and you are
asked.`,
		Example: `  p2ps friend verify bob
  p2ps friend verify bob '6F3A 0A11 2B3C 4D5E 6F70 8192 A3B4 C5D6 E7F8 0910'`,
		Args:              arguments(1, 2, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			var given pgp.Fingerprint
			if len(args) > 1 {
				var whole bool
				if given, whole = wholeFingerprint(args[1]); !whole {
					return usage("give all of it, as p2ps key show prints it there", "%q is not a whole fingerprint", text.Clean(args[1]))
				}
			}
			is := func(p keyring.Person) bool { return p.Trust == keyring.TrustVerified }
			return e.changePerson(cmd.Context(), args[0], personChange{
				change: change{What: "friend.verify"},
				check: func(p keyring.Person) error {
					if given == "" && (is(p) || e.dryRun) {
						return nil
					}
					return e.compare(p, given)
				},
				is: is,
				make: func(k *keyring.Keyring, p keyring.Person) error {
					return k.SetTrust(p.Fingerprint, keyring.TrustVerified)
				},
				done: "is verified", already: "is verified already",
			})
		},
	}
}

// compare holds the fingerprint of a person against the one given, or has
// whoever sits there compare it.
func (e *env) compare(p keyring.Person, given pgp.Fingerprint) error {
	switch given {
	case p.Fingerprint:
		return nil
	case "":
		return e.confirm("the fingerprint of "+p.Name+" is "+inFours(p.Fingerprint)+": is it what the person read to you?",
			"give the fingerprint as you got it from the person, or -y if you compared it")
	}
	return fail(exitUntrusted, "do not retry: ask the person, and see p2ps help trust", "the key of %s is %s, not %s", p.Name, p.Fingerprint, given)
}

// wholeFingerprint reads one as people and gpg write it.
func wholeFingerprint(s string) (pgp.Fingerprint, bool) {
	digits := strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(s, " ", "")), "OPENPGP4FPR:")
	fpr, err := pgp.ParseFingerprint(digits)
	return fpr, err == nil
}
