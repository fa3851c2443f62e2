package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// pullLine is how the pull from one person went, as JSON.
type pullLine struct {
	header
	Friend     string `json:"friend"`
	Name       string `json:"name"`
	OK         bool   `json:"ok"`
	New        int    `json:"new"`
	Changed    int    `json:"changed"`
	Withdrawn  int    `json:"withdrawn"`
	Unoffered  int    `json:"unoffered"`
	Refused    int    `json:"refused,omitzero"`
	Requests   int    `json:"requests"`
	Bytes      int64  `json:"bytes"`
	Complete   bool   `json:"complete"`
	Count      int    `json:"count"`
	Files      int    `json:"files,omitzero"`   // that came
	Waiting    int    `json:"waiting,omitzero"` // that could not be had, or are too great
	Given      int    `json:"given,omitzero"`   // posts, to him who asked back
	GivenFiles int    `json:"given_files,omitzero"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message,omitempty"`
}

// goneLine tells of a post that was taken back.
type goneLine struct {
	header
	ID     string `json:"id"`
	Author string `json:"author"`
}

func newPull(e *env) *cobra.Command {
	var full, exitCode, watch bool
	cmd := &cobra.Command{
		Use:   "pull [WHO...]",
		Short: "Fetch new posts from friends",
		Long: `Fetch what is new from friends and followed feeds, or from those named: new
posts, edits, and what was taken back. Each post is verified before it is kept.
In the end both sides compare a digest of everything, and what is missing or
different is mended; "complete" says that they agree.

The files that posts name come after the posts, in parts that are verified one
by one; what is broken off goes on with the next pull. None comes with
--no-media, and none over --max-bytes: p2ps save fetches them later.

A friend who cannot reach you asks back for what you have for him, posts and
files, and is given it by the same pull; "given" says how much.

A friend who is at none of his addresses is looked for on the local network (see
p2ps nearby); what is not signed by him is refused there as anywhere. One who is
away is no failure, unless he is named.

With --json each post is a line as soon as it is kept, each friend one at his
end.

With --watch it goes on until it is interrupted: each friend has a question
waiting with him, and what he writes is here at once. Feeds that are followed
are looked at each minute; who is away is tried again, at last every five. Who
cannot reach you has what you write within half a minute.`,
		Example: `  p2ps pull -q                 # from cron: silent if fine, never two at once
  p2ps pull alice --json | jq 'select(.kind=="pull").new'
  p2ps pull --watch            # beside p2ps timeline --follow`,
		Args:              arguments(0, -1, ""),
		ValidArgsFunction: e.complete(peopleNow),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := &puller{e: e, named: len(args) > 0, exitCode: exitCode, watch: watch}
			if watch && exitCode {
				return usage("leave out one of them", "--exit-code tells of the end, and --watch has none")
			}
			err := p.run(cmd.Context(), args, full)
			if x, _ := diagnose(err); err != nil && e.quiet && !e.json.on && (x == exitTemporary || x == exitBusy) {
				return silently(err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "walk again from the beginning")
	cmd.Flags().BoolVar(&watch, "watch", false, "go on, and fetch each post as it is written")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 8 if nothing was new")
	addSettingFlag(cmd.Flags(), "no-media", "")
	addSettingFlag(cmd.Flags(), "max-bytes", "")
	addSettingFlag(cmd.Flags(), "jobs", "")
	return cmd
}

// A puller tells of a pull as it goes, and at its end.
type puller struct {
	e        *env
	named    bool
	exitCode bool
	watch    bool
	stop     context.CancelCauseFunc    // with watch
	away     map[pgp.Fingerprint]string // with watch: who failed last time, and how
	news     int
	asked    int
	failed   []error
	bar      *progress
	write    error // of the output
}

func (p *puller) run(ctx context.Context, args []string, full bool) error {
	h, _, err := p.e.identity()
	if err != nil {
		return err
	}
	s, err := p.e.settings()
	if err != nil {
		return err
	}
	people, err := findAll(h, args)
	if err != nil {
		return err
	}
	if p.e.dryRun {
		return p.wouldAsk(h, people)
	}
	opt := s.pulling()
	opt.Full = full
	pull := h.Pull
	if p.watch {
		pull, p.away = h.PullOn, map[pgp.Fingerprint]string{}
		ctx, p.stop = context.WithCancelCause(ctx)
		defer p.stop(nil)
	}
	p.bar = &progress{}
	if !p.watch { // which has no end that it could come near
		p.bar = p.e.progress("pulling")
	}
	err = pull(ctx, people, opt, func(ev home.Event) { p.tell(h, ev) })
	p.bar.end()
	switch {
	case err != nil:
		return err
	case p.write != nil:
		return p.write
	case p.asked == 0:
		p.e.say("there is nobody to pull from: p2ps friend add")
	}
	if err := p.verdict(); err != nil {
		return err
	}
	if p.exitCode && p.news == 0 {
		err := fail(exitNothingNew, "", "nothing new")
		if p.e.json.on {
			return err
		}
		return silently(err) // the code says it all
	}
	return nil
}

// wouldAsk tells who would be asked, and where.
func (p *puller) wouldAsk(h *home.Home, people []keyring.Person) error {
	if people == nil {
		known, err := h.People().Known()
		if err != nil {
			return err
		}
		people = slices.DeleteFunc(known, func(p keyring.Person) bool { return p.Blocked })
	}
	if len(people) == 0 {
		p.e.say("there is nobody to pull from: p2ps friend add")
	}
	for _, who := range people {
		at := strings.Join(who.Addresses, ", ")
		if at == "" {
			at = "no address: none is known"
		}
		if err := p.e.wouldBe(change{What: "pull", Who: string(who.Fingerprint), Name: who.Name}, "%s would be asked at %s", who.Name, at); err != nil {
			return err
		}
	}
	return nil
}

func findAll(h *home.Home, names []string) ([]keyring.Person, error) {
	var people []keyring.Person
	for _, name := range names {
		p, err := h.People().Find(name)
		if err != nil {
			return nil, err
		}
		if p.Blocked {
			return nil, fail(exitUsage, "p2ps block remove "+p.Name, "%s is blocked", p.Name)
		}
		people = append(people, p)
	}
	return people, nil
}

func (p *puller) tell(h *home.Home, ev home.Event) {
	note := func(err error) { p.write = cmp.Or(p.write, err) }
	switch {
	case ev.Post != nil:
		p.bar.step()
		if p.e.json.on {
			note(p.e.line(lineOf(home.Entry{Post: ev.Post, Name: ev.Person.Name, Trust: ev.Person.Trust, Received: p.e.now(), Path: ev.Path}), nil))
		}
	case ev.Gone != nil:
		if p.e.json.on {
			note(p.e.emit(goneLine{kind("gone"), ev.Gone.String(), string(ev.Gone.Author)}))
		}
	case ev.File != nil:
		if p.e.json.on {
			note(p.e.emit(fileLineOf(ev.File.Post, ev.File.File, ev.File.Path)))
		}
	case ev.Pulled != nil && !p.knows(*ev.Pulled):
		note(p.over(*ev.Pulled))
	}
	if ev.More {
		return
	}
	if note(p.e.stdout.Flush()); p.write != nil && p.watch {
		p.stop(p.write)
	}
}

// knows tells whether a pull of many from one person came to nothing that was
// not told before.
func (p *puller) knows(done home.Pulled) bool {
	if !p.watch {
		return false
	}
	how := "fine"
	if done.Err != nil {
		how = done.Err.Error()
	}
	before, again := p.away[done.Person.Fingerprint]
	p.away[done.Person.Fingerprint] = how
	return again && how == before && done.Tally == home.Tally{} && done.Files == 0 && done.Given == home.Given{}
}

func (p *puller) over(done home.Pulled) error {
	p.asked++
	p.news += done.New + done.Changed + done.Withdrawn
	l := pullLine{kind("pull"), string(done.Person.Fingerprint), done.Person.Name, done.Err == nil, done.New, done.Changed, done.Withdrawn,
		done.Unoffered, done.Refused, done.Requests, done.Bytes, done.Complete, done.Count, done.Files, done.Waiting,
		done.Given.Posts, done.Given.Files, "", ""}
	if done.Err != nil {
		x, _ := diagnose(done.Err)
		l.Code, l.Message = x.name(), text.Clean(inOneLine(done.Err.Error()))
		p.failed = append(p.failed, failedWith(done.Person.Name, done.Err))
		if !p.e.json.on && (p.named || x != exitTemporary) && len(p.failed) > 0 && !(p.e.quiet && x == exitTemporary) {
			p.bar.clear()
			p.e.complain(x, inOneLine(p.failed[len(p.failed)-1].Error()), hintOf(p.failed[len(p.failed)-1]))
		} else if !p.e.json.on && !p.e.quiet && !errors.Is(done.Err, home.ErrNoAddress) {
			p.bar.clear()
			p.e.say("%s is away", done.Person.Name)
		}
	}
	if p.e.json.on {
		return p.e.emit(l)
	}
	if p.e.quiet || done.Err != nil && done.New+done.Changed+done.Withdrawn == 0 {
		return nil
	}
	p.bar.clear()
	columns := []string{done.Person.Name, fmt.Sprintf("%d new", done.New)}
	for _, more := range []struct {
		n    int
		what string
	}{{done.Changed, "changed"}, {done.Withdrawn, "withdrawn"}, {done.Unoffered, "no longer offered"}, {done.Refused, "refused"}} {
		if more.n > 0 {
			columns = append(columns, fmt.Sprintf("%d %s", more.n, more.what))
		}
	}
	if done.Files > 0 {
		columns = append(columns, counted(done.Files, "file"))
	}
	if done.Waiting > 0 {
		columns = append(columns, counted(done.Waiting, "file")+" not here")
	}
	if done.Given.Posts > 0 {
		columns = append(columns, fmt.Sprintf("%d given", done.Given.Posts))
	}
	if done.Given.Files > 0 {
		columns = append(columns, counted(done.Given.Files, "file")+" given")
	}
	if done.Err == nil && !done.Complete {
		columns = append(columns, "not complete: pull again")
	}
	return p.e.emit(nil, columns...)
}

func failedWith(name string, err error) error {
	x, hint := diagnose(err)
	if errors.Is(err, home.ErrNoAddress) {
		hint = "p2ps friend address " + typed(name) + " URL says where"
	}
	if x == exitTemporary {
		return fail(x, hint, "cannot reach %s: %w", name, err)
	}
	return fail(x, hint, "%s: %w", name, err)
}

// verdict is what a script learns: 7 if anybody is untrusted, else 6 if some
// failed for a reason other than being away, else 5 if somebody named was. If
// all failed for one reason of our own, such as a full disk, it is that.
func (p *puller) verdict() error {
	worst, away := exitOK, 0
	for _, err := range p.failed {
		switch x, _ := diagnose(err); x {
		case exitTemporary:
			away++
		case exitUntrusted:
			worst = exitUntrusted
		default:
			if worst == exitOK {
				worst = exitPartial
			}
		}
	}
	switch {
	case worst == exitOK && (away == 0 || !p.named):
		return nil
	case worst == exitOK:
		worst = exitTemporary
	case worst == exitPartial && len(p.failed) == p.asked && away == 0:
		worst, _ = diagnose(p.failed[0])
	}
	err := p.sumUp(worst)
	if p.e.json.on {
		return err
	}
	return silently(err) // each was told when it happened
}

// sumUp is the failure of the whole: what made it one stands first, and says what
// to do next; who is away, and was not named, is no part of it.
func (p *puller) sumUp(worst exit) error {
	var first, rest []string
	hint := ""
	for _, err := range p.failed {
		x, next := diagnose(err)
		switch {
		case x == exitTemporary && !p.named:
		case x == worst || worst == exitPartial && x != exitTemporary:
			if first == nil {
				hint = next
			}
			first = append(first, inOneLine(err.Error()))
		default:
			rest = append(rest, inOneLine(err.Error()))
		}
	}
	return fail(worst, hint, "%s", strings.Join(append(first, rest...), "\n"))
}
