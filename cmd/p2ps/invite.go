package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
	"github.com/p2ps/p2ps/pkg/wire"
)

// How long an invite lasts if nothing is said: a day, and where both are in one
// room ten minutes.
const (
	inviteLasts   = 24 * time.Hour
	inPersonLasts = 10 * time.Minute
	longestInvite = 366 * 24 * time.Hour
)

// inviting is an invite to be, as the command line says.
type inviting struct {
	groups   []string
	history  string
	uses     int
	expires  string
	inPerson bool
	card     bool
	qr       string
	noServe  bool
}

func newInvite(e *env) *cobra.Command {
	var a inviting
	cmd := noun(&cobra.Command{
		Use:   "invite",
		Short: "Make a link by which somebody becomes your friend",
		Long: `Make a link by which somebody becomes your friend, and you his: he gives it to
p2ps friend add, on his machine. It holds your fingerprint, where you are
reached, and a token that is good once and for a day. Who has the link first is
your friend: send it only to him.

While it waits it serves, unless p2ps serve runs already, until the invite is
used and he has pulled, or Ctrl-C; the invite stays good until it expires, and
p2ps serve answers it as well. With --no-serve the link is all.

--in-person says that he stands beside you and takes the link from this screen:
it is good for ten minutes, and both are verified at once (p2ps help trust).
--card makes a link without token, which never ends and proves only whose it is:
who adds it asks to be your friend (p2ps friend requests).`,
		Example: `  p2ps invite
  p2ps invite --group family --history since:2026-01-01
  p2ps invite --in-person --qr full
  p2ps invite --no-serve --qr png:invite.png`,
	}, newInviteList(e), newInviteRevoke(e))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.invite(cmd.Context(), a) }
	fs := cmd.Flags()
	fs.StringArrayVar(&a.groups, "group", nil, "`NAME` of a group to put the guest into (repeatable)")
	addHistory(cmd, &a.history, "all")
	fs.IntVar(&a.uses, "uses", 1, "`NUMBER` of people who can come with it")
	fs.StringVar(&a.expires, "expires", "", "good until `TIME` from now (2h, 3d), or a date (default: a day)")
	fs.BoolVar(&a.inPerson, "in-person", false, "the guest stands beside you: ten minutes, and verified")
	fs.BoolVar(&a.card, "card", false, "a card: no token, no end; who adds it asks to be your friend")
	fs.BoolVar(&a.noServe, "no-serve", false, "do not serve: print the link and end")
	addQR(cmd, &a.qr)
	addSettingFlag(fs, "listen", "")
	addSettingFlag(fs, "address", "")
	completeFlag(cmd, "group", e.complete(groupsNow, groupsNow))
	return cmd
}

func (e *env) invite(ctx context.Context, a inviting) (err error) {
	h, me, err := e.identity()
	if err != nil {
		return err
	}
	if a.history, err = e.history(a.history); err != nil {
		return err
	}
	if err := checkQR(a.qr); err != nil {
		return err
	}
	if err := checkGroups(h, a.groups); err != nil {
		return err
	}
	i, err := e.newInvitation(a)
	if err != nil {
		return err
	}
	place, err := e.guestPlace(ctx, h, a.noServe || a.card || e.dryRun)
	if err != nil {
		return err
	}
	defer place.close()
	if len(place.reached) == 0 && !a.card {
		return fail(exitError, "say with --address http://HOST:PORT where friends reach you", "no address is known under which a guest would reach you")
	}
	link := wire.Invite{Fingerprint: me.Fingerprint(), Token: i.Token, Addresses: place.reached}
	if i.Link = link.String(); i.Link == "" {
		return fail(exitUsage, "an invite has room for http://HOST:PORT and https://HOST", "the address %v does not go into an invite", place.reached)
	}
	if e.dryRun {
		return e.wouldBe(change{What: "invite", To: place.reached}, "an invite would be made, to %s", strings.Join(place.reached, ", "))
	}
	if !a.card {
		if err := h.Locked(ctx, func(k *keyring.Keyring) error { return k.AddInvite(i) }); err != nil {
			return err
		}
	}
	if err := e.emit(inviteLineOf(i, e.now()), i.Link); err != nil {
		return err
	}
	if err := e.showQR(i.Link, a.qr, 0o600); err != nil {
		return err
	}
	if !a.inPerson && !slices.ContainsFunc(place.reached, isFar) {
		e.say("%s is reached from your own network alone: for others say with --address, or p2ps config set address, where they reach you", strings.Join(place.reached, ", "))
	}
	if place.listener == nil {
		e.tellInvite(a, i, place)
		return nil
	}
	return e.waitForGuests(ctx, h, place, i)
}

// isFar tells whether an address may be reached from elsewhere than this machine
// and its network: by its number it is not known of a name.
func isFar(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
}

