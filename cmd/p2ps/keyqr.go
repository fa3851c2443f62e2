package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/wire"
)

func newKeyQR(e *env) *cobra.Command {
	var how string
	var card bool
	cmd := &cobra.Command{
		Use:   "qr [WHO]",
		Short: "Show a key as a QR code",
		Long: `Show a key, yours or that of WHO, as a QR code. On the terminal it is the card:
the fingerprint, by which p2ps friend verify --scan compares, and where you are
reached, if p2ps serve runs. With --qr png:FILE it is the whole public key,
which p2ps friend add --scan takes without any network; --card makes it the
card.`,
		Example: `  p2ps key qr
  p2ps key qr --qr png:me.png`,
		Args:              arguments(0, 1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkQR(how); err != nil {
				return err
			}
			cert, l, err := e.keyOf(args)
			if err != nil {
				return err
			}
			i := wire.Invite{Fingerprint: cert.Fingerprint()}
			if h, err := e.home(); err == nil && l.Secret {
				reached, err := h.Reached(cmd.Context())
				if err != nil {
					return err
				}
				i.Addresses = inLink(reached)
			}
			what := i.String()
			if strings.HasPrefix(how, qrFile) && !card {
				if what, err = armorForQR(cert); err != nil {
					return err
				}
			}
			if how == "" && !e.out {
				how = qrAnsi
			}
			if err := e.emit(l, inFours(cert.Fingerprint()), l.Name); err != nil {
				return err
			}
			return e.showQR(what, how)
		},
	}
	cmd.Flags().BoolVar(&card, "card", false, "in an image too: the card, not the whole key")
	addQR(cmd, &how)
	return cmd
}

// mostQR is how many bytes the greatest QR code holds.
const mostQR = 2953

// armorForQR is a public key as small as it must be.
func armorForQR(cert *pgp.Certificate) (string, error) {
	armor := cert.Armor()
	if len(armor) > mostQR {
		least, err := cert.Minimal()
		if err != nil {
			return "", err
		}
		small, err := pgp.ParseCertificate(least)
		if err != nil {
			return "", err
		}
		armor = small.Armor()
	}
	if len(armor) > mostQR {
		return "", usage("p2ps key qr --card shows its fingerprint; p2ps key export writes the key", "the key of %d bytes is too large for a QR code", len(armor))
	}
	return string(armor), nil
}
