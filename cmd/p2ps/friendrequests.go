package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
)

// requestLine is a stranger who wants to be a friend, as JSON.
type requestLine struct {
	header
	Fingerprint string   `json:"fingerprint"`
	Name        string   `json:"name"`
	Addresses   []string `json:"addresses"`
	At          string   `json:"at"`
	Like        string   `json:"like,omitempty"` // the friend who is called so already, by another key
}

func newFriendRequests(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "requests",
		Short: "List the strangers who want to be your friends",
		Long: `List the strangers who want to be your friends: they said hello with your card,
or knew where you are. A name is what somebody calls himself, and proves
nothing; if a friend of yours is called so, by another key, that is said. At
most a hundred wait, for thirty days; nobody is told what you do with them.`,
		Example: `  p2ps friend requests
  p2ps friend accept bob --group family`,
		Args: noArguments(),
		RunE: func(*cobra.Command, []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			list, err := h.People().Requests()
			if err != nil {
				return err
			}
			out := e.list("Name", "Fingerprint", "Addresses", "When", "")
			for _, r := range list {
				l := requestLine{kind("request"), string(r.Fingerprint), r.Name, append([]string{}, r.Addresses...), post.FormatTime(r.At), h.People().Same(r.Name)}
				note := ""
				if l.Like != "" {
					note = "not the friend whom you call " + l.Like
				}
				if err := out.add(l, l.Name, e.fingerprint(r.Fingerprint), strings.Join(l.Addresses, " "), l.At, note); err != nil {
					return err
				}
			}
			return out.end()
		},
	}
}

func requestsNow(h *home.Home) []cobra.Completion {
	list, _ := h.People().Requests() // nothing to offer then
	var people []keyring.Person
	for _, r := range list {
		people = append(people, keyring.Person{Fingerprint: r.Fingerprint, Name: r.Name})
	}
	return namesOf(people)
}

func newFriendAccept(e *env) *cobra.Command {
	var a adding
	cmd := &cobra.Command{
		Use:   "accept WHO",
		Short: "Make a stranger who asked your friend",
		Long: `Make a stranger who asked (p2ps friend requests) your friend, as p2ps friend add
does with a key. The key is pinned: compare the fingerprint, since a name proves
nothing. If he calls himself as a friend of yours is called, you are asked,
unless --name gives him another name.`,
		Example: `  p2ps friend accept bob
  p2ps friend accept 6F3A0A11 --name bob --group family --history none`,
		Args:              arguments(1, 1, "WHO"),
		ValidArgsFunction: e.complete(requestsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.acceptFriend(cmd.Context(), args[0], a) },
	}
	cmd.Flags().StringVar(&a.name, "name", "", "`NAME` that you call him by (default: as he does)")
	cmd.Flags().StringArrayVar(&a.addresses, "address", nil, "`URL` where he is reached (repeatable, at most 4; default: as he says)")
	cmd.Flags().StringArrayVar(&a.groups, "group", nil, "`NAME` of a group to put him into (repeatable)")
	addHistory(cmd, &a.history, "all")
	completeFlag(cmd, "group", e.complete(groupsNow, groupsNow))
	return cmd
}

// requestOf finds a stranger who asked to be a friend.
func requestOf(h *home.Home, who string) (keyring.FriendRequest, error) {
	r, err := h.People().FindRequest(who)
	if errors.Is(err, keyring.ErrUnknown) {
		return r, fail(exitNotFound, "p2ps friend requests lists who asked", "%w", err)
	}
	return r, err
}

func (e *env) acceptFriend(ctx context.Context, who string, a adding) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	r, err := requestOf(h, who)
	if err != nil {
		return err
	}
	if a.history, err = e.history(a.history); err != nil {
		return err
	}
	if a.addresses, err = checkAddresses(a.addresses); err != nil {
		return err
	}
	if err := checkGroups(h, a.groups); err != nil {
		return err
	}
	if a.name != "" {
		if err := checkFree(h, a.name, r.Fingerprint); err != nil {
			return err
		}
	}
	if err := r.Cert.Usable(e.now()); err != nil {
		return err
	}
	c := change{What: "friend.accept", Who: string(r.Fingerprint), Name: r.Name}
	if e.dryRun {
		return e.changed(c, "make %s a friend: %s", r.Name, inFours(r.Fingerprint))
	}
	if like := h.People().Same(r.Name); like != "" && a.name == "" {
		err := e.confirm(fmt.Sprintf("%s calls himself as your friend %s is called, but has another key: %s: is he to be a friend, too?", r.Name, like, inFours(r.Fingerprint)),
			"compare the fingerprint with the one that he reads out; -y then takes it")
		if err != nil {
			return err
		}
	}
	if len(a.addresses) == 0 {
		if a.addresses, err = e.nearEnough(ctx, h, r); err != nil {
			return err
		}
	}
	opt := keyring.AddOptions{Name: a.name, Addresses: a.addresses, Trust: keyring.TrustPinned, History: a.history}
	var p keyring.Person
	err = h.Locked(ctx, func(k *keyring.Keyring) (err error) {
		if p, c.Already, err = k.Befriend(r.Cert, opt, r.Name, a.groups); err != nil {
			return err
		}
		return k.DropRequest(r.Fingerprint)
	})
	if err != nil {
		return err
	}
	c.Name, c.History = p.Name, historyTime(p.History)
	if err := e.emit(personLineOf(p), p.Name, e.fingerprint(p.Fingerprint), string(p.Trust)); err != nil {
		return err
	}
	if err := e.changed(c, "%s is a friend now", p.Name); err != nil {
		return err
	}
	e.tellTrust(p)
	return e.pullNow(ctx, h, []keyring.Person{p})
}

// nearEnough leaves of where a stranger says he is what is not in a network of
// mine: he must not have me knock at doors behind my router. It is different
// where I am reached in such a network only, as he.
func (e *env) nearEnough(ctx context.Context, h *home.Home, r keyring.FriendRequest) ([]string, error) {
	mine, err := h.Reached(ctx)
	if err != nil {
		return nil, err
	}
	kept := peer.NoNearer(r.Addresses, mine)
	if len(kept) < len(r.Addresses) {
		e.say("%s says to be at %s, in a network of yours: p2ps friend address adds it, if that is so", r.Name, strings.Join(r.Addresses, ", "))
	}
	return kept, nil
}

func newFriendIgnore(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "ignore WHO...",
		Short: "Show a stranger's request no more",
		Long: `Show the request of a stranger no more. He is not told, and sees what is public,
as everybody; p2ps block add shuts him out for good.`,
		Example:           `  p2ps friend ignore mallory`,
		Args:              arguments(1, -1, "WHO"),
		ValidArgsFunction: e.complete(requestsNow),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			var requests []keyring.FriendRequest
			for _, who := range args { // all are known, or nothing is done
				r, err := requestOf(h, who)
				if err != nil {
					return err
				}
				requests = append(requests, r)
			}
			for _, r := range requests {
				if !e.dryRun {
					if err := h.Locked(cmd.Context(), func(k *keyring.Keyring) error { return k.IgnoreRequest(r) }); err != nil {
						return err
					}
				}
				if err := e.changed(change{What: "friend.ignore", Who: string(r.Fingerprint), Name: r.Name}, "the request of %s is shown no more", r.Name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
