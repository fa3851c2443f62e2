package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/disk"
)

func newConfig(e *env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "config",
		Short: "Show and change settings",
		Long: `Settings say what you prefer. What counts is the flag of that name, else the
environment variable (p2ps help environment), else config.toml in the home, else
the default. A setting that is misspelt is an error.`,
		Example: `  p2ps config list
  p2ps config set to family friends
  p2ps config unset to`,
	}, newConfigList(e), newConfigGet(e), newConfigSet(e), newConfigUnset(e), newConfigPath(e))
}

// settingLine is a setting as JSON.
type settingLine struct {
	header
	Name    string `json:"name"`
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Origin  string `json:"origin"`
	Env     string `json:"env"`
	About   string `json:"about"`
}

// configPath says where the settings are kept, as JSON.
type configPath struct {
	header
	Path string `json:"path"`
}

// settingChange is change for a setting, which has a value of any kind.
type settingChange struct {
	header
	What   string `json:"what"`
	Name   string `json:"name"`
	Value  any    `json:"value,omitzero"`
	DryRun bool   `json:"dry_run,omitzero"`
}

func (e *env) settingLine(s setting) (settingLine, error) {
	byDefault, err := s.kind.parse(s.value)
	return settingLine{
		kind("setting"), s.name, plain(e.read.Get(s.name)), plain(byDefault),
		e.origin(s), s.env(), s.says(),
	}, err
}

// plain writes what JSON has no form for as text.
func plain(value any) any {
	if d, ok := value.(fmt.Stringer); ok {
		return d.String()
	}
	return value
}

// words writes a setting's value as text.
func words(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}

func newConfigList(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List all settings, their values and where these come from",
		Long: `List all settings: the name, the value, where it comes from (flag, environment,
file, default), and on a terminal what it is for.`,
		Example: `  p2ps config list --json | jq -c 'select(.origin != "default")'`,
		Args:    noArguments(),
		RunE: func(*cobra.Command, []string) error {
			if err := e.mendable(); err != nil {
				return err
			}
			out := e.list("Setting", "Value", "From", "For")
			for _, s := range settingTable() {
				l, err := e.settingLine(s)
				if err != nil {
					return err
				}
				columns := []string{l.Name, words(l.Value), l.Origin}
				if e.out {
					columns = append(columns, l.About)
				}
				if err := out.add(l, columns...); err != nil {
					return err
				}
			}
			return out.end()
		},
	}
}

// mendable reads the settings for a command by which wrong ones are mended: what
// is wrong is said, and stops nothing.
func (e *env) mendable() error {
	if err := e.readSettings(); err != nil {
		return err
	}
	for _, fault := range e.faults {
		e.warn("note: %v; %s", fault, hintOf(fault))
	}
	return nil
}

func newConfigGet(e *env) *cobra.Command {
	return &cobra.Command{
		Use:               "get NAME",
		Short:             "Print the value of a setting",
		Long:              `Print the value that counts for a setting; a list with commas.`,
		Example:           `  p2ps config get to`,
		Args:              arguments(1, 1, "NAME"),
		ValidArgsFunction: cobra.FixedCompletions(settingNames(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			s, known := settingNamed(args[0])
			if !known {
				return usage(meant(args[0]), "there is no setting %q", args[0])
			}
			if err := e.mendable(); err != nil {
				return err
			}
			l, err := e.settingLine(s)
			if err != nil {
				return err
			}
			return e.emit(l, words(l.Value))
		},
	}
}

func newConfigSet(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME VALUE...",
		Short: "Change a setting in config.toml",
		Long: `Change a setting in config.toml, and nothing else there: other settings and
comments stay as they are. A list takes several values.`,
		Example: `  p2ps config set timeline-limit 20
  p2ps config set to family friends`,
		Args:              arguments(2, -1, "NAME VALUE..."),
		ValidArgsFunction: e.completeSetting,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, known := settingNamed(args[0])
			if !known {
				return usage(meant(args[0]), "there is no setting %q", args[0])
			}
			value, err := s.values(args[1:])
			if err != nil {
				return usage("p2ps config get "+s.name+" prints what it is; p2ps help environment explains it", "%s: %w", s.name, err)
			}
			if s.name == "to" {
				if err := e.checkTo(value); err != nil {
					return err
				}
			}
			if err := e.setSetting(cmd.Context(), s.name, value); err != nil {
				return err
			}
			if over := e.getenv(s.env()); over != "" {
				e.warn("note: %s is set and goes before", s.env())
			}
			if e.json.on {
				return e.emit(settingChange{kind("change"), "config.set", s.name, plain(value), e.dryRun})
			}
			now := "now"
			if e.dryRun {
				now = "would be"
			}
			e.say("%s: %s %s", s.name, now, cmp.Or(words(value), "empty"))
			e.stillWrong()
			return nil
		},
	}
}

// values reads the words of a command line as the value of a setting.
func (s setting) values(given []string) (any, error) {
	var value any
	for _, word := range given {
		one, err := s.kind.parse(word)
		if err != nil {
			return nil, err
		}
		before, words := value.([]string)
		more, list := one.([]string)
		switch {
		case value == nil:
			value = one
		case words && list:
			value = append(before, more...)
		default:
			return nil, fmt.Errorf("takes one value, and got %d: put quotes around %q", len(given), strings.Join(given, " "))
		}
	}
	return value, nil
}

// setSetting changes config.toml under the home's lock, durably.
func (e *env) setSetting(ctx context.Context, name string, value any) error {
	dir, err := e.dir()
	if err != nil {
		return err
	}
	if e.dryRun {
		data, path, err := e.readConfig()
		if err == nil {
			_, err = editConfig(data, path, name, value)
		}
		return err
	}
	wait := 10 * time.Second
	if e.readSettings() == nil {
		wait = e.values.Wait
	}
	root, err := disk.Create(dir, e.hook)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	defer func() { _ = root.Close() }()
	unlock, err := root.Lock(ctx, "state/lock", wait)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	defer unlock()
	data, path, err := e.readConfig()
	if err != nil {
		return err
	}
	if data, err = editConfig(data, path, name, value); err != nil {
		return err
	}
	if err := root.WriteFile(configFile, data, 0o600); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

func newConfigPath(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Print where config.toml is, or would be",
		Long:    `Print the path of config.toml. The file need not exist.`,
		Example: `  $EDITOR "$(p2ps config path)"`,
		Args:    noArguments(),
		RunE: func(*cobra.Command, []string) error {
			dir, err := e.dir()
			if err != nil {
				return err
			}
			path, err := filepath.Abs(filepath.Join(dir, configFile))
			if err != nil {
				return fmt.Errorf("settings: %w", err)
			}
			return e.emit(configPath{kind("setting"), path}, path)
		},
	}
}
