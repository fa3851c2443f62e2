package post

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
)

// A Place is somewhere (Activity Vocabulary, Place).
type Place struct {
	Name                string
	Located             bool // latitude and longitude are known
	Latitude, Longitude float64
}

// Value is the place as it stands in a post. Its numbers are rounded to the
// sixth decimal, about a hand's breadth, so that they keep to P7.
func (p Place) Value() Value {
	v := `{"type":"Place"`
	if p.Name != "" {
		v += `,"name":` + string(ijson.Quote(p.Name))
	}
	if p.Located {
		v += `,"latitude":` + degrees(p.Latitude) + `,"longitude":` + degrees(p.Longitude)
	}
	return Value(v + "}")
}

func degrees(d float64) string {
	n, _ := strconv.ParseFloat(strconv.FormatFloat(d, 'f', 6, 64), 64) // it was just written
	if n > -0.0001 && n < 0.0001 {
		return "0"
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// Where is the place that a post names in its location; false if none.
func (p *Post) Where() (Place, bool) { return placeOf(p.doc.Location) }

// Target is where a journey goes, and Origin whence.
func (p *Post) Target() (Place, bool) { return placeOf(p.doc.Target) }
func (p *Post) Origin() (Place, bool) { return placeOf(p.doc.Origin) }

func placeOf(v Value) (out Place, ok bool) {
	if v == nil || checkPlace(v) != nil { // of an unknown type it may be anything
		return out, false
	}
	var name, lat, lon Value
	_ = fields(v, map[string]*Value{"name": &name, "latitude": &lat, "longitude": &lon}) // it was just read
	out.Name = lenient(name)
	if lat != nil {
		out.Located = true
		out.Latitude, _ = strconv.ParseFloat(string(lat), 64)
		out.Longitude, _ = strconv.ParseFloat(string(lon), 64)
	}
	return out, true
}

// A Moment is when something begins or ends: a time, or a whole day.
type Moment struct {
	Time time.Time // of a day: its beginning, in UTC
	Day  bool
}

// String is the moment as it stands in a post.
func (m Moment) String() string {
	if m.Day {
		return m.Time.Format(time.DateOnly)
	}
	return FormatTime(m.Time)
}

// Starts and Ends are when what the post tells of begins and ends; false if it
// does not say.
func (p *Post) Starts() (Moment, bool) { return momentOf(p.doc.StartTime) }
func (p *Post) Ends() (Moment, bool)   { return momentOf(p.doc.EndTime) }

func momentOf(v Value) (Moment, bool) {
	t, day, err := moment(lenient(v))
	return Moment{t, day}, err == nil
}

// Timezone is the name of the zone that its times were thought in, as
// Europe/Berlin; "" if it does not say.
func (p *Post) Timezone() string {
	if s := lenient(p.doc.Timezone); zoneName.MatchString(s) {
		return s
	}
	return ""
}

// Language is the tag of the language it is written in; "" if it does not say.
func (p *Post) Language() string { return lenient(p.doc.Language) }

// Options are what may be chosen in answer to a Question, and whether more than
// one of them may be.
func (p *Post) Options() (names []string, several bool) {
	if p.doc.Type != "Question" {
		return nil, false
	}
	names, _ = options(p.doc.OneOf, p.doc.AnyOf) // it was checked when p was read
	return names, p.doc.AnyOf != nil
}

// OptionsValue is a list of options as it stands in oneOf or anyOf.
func OptionsValue(names []string) Value {
	v := "["
	for i, name := range names {
		if i > 0 {
			v += ","
		}
		v += `{"type":"Note","name":` + string(ijson.Quote(name)) + "}"
	}
	return Value(v + "]")
}

// Choices are the options that a Note chooses in answer to a Question; nil of
// anything else.
func (p *Post) Choices() (choices []string) {
	if p.doc.Type != "Note" || p.doc.Choices == nil || p.InReplyTo() == "" {
		return nil
	}
	_ = ijson.UnmarshalTrusted(p.doc.Choices, &choices) // it was checked when p was read
	return choices
}

// Counts tells whether an answer to a question counts (spec K17, K18): it
// chooses among the options, one unless several may be, and was written in
// time.
func (p *Post) Counts(question *Post) bool {
	names, several := question.Options()
	choices := p.Choices()
	if len(choices) == 0 || p.InReplyTo() != question.ID().String() || len(choices) > 1 && !several {
		return false
	}
	for _, c := range choices {
		if !slices.Contains(names, c) {
			return false
		}
	}
	closes, ok := question.Ends()
	return !ok || !p.written().After(closes.Time)
}

// written is when this text was written, as its author says.
func (p *Post) written() time.Time {
	if t, err := ParseTime(p.Updated()); err == nil {
		return t
	}
	return p.Published()
}

// Thing is what an activity is about: a record, a book, a film.
func (p *Post) Thing() (name, url string) {
	switch p.doc.Type {
	case "Listen", "Read", "View", "Travel", "Activity":
		var n, u Value
		_ = fields(p.doc.Object, map[string]*Value{"name": &n, "url": &u}) // without an object there is none
		return lenient(n), lenient(u)
	}
	return "", ""
}

// SayMediaType says of a text that does not say it what kind it is: plain, or
// of an Article Markdown. To other programs it would be HTML (Activity
// Vocabulary, content; spec P46, K1).
func (d *Draft) SayMediaType() {
	if d.Text("content") == "" || d.Has("mediaType") {
		return
	}
	kind := "text/plain"
	if d.Text("type") == "Article" {
		kind = "text/markdown"
	}
	d.Set("mediaType", kind)
}

// Rounded is the place as it is read back from a post.
func (p Place) Rounded() Place {
	out, _ := placeOf(p.Value())
	return out
}

// IsLanguage tells whether s may stand in language (spec K2).
func IsLanguage(s string) bool { return languageTag.MatchString(s) && len(s) <= 35 }

// Value is the draft as an object in another.
func (d *Draft) Value() Value {
	members := make([]ijson.Member, 0, len(d.members))
	for _, name := range slices.Sorted(maps.Keys(d.members)) {
		members = append(members, ijson.Member{Name: name, Value: d.members[name]})
	}
	return ijson.Join(members)
}

// SetTexts gives a member a list of texts.
func (d *Draft) SetTexts(name string, texts []string) {
	v := "["
	for i, s := range texts {
		if i > 0 {
			v += ","
		}
		v += string(ijson.Quote(s))
	}
	d.members[name] = Value(v + "]")
}