// newInvitation checks what was said of an invite, and draws its token.
func (e *env) newInvitation(a inviting) (keyring.Invite, error) {
	now := e.now()
	i := keyring.Invite{Made: now, Uses: a.uses, Groups: a.groups, History: a.history, InPerson: a.inPerson}
	if a.card {
		if a.inPerson || a.uses != 1 || a.expires != "" || a.groups != nil || a.history != "" {
			return i, usage("a card makes nobody a friend by itself", "--card goes with none of --in-person, --uses, --expires, --group and --history")
		}
		return i, nil
	}
	if a.uses < 1 || a.uses > keyring.MaxUses {
		return i, usage("without --uses it is for one", "--uses: %d is not between 1 and %d", a.uses, keyring.MaxUses)
	}
	i.Expires = now.Add(inviteLasts)
	if a.inPerson {
		i.Expires = now.Add(inPersonLasts)
	}
	if a.expires != "" {
		at, err := text.ParseTime(a.expires, now)
		if err != nil {
			return i, err
		}
		if at.Before(now) && !strings.Contains(a.expires, "-") { // a duration goes forward here
			at = now.Add(now.Sub(at))
		}
		if !at.After(now) || at.After(now.Add(longestInvite)) {
			return i, usage("a year is the longest; p2ps help time says how it is written", "--expires: %s is not between now and a year from now", text.Clean(a.expires))
		}
		i.Expires = at
	}
	var random [16]byte
	if _, err := e.rand.Read(random[:]); err != nil {
		return i, err
	}
	i.Token = wire.Token(random)
	return i, nil
}

// tellInvite says what to do with a link that nobody waits for.
func (e *env) tellInvite(a inviting, i keyring.Invite, p place) {
	until := i.Expires.In(e.now().Location()).Format("Mon 2006-01-02 15:04")
	switch {
	case a.card:
		e.say("your card: who adds it with p2ps friend add asks to be your friend")
	case p.served:
		e.say("give it to one person alone; it is good until %s, and p2ps serve answers it", until)
	default:
		e.say("give it to one person alone; it is good until %s, while p2ps serve runs", until)
	}
}

// A place is where a guest comes to.
type place struct {
	reached  []string     // addresses under which friends reach me
	listener net.Listener // nil: nobody is waited for here
	served   bool         // by another process
	freed    func()
}

func (p place) close() {
	if p.listener != nil {
		_ = p.listener.Close()
	}
	if p.freed != nil {
		p.freed()
	}
}

// guestPlace finds where a guest can come to: the serve that runs, or a listener of
// our own.
func (e *env) guestPlace(ctx context.Context, h *home.Home, noServe bool) (place, error) {
	s, err := e.settings()
	if err != nil {
		return place{}, err
	}
	served, err := h.Served(ctx)
	if err != nil {
		return place{}, err
	}
	reached, err := h.Reached(ctx)
	if err != nil {
		return place{}, err
	}
	if served != "" && len(reached) > 0 && s.Address == "" {
		return place{reached: inLink(reached), served: true}, nil
	}
	if served != "" || noServe {
		if s.Address != "" {
			return place{reached: []string{s.Address}, served: served != ""}, nil
		}
		return place{reached: inLink(reachedAt(s.Listen)), served: served != ""}, nil
	}
	l, err := e.listen(ctx, s.Listen)
	if err != nil {
		return place{}, err
	}
	p := place{listener: l, reached: inLink(reachedAt(l.Addr().String()))}
	if s.Address != "" {
		p.reached = []string{s.Address}
	}
	p.freed, err = h.Serving(ctx, urlOf(l.Addr()), p.reached...)
	if errors.Is(err, disk.ErrBusy) { // a serve began just now
		p.close()
		return e.guestPlace(ctx, h, true)
	}
	if err != nil {
		p.close()
	}
	return p, err
}

// inLink are the addresses that have a form in an invite.
func inLink(addresses []string) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !wire.HasPlace(a) })
}

// inviteLine is an invite as JSON.
type inviteLine struct {
	header
	Link     string   `json:"link"`
	Token    string   `json:"token,omitempty"` // of a card there is none
	Expires  string   `json:"expires,omitempty"`
	Uses     int      `json:"uses,omitzero"`
	Used     []string `json:"used,omitempty"` // fingerprints of who came with it
	Late     []string `json:"late,omitempty"` // who came when it was spent
	Groups   []string `json:"groups,omitempty"`
	History  string   `json:"history,omitempty"`
	InPerson bool     `json:"in_person,omitzero"`
	State    string   `json:"state,omitempty"` // open, used or expired
}

func inviteLineOf(i keyring.Invite, now time.Time) inviteLine {
	l := inviteLine{header: kind("invite"), Link: i.Link, Token: i.Token, Groups: i.Groups, History: historyTime(i.History), InPerson: i.InPerson}
	if i.Token == "" {
		return l
	}
	l.Expires, l.Uses, l.State = post.FormatTime(i.Expires), i.Uses, stateOf(i, now)
	for _, u := range i.Used {
		l.Used = append(l.Used, string(u.Fingerprint))
	}
	for _, u := range i.Late {
		l.Late = append(l.Late, string(u.Fingerprint))
	}
	return l
}

