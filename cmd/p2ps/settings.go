package main

import (
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
)

// settings are what a person prefers. People, groups and pet names are never
// among them: they are files of the home (viper would lower-case them).
//
// A setting is a field here and a row in settingTable; a flag of its name comes
// with addSettingFlag. A test holds the two together.
type settings struct {
	To             []string      `mapstructure:"to"`
	Listen         string        `mapstructure:"listen"`
	Address        string        `mapstructure:"address"`
	Announce       string        `mapstructure:"announce"`
	PullNearby     bool          `mapstructure:"pull-nearby"`
	NoMedia        bool          `mapstructure:"no-media"`
	MaxBytes       size          `mapstructure:"max-bytes"`
	Color          string        `mapstructure:"color"`
	Pager          string        `mapstructure:"pager"`
	Editor         string        `mapstructure:"editor"`
	Timeout        time.Duration `mapstructure:"timeout"`
	Wait           time.Duration `mapstructure:"wait"`
	Jobs           int           `mapstructure:"jobs"`
	TrustedProxy   []string      `mapstructure:"trusted-proxy"`
	RatePerAddress int           `mapstructure:"rate-per-address"`
	RatePerKey     int           `mapstructure:"rate-per-key"`
	MarkRead       bool          `mapstructure:"mark-read"`
	TimelineLimit  int           `mapstructure:"timeline-limit"`
}

// pulling is how friends are pulled from, and what they are asked back for.
func (s settings) pulling() home.PullOptions {
	return home.PullOptions{Jobs: s.Jobs, Timeout: s.Timeout, NoMedia: s.NoMedia, MaxBytes: int64(s.MaxBytes)}
}

// A setting is one row of the table that `config`, the help topic environment
// and the flags are made from.
type setting struct {
	name  string
	kind  settingKind
	value string // the default, written as in the environment; "" for none
	about string // what it is for; `NAME` is what a flag's value is called
}

func settingTable() []setting {
	return []setting{
		{"to", isList, "friends", "`WHO` a post goes to: me, friends, public, a group or a friend"},
		{"listen", isListen, ":7117", "`ADDRESS` that serve listens on"},
		{"address", isURL, "", "`ADDRESS` under which friends reach serve"},
		{"announce", isAnnounce, "off", "to `WHOM` serve shows itself on the local network: off, friends or everyone"},
		{"pull-nearby", isYesNo, "true", "look on the local network for friends whose addresses fail"},
		{"no-media", isYesNo, "false", "fetch posts alone, and none of the files that they name"},
		{"max-bytes", isSize, "2GiB", "fetch no file of more than `SIZE`; 0 is no limit"},
		{"color", isColor, "auto", "`WHEN` to color the output: auto, always or never"},
		{"pager", isText, "", "`COMMAND` for long output; cat for none; else PAGER, then less"},
		{"editor", isText, "", "`COMMAND` to write with; else VISUAL, EDITOR, then vi"},
		{"timeout", isDuration, "30s", "`TIME` to wait for another machine"},
		{"wait", isDuration, "10s", "`TIME` to wait for another p2ps that holds the lock"},
		{"jobs", isCount, "8", "`NUMBER` of friends that are asked at once"},
		{"trusted-proxy", isNetworks, "", "`NETWORK` whose X-Forwarded-For serve believes, such as 10.0.0.0/8"},
		{"rate-per-address", isCount, "1000", "`NUMBER` of requests a second that serve takes from one address"},
		{"rate-per-key", isCount, "50", "`NUMBER` of requests a second that serve takes from one key"},
		{"mark-read", isYesNo, "false", "mark as read what timeline shows"},
		{"timeline-limit", isCount, "50", "`NUMBER` of posts that timeline shows on a terminal"},
	}
}

// says returns what a setting is for, without the mark of its flag's value.
func (s setting) says() string {
	before, rest, marked := strings.Cut(s.about, "`")
	if !marked {
		return s.about
	}
	word, after, _ := strings.Cut(rest, "`")
	return before + strings.ToLower(word) + after
}

// settingNamed returns the row of a setting.
func settingNamed(name string) (setting, bool) {
	for _, s := range settingTable() {
		if s.name == name {
			return s, true
		}
	}
	return setting{}, false
}

// mustSetting is settingNamed for names that stand in the program's text.
func mustSetting(name string) setting {
	s, ok := settingNamed(name)
	if !ok {
		panic("no setting " + name)
	}
	return s
}

func settingNames() []string {
	var names []string
	for _, s := range settingTable() {
		names = append(names, s.name)
	}
	return names
}
