package post

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/text"
)

// particular are the members of the kinds of spec/kinds.md: where, when, in
// which language, what may be answered and what is.
type particular struct {
	Language  Value `json:"language"`
	StartTime Value `json:"startTime"`
	EndTime   Value `json:"endTime"`
	Timezone  Value `json:"timezone"`
	Origin    Value `json:"origin"`
	Target    Value `json:"target"`
	OneOf     Value `json:"oneOf"`
	AnyOf     Value `json:"anyOf"`
	Choices   Value `json:"choices"`
}

// Limits of a question (spec K15, K16).
const (
	maxOptions = 20
	maxOption  = 200 // characters
)

var (
	languageTag = text.NewPattern(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)
	zoneName    = text.NewPattern(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)
	unitsOf     = []string{"cm", "feet", "inches", "km", "m", "miles"} // Activity Vocabulary, units
)

// An Activity is a type that says what its author did.
type Activity struct{ Word, Type string }

// Activities are those of spec K12, by the word for each.
func Activities() []Activity {
	return []Activity{{"listen", "Listen"}, {"read", "Read"}, {"watch", "View"}, {"travel", "Travel"}, {"exercise", "Activity"}}
}

// Answers to an Event, by the word for each (spec K10).
func Responses() []Activity {
	return []Activity{{"yes", "Accept"}, {"no", "Reject"}, {"maybe", "TentativeAccept"}}
}

// checkKind looks at what the types of spec/kinds.md need.
func (d *document) checkKind() error {
	switch d.Type {
	case "Arrive":
		if d.Location == nil {
			return fmt.Errorf("%w: an Arrive needs location, a Place", ErrInvalid)
		}
	case "Event":
		if s, ok := ijson.String(d.Name); !ok || s == "" || d.StartTime == nil {
			return fmt.Errorf("%w: an Event needs name and startTime", ErrInvalid)
		}
	case "Accept", "TentativeAccept", "Reject":
		object, _ := ijson.String(d.Object)
		if _, err := ParseID(object); err != nil {
			return fmt.Errorf("%w: the object of an answer to an event: %w", ErrInvalid, err)
		}
	case "Question":
		return d.checkQuestion()
	case "Listen", "Read", "View", "Travel", "Activity":
		return d.checkActivity()
	default:
		return nil
	}
	return d.texts()
}

// checkActivity: there are words, or the thing itself.
func (d *document) checkActivity() error {
	if d.Object != nil {
		var thing struct {
			Type, Name, URL Value
		}
		if err := fields(d.Object, map[string]*Value{"type": &thing.Type, "name": &thing.Name, "url": &thing.URL}); err != nil {
			return fmt.Errorf("%w: object is no object with type", ErrInvalid)
		}
		if thing.Name == nil && thing.URL == nil || thing.Name != nil && lenient(thing.Name) == "" ||
			thing.URL != nil && !webAddress.MatchString(lenient(thing.URL)) || lenient(thing.Type) == "" {
			return fmt.Errorf("%w: the object of an activity has a type, and a name or an http or https address as url", ErrInvalid)
		}
	} else if d.Type != "Travel" || d.Target == nil {
		if s, ok := ijson.String(d.Content); !ok || s == "" {
			return fmt.Errorf("%w: an activity needs content or object", ErrInvalid)
		}
	}
	return d.texts()
}

// checkQuestion: a text, and two or more options one of which, or any of which,
// can be chosen.
func (d *document) checkQuestion() error {
	if s, ok := ijson.String(d.Content); !ok || s == "" {
		return fmt.Errorf("%w: a Question needs content, a text", ErrInvalid)
	}
	if (d.OneOf == nil) == (d.AnyOf == nil) {
		return fmt.Errorf("%w: a Question has either oneOf or anyOf", ErrInvalid)
	}
	names, err := options(d.OneOf, d.AnyOf)
	if err != nil {
		return err
	}
	if len(names) < 2 || len(names) > maxOptions {
		return fmt.Errorf("%w: a Question has 2 to %d options", ErrInvalid, maxOptions)
	}
	if _, err := ParseTime(lenient(d.EndTime)); d.EndTime != nil && err != nil {
		return fmt.Errorf("endTime: %w", err)
	}
	return d.texts()
}

// options are the names of the options of a question, of which one of the two
// lists is nil.
func options(oneOf, anyOf Value) (names []string, err error) {
	list := oneOf
	if list == nil {
		list = anyOf
	}
	var items []Value
	if err := ijson.UnmarshalTrusted(list, &items); err != nil || items == nil {
		return nil, fmt.Errorf("%w: the options of a Question are no list", ErrInvalid)
	}
	for _, item := range items {
		var kind, name Value
		if err := fields(item, map[string]*Value{"type": &kind, "name": &name}); err != nil || lenient(kind) != "Note" {
			return nil, fmt.Errorf("%w: an option is no Note", ErrInvalid)
		}
		s := lenient(name)
		if n := len([]rune(s)); n == 0 || n > maxOption {
			return nil, fmt.Errorf("%w: an option needs name, a text of at most %d characters", ErrInvalid, maxOption)
		}
		if slices.Contains(names, s) {
			return nil, fmt.Errorf("%w: an option stands there twice", ErrInvalid)
		}
		names = append(names, s)
	}
	return names, nil
}

