package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
)

func newFollow(e *env) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "follow URL",
		Short: "Read the public posts of somebody who is not a friend",
		Long: `Read the public posts of somebody who is not a friend, from the address at
which he serves. The fingerprint there is shown and must be confirmed (-y
does). Each post is checked against that key; nothing is given to him, and
nothing told of you. p2ps friend list --follows lists whom you follow.`,
		Example: `  p2ps follow https://news.example
  p2ps follow http://carol.example:7117 --name carol`,
		Args: arguments(1, 1, "URL"),
		RunE: func(cmd *cobra.Command, args []string) error { return e.follow(cmd.Context(), args[0], name) },
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` that you call him by (default: as the key says)")
	return cmd
}

func (e *env) follow(ctx context.Context, url, name string) error {
	h, me, err := e.identity()
	if err != nil {
		return err
	}
	if !isWeb(url) && exists(url) {
		return usage("give the address at which he serves; or make him a friend: p2ps friend add "+typed(url), "%q is a file, not an address", url)
	}
	if !isWeb(url) && !strings.ContainsAny(url, ".:") {
		return usage("give an address such as http://host:7117", "%q is not an address", url)
	}
	if !isWeb(url) {
		url = "http://" + url
	}
	n, err := e.newcomer(ctx, h, me, url)
	if err != nil {
		return err
	}
	c := change{What: "follow", Who: string(n.cert.Fingerprint()), Name: name, Already: n.known}
	if n.known && !n.person.Follow {
		c.Name = n.person.Name
		return e.changed(c, "%s is a friend, and pulled anyway", n.person.Name)
	}
	if name != "" {
		if err := checkFree(h, name, n.cert.Fingerprint()); err != nil {
			return err
		}
	}
	if err := e.confirmKey(n); err != nil {
		return err
	}
	if e.dryRun {
		return e.changed(c, "%s is followed", inFours(n.cert.Fingerprint()))
	}
	var p keyring.Person
	err = h.Locked(ctx, func(k *keyring.Keyring) (err error) {
		p, _, err = k.AddFollow(n.cert, keyring.AddOptions{Name: name, Addresses: withAddress(n, nil), Trust: keyring.TrustPinned})
		return err
	})
	if err != nil {
		return err
	}
	c.Name = p.Name
	if err := e.emit(personLineOf(p), p.Name, e.fingerprint(p.Fingerprint), string(p.Trust)); err != nil {
		return err
	}
	if n.known {
		return e.changed(c, "%s is followed already", p.Name)
	}
	return e.changed(c, "%s is followed; p2ps pull %s fetches the public posts", p.Name, typed(p.Name))
}

func newUnfollow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "unfollow WHO",
		Short: "End the reading of somebody's public posts",
		Long: `End the reading of somebody's public posts. What was pulled stays in feeds/ and
is shown no more. A friend stays a friend.`,
		Example:           `  p2ps unfollow carol`,
		Args:              arguments(1, 1, "WHO"),
		ValidArgsFunction: e.complete(followsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.unfollow(cmd.Context(), args[0]) },
	}
}

func (e *env) unfollow(ctx context.Context, who string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	p, err := h.People().FindAny(who)
	if err != nil {
		return err
	}
	c := change{What: "unfollow", Who: string(p.Fingerprint), Name: p.Name, Already: !p.Follow}
	if !p.Follow {
		return e.changed(c, "%s is not followed", p.Name)
	}
	if !e.dryRun {
		err := h.Locked(ctx, func(k *keyring.Keyring) error {
			_, err := k.RemoveFollow(p.Fingerprint)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := e.changed(c, "%s is no longer followed", p.Name); err != nil || len(p.Addresses) == 0 || e.dryRun {
		return err
	}
	e.say("to undo: p2ps follow %s --name %s", p.Addresses[0], typed(p.Name))
	return nil
}
