package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noun makes a command that does nothing by itself of cmd and its children.
func noun(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(children...)
	cmd.Args = unknownChild
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return usage("see "+cmd.CommandPath()+" --help",
			"%ssay what: %s", before(cmd), strings.Join(childNames(cmd), ", "))
	}
	return cmd
}

// unknownChild is the Args of a command whose only arguments are commands.
func unknownChild(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if close := nearest(args[0], childNames(cmd)); close != "" {
		hint = "did you mean " + cmd.CommandPath() + " " + close + "? " + hint
	}
	return usage(hint, "%sthere is no command %q", before(cmd), args[0])
}

// before is what a message about cmd begins with, after the program's name.
func before(cmd *cobra.Command) string {
	path := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name())
	if path = strings.TrimSpace(path); path == "" {
		return ""
	}
	return path + ": "
}

// childNames returns what can follow cmd, without what is hidden.
func childNames(cmd *cobra.Command) []string {
	var names []string
	for _, child := range cmd.Commands() {
		if !child.Hidden {
			names = append(names, child.Name())
		}
	}
	return names
}

// lookUp finds words that should be a command and are none, before cobra looks
// at the flags after them: it would complain of those first, and with --help
// not at all. At the root such a word may be a plug-in; if so it has been run,
// and all is done.
func lookUp(ctx context.Context, e *env, root *cobra.Command, args []string) (done bool, err error) {
	for parent := root; parent.HasSubCommands(); {
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		(&globals{}).register(fs)
		fs.BoolP("help", "h", false, "")
		fs.SetInterspersed(false) // stop at the first word
		if err := fs.Parse(args); err != nil || fs.NArg() == 0 {
			return false, nil //nolint:nilerr // cobra says what is wrong
		}
		word := fs.Arg(0)
		child := childNamed(parent, word)
		if child == nil && strings.HasPrefix(word, cobra.ShellCompRequestCmd) {
			return false, nil // cobra adds this one when it is asked for
		}
		if child == nil {
			if parent == root {
				home, _ := fs.GetString("home")
				if ran, err := e.plugin(ctx, home, word, fs.Args()[1:]); ran {
					return true, err
				}
			}
			return false, unknownChild(parent, fs.Args())
		}
		parent, args = child, fs.Args()[1:]
	}
	return false, nil
}

func childNamed(parent *cobra.Command, word string) *cobra.Command {
	for _, child := range parent.Commands() {
		if child.Name() == word || child.HasAlias(word) {
			return child
		}
	}
	return nil
}

// arguments is the Args of a command that takes between least and most
// positional arguments (most < 0: any number), which it calls what.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		hint := "see " + cmd.CommandPath() + " --help"
		switch {
		case len(args) < least:
			return usage(hint, "%s%s is missing", before(cmd), what)
		case most == 0 && len(args) > 0:
			return usage(hint, "%sno argument is taken, and there is %q", before(cmd), args[0])
		case most >= 0 && len(args) > most:
			return usage(hint, "%sone argument too many: %q", before(cmd), args[most])
		}
		return nil
	}
}

// noArguments is the Args of a command that takes none.
func noArguments() cobra.PositionalArgs { return arguments(0, 0, "") }

// nearest returns the word that differs from what was typed by at most two
// letters, or begins with it, or "".
func nearest(typed string, words []string) string {
	best, least := "", 3
	for _, word := range words {
		d := distance(strings.ToLower(typed), word)
		if d >= len(word) { // nothing in common
			continue
		}
		if len(typed) > 1 && strings.HasPrefix(word, strings.ToLower(typed)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = word, d
		}
	}
	return best
}

// distance counts the letters to add, remove, change or swap (neighbours) to
// make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
