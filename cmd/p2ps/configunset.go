package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/keyring"
)

func newConfigUnset(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "unset NAME",
		Short: "Take a setting out of config.toml",
		Long: `Take a setting out of config.toml: its default counts again. It also takes out
what is no setting at all, such as a misspelt name.`,
		Example:           `  p2ps config unset timeline-limit`,
		Args:              arguments(1, 1, "NAME"),
		ValidArgsFunction: e.completeSettingIn,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.ToLower(args[0]) // as they are in the file
			data, path, err := e.readConfig()
			if err != nil {
				return err
			}
			v, err := readTOML(data, path)
			if err != nil {
				return err
			}
			c := change{What: "config.unset", Name: name, Already: !v.InConfig(name)}
			if _, known := settingNamed(name); !known && c.Already {
				return usage(meant(name), "there is no setting %q", args[0])
			}
			if c.Already {
				return e.changed(c, "%s is not in %s", name, configFile)
			}
			if err := e.setSetting(cmd.Context(), name, nil); err != nil {
				return err
			}
			err = e.changed(c, "%s is taken out of %s", name, configFile)
			e.stillWrong()
			return err
		},
	}
}

// stillWrong says what a change of the config file leaves to be mended.
func (e *env) stillWrong() {
	e.config = config{} // to be read anew
	_ = e.mendable()    // what cannot be read at all was said before
}

// checkTo says of the setting to at once what post would say: whom a word means.
// Where there is no home yet there are no friends and groups.
func (e *env) checkTo(value any) error {
	words, _ := value.([]string)
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "me" || w == "friends" || w == "public" })
	if len(words) == 0 {
		return nil
	}
	if e.readSettings() == nil {
		e.faults = nil // they do not stop what mends them
	}
	h, _, err := e.identity()
	switch {
	case errors.Is(err, keyring.ErrNoIdentity):
		return fail(exitNotFound, "p2ps keygen --name YOU first; until then it is me, friends or public", "to: %q: %w", words[0], keyring.ErrUnknown)
	case err != nil:
		return err
	}
	if _, _, err := h.People().Resolve(words); err != nil {
		x, _ := diagnose(err)
		return fail(x, "write me, friends, public, a group or a friend: p2ps group list and p2ps friend list show them", "to: %w", err)
	}
	return nil
}
