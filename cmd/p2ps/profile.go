package main

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// profileFlags are what may be changed of a profile.
type profileFlags struct {
	name, note, icon, alt string
	links                 []string
	noAlt, keepMetadata   bool
	noIcon, noLinks       bool
}

// profileChanges are the flags that change something; the others go with them.
func profileChanges() []string {
	return []string{"name", "note", "icon", "link", "no-icon", "no-links"}
}

func (f *profileFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.name, "name", "", "the `NAME` to be called by")
	fs.StringVar(&f.note, "note", "", "some `WORDS` about yourself")
	fs.StringVar(&f.icon, "icon", "", "your picture: a `FILE`, which is copied")
	fs.StringVar(&f.alt, "alt", "", "what is to be seen in the picture, in `WORDS`")
	fs.BoolVar(&f.noAlt, "no-alt", false, "share the picture without a description")
	fs.BoolVar(&f.keepMetadata, "keep-metadata", false, "share the picture with all that it tells of place, time and device")
	fs.BoolVar(&f.noIcon, "no-icon", false, "take the picture out")
	fs.StringArrayVar(&f.links, "link", nil, "a page of yours, as `NAME=URL` (repeatable); these replace the ones before")
	fs.BoolVar(&f.noLinks, "no-links", false, "take the links out")
	addSettingFlag(fs, "to", "")
}

func newProfile(e *env) *cobra.Command {
	var f profileFlags
	cmd := &cobra.Command{
		Use:   "profile [WHO]",
		Short: "Show your profile, or change it",
		Long: `Show your profile, or change it: a name, a note about yourself, a picture and
links. It is a post like any other, for whom --to or the setting "to" says; each
audience has one profile of yours, and changing it changes that: one for
everybody, and another for a group. Whoever may see both is shown the one that
is not public.

A picture is copied, and what it tells beside its pixels (EXIF, GPS position,
thumbnails) is left out of the copy, as p2ps post --attach does it; p2ps show
--images draws it.

With WHO it shows that person's profile, of those you hold.`,
		Example: `  p2ps profile --name Alice --note 'Canals, bread, Go' --to public
  p2ps profile --icon me.jpg --alt 'A woman in a rowing boat' --to family
  p2ps profile --link Canals=https://example.org/canals --to public
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
			links, err := f.check(cmd)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(profileChanges(), cmd.Flags().Changed) {
				return e.show(mine)
			}
			return e.changeProfile(cmd, h, me, mine, f, links)
		},
	}
	f.register(cmd)
	completeFlag(cmd, "to", e.completeAudience)
	completeFlag(cmd, "link", cobra.NoFileCompletions)
	return cmd
}

// check refuses what does not go together, and reads the links.
func (f *profileFlags) check(cmd *cobra.Command) (links []post.Link, err error) {
	switch {
	case f.icon == "" && cmd.Flags().Changed("icon"):
		return nil, usage("p2ps profile --no-icon takes it out", "--icon names no file")
	case f.icon == "" && (f.alt != "" || f.noAlt || f.keepMetadata):
		return nil, usage("name the picture with --icon FILE", "--alt, --no-alt and --keep-metadata are for the picture that --icon names")
	case f.icon != "" && f.noIcon:
		return nil, usage("give one of them", "--icon and --no-icon contradict each other")
	case len(f.links) > 0 && f.noLinks:
		return nil, usage("give one of them", "--link and --no-links contradict each other")
	case len(f.links) > post.MaxFiles:
		return nil, usage("name the most important ones", "a profile takes at most %d links", post.MaxFiles)
	}
	for _, s := range f.links {
		l, err := linkNamed(s)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// linkNamed reads NAME=URL, or a URL alone, which is named by what stands in it.
func linkNamed(s string) (post.Link, error) {
	name, url, both := strings.Cut(s, "=")
	if isWeb(s) { // its = is its own
		_, bare, _ := strings.Cut(s, "://")
		name, url, both = strings.TrimSuffix(bare, "/"), s, true
	}
	name = strings.TrimSpace(name)
	if !both || name == "" || !post.IsWebAddress(url) || !utf8.ValidString(s) || strings.ContainsRune(s, 0x7F) {
		return post.Link{}, usage("write it as Canals=https://example.org/canals", "--link %q is not NAME=URL with an http or https address", text.Clean(s))
	}
	return post.Link{Name: name, URL: url}, nil
}

// changeProfile changes the profile that is for whom it is said, or makes one.
func (e *env) changeProfile(cmd *cobra.Command, h *home.Home, me *pgp.Certificate, mine []home.Entry, f profileFlags, links []post.Link) error {
	s, err := e.settings()
	if err != nil {
		return err
	}
	a, _, err := h.People().Resolve(s.To)
	if err != nil {
		return err
	}
	icon, err := e.iconOf(h, f)
	if err != nil {
		return err
	}
	set := func(d *post.Draft) error { return f.set(cmd, d, me.Name(), icon, links) }
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
}

// iconOf copies the picture beside the posts; nil if there is none, or it is only
// tried.
func (e *env) iconOf(h *home.Home, f profileFlags) (*post.File, error) {
	if f.icon == "" {
		return nil, nil
	}
	a := attachments{files: []string{f.icon}, noAlt: f.noAlt, keepMetadata: f.keepMetadata}
	if f.alt != "" {
		a.alts = []string{f.alt}
	}
	list, err := e.look(a)
	defer func() { closeAll(list) }()
	if err != nil {
		return nil, err
	}
	if list[0].Kind != "Image" {
		return nil, fail(exitUsage, "name a JPEG, PNG, WebP or GIF", "%s is no picture, but %s", text.Clean(f.icon), list[0].MediaType)
	}
	files, err := e.copyFiles(h, list, f.keepMetadata)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	return &files[0], nil
}

// set puts into a draft what the flags say.
func (f *profileFlags) set(cmd *cobra.Command, d *post.Draft, myName string, icon *post.File, links []post.Link) error {
	if cmd.Flags().Changed("name") {
		d.Set("name", f.name)
	}
	if !d.Has("name") {
		d.Set("name", myName)
	}
	if cmd.Flags().Changed("note") {
		d.Set("summary", f.note)
	}
	if f.noIcon {
		d.Remove("icon")
	}
	if icon != nil {
		if err := d.SetIcon(*icon); err != nil {
			return err
		}
	}
	if len(links) > 0 || f.noLinks {
		return d.SetLinks(links)
	}
	return nil
}

// showProfile shows the profile of somebody else.
func (e *env) showProfile(cmd *cobra.Command, h *home.Home, who string) error {
	for _, flag := range append(profileChanges(), "alt", "no-alt", "keep-metadata", "to") {
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
