package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newQuestion(e *env) *cobra.Command {
	var (
		t             texts
		options       []string
		several       bool
		closes        string
		expires, lang string
	)
	cmd := &cobra.Command{
		Use:   "question",
		Short: "Ask a question with options to choose from",
		Long: `Ask a question with options to choose from: two or more of them, each an
--option. The question itself is the text, given as for post, and it goes to
whom --to or the setting "to" says. p2ps vote answers it; the answers come to
you, and p2ps show says how it stands. Each person has one voice, the last.`,
		Example: `  p2ps question -m 'Where do we eat?' --option 'at ours' --option 'in town' --closes 2d --to family
  p2ps question -m 'What do you bring?' --option bread --option cheese --option wine --any`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOptions(options); err != nil {
				return err
			}
			s, err := e.text(cmd.Context(), t, "")
			if err != nil {
				return err
			}
			d := post.NewDraft("Question")
			setText(d, s, "text/plain")
			list := "oneOf"
			if several {
				list = "anyOf"
			}
			d.SetValue(list, post.OptionsValue(options))
			if err := e.setFuture(d, "endTime", "--closes", closes); err != nil {
				return err
			}
			if err := e.setExpires(d, expires); err != nil {
				return err
			}
			if err := setLang(d, lang); err != nil {
				return err
			}
			settings, err := e.settings()
			if err != nil {
				return err
			}
			return e.publish(cmd, d, settings.To)
		},
	}
	t.register(cmd.Flags())
	fs := cmd.Flags()
	fs.StringArrayVar(&options, "option", nil, "`WORDS` that may be chosen (repeatable, two or more)")
	fs.BoolVar(&several, "any", false, "any number of them may be chosen, not only one")
	fs.StringVar(&closes, "closes", "", "count no answer after `TIME` from now (2d), or a date or time")
	fs.StringVar(&expires, "expires", "", "no longer give or show it after `TIME` from now (2w), or at a date")
	registerLang(fs, &lang)
	addSettingFlag(fs, "to", "")
	completeFlag(cmd, "to", e.completeAudience)
	for _, flag := range []string{"option", "closes", "expires", "lang"} {
		completeFlag(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

// checkOptions says in words what the specification demands of them (K15).
func checkOptions(options []string) error {
	const hint = "p2ps question -m 'Where do we eat?' --option 'at ours' --option 'in town'"
	if len(options) < 2 || len(options) > 20 {
		return usage(hint, "a question has 2 to 20 options, and not %d", len(options))
	}
	for i, o := range options {
		switch {
		case strings.TrimSpace(o) == "" || len([]rune(o)) > 200:
			return usage(hint, "an option has 1 to 200 letters")
		case slices.Contains(options[:i], o):
			return usage(hint, "the option %q is there twice", text.Clean(o))
		}
	}
	return nil
}

func newVote(e *env) *cobra.Command {
	var to []string
	cmd := &cobra.Command{
		Use:   "vote ID OPTION...",
		Short: "Answer a question by choosing among its options",
		Long: `Answer a question by choosing among its options, each by its words or by its
number in the list. The answer goes to whoever asked, and to everybody if the
question is public; --to replaces it. Answer again to change your mind: the last
one counts, until the question closes.`,
		Example: `  p2ps vote m4f7da 'at ours'
  p2ps vote m4f7da 2`,
		Args:              arguments(2, -1, "the id of a question, and what you choose"),
		ValidArgsFunction: e.completePosts(home.AnyPost, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			choices, err := chosen(target.Post, args[1:])
			if err != nil {
				return err
			}
			if closes, ok := target.Post.Ends(); ok && e.now().After(closes.Time) {
				return fail(exitError, "an answer in words: p2ps reply "+short(target.Post.ID()), "the question %s is closed since %s", target.Post.ID(), post.FormatTime(closes.Time))
			}
			d := post.NewDraft("Note")
			setText(d, strings.Join(choices, ", "), "text/plain")
			d.Set("inReplyTo", target.Post.ID().String())
			d.Set("context", threadOf(target.Post))
			d.SetTexts("choices", choices)
			return e.answer(cmd, h, d, target, to)
		},
	}
	e.addTo(cmd, &to, "who asked")
	return cmd
}

// chosen finds the options that words or numbers name.
func chosen(p *post.Post, args []string) ([]string, error) {
	names, several := p.Options()
	if names == nil {
		return nil, usage("an answer in words: p2ps reply "+short(p.ID()), "%s is %s, not a question", p.ID(), withArticle(p.Type()))
	}
	var choices []string
	for _, arg := range args {
		i := optionNamed(names, arg)
		if i < 0 {
			return nil, usage("the options are: "+text.Clean(strings.Join(names, ", ")), "%q is none of the options", text.Clean(arg))
		}
		if !slices.Contains(choices, names[i]) {
			choices = append(choices, names[i])
		}
	}
	if len(choices) > 1 && !several {
		return nil, usage("choose one of: "+text.Clean(strings.Join(names, ", ")), "only one of the options may be chosen")
	}
	return choices, nil
}

// optionNamed is the index of an option by its words, in any case if that is
// clear, or by its number; -1 if it is none.
func optionNamed(names []string, arg string) int {
	if i := slices.Index(names, arg); i >= 0 {
		return i
	}
	found := -1
	for i, name := range names {
		if strings.EqualFold(name, arg) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	if found < 0 {
		for i := range names {
			if arg == strconv.Itoa(i+1) {
				return i
			}
		}
	}
	return found
}
