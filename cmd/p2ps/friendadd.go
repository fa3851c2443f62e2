package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// adding is a friend to be, as the command line says.
type adding struct {
	name      string
	addresses []string
	groups    []string
	history   string
	scan      string // an image to read the source from
}

func newFriendAdd(e *env) *cobra.Command {
	var a adding
	cmd := &cobra.Command{
		Use:   "add SOURCE",
		Short: "Make somebody a friend, by an invite or his key",
		Long: `Make somebody a friend. SOURCE is an invite (P2PS:1/..., from p2ps invite), a
key file (armored or binary), - for one on stdin, or where he serves, nearby:N
(from p2ps nearby) or an http(s) address: then the fingerprint is shown and must
be confirmed (-y does), and the address is kept. --scan takes it from the QR
code in an image instead.

By an invite both become friends of each other at once, and what he has for you
is pulled. With a card, which has no token, he is asked: you see what is public
until he accepts. Running the same command again finishes what was broken off.

Compare the fingerprint that is printed with what he reads from p2ps key show;
then p2ps friend verify says so. Until then the key is pinned: it is the one
that is kept, and another in its place is a hard stop.

Adding a friend once more takes over what is new in his key, and the name,
address, groups and history that are given. He sees all that you ever posted to
friends, unless --history says otherwise. Somebody blocked must be unblocked
first.`,
		Example: `  p2ps friend add 'P2PS:1/...'
  p2ps friend add --scan photo.jpg
  p2ps friend add bob.asc --name bob --address http://bob.example:7117
  p2ps friend add http://bob.example:7117
  p2ps friend add nearby:1
  gpg --export bob@example.org | p2ps friend add - --group family --history none`,
		Args: func(cmd *cobra.Command, args []string) error {
			if a.scan != "" {
				return arguments(0, 0, "")(cmd, args)
			}
			return arguments(1, 1, "SOURCE (an invite, a key file, -, nearby:N or http(s)://host:port)")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.addFriend(cmd.Context(), strings.Join(args, ""), a)
		},
	}
	cmd.Flags().StringVar(&a.name, "name", "", "`NAME` that you call him by (default: as the key says)")
	cmd.Flags().StringArrayVar(&a.addresses, "address", nil, "`URL` where he is reached (repeatable, at most 4)")
	cmd.Flags().StringArrayVar(&a.groups, "group", nil, "`NAME` of a group to put him into (repeatable)")
	cmd.Flags().StringVar(&a.scan, "scan", "", "take the invite or key from the QR code in `IMAGE`")
	_ = cmd.MarkFlagFilename("scan", "png", "jpg", "jpeg", "gif") // it fails only for a flag that is not there
	addHistory(cmd, &a.history, "all")
	completeFlag(cmd, "group", e.complete(groupsNow, groupsNow))
	return cmd
}

func (e *env) addFriend(ctx context.Context, source string, a adding) (err error) {
	h, me, err := e.identity()
	if err != nil {
		return err
	}
	if a.scan != "" {
		if source, err = e.scan(a.scan); err != nil {
			return err
		}
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
	if wire.IsInvite(strings.TrimSpace(source)) {
		return e.addByInvite(ctx, h, me, source, a)
	}
	if a.scan != "" { // a key, as key qr draws it
		e.stdin, source = strings.NewReader(source), "-"
	}
	n, err := e.newcomer(ctx, h, me, source)
	if err != nil {
		return err
	}
	if a.name != "" {
		if err := checkFree(h, a.name, n.cert.Fingerprint()); err != nil {
			return err
		}
	}
	if err := e.confirmKey(n); err != nil {
		return err
	}
	if n.address != "" {
		a.addresses = withAddress(n, a.addresses)
	}
	already := n.known && !n.person.Follow
	c := change{What: "friend.add", Who: string(n.cert.Fingerprint()), Already: already}
	if e.dryRun {
		c.Name = a.name
		return e.changed(c, "%s is a friend", inFours(n.cert.Fingerprint()))
	}
	was, err := pastOf(h, n)
	if err != nil {
		return err
	}
	p, err := befriend(ctx, h, n, a)
	if err != nil {
		return err
	}
	c.Name, c.History = p.Name, historyTime(p.History)
	if err := e.emit(personLineOf(p), p.Name, e.fingerprint(p.Fingerprint), string(p.Trust)); err != nil {
		return err
	}
	if already {
		err = e.changed(c, "%s is a friend already; what is new was taken over", p.Name)
	} else {
		err = e.changed(c, "%s is a friend now: compare the fingerprint, then p2ps friend verify %s", p.Name, typed(p.Name))
	}
	if err != nil {
		return err
	}
	if n.address != "" && !already {
		if err := e.sayHello(ctx, h, n, p); err != nil {
			return err
		}
	}
	return e.tellFriendHistory(ctx, h, n, a, p, was)
}

// sayHello asks somebody whose key was found where he lives to be a friend, too,
// as who adds a card does. That he does not answer is no failure.
func (e *env) sayHello(ctx context.Context, h *home.Home, n newcomer, p keyring.Person) error {
	s, err := e.settings()
	if err != nil {
		return err
	}
	met, err := h.Hello(ctx, wire.Invite{Fingerprint: p.Fingerprint, Addresses: []string{n.address}}, s.Timeout)
	switch {
	case err != nil:
		e.warn("note: %s could not be asked to be your friend, too: %v", p.Name, err)
	case !met.Friend:
		e.say("%s was asked to be your friend, too; until that is accepted you see what is public", p.Name)
	}
	return nil
}

// past is what the person saw before he was added, once more or anew.
type past struct {
	grants post.Grants
	groups []keyring.Group
}

func pastOf(h *home.Home, n newcomer) (p past, err error) {
	if p.grants, err = h.People().Grants(n.cert.Fingerprint()); err == nil {
		p.groups, err = h.People().Groups()
	}
	return p, err
}

// tellFriendHistory says what the history means for friends and for the groups,
// where anything changed.
func (e *env) tellFriendHistory(ctx context.Context, h *home.Home, n newcomer, a adding, p keyring.Person, was past) error {
	now, err := h.People().Grants(p.Fingerprint)
	if err != nil {
		return err
	}
	again := "p2ps friend add " + typed(n.source)
	if n.source == "-" {
		again = "p2ps key export " + typed(p.Name) + " | p2ps friend add -"
	}
	r := reach{name: p.Name, before: was.grants, after: now}
	if !n.known || n.person.Follow {
		r.again, r.members = again, append([]string{"friends"}, a.groups...)
		for _, g := range a.groups {
			r.again += " --group " + g
		}
		e.tellReach(ctx, h, r)
		return nil
	}
	if a.history != "" {
		r.was, r.again, r.members = n.person.History, again, []string{"friends"}
		e.tellReach(ctx, h, r)
	}
	for _, group := range a.groups {
		r.was, r.again, r.members = "", "p2ps group add "+group+" "+typed(p.Name), []string{group}
		for _, g := range was.groups {
			if m, in := memberOf(g, p.Fingerprint); in && g.Name == group {
				r.was = m.History
			}
		}
		e.tellReach(ctx, h, r)
	}
	return nil
}

// withAddress puts the place that the key came from before the others.
func withAddress(n newcomer, given []string) []string {
	list := []string{n.address}
	if given == nil && n.known {
		given = n.person.Addresses
	}
	for _, address := range given {
		if address != n.address && len(list) < maxAddresses {
			list = append(list, address)
		}
	}
	return list
}
