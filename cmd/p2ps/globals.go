package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// globals are the flags that every command has. Those that are settings too
// (--color, --timeout, --wait) are read through e.settings.
type globals struct {
	homeDir string
	json    jsonFlag
	quiet   bool
	verbose verbosity
	noInput bool
	yes     bool
	dryRun  bool
}

// register adds the flags to fs. --dry-run has no short form: -n is --limit.
func (g *globals) register(fs *pflag.FlagSet) {
	fs.StringVar(&g.homeDir, "home", g.homeDir, "`DIR` of keys, friends and posts (P2PS_HOME)")
	fs.VarPF(&g.json, "json", "", "print JSON Lines; --json=a,b,c only these fields, kind and v").NoOptDefVal = "true"
	fs.BoolVarP(&g.quiet, "quiet", "q", g.quiet, "say nothing but the result")
	fs.VarPF(&g.verbose, "verbose", "v", "say more on stderr; twice: everything").NoOptDefVal = "true"
	fs.BoolVar(&g.noInput, "no-input", g.noInput, "never ask: fail instead")
	fs.BoolVarP(&g.yes, "yes", "y", g.yes, "answer every question with yes")
	fs.BoolVar(&g.dryRun, "dry-run", g.dryRun, "show what would be done, and do nothing")
	for _, name := range []string{"color", "timeout", "wait"} {
		addSettingFlag(fs, name, "")
	}
}

// Level makes globals the slog.Leveler of -q and -v.
func (g *globals) Level() slog.Level {
	switch {
	case g.quiet:
		return slog.LevelError
	case g.verbose > 1:
		return slog.LevelDebug
	case g.verbose == 1:
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// A verbosity is how often -v was given. To help it is a switch.
type verbosity int

// Type, String and Set make *verbosity a pflag.Value.
func (v *verbosity) Type() string   { return "bool" }
func (v *verbosity) String() string { return "false" }

// Set counts one more, or as much as is said: --verbose=2.
func (v *verbosity) Set(s string) error {
	switch n, err := strconv.Atoi(s); {
	case s == "true":
		*v++
	case s == "false":
		*v = 0
	case err != nil || n < 0 || n > 9:
		return fmt.Errorf("%q is not a number from 0 to 9", s)
	default:
		*v = verbosity(n)
	}
	return nil
}

// jsonFlag is --json[=FIELDS]. To help it is a switch: FIELDS are told in words.
type jsonFlag struct {
	on     bool
	fields []string // nil: all
}

// Type, String and Set make *jsonFlag a pflag.Value.
func (f *jsonFlag) Type() string   { return "bool" }
func (f *jsonFlag) String() string { return "false" }

// Set takes the names of fields, separated by commas, or "true" for all: then it was given without any.
func (f *jsonFlag) Set(s string) error {
	*f = jsonFlag{on: true}
	if s == "true" || s == "all" {
		return nil
	}
	f.fields = []string{}
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			f.fields = append(f.fields, name)
		}
	}
	return nil
}

// jsonWanted looks for --json without parsing the rest, which may be wrong.
func jsonWanted(args []string) (f jsonFlag, found bool) {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if arg == "--json" {
			f, found = jsonFlag{on: true}, true
		} else if fields, ok := strings.CutPrefix(arg, "--json="); ok {
			found = f.Set(fields) == nil
		}
	}
	return f, found
}

// flagError makes a usage error of what pflag did not understand, and names
// the flag that may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	hint := "see " + cmd.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		add := func(f *pflag.Flag) { names = append(names, f.Name) }
		cmd.Flags().VisitAll(add)
		if close := nearest(unknown.GetSpecifiedName(), names); close != "" {
			hint = "did you mean --" + close + "? " + hint
		}
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage(hint, "%s%s needs a value", before(cmd), dashed(bare.GetSpecifiedName(), bare.GetSpecifiedShortnames()))
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return usage(hint, "%sunknown flag: %s", before(cmd), dashed(unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames()))
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usage(hint, "%s--%s: %w", before(cmd), bad.GetFlag().Name, unquoted(bad))
	}
	return usage(hint, "%s%w", before(cmd), err)
}

// dashed writes a flag as it was typed: short if it stood among short ones.
func dashed(name, among string) string {
	if among != "" {
		return "-" + name
	}
	return "--" + name
}

// unquoted is what is wrong with the value of a flag: its kind says it, with the
// value, but for the numbers and switches of pflag.
func unquoted(bad *pflag.InvalidValueError) error {
	if number, ok := errors.AsType[*strconv.NumError](bad); ok && bad.GetFlag().Value.Type() == "bool" {
		return fmt.Errorf("%q is neither true nor false", number.Num)
	}
	return bad.Unwrap()
}
