package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

func newProfile(e *env) *cobra.Command {
	var name, note string
	cmd := &cobra.Command{
		Use:   "profile [WHO]",
		Short: "Show your profile, or change it",
		Long: `Show your profile, or change it: a name and a note about yourself. It is a post
like any other, for whom --to or the setting "to" says; each audience has one
profile of yours, and changing it changes that: one for everybody, and another
for a group. Whoever may see both is shown the one that is not public.

With WHO it shows that person's profile, of those you hold.`,
		Example: `  p2ps profile --name Alice --note 'Canals, bread, Go' --to public
  p2ps profile --name Ali --to family
  p2ps profile bob`,
		Args:              arguments(0, 1, "a friend"),
		ValidArgsFunction: e.complete(peopleNow, nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, me, err := e.identity()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return e.showProfile(cmd, h, args[0])
			}
			mine, err := h.Timeline(cmd.Context(), home.View{From: []pgp.Fingerprint{me.Fingerprint()}, Type: "Person"})
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("name") && !cmd.Flags().Changed("note") {
				return e.show(mine)
			}
			s, err := e.settings()
			if err != nil {
				return err
			}
			a, _, err := h.People().Resolve(s.To)
			if err != nil {
				return err
			}
			set := func(d *post.Draft) error {
				if cmd.Flags().Changed("name") {
					d.Set("name", name)
				}
				if cmd.Flags().Changed("note") {
					d.Set("summary", note)
				}
				if !d.Has("name") {
					d.Set("name", me.Name())
				}
				return nil
			}
			for _, en := range mine {
				if was, err := en.Post.Audience(); err == nil && slices.Equal(was.Members(), a.Members()) {
					if e.dryRun {
						return e.wouldBe(change{What: "post.edit", ID: en.Post.ID().String()}, "your profile for %s would be changed", strings.Join(en.To, ", "))
					}
					c, err := h.Edit(cmd.Context(), en.Post.ID(), set)
					if err != nil {
						return err
					}
					return e.posted(h, c.Now, "changed; it goes")
				}
			}
			d := post.NewDraft("Person")
			if err := set(d); err != nil {
				return err
			}
			return e.publishTo(cmd, h, d, a)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the `NAME` to be called by")
	cmd.Flags().StringVar(&note, "note", "", "some `WORDS` about yourself")
	addSettingFlag(cmd.Flags(), "to", "")
	completeFlag(cmd, "to", e.completeAudience)
	return cmd
}

// showProfile shows the profile of somebody else.
func (e *env) showProfile(cmd *cobra.Command, h *home.Home, who string) error {
	for _, flag := range []string{"name", "note", "to"} {
		if cmd.Flags().Changed(flag) {
			return usage("p2ps profile "+typed(who)+" shows it", "only your own profile can be changed")
		}
	}
	authors, err := e.authors(h, []string{who})
	if err != nil {
		return err
	}
	all, err := h.Timeline(cmd.Context(), home.View{From: authors, Type: "Person"})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fail(exitNotFound, "p2ps pull "+typed(who)+" fetches it, if there is one", "%w: no profile of %s", home.ErrNoPost, who)
	}
	return e.show([]home.Entry{profileOf(all)})
}

// profileOf picks the one that is shown (spec K20).
func profileOf(all []home.Entry) home.Entry {
	best := all[0]
	for _, en := range all[1:] {
		if a, b := en.Post, best.Post; a.Public() == b.Public() && a.ID().Position > b.ID().Position || b.Public() && !a.Public() {
			best = en
		}
	}
	return best
}
