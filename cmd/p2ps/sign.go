package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

func newSign(e *env) *cobra.Command {
	var removed bool
	cmd := &cobra.Command{
		Use:   "sign [FILE...]",
		Short: "Sign what was written, edited or removed by hand",
		Long: `Sign what was done by hand to the files of your feed: a new file, an edited
post, one put back to an older text. It shows each, and for whom it is, and
signs it: from then on it counts. Until then nobody is given it, or told.

A new file needs little more than its text; to holds the words of --to, and
without it the post is yours alone:

    {"type":"Note","content":"Lunch at one","to":["family"]}

A removed file is taken back from its readers only if it is named, or with
--removed: half a feed may be missing by mistake.`,
		Example: `  p2ps sign --dry-run
  p2ps sign ~/.local/share/p2ps/feed/lunch.json
  p2ps sign --removed`,
		Args: arguments(0, -1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			pending, err := h.ByHand(cmd.Context())
			if err != nil {
				return err
			}
			if missing, rest := h.Away(pending); missing > 0 && len(args) == 0 {
				e.warn("your feed is not there: of %d posts none; see that the disk it lies on is mounted", missing)
				pending = rest // by name they can still be taken back
			}
			chosen, err := e.choose(h, pending, args, removed)
			if err != nil {
				return err
			}
			if len(chosen) == 0 {
				e.say("nothing to sign")
			}
			var failed []error
			for _, p := range chosen {
				if err := e.signOne(cmd, h, p); err != nil {
					failed = append(failed, err)
					if len(chosen) > 1 && !e.json.on {
						e.complain(exitError, err.Error(), hintOf(err))
					}
				}
			}
			if left := unnamed(pending, removed, args); left > 0 {
				e.say("%d removed by hand: p2ps sign --removed takes them back from their readers", left)
			}
			return e.partly(failed, len(chosen))
		},
	}
	cmd.Flags().BoolVar(&removed, "removed", false, "also what was removed: take it back from its readers")
	return cmd
}

// choose picks what is to be signed: what is named, or all but the removed.
func (e *env) choose(h *home.Home, pending []home.Pending, args []string, removed bool) ([]home.Pending, error) {
	var chosen []home.Pending
	if len(args) == 0 {
		for _, p := range pending {
			switch {
			case p.What == home.IsBroken:
				e.warn("%s is not signed: %s", p.Path, p.Why)
			case p.Signable() && (removed || p.What != home.WasRemoved):
				chosen = append(chosen, p)
			}
		}
		return chosen, nil
	}
	for _, arg := range args {
		p, found := named(pending, arg)
		switch {
		case found:
			chosen = append(chosen, p)
		case exists(arg) && !within(arg, h.Path("feed")):
			return nil, fail(exitNotFound, "copy it into "+h.Path("feed")+", and sign it there", "nothing to sign in %s: it is not in your feed", arg)
		case exists(arg):
			e.say("%s is signed already", arg)
		default:
			return nil, fail(exitNotFound, "p2ps status lists what there is", "nothing to sign in %s: there is no such file in your feed", arg)
		}
	}
	return chosen, nil
}

func named(pending []home.Pending, arg string) (home.Pending, bool) {
	path, err := filepath.Abs(arg)
	for _, p := range pending {
		if err == nil && samePath(p.Path, path) || p.ID != (post.ID{}) && (arg == p.ID.String() || len(arg) >= 4 && strings.HasSuffix(string(p.ID.Position), arg)) {
			return p, true
		}
	}
	return home.Pending{}, false
}

// samePath compares two paths of which one may lead through a link.
func samePath(a, b string) bool {
	if a == b {
		return true
	}
	real := func(p string) string {
		if dir, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil {
			return filepath.Join(dir, filepath.Base(p))
		}
		return p
	}
	return real(a) == real(b)
}

// within tells whether a file lies in a directory, also if a link leads there.
func within(name, dir string) bool {
	real := func(p string) string {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if target, err := filepath.EvalSymlinks(p); err == nil {
			p = target
		}
		return p
	}
	rel, err := filepath.Rel(real(dir), real(name))
	return err == nil && filepath.IsLocal(rel)
}

func unnamed(pending []home.Pending, removed bool, args []string) (n int) {
	for _, p := range pending {
		if p.What == home.WasRemoved && !removed && len(args) == 0 {
			n++
		}
	}
	return n
}

func (e *env) signOne(cmd *cobra.Command, h *home.Home, p home.Pending) error {
	d, a, err := h.TrySign(cmd.Context(), p) // what cannot be signed is not shown as if it were
	if err != nil {
		return badFile(p, err)
	}
	to := strings.Join(h.People().Names(a), ", ")
	if to == "" {
		to = "me"
	}
	e.say("%s: %s, to %s", p.What, p.Path, to)
	if words := firstLine(d); words != "" && p.What != home.WasRemoved {
		e.say("  %s", words)
	}
	if e.dryRun {
		return e.emit(change{header: kind("change"), What: "post.sign", Path: p.Path, To: strings.Split(to, ", "), DryRun: true}, p.What, p.Path, to)
	}
	signed, err := h.SignPending(cmd.Context(), p)
	if err != nil {
		return badFile(p, err)
	}
	return e.posted(h, signed, "signed; it goes")
}

// badFile says of which file a failure is.
func badFile(p home.Pending, err error) error {
	x, hint := diagnose(err)
	if strings.HasPrefix(err.Error(), p.Path) {
		return fail(x, hint, "not signed: %w", err)
	}
	return fail(x, hint, "not signed: %s: %w", p.Path, err)
}

func firstLine(d *post.Draft) string {
	for _, name := range []string{"name", "content", "summary"} {
		if s := d.Text(name); s != "" {
			line, _, _ := strings.Cut(s, "\n")
			return text.Truncate(text.Clean(line), 70)
		}
	}
	return ""
}

// partly is the end of a signing of which some parts failed. Each was told
// already, but in JSON, whose last line is all that a script reads.
func (e *env) partly(failed []error, of int) error {
	switch {
	case len(failed) == 0:
		return nil
	case of == 1:
		return failed[0]
	}
	const hint = "mend what is named above, and sign again: p2ps sign"
	if e.json.on {
		return fail(exitPartial, hint, "%d of %d were not signed: %w", len(failed), of, errors.Join(failed...))
	}
	return fail(exitPartial, hint, "%d of %d were not signed", len(failed), of)
}

func exists(name string) bool {
	_, err := readText(name)
	return err == nil || !absent(err)
}
