package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
)

func newFriendAddress(e *env) *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:   "address WHO [URL...]",
		Short: "Show or change where a friend is reached",
		Long: `Say where a friend, or somebody you follow, is reached: at most four addresses,
tried in this order, in place of those before. Without URL the addresses are
printed, one a line.`,
		Example: `  p2ps friend address bob http://bob.example:7117 http://192.168.1.7:7117
  p2ps friend address bob`,
		Args:              arguments(1, -1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := checkAddresses(args[1:])
			switch {
			case err != nil:
				return err
			case none && len(list) > 0:
				return usage("see p2ps friend address --help", "friend address: --none goes with no URL")
			case !none && len(list) == 0:
				return e.showAddresses(args[0])
			}
			done := "is reached at " + strings.Join(list, ", ")
			if none {
				done = "has no address any more"
			}
			return e.changePerson(cmd.Context(), args[0], personChange{
				change: change{What: "friend.address", To: list},
				is:     func(p keyring.Person) bool { return slices.Equal(p.Addresses, list) && p.Alarm == "" },
				make:   func(k *keyring.Keyring, p keyring.Person) error { return k.SetAddresses(p.Fingerprint, list) },
				done:   done, already: "has these addresses already",
			})
		},
	}
	cmd.Flags().BoolVar(&none, "none", false, "forget all addresses")
	return cmd
}

func (e *env) showAddresses(who string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	p, err := h.People().Find(who)
	if err != nil {
		return err
	}
	if e.json.on {
		return e.emit(personLineOf(p))
	}
	for _, address := range p.Addresses {
		if err := e.emit(nil, address); err != nil {
			return err
		}
	}
	return nil
}

// maxAddresses is how many places one person has, as in an invite.
const maxAddresses = 4

// checkAddresses brings what is to be kept into its one form, each once.
func checkAddresses(given []string) ([]string, error) {
	var list []string
	for _, raw := range given {
		address, err := peer.CheckAddress(raw)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	if len(list) > maxAddresses {
		return nil, usage("give the best of them, in the order in which they are tried", "%d addresses are too many: at most %d", len(list), maxAddresses)
	}
	return list, nil
}
