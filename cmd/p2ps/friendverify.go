package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

func newFriendVerify(e *env) *cobra.Command {
	var image string
	cmd := &cobra.Command{
		Use:   "verify WHO [FINGERPRINT]",
		Short: "Compare a friend's fingerprint, and hold him as verified",
		Long: `Compare a friend's fingerprint, on the phone or in person: he is verified from
then on. Both fingerprints are shown, in groups to read out: he reads his, and
you type what you hear. With FINGERPRINT, as he gave it to you, p2ps compares;
--scan takes it from the QR code of his p2ps key qr. Another one is exit code 7,
and nothing is changed. -y says that you compared it yourself.`,
		Example: `  p2ps friend verify bob
  p2ps friend verify bob '6F3A 0A11 2B3C 4D5E 6F70 8192 A3B4 C5D6 E7F8 0910'
  p2ps friend verify bob --scan photo.jpg`,
		Args:              arguments(1, 2, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			given, err := e.givenFingerprint(args[1:], image)
			if err != nil {
				return err
			}
			is := func(p keyring.Person) bool { return p.Trust == keyring.TrustVerified && p.Alarm == "" }
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
	cmd.Flags().StringVar(&image, "scan", "", "take the fingerprint from the QR code in `IMAGE`")
	_ = cmd.MarkFlagFilename("scan", "png", "jpg", "jpeg", "gif") // it fails only for a flag that is not there
	return cmd
}

// givenFingerprint is the one that the command line or an image gives; "" if
// neither does.
func (e *env) givenFingerprint(words []string, image string) (pgp.Fingerprint, error) {
	switch {
	case image != "" && len(words) > 0:
		return "", usage("leave out one of the two", "friend verify: --scan goes with no FINGERPRINT")
	case image != "":
		said, err := e.scan(image)
		if err != nil {
			return "", err
		}
		return fingerprintOf(said)
	case len(words) == 0:
		return "", nil
	}
	given, whole := wholeFingerprint(words[0])
	if !whole {
		return "", usage("give all of it, as p2ps key show prints it there", "%q is not a whole fingerprint", text.Clean(words[0]))
	}
	return given, nil
}

// compare holds the fingerprint of a person against the one given, or has
// whoever sits there say what the person reads out.
func (e *env) compare(p keyring.Person, given pgp.Fingerprint) error {
	if given == "" {
		_, me, err := e.identity()
		if err != nil {
			return err
		}
		if !e.yes && e.canAsk() {
			e.say("yours, to read out:   %s", inFours(me.Fingerprint()))
			e.say("that of %s:   %s", p.Name, inFours(p.Fingerprint))
		}
		if given, err = e.askFingerprint(p); err != nil {
			return err
		}
	}
	if given != p.Fingerprint {
		return fail(exitUntrusted, "do not retry: ask the person, and see p2ps help trust", "the key of %s is %s, not %s", p.Name, p.Fingerprint, given)
	}
	return nil
}

// askFingerprint asks what a person reads out: all of it, or that it is the same.
func (e *env) askFingerprint(p keyring.Person) (pgp.Fingerprint, error) {
	if e.yes {
		return p.Fingerprint, nil
	}
	answer, err := e.ask("the fingerprint of "+p.Name+" is "+inFours(p.Fingerprint)+": what does the person read out? (all of it; y if you see that it is the same)",
		"give the fingerprint as you got it from the person, or -y if you compared it")
	if err != nil {
		return "", err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return p.Fingerprint, nil
	case "", "n", "no":
		return "", fail(exitError, "", "nothing done: the answer was no")
	}
	given, whole := wholeFingerprint(answer)
	if !whole {
		return "", usage("all of it, or y if it is the same", "%q is not a whole fingerprint", text.Clean(answer))
	}
	return given, nil
}

// wholeFingerprint reads one as people and gpg write it.
func wholeFingerprint(s string) (pgp.Fingerprint, bool) {
	digits := strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(s, " ", "")), "OPENPGP4FPR:")
	fpr, err := pgp.ParseFingerprint(digits)
	return fpr, err == nil
}
