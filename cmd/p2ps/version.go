package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

func newVersion(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of p2ps",
		Long: `Print the version of p2ps and of the Go that built it, with --json also the
commit. It opens nothing and asks nobody.`,
		Example: `  p2ps version
  p2ps version --json=version`,
		Args: noArguments(),
		RunE: func(*cobra.Command, []string) error { return e.tellVersion() },
	}
}

func (e *env) tellVersion() error {
	v := thisVersion()
	return e.emit(v, fmt.Sprintf("p2ps %s %s %s/%s", v.Version, v.Go, v.OS, v.Arch))
}

// version is what was built in. Release builds are made from a tagged commit,
// so the module's version is the program's; there is nothing to be set by flags.
type version struct {
	header
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"` // of the commit
	Changed bool   `json:"changed,omitzero"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func thisVersion() version {
	v := version{header: kind("version"), Version: "devel", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Changed = s.Value == "true"
		case "vcs.time":
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				v.Date = t.UTC().Format(time.RFC3339)
			}
		}
	}
	return v
}
