package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// peerLine is somebody who is announced on the local network, as JSON.
type peerLine struct {
	header
	Number      int      `json:"number"`
	Fingerprint string   `json:"fingerprint,omitempty"` // as it is announced; none of who shows himself to friends alone
	Name        string   `json:"name,omitempty"`        // yours for him, else as he calls himself
	Friend      bool     `json:"friend"`
	Follow      bool     `json:"follow,omitzero"`
	Trust       string   `json:"trust,omitempty"` // of a friend's key; that it is he who is there, nothing proves
	Addresses   []string `json:"addresses"`
}

func newNearby(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "nearby",
		Short: "Show who is announced on the local network",
		Long: `Show who is announced on the local network (p2ps serve --announce), which takes
a second and a half: number, name, fingerprint, whether a friend, addresses.
Who is announced to friends alone has neither name nor fingerprint for others.

Anybody on the network can announce anything: what is shown is what they say of
themselves. p2ps friend add nearby:N fetches the key of the one with that
number, as shown within the last ten minutes, and has you confirm it.

A pull looks here by itself for a friend whose addresses fail, and takes nothing
that he did not sign (config pull-nearby).`,
		Example: `  p2ps nearby
  p2ps friend add nearby:1
  p2ps nearby --json | jq -r 'select(.friend) | .name'`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			list, err := h.Nearby(cmd.Context())
			if err == nil {
				err = context.Cause(cmd.Context())
			}
			if err != nil {
				return err
			}
			out := e.list("", "Name", "Fingerprint", "", "Addresses")
			for _, n := range list {
				if err := out.add(peerLineOf(n), e.neighbourColumns(n)...); err != nil {
					return err
				}
			}
			if len(list) == 0 {
				e.say("nobody is announced on the local network: p2ps serve --announce friends, there, does that")
			}
			return out.end()
		},
	}
}

func peerLineOf(n home.Neighbour) peerLine {
	l := peerLine{header: kind("peer"), Number: n.Number, Fingerprint: string(n.Fingerprint), Name: n.Name, Addresses: n.Addresses}
	if n.Known {
		l.Friend, l.Follow = !n.Person.Follow, n.Person.Follow
		if l.Friend {
			l.Trust = string(n.Person.Trust)
		}
	}
	return l
}

func (e *env) neighbourColumns(n home.Neighbour) []string {
	fpr, name, is := string(n.Fingerprint), n.Name, ""
	if e.out && fpr != "" {
		fpr = fpr[:16] + "…"
	}
	if e.out && fpr == "" {
		fpr, name = "-", "(for friends only)"
	}
	switch {
	case n.Known && n.Person.Follow:
		is = "followed"
	case n.Known:
		is = "friend"
	}
	return []string{strconv.Itoa(n.Number), name, fpr, is, strings.Join(n.Addresses, " ")}
}

// sourceNearby is what stands before the number in a source of a key.
const sourceNearby = "nearby:"

// keyNearby fetches the key of who had a number in p2ps nearby. If he announces
// a fingerprint, only that key is his.
func (e *env) keyNearby(ctx context.Context, source string) (data []byte, address string, fpr pgp.Fingerprint, err error) {
	number, err := strconv.Atoi(strings.TrimPrefix(source, sourceNearby))
	if err != nil {
		return nil, "", "", usage("p2ps nearby shows the numbers", "%q is no number of somebody nearby, such as nearby:1", text.Clean(source))
	}
	h, _, err := e.identity()
	if err != nil {
		return nil, "", "", err
	}
	s, err := e.settings()
	if err != nil {
		return nil, "", "", err
	}
	n, err := h.Neighbour(ctx, number)
	if err != nil {
		return nil, "", "", err
	}
	client := peer.NewClient(s.Timeout)
	defer client.Close()
	var errs []error
	for _, at := range n.Addresses {
		data, err := client.Key(ctx, at, string(n.Fingerprint))
		if err == nil {
			return data, at, n.Fingerprint, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", at, err))
	}
	err = errors.Join(errs...)
	if n.Fingerprint == "" && errors.Is(err, peer.ErrNotFound) {
		return nil, "", "", fail(exitTemporary, "ask the person for an invite (p2ps invite) or the file that p2ps key export makes",
			"nearby:%d shows the key to nobody who does not know it", number)
	}
	return nil, "", "", fail(exitTemporary, "p2ps nearby looks who is there now", "fetch the key of nearby:%d: %w", number, err)
}