func stateOf(i keyring.Invite, now time.Time) string {
	switch {
	case len(i.Used) >= i.Uses:
		return "used"
	case !now.Before(i.Expires):
		return "expired"
	}
	return "open"
}

func newInviteList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the invites that were made",
		Long: `List the invites that were made and not revoked: whether each is open, used or
expired, until when it is good, who came with it, and who came when it was used
already. Such a one had the link too: if it was not a second try of your guest,
somebody else may have been first, and the fingerprint should be compared.`,
		Example: `  p2ps invite list
  p2ps invite list --json | jq -r 'select(.state=="open") | .link'`,
		Args: noArguments(),
		RunE: func(*cobra.Command, []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			list, err := h.People().Invites()
			if err != nil {
				return err
			}
			out := e.list("Token", "State", "Until", "Uses", "Came", "Too late")
			for _, i := range list {
				l := inviteLineOf(i, e.now())
				name := func(uses []keyring.Use) string { return strings.Join(e.namesOfUses(h, uses), " ") }
				uses := fmt.Sprintf("%d of %d", len(i.Used), i.Uses)
				if err := out.add(l, i.Token, l.State, l.Expires, uses, name(i.Used), name(i.Late)); err != nil {
					return err
				}
			}
			return out.end()
		},
	}
}

// namesOfUses names who came: as a friend is called, else by fingerprint.
func (e *env) namesOfUses(h *home.Home, uses []keyring.Use) (names []string) {
	for _, u := range uses {
		name := string(u.Fingerprint)
		if p, err := h.People().Find(name); err == nil {
			name = p.Name
		} else if e.out {
			name = name[:min(len(name), 16)] + "…"
		}
		names = append(names, name)
	}
	return names
}

func newInviteRevoke(e *env) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "revoke TOKEN...",
		Short: "End invites before they are used",
		Long: `End invites before they are used, by token, the beginning of one (at least four
letters) or the whole link; --all ends every one that is open. Who came with it
already stays your friend: p2ps friend remove ends that.`,
		Example: `  p2ps invite revoke ABCDEFGH
  p2ps invite revoke --all`,
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return arguments(0, 0, "")(cmd, args)
			}
			return arguments(1, -1, "TOKEN")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return e.revokeInvites(cmd.Context(), args, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "end every invite that is open")
	return cmd
}

func (e *env) revokeInvites(ctx context.Context, words []string, all bool) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	list, err := h.People().Invites()
	if err != nil {
		return err
	}
	var ending []keyring.Invite
	for _, i := range list { // one that is used up tells by whom
		if all && len(i.Used) < max(1, i.Uses) {
			ending = append(ending, i)
		}
	}
	for _, word := range words {
		i, err := chooseInvite(list, word)
		if err != nil {
			return err
		}
		ending = append(ending, i)
	}
	for _, i := range ending {
		if !e.dryRun {
			err := h.Locked(ctx, func(k *keyring.Keyring) error { return k.RevokeInvite(i.Token) })
			if err != nil && !errors.Is(err, keyring.ErrNoInvite) {
				return err
			}
		}
		if err := e.changed(change{What: "invite.revoke", Name: i.Token}, "the invite %s… is revoked", i.Token[:8]); err != nil {
			return err
		}
	}
	return nil
}

func chooseInvite(list []keyring.Invite, word string) (keyring.Invite, error) {
	token := strings.ToUpper(word)
	if i, err := wire.ParseInvite(word); err == nil && i.Token != "" {
		token = i.Token
	}
	const least = 4
	var found []keyring.Invite
	for _, i := range list {
		if len(token) >= least && strings.HasPrefix(i.Token, token) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return keyring.Invite{}, fail(exitNotFound, "p2ps invite list shows those that were made", "%q: %w", text.Clean(word), keyring.ErrNoInvite)
	}
	return keyring.Invite{}, fail(exitUsage, "give more of it", "%q: %w", text.Clean(word), keyring.ErrAmbiguous)
}

// fingerprintOf finds whose an invite, card, fingerprint or key is: what a
// scanned picture may hold.
func fingerprintOf(said string) (pgp.Fingerprint, error) {
	said = strings.TrimSpace(said)
	if wire.IsInvite(said) {
		i, err := wire.ParseInvite(said)
		return i.Fingerprint, err
	}
	if fpr, ok := wholeFingerprint(said); ok {
		return fpr, nil
	}
	cert, err := pgp.ParseCertificate([]byte(said))
	if err != nil {
		return "", usage("scan p2ps key qr, or an invite", "it holds %.40q, which is no invite, fingerprint or key", text.Clean(said))
	}
	return cert.Fingerprint(), nil
}
