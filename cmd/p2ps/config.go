package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
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
	faults []error  // of the file and the environment
	wrong  []string // settings whose value is one of these
}

// env returns the name of a setting's environment variable.
func (s setting) env() string {
	return "P2PS_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// settings returns what holds for this run: flag before environment before
// file before default. A setting that is not known, or not of its kind, is
// wrong usage.
func (e *env) settings() (settings, error) {
	if err := e.readSettings(); err != nil {
		return settings{}, err
	}
	if len(e.faults) > 0 {
		return settings{}, e.faults[0]
	}
	return e.values, nil
}

// readSettings is settings for the commands by which wrong ones are mended: of
// those it reads the default, and keeps what is wrong in e.faults.
func (e *env) readSettings() error {
	if e.read != nil {
		return nil
	}
	data, path, err := e.readConfig()
	if err != nil {
		return err
	}
	v, err := readTOML(data, path)
	if err != nil {
		return err
	}
	e.faults = unknownSettings(v, data, path)
	for _, s := range settingTable() {
		v.SetDefault(s.name, s.value)
		if err := v.BindEnv(s.name, s.env()); err != nil {
			return err
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
			e.faults, e.wrong = append(e.faults, e.wrongValue(s, data, path, err)), append(e.wrong, s.name)
			value, _ = s.kind.parse(s.value) // a default is right
		}
		v.Set(s.name, value)
	}
	if err := v.Unmarshal(&e.values); err != nil {
		return err
	}
	e.read = v
	return nil
}

// wrongValue says where a wrong value stands, and what mends it: a flag's was
// refused already.
func (e *env) wrongValue(s setting, data []byte, path string, err error) error {
	if e.getenv(s.env()) != "" {
		return usage("set it otherwise, or unset "+s.env(), "%s: %w", s.env(), err)
	}
	return usage("p2ps config set "+s.name+" VALUE puts it right", "%s: %s: %w", lineOfSetting(data, path, s.name), s.name, err)
}

// lineOfSetting names the line of the file on which a setting stands.
func lineOfSetting(data []byte, path, name string) string {
	lines := strings.SplitAfter(string(data), "\n")
	if n := configStart(lines, name); n < len(lines) {
		return fmt.Sprintf("%s, line %d", path, n+1)
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
		return nil, path, unreadable(fmt.Errorf("the home: %w", err), "name a directory with --home or P2PS_HOME")
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

// readTOML reads a config file, whatever the names in it.
func readTOML(data []byte, path string) (*viper.Viper, error) {
	v := viper.New()
	v.SetConfigType("toml")
	err := v.ReadConfig(bytes.NewReader(data))
	if err == nil {
		return v, nil
	}
	var at interface{ Position() (row, column int) } // of go-toml's errors
	if errors.As(err, &at) {
		row, _ := at.Position()
		path = fmt.Sprintf("%s, line %d", path, row)
	}
	return nil, usage("mend it in an editor: p2ps config path says where the file is", "%s: %w", path, err)
}

// unknownSettings lists the names in a file that are no setting's, each with the
// one that may be meant.
func unknownSettings(v *viper.Viper, data []byte, path string) (faults []error) {
	names := v.AllKeys()
	slices.Sort(names)
	for _, name := range names {
		if _, known := settingNamed(name); !known {
			first, _, _ := strings.Cut(name, ".") // of a table
			faults = append(faults, usage(meant(name)+"; p2ps config unset "+typed(first)+" takes it out",
				"%s: there is no setting %q", lineOfSetting(data, path, name), name))
		}
	}
	return faults
}

// meant is the hint for a setting that is not known.
func meant(name string) string {
	if close := nearest(name, settingNames()); close != "" {
		return "did you mean \"" + close + "\"? p2ps config list shows all"
	}
	return "p2ps config list shows all"
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
	case slices.Contains(e.wrong, s.name):
		return "default"
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
	if isList && len(words) == 0 {
		return fmt.Errorf("%q names nobody and nothing", s)
	}
	if before, again := v.given.([]string); isList && again {
		value = append(before, words...)
	}
	v.given = value
	return nil
}
