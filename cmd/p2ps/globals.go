package main

import (
	"errors"
	"log/slog"
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
	verbose int
	noInput bool
	yes     bool
	dryRun  bool
}

// register adds the flags to fs. --dry-run has no short form: -n is --limit.
func (g *globals) register(fs *pflag.FlagSet) {
	fs.StringVar(&g.homeDir, "home", g.homeDir, "`DIR` of keys, friends and posts (P2PS_HOME)")
	fs.Var(&g.json, "json", "print JSON Lines; =`FIELDS` (a,b,c) keeps only these, kind and v")
	fs.Lookup("json").NoOptDefVal = "all"
	fs.BoolVarP(&g.quiet, "quiet", "q", g.quiet, "say nothing but the result")
	fs.CountVarP(&g.verbose, "verbose", "v", "say more on stderr; twice: everything")
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

// jsonFlag is --json[=FIELDS].
type jsonFlag struct {
	on     bool
	fields []string // nil: all
}

// Type, String and Set make *jsonFlag a pflag.Value.
func (f *jsonFlag) Type() string   { return "fields" }
func (f *jsonFlag) String() string { return strings.Join(f.fields, ",") }

// Set takes the names of fields, separated by commas, or "all".
func (f *jsonFlag) Set(s string) error {
	*f = jsonFlag{on: true}
	if s == "all" {
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
	return usage(hint, "%s%w", before(cmd), err)
}
