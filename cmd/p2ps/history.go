package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// addHistory adds the flag --history, whose value is read with e.history.
func addHistory(cmd *cobra.Command, history *string, otherwise string) {
	cmd.Flags().StringVar(history, "history", "", "older posts to show: `all`, none or since:TIME (default "+otherwise+")")
	_ = cmd.RegisterFlagCompletionFunc("history", cobra.FixedCompletions([]string{"all", "none", "since:"},
		cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)) // it fails only for a flag that is not there
}

// history reads the value of --history as a keyring takes it: all, none, a stamp,
// or "" if it was not given.
func (e *env) history(given string) (string, error) {
	when, since := strings.CutPrefix(given, "since:")
	switch {
	case given == "", given == "all", given == "none":
		return given, nil
	case !since:
		return "", usage("write all, none or since:TIME; see p2ps help time", "--history: %q is none of all, none, since:TIME", text.Clean(given))
	}
	at, err := text.ParseTime(when, e.now())
	if err != nil {
		return "", fmt.Errorf("--history: %w", err)
	}
	return string(post.PositionAt(at)), nil
}

// tellHistory says how many older posts for the members of an audience a history
// shows to a person or hides, and the command that changes it.
func (e *env) tellHistory(ctx context.Context, h *home.Home, name, history, again string, members ...string) {
	from := post.Position(history)
	switch history {
	case "all":
		from = ""
	case "none":
		from = "3" // above every position
	}
	hidden, shown, err := h.CountFor(ctx, from, members...)
	switch {
	case err != nil: // what was asked for is done
		e.log.Warn("older posts could not be counted", "error", err)
	case hidden+shown == 0:
	case hidden == 0:
		e.say("%s is shown %s; to hide: %s --history none", name, older(shown), again)
	case shown == 0:
		stay := "stay"
		if hidden == 1 {
			stay = "stays"
		}
		e.say("%s %s hidden from %s; to show: %s --history all", older(hidden), stay, name, again)
	default:
		e.say("%s is shown %s, and %d stay hidden; to change: %s --history all|none", name, older(shown), hidden, again)
	}
}

func older(n int) string { return counted(n, "older post") }

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
