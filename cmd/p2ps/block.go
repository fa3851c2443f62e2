package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
)

func newBlock(e *env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "block",
		Short: "Shut people out",
		Long: `Shut people out. Who is blocked is given nothing but what is public, is not
pulled and not shown, by whatever address, group or invite he comes, and cannot
tell it from having been removed. Friendship and groups are kept, and count
again when the block ends.`,
		Example: `  p2ps block add mallory
  p2ps block list`,
	}, newBlockAdd(e), newBlockRemove(e), newBlockList(e))
}

// blockLine is somebody who is blocked, as JSON.
type blockLine struct {
	header
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name,omitempty"`
}

func newBlockAdd(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "add WHO...",
		Short: "Block people, by name or fingerprint",
		Long: `Block people, by name or fingerprint. A whole fingerprint need not be known: an
empty file of that name in blocked/ is all a block is.`,
		Example: `  p2ps block add mallory
  p2ps block add 6F3A0A112B3C4D5E6F708192A3B4C5D6E7F80910`,
		Args:              arguments(1, -1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.blockAll(cmd.Context(), args) },
	}
}

func (e *env) blockAll(ctx context.Context, names []string) error {
	h, me, err := e.identity()
	if err != nil {
		return err
	}
	people, err := findEach(names, func(who string) (keyring.Person, error) { return anyPerson(h, who) })
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Fingerprint == me.Fingerprint() {
			return usage("p2ps friend list shows whom you can block", "that is your own key")
		}
	}
	for _, p := range people {
		c := change{What: "block.add", Who: string(p.Fingerprint), Name: p.Name, Already: p.Blocked}
		if p.Blocked {
			if err := e.changed(c, "%s is blocked already", p.Name); err != nil {
				return err
			}
			continue
		}
		if !e.dryRun {
			if err := block(ctx, h, p); err != nil {
				return err
			}
		}
		if err := e.changed(c, "%s is blocked", p.Name); err != nil {
			return err
		}
	}
	return nil
}

func block(ctx context.Context, h *home.Home, p keyring.Person) error {
	return h.Locked(ctx, func(k *keyring.Keyring) error {
		cert, err := certificateOf(h, p) // so that he is found by name, also when he is a friend no more
		if err != nil {
			return err
		}
		return k.Block(p.Fingerprint, cert)
	})
}

// findEach finds all before anything is done to the first.
func findEach[W any](words []W, find func(W) (keyring.Person, error)) ([]keyring.Person, error) {
	var people []keyring.Person
	for _, w := range words {
		p, err := find(w)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

func newBlockList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List who is blocked",
		Long: `List who is blocked: the name, or where none is known the beginning of the
fingerprint, and the fingerprint.`,
		Example: `  p2ps block list`,
		Args:    noArguments(),
		RunE: func(*cobra.Command, []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			people, err := blockedPeople(h)
			if err != nil {
				return err
			}
			out := e.list("Name", "Fingerprint")
			for _, p := range people {
				l := blockLine{kind("block"), string(p.Fingerprint), p.Name}
				if nameless(p) {
					l.Name = ""
				}
				if err := out.add(l, p.Name, string(p.Fingerprint)); err != nil {
					return err
				}
			}
			return out.end()
		},
	}
}
