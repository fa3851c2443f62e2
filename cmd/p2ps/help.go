package main

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"
)

func newHelp(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND... | TOPIC]",
		Short: "Explain a command or a topic",
		Long: `Explain a command, as --help does, or one of these topics:

` + topicList(),
		Example: `  p2ps help config set
  p2ps help exit-codes`,
		Args: arguments(0, -1, ""),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			found, rest := descend(cmd.Root(), args)
			if len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			words := childNames(found)
			if len(args) == 0 {
				words = append(words, topicNames()...)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := explain(cmd.Root(), args)
			if err != nil {
				return err
			}
			if err := e.page(); err != nil {
				return err
			}
			return e.explained(strings.Join(args, " "), text)
		},
	}
}

// explained prints an explanation, as text or as a line of JSON. topic is the
// command or topic, "" for p2ps itself.
func (e *env) explained(topic, text string) error {
	if !e.json.on {
		_, err := e.stdout.Write([]byte(text))
		return err
	}
	return e.emit(helpLine{kind("help"), topic, text})
}

// helpLine is an explanation as JSON.
type helpLine struct {
	header
	Topic string `json:"topic,omitempty"`
	Text  string `json:"text"`
}

// explainFlag is what --help does, and p2ps alone.
func (e *env) explainFlag(cmd *cobra.Command, _ []string) {
	if e.unfit = e.checkFields("help"); e.unfit != nil {
		return // cobra takes no error from here: execute looks for it
	}
	path := strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
	_ = e.explained(path, helpOf(cmd)) // the first failed write is remembered
}

// helpOf is the help of a command.
func helpOf(cmd *cobra.Command) string {
	var b bytes.Buffer
	out := cmd.OutOrStdout()
	cmd.SetOut(&b)
	defer cmd.SetOut(out)
	cmd.InitDefaultHelpFlag()
	(&cobra.Command{}).HelpFunc()(cmd, nil) // cobra's own
	return b.String()
}

// explain returns the help of a command or the text of a topic.
func explain(root *cobra.Command, words []string) (string, error) {
	if len(words) == 1 {
		for _, t := range topics() {
			if t.name == words[0] {
				return t.text(), nil
			}
		}
	}
	cmd, rest := descend(root, words)
	if len(rest) > 0 {
		hint := "see p2ps help"
		known := childNames(cmd)
		if cmd == root {
			known = append(known, topicNames()...)
		}
		if close := nearest(rest[0], known); close != "" {
			hint = "did you mean " + strings.TrimPrefix(cmd.CommandPath()+" help ", "p2ps ") + close + "? " + hint
		}
		return "", usage(hint, "there is no command or topic %q", strings.Join(words, " "))
	}
	return helpOf(cmd), nil
}

// descend follows words from cmd as far as they are commands.
func descend(cmd *cobra.Command, words []string) (found *cobra.Command, rest []string) {
	for len(words) > 0 {
		child := childNamed(cmd, words[0])
		if child == nil {
			break
		}
		cmd, words = child, words[1:]
	}
	return cmd, words
}
