package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// addHistory adds the flag --history, whose value is read with e.history.
func addHistory(cmd *cobra.Command, history *string, otherwise string) {
	cmd.Flags().StringVar(history, "history", "", "older posts to `SHOW`: all, none or since:TIME (default "+otherwise+")")
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

// A reach is how far back somebody sees the posts for some members of an
// audience, before a command and after it.
type reach struct {
	name          string
	was           string // the history before; "" if he was none of these
	before, after post.Grants
	again         string // the command that changes it, without its --history
	members       []string
}

// tellReach says how many posts a change of history showed to a person or hid,
// and the command that takes it back: with the history of before, if there was
// one.
func (e *env) tellReach(ctx context.Context, h *home.Home, r reach) {
	n, err := h.Shift(ctx, r.before, r.after, r.members...)
	say := e.say
	if e.dryRun {
		say = func(format string, args ...any) { e.say("would be done: "+format, args...) }
	}
	undo := r.again + " --history " + r.was
	if r.was != "" && r.was != "all" {
		undo = r.again + " --history since:" + historyTime(r.was)
	}
	switch {
	case err != nil: // what was asked for is done
		e.log.Warn("older posts could not be counted", "error", err)
	case r.was != "" && n.Shown > 0:
		say("%s is shown %s; to undo: %s", r.name, counted(n.Shown, "more older post"), undo)
	case r.was != "" && n.Hidden > 0:
		say("%s %s hidden from %s now; to undo: %s", counted(n.Hidden, "post"), isAre(n.Hidden), r.name, undo)
	case r.was != "", n.Shown+n.Closed == 0:
	case n.Closed == 0:
		say("%s is shown %s; to hide: %s --history none", r.name, older(n.Shown), r.again)
	case n.Shown == 0:
		say("%s %s hidden from %s; to show: %s --history all", older(n.Closed), stayStays(n.Closed), r.name, r.again)
	default:
		say("%s is shown %s, and %d %s hidden; to change: %s --history all|none", r.name, older(n.Shown), n.Closed, stayStays(n.Closed), r.again)
	}
}

func stayStays(n int) string {
	if n == 1 {
		return "stays"
	}
	return "stay"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// opening is the position from which a history, as e.history returns it, shows
// posts.
func opening(history string) post.Position {
	switch history {
	case "all":
		return ""
	case "none":
		return "3" // above every position
	}
	return post.Position(history)
}

// memberOf finds somebody in a group; false if he is not in it.
func memberOf(g keyring.Group, fpr pgp.Fingerprint) (keyring.Member, bool) {
	for _, m := range g.Members {
		if m.Fingerprint == fpr {
			return m, true
		}
	}
	return keyring.Member{}, false
}

func older(n int) string { return counted(n, "older post") }

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
