package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/text"
)

func newGroup(e *env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "group",
		Short: "Keep groups of friends to post to",
		Long: `Keep groups of friends. A group is a directory in groups/ with a key for each
member: cp makes one, rm ends it. Only you know of a group: neither its name
nor its members ever leave this machine.`,
		Example: `  p2ps group create family
  p2ps group add family bob carol
  p2ps post -m 'Lunch at one' --to family`,
	}, newGroupCreate(e), newGroupAdd(e), newGroupRemove(e), newGroupList(e), newGroupShow(e), newGroupRename(e), newGroupDelete(e))
}

// groupLine is a group as JSON.
type groupLine struct {
	header
	Name    string   `json:"name"`
	Members []string `json:"members"`
	Posts   int      `json:"posts"` // of mine that are for it
	// Of group show: each member, and what he sees of these.
	People []memberLine `json:"people,omitempty"`
}

// memberLine is one member of a group as JSON.
type memberLine struct {
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name"`
	Trust       string `json:"trust"`
	History     string `json:"history,omitempty"` // "all", or the time from which on posts are shown; absent: nothing is
	Friend      bool   `json:"friend"`            // who is none sees nothing
	Blocked     bool   `json:"blocked,omitzero"`  // sees nothing
}

func groupLineOf(g keyring.Group, posts int) groupLine {
	l := groupLine{header: kind("group"), Name: g.Name, Members: []string{}, Posts: posts}
	for _, m := range g.Members {
		l.Members = append(l.Members, string(m.Fingerprint))
	}
	return l
}

// groupNamed finds a group.
func groupNamed(h *home.Home, name string) (keyring.Group, error) {
	groups, err := h.People().Groups()
	if err != nil {
		return keyring.Group{}, err
	}
	i := slices.IndexFunc(groups, func(g keyring.Group) bool { return g.Name == name })
	if i < 0 {
		return keyring.Group{}, fmt.Errorf("group %q: %w", text.Clean(name), keyring.ErrUnknown)
	}
	return groups[i], nil
}

func newGroupList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List your groups",
		Long: `List your groups by name: how many members each has, and how many of your posts
are for it.`,
		Example: `  p2ps group list
  p2ps group list --json | jq -r 'select(.members == []) | .name'`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			groups, err := h.People().Groups()
			if err != nil {
				return err
			}
			posts, err := h.Counts(cmd.Context())
			if err != nil {
				return err
			}
			out := e.list("Name", "Members", "Posts")
			for _, g := range groups {
				err := out.add(groupLineOf(g, posts[g.Name]), g.Name, strconv.Itoa(len(g.Members)), strconv.Itoa(posts[g.Name]))
				if err != nil {
					return err
				}
			}
			return out.end()
		},
	}
}

func newGroupShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show who is in a group",
		Long: `Show who is in a group: name, fingerprint, trust, and what he sees of what was
posted to the group: all of it, or what was posted from some time on. Who is in
a group and no friend sees nothing.`,
		Example: `  p2ps group show family
  p2ps group show family --json | jq -r '.people[] | [.name, .history] | @tsv'`,
		Args:              arguments(1, 1, "NAME"),
		ValidArgsFunction: e.complete(groupsNow, nil),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.showGroup(cmd.Context(), args[0]) },
	}
}

func (e *env) showGroup(ctx context.Context, name string) error {
	h, _, err := e.identity()
	if err != nil {
		return err
	}
	g, err := groupNamed(h, name)
	if err != nil {
		return err
	}
	if e.json.on {
		return e.showGroupJSON(ctx, h, g)
	}
	out := e.list("Name", "Fingerprint", "Trust", "Sees")
	for _, m := range g.Members {
		p, err := anyPerson(h, string(m.Fingerprint))
		if err != nil {
			return err
		}
		sees := historyTime(m.History)
		switch {
		case !m.Friend:
			sees = "nothing: not a friend"
		case p.Blocked:
			sees = "nothing: blocked"
		case m.History == "":
			sees = "nothing: unreadable"
		}
		if err := out.add(nil, p.Name, string(p.Fingerprint), string(p.Trust), sees); err != nil {
			return err
		}
	}
	return out.end()
}

func (e *env) showGroupJSON(ctx context.Context, h *home.Home, g keyring.Group) error {
	posts, err := h.Counts(ctx)
	if err != nil {
		return err
	}
	l := groupLineOf(g, posts[g.Name])
	for _, m := range g.Members {
		p, err := anyPerson(h, string(m.Fingerprint))
		if err != nil {
			return err
		}
		l.People = append(l.People, memberLine{string(p.Fingerprint), p.Name, string(p.Trust), historyTime(m.History), m.Friend, p.Blocked})
	}
	return e.emit(l)
}
