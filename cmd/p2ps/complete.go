package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// offered is how many posts a completion offers: the newest.
const offered = 50

const only = cobra.ShellCompDirectiveNoFileComp

// completeFlag completes the value of a flag.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, f) // it fails only for a flag that is not there
}

// here is the home for a completion: nil, and nothing said, where there is none.
func (e *env) here() *home.Home {
	h, err := e.home()
	if err != nil {
		return nil
	}
	return h
}

// completeAudience completes the words of --to.
func (e *env) completeAudience(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return e.audienceNow(), only
}

func (e *env) audienceNow() []cobra.Completion {
	words := []cobra.Completion{cobra.CompletionWithDesc("me", "nobody else"), cobra.CompletionWithDesc("friends", "all your friends"),
		cobra.CompletionWithDesc("public", "everybody")}
	if h := e.here(); h != nil {
		words = slices.Concat(words, groupsNow(h), friendsNow(h))
	}
	return words
}

// completeAuthors completes the words of --from.
func (e *env) completeAuthors(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	words := []cobra.Completion{"me"}
	if h := e.here(); h != nil {
		words = append(words, peopleNow(h)...)
	}
	return words, only
}

// madeTypes are the types of posts that p2ps makes.
func madeTypes() []string {
	made := []string{"Note", "Article", "Page", "Like", "Announce", "Person", "Arrive", "Event", "Question"}
	for _, a := range append(post.Responses(), post.Activities()...) {
		made = append(made, a.Type)
	}
	return made
}

// completeTypes completes the types of posts that p2ps makes.
func completeTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return madeTypes(), only
}

// completePosts completes the endings of the newest posts, for every argument up
// to the most that the command takes (most < 0: any number). They are what the
// index knows; no post is opened.
func (e *env) completePosts(which home.Which, most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		h := e.here()
		if h == nil || most >= 0 && len(args) >= most {
			return nil, only
		}
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		var words []cobra.Completion
		for _, r := range h.Recent(ctx, which, offered) {
			if word := short(r.ID); !slices.Contains(args, word) {
				when := text.Ago(r.ID.Position.Time(), e.now())
				words = append(words, cobra.CompletionWithDesc(word, strings.TrimSpace(r.Type+" "+when)))
			}
		}
		if words == nil {
			return nil, only
		}
		return words, only | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeSetting completes NAME VALUE... of config set.
func (e *env) completeSetting(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return settingsNow(), only
	}
	s, _ := settingNamed(args[0])
	switch {
	case s.name == "to":
		return e.audienceNow(), only
	case len(args) > 1:
		return nil, only
	case s.kind.word == isColor.word:
		return []cobra.Completion{"auto", "always", "never"}, only
	case s.kind.word == isYesNo.word:
		return []cobra.Completion{"true", "false"}, only
	case s.value != "":
		return []cobra.Completion{cobra.CompletionWithDesc(s.value, "the default")}, only
	}
	return nil, only
}

func settingsNow() []cobra.Completion {
	var words []cobra.Completion
	for _, s := range settingTable() {
		words = append(words, cobra.CompletionWithDesc(s.name, s.says()))
	}
	return words
}

// completeSettingIn completes the names that stand in the config file.
func (e *env) completeSettingIn(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	data, path, err := e.readConfig()
	if err != nil || len(args) > 0 {
		return nil, only
	}
	v, err := readTOML(data, path)
	if err != nil {
		return nil, only
	}
	var words []cobra.Completion
	for name := range v.AllSettings() {
		words = append(words, name)
	}
	slices.Sort(words)
	return words, only
}
