package main

import (
	"fmt"
	"strings"

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
	Away        []string `json:"away,omitempty"` // who could not be reached the last time
	Served      bool     `json:"served"`
	URL         string   `json:"url,omitempty"`
	Next        string   `json:"next"`
}

type problemLine struct {
	header
	Path string `json:"path"`
	Why  string `json:"why"`
	ID   string `json:"id,omitempty"`
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
			recent, err := h.Timeline(cmd.Context(), home.View{Since: e.now().AddDate(0, 0, -1)})
			if err != nil {
				return err
			}
			l := statusLineOf(s)
			for _, en := range recent {
				if !en.Mine {
					l.New++
				}
			}
			if e.json.on {
				return e.statusJSON(l, s)
			}
			return e.statusText(l, s)
		},
	}
}

func statusLineOf(s home.Status) statusLine {
	l := statusLine{header: kind("status"), Fingerprint: string(s.Me.Fingerprint()), Name: text.Clean(s.Me.Name()), Posts: s.Posts,
		Served: s.Served != "", URL: s.Served, Problems: len(s.Problems)}
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
		if p.Message != "" {
			l.Away = append(l.Away, p.Name)
		}
	}
	l.Next = next(l)
	return l
}

// next is the command that most likely comes next.
func next(l statusLine) string {
	switch {
	case l.Made+l.Changed > 0:
		return "p2ps sign"
	case l.Removed > 0:
		return "p2ps sign --removed"
	case l.Friends == 0:
		return "p2ps friend add FILE"
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
		if err := e.emit(problemLine{header: kind("problem"), Path: p.Path, Why: p.Why}); err != nil {
			return err
		}
	}
	return nil
}

func why(p home.Pending) string {
	return strings.TrimSuffix(p.What+": "+p.Why, ": ")
}

func (e *env) statusText(l statusLine, s home.Status) error {
	w := func(format string, args ...any) { _, _ = fmt.Fprintf(e.stdout, format+"\n", args...) }
	w("%s  %s", l.Name, l.Fingerprint)
	w("%d posts of yours, %d new from others in the last day", l.Posts, l.New)
	if l.Served {
		w("served at %s", text.Clean(s.Served))
	} else {
		w("not being served")
	}
	for i, p := range s.ByHand {
		if i == 0 {
			w("\nDone by hand:")
		}
		line := "  " + p.What + "\t" + text.Clean(p.Path)
		if p.Why != "" {
			line += "\t" + text.Clean(p.Why)
		}
		w("%s", line)
	}
	for i, p := range s.Problems {
		if i == 0 {
			w("\nNo keys:")
		}
		w("  %s\t%s", text.Clean(p.Path), text.Clean(p.Why))
	}
	now, told := e.now(), false
	for _, p := range s.People {
		if p.Message == "" {
			continue
		}
		if !told {
			w("\nAway:")
		}
		told = true
		w("  %s\tlast reached %s\t%s", text.Clean(p.Name), about(p.Reached, now), text.Clean(p.Message))
	}
	w("\nNext: %s", l.Next)
	return e.stdout.Flush()
}
