package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newFriend(e *env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "friend",
		Short: "Keep the people who may see what you write for friends",
		Long: `Keep your friends. A friend is somebody whose key is in friends/ of the home:
he may see what you post to friends, to him, and to the groups he is in, and
you pull what he posts for you. It can all be done to the files by hand as well
(p2ps help files).

WHO is a name of yours for him, a fingerprint, or the unique beginning of one,
of at least eight digits.`,
		Example: `  p2ps friend add bob.asc --address http://bob.example:7117
  p2ps friend list`,
	}, newFriendAdd(e), newFriendList(e), newFriendShow(e), newFriendRename(e), newFriendRemove(e), newFriendAddress(e),
		newFriendVerify(e), newFriendMute(e, true), newFriendMute(e, false),
		newFriendRequests(e), newFriendAccept(e), newFriendIgnore(e))
}

// personLine is friendLine with what only my own eyes need.
type personLine struct {
	friendLine
	Since   string `json:"since,omitempty"`   // when the key was noticed
	History string `json:"history,omitempty"` // of posts for friends: "all", or shown from then on
	Blocked bool   `json:"blocked,omitzero"`
	Alarm   string `json:"alarm,omitempty"` // another key that answered in the place of his
}

func personLineOf(p keyring.Person) personLine {
	l := personLine{friendLine: friendLineOf(p), History: historyTime(p.History), Blocked: p.Blocked, Alarm: p.Alarm}
	if !p.Since.IsZero() {
		l.Since = post.FormatTime(p.Since)
	}
	return l
}

// personColumns are a person as text: in a pipe all of it, on a terminal what a
// table has room for.
func (e *env) personColumns(p keyring.Person) []string {
	var marks []string
	for _, m := range []struct {
		is   bool
		word string
	}{{p.Follow, "followed"}, {p.Muted, "muted"}, {p.Blocked, "blocked"}, {p.Alarm != "", "KEY CHANGED"}} {
		if m.is {
			marks = append(marks, m.word)
		}
	}
	fpr := string(p.Fingerprint)
	if e.out {
		fpr = fpr[:16] + "…"
	}
	return []string{p.Name, fpr, string(p.Trust), strings.Join(p.Addresses, " "), strings.Join(p.Groups, " "), strings.Join(marks, " ")}
}

func newFriendList(e *env) *cobra.Command {
	var follows bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List your friends",
		Long: `List your friends by name: name, fingerprint, trust (p2ps help trust),
addresses, groups, and whether muted or blocked. With --follows, the people
whose public posts you follow instead.`,
		Example: `  p2ps friend list
  p2ps friend list --json | jq -r 'select(.trust != "verified") | .name'`,
		Args: noArguments(),
		RunE: func(*cobra.Command, []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			list := h.People().Friends
			if follows {
				list = h.People().Follows
			}
			people, err := list()
			if err != nil {
				return err
			}
			out := e.list("Name", "Fingerprint", "Trust", "Addresses", "Groups", "")
			for _, p := range people {
				if err := out.add(personLineOf(p), e.personColumns(p)...); err != nil {
					return err
				}
			}
			return out.end()
		},
	}
	cmd.Flags().BoolVar(&follows, "follows", false, "list whom you follow")
	return cmd
}

func newFriendShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show WHO",
		Short: "Show what is known of a friend",
		Long: `Show what is known of a friend or of somebody you follow: the fingerprint, how
sure you can be of it (p2ps help trust), addresses, groups, and from when on he
sees what you post to friends.`,
		Example:           `  p2ps friend show bob`,
		Args:              arguments(1, 1, "WHO"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(_ *cobra.Command, args []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			p, err := h.People().Find(args[0])
			if err != nil {
				return err
			}
			if e.json.on || !e.out {
				return e.emit(personLineOf(p), e.personColumns(p)...)
			}
			return e.sheet(p.Name, personFacts(p)...)
		},
	}
}

func personFacts(p keyring.Person) [][2]string {
	facts := [][2]string{
		{"fingerprint", inFours(p.Fingerprint)},
		{"trust", string(p.Trust)},
		{"addresses", strings.Join(p.Addresses, " ")},
		{"groups", strings.Join(p.Groups, " ")},
		{"sees", historyTime(p.History)},
	}
	if p.History != "all" && p.History != "" {
		facts[4][1] = "posts from " + facts[4][1] + " on"
	}
	for _, m := range []struct {
		is   bool
		word string
	}{{p.Follow, "followed, not a friend"}, {p.Muted, "muted"}, {p.Blocked, "blocked"}, {p.Alarm != "", "KEY CHANGED"}} {
		if m.is {
			facts = append(facts, [2]string{"note", m.word})
		}
	}
	return facts
}

// sheet shows one thing to a person: a title, and a line for each fact that has
// a value.
func (e *env) sheet(title string, facts ...[2]string) error {
	_, _ = fmt.Fprintln(e.stdout, e.paint(bold, text.Clean(title))) // the first failed write is remembered
	for _, f := range facts {
		if f[1] != "" {
			_, _ = fmt.Fprintf(e.stdout, "  %-12s %s\n", f[0], text.Clean(f[1]))
		}
	}
	return e.stdout.Flush()
}