// checkShared looks at the members that mean the same in every known type.
func (d *document) checkShared() error {
	if s := lenient(d.Language); d.Language != nil && (!languageTag.MatchString(s) || len(s) > 35) {
		return fmt.Errorf("%w: language is no tag like de or pt-BR", ErrInvalid)
	}
	if s := lenient(d.Timezone); d.Timezone != nil && (!zoneName.MatchString(s) || len(s) > 64) {
		return fmt.Errorf("%w: timezone is no name like Europe/Berlin", ErrInvalid)
	}
	for _, place := range []struct {
		name string
		v    Value
	}{{"location", d.Location}, {"origin", d.Origin}, {"target", d.Target}} {
		if err := checkPlace(place.v); err != nil {
			return fmt.Errorf("%s: %w", place.name, err)
		}
	}
	for _, m := range [...]ijson.Member{{Name: "startTime", Value: d.StartTime}, {Name: "endTime", Value: d.EndTime}} {
		if m.Value == nil {
			continue
		}
		if _, _, err := moment(lenient(m.Value)); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	if d.StartTime != nil && d.EndTime != nil && (len(lenient(d.StartTime)) == len(time.DateOnly)) != (len(lenient(d.EndTime)) == len(time.DateOnly)) {
		return fmt.Errorf("%w: startTime and endTime are both days, or both times", ErrInvalid)
	}
	if err := d.files(); err != nil || d.Choices == nil {
		return err
	}
	var choices []string
	if err := ijson.UnmarshalTrusted(d.Choices, &choices); err != nil || len(choices) == 0 || len(choices) > maxOptions {
		return fmt.Errorf("%w: choices is no list of 1 to %d texts", ErrInvalid, maxOptions)
	}
	for i, c := range choices {
		if c == "" || slices.Contains(choices[:i], c) {
			return fmt.Errorf("%w: choices has an empty or a doubled one", ErrInvalid)
		}
	}
	return nil
}

// checkPlace: a name, or where it is; how far around only with units, for
// programs disagree on what none means.
func checkPlace(v Value) error {
	if v == nil {
		return nil
	}
	var kind, name, lat, lon, radius, units Value
	err := fields(v, map[string]*Value{"type": &kind, "name": &name, "latitude": &lat, "longitude": &lon, "radius": &radius, "units": &units})
	if err != nil || lenient(kind) != "Place" {
		return fmt.Errorf("%w: it is no Place", ErrInvalid)
	}
	if name != nil && lenient(name) == "" || name == nil && lat == nil || (lat == nil) != (lon == nil) {
		return fmt.Errorf("%w: a Place needs a name, or latitude and longitude", ErrInvalid)
	}
	if lat != nil && (!within(lat, -90, 90) || !within(lon, -180, 180)) {
		return fmt.Errorf("%w: a latitude is a number from -90 to 90, a longitude one from -180 to 180", ErrInvalid)
	}
	if radius != nil && (!within(radius, 0, 1e9) || units == nil) {
		return fmt.Errorf("%w: a radius is a number, and needs units", ErrInvalid)
	}
	if units != nil && !slices.Contains(unitsOf, lenient(units)) {
		return fmt.Errorf("%w: units is none of %s", ErrInvalid, strings.Join(unitsOf, ", "))
	}
	return nil
}

// within tells whether v is a number in a range.
func within(v Value, least, most float64) bool {
	n, err := strconv.ParseFloat(string(v), 64)
	return err == nil && v[0] != '"' && n >= least && n <= most
}

// fields reads some members of an object; those that are not there stay nil.
func fields(v Value, into map[string]*Value) error {
	if len(v) == 0 || v[0] != '{' {
		return ErrInvalid
	}
	members, err := ijson.Members(v)
	for _, m := range members {
		if at := into[m.Name]; at != nil {
			*at = m.Value
		}
	}
	return err
}

// moment reads a startTime or endTime: a time, or a whole day.
func moment(s string) (t time.Time, day bool, err error) {
	if len(s) == len(time.DateOnly) {
		t, err = time.Parse(time.DateOnly, s)
		if err != nil {
			return time.Time{}, false, fmt.Errorf("%w: the time %.40q is no day of the calendar", ErrInvalid, s)
		}
		return t, true, nil
	}
	t, err = ParseTime(s)
	return t, false, err
}
