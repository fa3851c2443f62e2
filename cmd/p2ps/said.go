package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// said is what a post says, whole and in words: whatever its type is, known
// here or not. It is not clean yet.
func said(p *post.Post) string { return saidIn(p, nil) }

// inBrief is what a post says, in one clean line.
func inBrief(p *post.Post) string { return text.Clean(said(p)) }

// saidIn is said, with times where the reader is beside those of the event.
func saidIn(p *post.Post, here *time.Location) string {
	var w sayings
	if reply := p.InReplyTo(); reply != "" && p.Type() != "Like" {
		w.add("(to " + ending(reply) + ")")
	}
	does := deedOf(p)
	switch p.Type() {
	case "Like":
		w.add(strings.TrimSpace("likes " + ending(p.About()) + " " + p.Content()))
		return w.String()
	case "Announce":
		w.add("repeats " + ending(p.About()))
		if original, _ := p.Original(nil); original != nil {
			w.add(saidIn(original, here))
		}
		return w.String()
	case "Tombstone":
		return "deleted"
	case "Accept", "TentativeAccept", "Reject":
		w.add(does + ": " + ending(p.About()))
	case "Event":
		w.add(p.Name())
		w.add(when(p, here))
		w.add(where("at ", p))
	case "Arrive", "Listen", "Read", "View", "Travel", "Activity":
		w.add(does)
		w.add(when(p, here))
		if p.Type() != "Arrive" {
			w.add(where("at ", p))
		}
	default:
		w.add(p.Name())
	}
	if s := p.Summary(); s != does {
		w.add(s)
	}
	if choices := p.Choices(); choices != nil && p.Content() == strings.Join(choices, ", ") {
		w.add("chooses " + p.Content())
	} else {
		w.add(content(p))
	}
	if p.Type() == "Question" {
		w.question(p, here)
	}
	w.add(p.URL())
	if p.Type() == "Note" || p.Type() == "Article" || p.Type() == "Page" {
		w.add(where("at ", p))
	}
	for _, l := range p.Links() {
		w.add(strings.ReplaceAll(l.Name, "\n", " ") + ": " + l.URL)
	}
	w = append(w, fileWords(p)...)
	if len(w) == 0 {
		w.add("(" + p.Type() + ")")
	}
	return w.String()
}

// sayings are lines of which none is empty.
type sayings []string

func (w *sayings) add(s string) {
	if s != "" {
		*w = append(*w, s)
	}
}

func (w *sayings) String() string { return strings.Join(*w, "\n") }

// question adds what may be chosen, and until when.
func (w *sayings) question(p *post.Post, here *time.Location) {
	names, several := p.Options()
	how := "one of:"
	if several {
		how = "any of:"
	}
	w.add(how)
	for _, name := range names {
		w.add("- " + strings.ReplaceAll(name, "\n", " "))
	}
	if closes, ok := p.Ends(); ok {
		w.add("until " + clock(closes.Time, zoneOf(p), "", here))
	}
}

// content is the text of a post: HTML only if it says so (spec K1), and then
// without its marks. Markdown is readable as it is.
func content(p *post.Post) string {
	kind, _, _ := strings.Cut(p.MediaType(), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "text/html", "application/xhtml+xml":
		return text.FromHTML(p.Content())
	}
	return p.Content()
}

// deedOf is what the author of an activity does, in words that stand without
// him.
func deedOf(p *post.Post) string {
	thing, url := p.Thing()
	if thing == "" {
		thing = url
	} else if url != "" {
		thing += " " + url
	}
	place, _ := p.Where()
	from, _ := p.Origin()
	to, _ := p.Target()
	return deed(p.Type(), p.Name(), thing, placeWords(place), placeWords(from), placeWords(to))
}

// deed is deedOf from its parts. What has no text says it in its summary, for
// programs that do not know the type (spec K13).
func deed(kind, name, thing, place, from, to string) string {
	with := func(verb, object string) string { return strings.TrimSpace(verb + " " + object) }
	switch kind {
	case "Arrive":
		return with("is at", place)
	case "Accept":
		return "comes"
	case "TentativeAccept":
		return "may come"
	case "Reject":
		return "does not come"
	case "Listen":
		return with("listens to", thing)
	case "Read":
		return with("reads", thing)
	case "View":
		return with("watches", thing)
	case "Travel":
		out := "travels"
		if from != "" {
			out += " from " + from
		}
		if to != "" {
			out += " to " + to
		}
		return with(out, thing)
	case "Activity":
		if name == "" {
			name = "does something"
		}
		return with(name, thing)
	}
	return ""
}

// where is the place of a post after a word, "" if it has none.
func where(word string, p *post.Post) string {
	place, ok := p.Where()
	if !ok {
		return ""
	}
	return word + placeWords(place)
}

func placeWords(p post.Place) string {
	if !p.Located {
		return p.Name
	}
	point := strconv.FormatFloat(p.Latitude, 'f', -1, 64) + ", " + strconv.FormatFloat(p.Longitude, 'f', -1, 64)
	if p.Name == "" {
		return point
	}
	return p.Name + " (" + point + ")"
}

// when is the time of a post, in the zone it was thought in.
func when(p *post.Post, here *time.Location) string {
	starts, ok := p.Starts()
	if !ok {
		return ""
	}
	ends, hasEnd := p.Ends()
	if starts.Day {
		out := starts.Time.Format("Mon 2006-01-02")
		if hasEnd && ends.Time.After(starts.Time) {
			out += " to " + ends.Time.Format("Mon 2006-01-02")
		}
		return out
	}
	zone := zoneOf(p)
	until := ""
	if hasEnd {
		until = ends.Time.In(zone).Format("15:04")
		if day := "2006-01-02"; ends.Time.In(zone).Format(day) != starts.Time.In(zone).Format(day) {
			until = ends.Time.In(zone).Format("Mon 2006-01-02 15:04")
		}
	}
	return clock(starts.Time, zone, until, here)
}

// clock writes a time in a zone and, if it is another time where the reader is,
// that as well.
func clock(t time.Time, zone *time.Location, until string, here *time.Location) string {
	const minutes = "Mon 2006-01-02 15:04"
	out := t.In(zone).Format(minutes)
	if until != "" {
		out += " to " + until
	}
	out += " " + zone.String()
	if here != nil && t.In(here).Format(minutes) != t.In(zone).Format(minutes) {
		out += fmt.Sprintf(" (%s where you are)", t.In(here).Format(minutes))
	}
	return out
}

// zoneOf is the zone that a post names, if it is known here; else UTC.
func zoneOf(p *post.Post) *time.Location {
	if name := p.Timezone(); name != "" && name != "Local" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

// ending is the short form of an id that stands in somebody's post.
func ending(s string) string {
	if id, err := post.ParseID(s); err == nil {
		return "…" + short(id)
	}
	return s
}
