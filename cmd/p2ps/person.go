package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// inFours writes a fingerprint for people, who compare it aloud.
func inFours(fpr pgp.Fingerprint) string {
	var blocks []string
	for rest := string(fpr); rest != ""; {
		n := min(4, len(rest))
		blocks, rest = append(blocks, rest[:n]), rest[n:]
	}
	return strings.Join(blocks, " ")
}

// fingerprint is one as a column: whole in a pipe, in blocks on a terminal.
func (e *env) fingerprint(fpr pgp.Fingerprint) string {
	if e.out {
		return inFours(fpr)
	}
	return string(fpr)
}

// anyPerson finds who is known in whatever way, and takes the whole fingerprint
// of somebody who is not, and the name of who asked to be a friend.
func anyPerson(h *home.Home, who string) (keyring.Person, error) {
	p, err := h.People().FindAny(who)
	if !errors.Is(err, keyring.ErrUnknown) {
		return p, err
	}
	if r, asked := h.People().FindRequest(who); asked == nil {
		return keyring.Person{Fingerprint: r.Fingerprint, Name: r.Name, Trust: keyring.TrustUnknown}, nil
	}
	if fpr, whole := wholeFingerprint(who); whole {
		return keyring.Person{Fingerprint: fpr, Name: string(fpr[:16]), Trust: keyring.TrustUnknown}, nil
	}
	return p, err
}

// certificateOf returns the key of a friend, a followed person or somebody who
// asked to be a friend; nil of anybody else.
func certificateOf(h *home.Home, p keyring.Person) (*pgp.Certificate, error) {
	cert, err := h.People().Certificate(p.Fingerprint)
	if errors.Is(err, keyring.ErrUnknown) {
		r, err := h.People().FindRequest(string(p.Fingerprint))
		if errors.Is(err, keyring.ErrUnknown) {
			return nil, nil
		}
		return r.Cert, err
	}
	return cert, err
}

// nameless tells that a person's name is only the beginning of the fingerprint.
func nameless(p keyring.Person) bool { return p.Name == string(p.Fingerprint[:16]) }

// historyTime is a history for people and JSON: "all", or the time from which on
// posts are shown.
func historyTime(history string) string {
	if at := post.Position(history).Time(); !at.IsZero() {
		return at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return history
}

var plainWord = text.NewPattern(`^[A-Za-z0-9_./:@%+=,-]+$`)

// typed writes a word as it is typed in a shell.
func typed(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return shellWord(text.Clean(word))
}

// A completion is the names that may stand at one place of the command line.
type completion func(*home.Home) []cobra.Completion

// complete completes the arguments in turn; the last for all that follow. Where
// there is no home there is nothing to offer, and nothing is said.
func (e *env) complete(places ...completion) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		place := places[min(len(args), len(places)-1)]
		if place == nil {
			return nil, none
		}
		h, err := e.home()
		if err != nil {
			return nil, none
		}
		return place(h), none
	}
}

// friendsNow, followsNow and groupsNow are completions of what the home holds.
func friendsNow(h *home.Home) []cobra.Completion {
	people, _ := h.People().Friends() // nothing to offer then
	return namesOf(people)
}

func followsNow(h *home.Home) []cobra.Completion {
	people, _ := h.People().Follows() // nothing to offer then
	return namesOf(people)
}

func peopleNow(h *home.Home) []cobra.Completion { return append(friendsNow(h), followsNow(h)...) }

func groupsNow(h *home.Home) []cobra.Completion {
	groups, _ := h.People().Groups() // nothing to offer then
	var names []cobra.Completion
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}

func namesOf(people []keyring.Person) []cobra.Completion {
	var names []cobra.Completion
	for _, p := range people {
		names = append(names, cobra.CompletionWithDesc(p.Name, string(p.Fingerprint[:16])))
	}
	return names
}
