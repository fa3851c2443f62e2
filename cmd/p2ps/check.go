package main

import (
	"fmt"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newCheck(e *env) *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Verify every file, signature and attachment, and the index",
		Long: `Verify the whole home: keys and who may read them, friends, groups and blocks,
every post with its signature, earlier texts and the trash, attachments by their
hash, and the index against the files. Each damage is named, with what to do
about it. Nothing is changed, but for the index with --repair.

It ends with 0 if all is well; with 7 if a signature, a hash or a fingerprint is
not what it must be; with 6 for any other damage. A post of yours that no longer
fits its signature is among the others: p2ps cannot tell an edit, which waits
for p2ps sign, from a damage. What was made by hand and never signed is no
damage, and the index may be behind the files.`,
		Example: `  p2ps check
  p2ps check --json | jq -r .path
  p2ps check --repair          # and make a damaged index anew`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := e.home()
			if err != nil {
				return err
			}
			var n atomic.Int64
			shown := e.progress("checking")
			damages, seen, err := h.Check(cmd.Context(), func() { shown.at(int(n.Add(1))) })
			shown.end()
			if err != nil {
				return err
			}
			if repair {
				if damages, err = e.repairIndex(cmd, h, damages); err != nil {
					return err
				}
			}
			return e.checked(damages, seen)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "make the index anew if it is damaged")
	return cmd
}

// repairIndex makes a damaged index anew, and returns what is left.
func (e *env) repairIndex(cmd *cobra.Command, h *home.Home, damages []home.Damage) (left []home.Damage, err error) {
	for _, d := range damages {
		if !d.Index {
			left = append(left, d)
		}
	}
	if len(left) == len(damages) || e.dryRun {
		return damages, nil
	}
	if err := h.Remake(cmd.Context()); err != nil {
		return nil, err
	}
	e.say("the index was damaged and is made anew")
	return left, nil
}

// checked tells what was found.
func (e *env) checked(damages []home.Damage, seen home.Checked) error {
	untrusted := false
	for _, d := range damages {
		untrusted = untrusted || d.Untrusted
		line := problemLine{header: kind("problem"), Path: d.Path, Why: text.Clean(d.Why), Do: text.Clean(d.Do), Untrusted: d.Untrusted}
		if d.ID != (post.ID{}) {
			line.ID = d.ID.String()
		}
		if err := e.emit(line, d.Path, d.Why, d.Do); err != nil {
			return err
		}
	}
	looked := fmt.Sprintf("looked at %d posts, %d keys, %d attachments", seen.Posts, seen.Keys, seen.Attachments)
	switch {
	case len(damages) == 0:
		e.say("%s: all is well", looked)
		return nil
	case untrusted:
		return fail(exitUntrusted, "each line says what helps", "%s: %d damaged, among them what is not signed as it must be", looked, len(damages))
	}
	return fail(exitPartial, "each line says what helps", "%s: %d damaged", looked, len(damages))
}
