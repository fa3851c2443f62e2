package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// statusLine is how things stand, as JSON. A line of kind problem follows for
// each file that needs a look.
type statusLine struct {
	header
	Fingerprint string   `json:"fingerprint"`
	Name        string   `json:"name"`
	Posts       int      `json:"posts"`
	New         int      `json:"new"`
	Made        int      `json:"made"`
	Changed     int      `json:"changed"`
	Removed     int      `json:"removed"`
	Problems    int      `json:"problems"`
	Friends     int      `json:"friends"`
	Away        []string `json:"away,omitempty"`    // who could not be reached the last time
	Missing     int      `json:"missing,omitempty"` // posts of mine that are not there, since the whole feed is not
	Requests    int      `json:"requests,omitzero"` // strangers who asked to be friends
	Invites     int      `json:"invites,omitzero"`  // that somebody can still come with
	Served      bool     `json:"served"`
	URL         string   `json:"url,omitempty"`
	Next        string   `json:"next"`
}

type problemLine struct {
	header
	Path      string `json:"path"`
	Why       string `json:"why"`
	Do        string `json:"do,omitempty"` // what helps
	ID        string `json:"id,omitempty"`
	Untrusted bool   `json:"untrusted,omitempty"` // a signature, hash or fingerprint does not match
}

func newStatus(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how things stand: what is new, unsigned, broken, who is away",
		Long: `Show how things stand: who you are, what arrived in the last day, what was made,
changed or removed by hand and is not signed, what is broken, who could not be
reached, whether you are being served, and what to do next. Every file of your
feed is looked at; nobody is asked.`,
		Example: `  p2ps status
  p2ps status --json | jq -r 'select(.kind=="problem") | .path'`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, _, err := e.identity()
			if err != nil {
				return err
			}
			s, err := h.Status(cmd.Context())
			if err != nil {
				return err
			}
			met, err := e.meetings(h)
			if err != nil {
				return err
			}
			l := statusLineOf(s, met)
			if e.json.on {
				return e.statusJSON(l, s)
			}
			met.show(e)
			return e.statusText(l, s)
		},
	}
}

func statusLineOf(s home.Status, met meetings) statusLine {
	l := statusLine{header: kind("status"), Fingerprint: string(s.Me.Fingerprint()), Name: text.Clean(s.Me.Name()), Posts: s.Posts, New: s.New,
		Served: s.Served != "", URL: s.Served, Problems: len(s.Problems), Missing: s.Away, Requests: len(met.requests), Invites: met.open}
	for _, p := range s.ByHand {
		switch p.What {
		case home.WasMade, home.WasMoved:
			l.Made++
		case home.WasChanged, home.WasPutBack:
			l.Changed++
		case home.WasRemoved:
			l.Removed++
		default:
			l.Problems++
		}
	}
	for _, p := range s.People {
		l.Friends++
		if p.IsAway() {
			l.Away = append(l.Away, p.Name)
		}
	}
	l.Next = next(l)
	return l
}

// next is the command that most likely comes next.
func next(l statusLine) string {
	switch {
	case l.Requests > 0:
		return "p2ps friend requests"
	case l.Missing > 0:
		return "p2ps check"
	case l.Made+l.Changed > 0:
		return "p2ps sign"
	case l.Removed > 0:
		return "p2ps sign --removed"
	case l.Friends == 0:
		return "p2ps invite"
	case l.Posts == 0:
		return "p2ps post"
	case !l.Served:
		return "p2ps serve"
	}
	return "p2ps pull"
}

func (e *env) statusJSON(l statusLine, s home.Status) error {
	if err := e.emit(l); err != nil {
		return err
	}
	for _, p := range s.ByHand {
		if p.Signable() {
			continue
		}
		line := problemLine{header: kind("problem"), Path: p.Path, Why: why(p)}
		if p.ID != (post.ID{}) {
			line.ID = p.ID.String()
		}
		if err := e.emit(line); err != nil {
			return err
		}
	}
	for _, p := range s.Problems {
		if err := e.emit(problemLine{header: kind("problem"), Path: p.Path, Why: inOneLine(p.Why)}); err != nil {
			return err
		}
	}
	return nil
}

func why(p home.Pending) string {
	return strings.TrimSuffix(p.What+": "+inOneLine(p.Why), ": ")
}

func (e *env) statusText(l statusLine, s home.Status) error {
	w := func(format string, args ...any) { _, _ = fmt.Fprintf(e.stdout, format+"\n", args...) }
	w("%s  %s", l.Name, l.Fingerprint)
	if l.Missing > 0 {
		w("your feed is not there: of %s none; is the disk it lies on mounted?", counted(l.Missing, "post"))
	}
	w("%s of yours, %d new from others in the last day", counted(l.Posts, "post"), l.New)
	if l.Served {
		w("served at %s", text.Clean(s.Served))
	} else {
		w("not being served")
	}
	var byHand, noKeys [][]string
	for _, p := range s.ByHand {
		byHand = append(byHand, []string{p.What, p.Path, inOneLine(p.Why)})
	}
	for _, p := range s.Problems {
		noKeys = append(noKeys, []string{p.Path, inOneLine(p.Why)})
	}
	e.section("Done by hand:", byHand, e.out)
	e.section("No keys:", noKeys, e.out)
	now, away := e.now(), [][]string(nil)
	for _, p := range s.People {
		if !p.IsAway() {
			continue
		}
		away = append(away, []string{p.Name, whenReached(p.Reached, now), inOneLine(p.Message)})
	}
	e.section("Away:", away, true)
	w("\nNext: %s", l.Next)
	return e.stdout.Flush()
}

// section writes rows below a title, in columns, or with tabs between them.
func (e *env) section(title string, rows [][]string, straight bool) {
	if len(rows) == 0 {
		return
	}
	text := aligned(rows)
	if !straight {
		var lines []string
		for _, row := range rows {
			lines = append(lines, "  "+strings.TrimRight(strings.Join(cleaned(row), "\t"), "\t"))
		}
		text = strings.Join(lines, "\n")
	}
	_, _ = fmt.Fprintf(e.stdout, "\n%s\n%s\n", title, text) // the first failed write is remembered
}

// whenReached says when somebody was reached.
func whenReached(at, now time.Time) string {
	switch ago := text.Ago(at, now); {
	case at.IsZero():
		return "never reached"
	case ago == "now":
		return "reached just now"
	default:
		return "last reached " + ago + " ago"
	}
}

// aligned draws rows in columns, each as wide as its widest, for a person.
func aligned(rows [][]string) string {
	var wide []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], text.Width(text.Clean(cell)))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		line := " "
		for i, cell := range row {
			cell = text.Clean(cell)
			line += " " + cell + strings.Repeat(" ", wide[i]-text.Width(cell)+1)
		}
		b.WriteString(strings.TrimRight(line, " "))
	}
	return b.String()
}
