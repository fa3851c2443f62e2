package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

func newAudience(e *env) *cobra.Command {
	var add, remove []string
	cmd := &cobra.Command{
		Use:   "audience ID",
		Short: "Change for whom a post of yours is",
		Long: `Change for whom a post of yours is: add people, groups, friends or public,
or remove them. It holds from now on. Whoever may not see it any more but had
pulled it puts his copy into his trash with his next pull; what he read, or
copied elsewhere, nobody can take back. You are told who may hold a copy.

Nobody learns of the change but whom it gives or takes the post: the others find
it as it was. Only making it public, or private again, is a new revision of it.`,
		Example: `  p2ps audience m4f7da --add family
  p2ps audience m4f7da --remove friends --add alice`,
		Args:              arguments(1, 1, "the id of a post of yours"),
		ValidArgsFunction: e.completePosts(home.MyPosts, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if add == nil && remove == nil {
				return usage("p2ps audience "+typed(args[0])+" --add WHO; p2ps show --readers says who may see it now", "say whom: --add or --remove")
			}
			h, target, err := e.target(cmd, args[0])
			if err != nil {
				return err
			}
			if !target.Mine {
				return fail(exitUsage, "an answer to it: p2ps reply "+short(target.Post.ID()), "%w: %s", home.ErrNotMine, target.Post.ID())
			}
			change, err := audienceChange(h, target.Post, add, remove)
			if err != nil {
				return err
			}
			r, err := h.ReaddressOf(cmd.Context(), target.Post.ID(), e.dryRun, change)
			if err != nil {
				return err
			}
			return e.readdressed(h, r, change)
		},
	}
	cmd.Flags().StringArrayVar(&add, "add", nil, "`WHO` may see it too: friends, public, a group or a friend (repeatable)")
	cmd.Flags().StringArrayVar(&remove, "remove", nil, "`WHO` may not see it any more (repeatable)")
	completeFlag(cmd, "add", e.completeAudience)
	completeFlag(cmd, "remove", e.completeAudience)
	return cmd
}

// audienceChange is what --add and --remove do to an audience. Who is to be
// removed must be named in it: somebody who sees it by a group still would.
func audienceChange(h *home.Home, p *post.Post, add, remove []string) (func(post.Audience) post.Audience, error) {
	more, _, err := h.People().Resolve(add)
	if err != nil {
		return nil, err
	}
	less, err := audienceNamed(h, p, remove)
	if err != nil {
		return nil, err
	}
	gone := less.Members()
	return func(a post.Audience) post.Audience {
		left := slices.DeleteFunc(slices.Concat(a.Members(), more.Members()), func(m string) bool { return slices.Contains(gone, m) })
		slices.Sort(left)
		b, err := post.AudienceOf(slices.Compact(left))
		if err != nil { // all of it was in an audience before
			return a
		}
		return b
	}, nil
}

// audienceNamed resolves the words of --remove. A group that is gone, or a
// person who is no friend any more, may still stand in the post.
func audienceNamed(h *home.Home, p *post.Post, words []string) (post.Audience, error) {
	a, err := p.Audience()
	if err != nil {
		return post.Audience{}, err
	}
	var out post.Audience
	for _, word := range words {
		if slices.Contains(a.Groups, word) {
			out.Groups = append(out.Groups, word)
			continue
		}
		i := slices.IndexFunc(a.Readers, func(r pgp.Fingerprint) bool {
			return len(word) >= 8 && strings.HasPrefix(string(r), strings.ToUpper(word))
		})
		if i >= 0 {
			out.Readers = append(out.Readers, a.Readers[i])
			continue
		}
		one, _, err := h.People().Resolve([]string{word})
		if err != nil {
			return post.Audience{}, err
		}
		out.Public, out.Friends = out.Public || one.Public, out.Friends || one.Friends
		out.Groups, out.Readers = append(out.Groups, one.Groups...), append(out.Readers, one.Readers...)
		for _, m := range one.Members() {
			if !slices.Contains(a.Members(), m) {
				return post.Audience{}, fail(exitNotFound, "p2ps show --readers "+short(p.ID())+" says who may see it",
					"%q is not in the audience of %s, which is %s", word, p.ID(), strings.Join(h.People().Names(a), ", "))
			}
		}
	}
	return out, nil
}

// readdressed tells what became of it, and who may hold a copy that he is not
// to see any more.
func (e *env) readdressed(h *home.Home, r home.Readdress, change func(post.Audience) post.Audience) error {
	was, err := r.Was.Audience()
	if err != nil {
		return err
	}
	is := change(was)
	if slices.Equal(was.Members(), is.Members()) {
		return e.changed(audienceChanged(r.Was.ID(), h.People().Names(was), true), "the audience of %s is that already", r.Was.ID())
	}
	if e.dryRun {
		e.tellReaders(r, was.Public && !is.Public)
		return e.wouldBe(audienceChanged(r.Was.ID(), h.People().Names(is), false), "%s would go to %s", r.Was.ID(), strings.Join(h.People().Names(is), ", "))
	}
	if err := e.posted(h, r.Now, "changed; it goes"); err != nil {
		return err
	}
	e.tellReaders(r, was.Public && !is.Public)
	return nil
}

func audienceChanged(id post.ID, to []string, already bool) change {
	return change{What: "post.audience", ID: id.String(), To: to, Already: already}
}

func (e *env) tellReaders(r home.Readdress, wasPublic bool) {
	if len(r.Added) > 0 {
		e.say("now for %s as well", namesOfAll(r.Added))
	}
	if len(r.Removed) > 0 {
		e.say("no more for %s, who may hold a copy: the next pull takes it back", namesOfAll(r.Removed))
	}
	if wasPublic {
		e.say("it was public: anybody may hold a copy, and a stranger's is not taken back")
	}
}

func namesOfAll(people []keyring.Person) string {
	var names []string
	for _, p := range people {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
