package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// shells are those that cobra can write a completion for.
func shells(root *cobra.Command) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"bash":       func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        root.GenZshCompletion,
		"fish":       func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": root.GenPowerShellCompletionWithDesc,
	}
}

func newCompletion(e *env) *cobra.Command {
	names := slices.Sorted(maps.Keys(shells(nil)))
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a completion script for bash, zsh, fish or powershell",
		Long: `Print the script that teaches a shell the commands and flags of p2ps, and the
names of friends and groups. Packages bring these scripts along; otherwise put
it where the shell looks for it.`,
		Example: `  p2ps completion bash > ~/.local/share/bash-completion/completions/p2ps
  p2ps completion zsh  > "${fpath[1]}/_p2ps"
  p2ps completion fish > ~/.config/fish/completions/p2ps.fish`,
		Args:              arguments(1, 1, "SHELL ("+strings.Join(names, ", ")+")"),
		ValidArgsFunction: cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, known := shells(cmd.Root())[args[0]]
			if !known {
				return usage("one of "+strings.Join(names, ", "), "%sunknown shell %q", before(cmd), args[0])
			}
			var script bytes.Buffer
			if err := write(&script); err != nil {
				return fmt.Errorf("completion for %s: %w", args[0], err)
			}
			if !e.json.on {
				_, err := e.stdout.Write(script.Bytes())
				return err
			}
			return e.emit(completionLine{kind("completion"), args[0], script.String()})
		},
	}
}

// completionLine is a completion script as JSON.
type completionLine struct {
	header
	Shell  string `json:"shell"`
	Script string `json:"script"`
}
