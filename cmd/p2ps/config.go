package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/p2ps/p2ps/pkg/disk"
)

const (
	configFile  = "config.toml" // in the home, so that --home is hermetic
	configLimit = 64 << 10
	fromSetting = "p2ps_setting" // annotation of flags that are settings
)

// config is the settings as read, once, when they are first asked for.
type config struct {
	read   *viper.Viper // a private instance: nothing global
	values settings
}

// env returns the name of a setting's environment variable.
func (s setting) env() string {
	return "P2PS_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// settings returns what holds for this run: flag before environment before
// file before default. A setting that is not known, or not of its kind, is
// wrong usage.
func (e *env) settings() (settings, error) {
	if e.read != nil {
		return e.values, nil
	}
	data, path, err := e.readConfig()
	if err != nil {
		return settings{}, err
	}
	v, err := parseConfig(data, path)
	if err != nil {
		return settings{}, err
	}
	for _, s := range settingTable() {
		v.SetDefault(s.name, s.value)
		if err := v.BindEnv(s.name, s.env()); err != nil {
			return settings{}, err
		}
	}
	if e.running != nil {
		e.running.Flags().Visit(func(f *pflag.Flag) {
			if value, ok := f.Value.(*settingValue); ok {
				v.Set(value.setting.name, value.given)
			}
		})
	}
	for _, s := range settingTable() {
		value, err := s.kind.parse(v.Get(s.name))
		if err != nil {
			return settings{}, usage("", "%s: %s: %w", e.place(s, path), s.name, err)
		}
		v.Set(s.name, value)
	}
	if err := v.UnmarshalExact(&e.values); err != nil {
		return settings{}, err
	}
	e.read = v
	return e.values, nil
}

// place says where a wrong value stands: a flag's was refused already.
func (e *env) place(s setting, path string) string {
	if e.getenv(s.env()) != "" {
		return s.env()
	}
	return path
}

// readConfig returns the bytes of the config file, none if there is no file or
// no home, and its path.
func (e *env) readConfig() (data []byte, path string, err error) {
	dir, err := e.dir()
	if err != nil {
		return nil, "", err
	}
	path = filepath.Join(dir, configFile)
	root, err := disk.Open(dir, e.hook)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, nil
	}
	if err != nil {
		return nil, path, fmt.Errorf("settings: %w", err)
	}
	defer func() { _ = root.Close() }()
	data, _, err = root.ReadFile(configFile, configLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, nil
	}
	if err != nil {
		return nil, path, fmt.Errorf("settings: %w", err)
	}
	return data, path, nil
}

// parseConfig reads a config file. Each name must be a setting's; one that is
// nearly so is named.
func parseConfig(data []byte, path string) (*viper.Viper, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		return nil, usage("", "%s: %w", path, err)
	}
	for _, name := range v.AllKeys() {
		if _, known := settingNamed(name); !known {
			return nil, usage(meant(name), "%s: there is no setting %q", path, name)
		}
	}
	return v, nil
}

// meant is the hint for a setting that is not known.
func meant(name string) string {
	if close := nearest(name, settingNames()); close != "" {
		return "did you mean \"" + close + "\"? see p2ps config list"
	}
	return "see p2ps config list"
}

// origin says where the value of a setting comes from: flag, environment, file
// or default.
func (e *env) origin(s setting) string {
	if e.running != nil {
		if f := e.running.Flags().Lookup(s.name); f != nil && f.Changed && f.Annotations[fromSetting] != nil {
			return "flag"
		}
	}
	switch {
	case e.getenv(s.env()) != "":
		return "environment"
	case e.read != nil && e.read.InConfig(s.name):
		return "file"
	}
	return "default"
}

// A settingValue is the pflag.Value of a flag that is a setting too.
type settingValue struct {
	setting setting
	given   any // nil: not given
}

// addSettingFlag gives a command the flag of a setting. Its value is read
// through e.settings, which knows what else may have set it.
func addSettingFlag(fs *pflag.FlagSet, name, shorthand string) {
	s := mustSetting(name)
	f := fs.VarPF(&settingValue{setting: s}, s.name, shorthand, s.about)
	f.Annotations = map[string][]string{fromSetting: {s.name}}
	if s.kind.word == isYesNo.word {
		f.NoOptDefVal = "true"
	}
}

// Type and String make *settingValue a pflag.Value.
func (v *settingValue) Type() string   { return v.setting.kind.word }
func (v *settingValue) String() string { return v.setting.value }

// Set reads one value; a list grows by each.
func (v *settingValue) Set(s string) error {
	value, err := v.setting.kind.parse(s)
	if err != nil {
		return err
	}
	words, isList := value.([]string)
	if before, again := v.given.([]string); isList && again {
		value = append(before, words...)
	}
	v.given = value
	return nil
}
