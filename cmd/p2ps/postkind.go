package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// kindFlags are the flags of post that say what kind of post it is, and what
// belongs to it beside the text.
type kindFlags struct {
	link, place, event, activity, lang string
	start, end, where, timezone        string
	article                            bool
}

func (k *kindFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&k.link, "link", "", "share the page at `URL`; of an activity: where the thing is")
	fs.BoolVar(&k.article, "article", false, "the text is an article in Markdown; a heading at its top is its name")
	fs.StringVar(&k.place, "place", "", "where it is, as `LAT,LON[,NAME]`; without a text it is a check-in")
	fs.StringVar(&k.event, "event", "", "announce an event called `NAME`")
	fs.StringVar(&k.activity, "activity", "", "what you do: `TYPE` is listen, read, watch, travel or exercise")
	fs.StringVar(&k.start, "start", "", "when an event or activity begins: a `TIME`, or a date for whole days")
	fs.StringVar(&k.end, "end", "", "when it ends: a `TIME`, the last day, or how long it lasts (2h)")
	fs.StringVar(&k.where, "where", "", "where an event or activity is, or a journey goes, in `WORDS`")
	fs.StringVar(&k.timezone, "timezone", "", "`ZONE` of --start and --end, as Europe/Berlin (default yours)")
	registerLang(fs, &k.lang)
	completeFlag(cmd, "activity", cobra.FixedCompletions(activityWords(), only))
	for _, flag := range []string{"place", "event", "start", "end", "where", "timezone", "lang", "link"} {
		completeFlag(cmd, flag, cobra.NoFileCompletions)
	}
}

func registerLang(fs *pflag.FlagSet, lang *string) {
	fs.StringVar(lang, "lang", "", "the language it is written in, as `TAG` (de, pt-BR)")
}

func activityWords() (out []string) {
	for _, a := range post.Activities() {
		out = append(out, a.Word)
	}
	return out
}

// given tells whether any of these flags is.
func (k *kindFlags) given() bool { return *k != kindFlags{} }

// check refuses what does not go together.
func (k *kindFlags) check() error {
	var kinds []string
	for _, f := range []struct {
		is   bool
		name string
	}{{k.article, "--article"}, {k.event != "", "--event"}, {k.activity != "", "--activity"}, {k.link != "" && k.activity == "", "--link"}} {
		if f.is {
			kinds = append(kinds, f.name)
		}
	}
	timed := k.event != "" || k.activity != ""
	switch {
	case len(kinds) > 1:
		return usage("give one of them", "%s and %s are two kinds of posts", kinds[0], kinds[1])
	case k.event != "" && k.start == "":
		return usage("p2ps post --event NAME --start 2026-12-24T18:00", "an event needs --start")
	case !timed && (k.start != "" || k.end != "" || k.where != "" || k.timezone != ""):
		return usage("give --event NAME or --activity TYPE with them", "--start, --end, --where and --timezone belong to an event or an activity")
	case k.end != "" && k.start == "", k.timezone != "" && k.start == "":
		return usage("give --start too", "without --start it is not known when it begins")
	case k.where != "" && k.place != "" && k.activity != "travel":
		return usage("name the place in --place: LAT,LON,NAME", "--where and --place both say where it is")
	}
	return nil
}

// compose makes a draft of the text and the flags. Where the flags say
// something themselves the text is taken from -m and -F alone.
func (e *env) compose(cmd *cobra.Command, t texts, k kindFlags, a attachments) (*post.Draft, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	d, needsText, err := k.begin(t)
	if err != nil {
		return nil, err
	}
	if needsText && !a.given() || t.given() { // files may be what there is to say
		s, err := e.text(cmd.Context(), t, "")
		if err != nil {
			return nil, err
		}
		k.setText(d, s)
	}
	if err := k.setPlace(d); err != nil {
		return nil, err
	}
	if err := e.setTimes(d, k); err != nil {
		return nil, err
	}
	if err := setLang(d, k.lang); err != nil {
		return nil, err
	}
	k.summarize(d)
	return d, nil
}

// begin starts the draft, and says whether it is nothing without a text.
func (k *kindFlags) begin(t texts) (d *post.Draft, needsText bool, err error) {
	switch {
	case k.activity != "":
		return k.beginActivity()
	case k.link != "":
		if !isWeb(k.link) {
			return nil, false, usage("give it whole, as https://example.org/", "--link %q is not an http or https address", k.link)
		}
		d = post.NewDraft("Page")
		d.Set("url", k.link)
		return d, false, nil
	case k.event != "":
		d = post.NewDraft("Event")
		d.Set("name", k.event)
		return d, false, nil
	case k.article:
		return post.NewDraft("Article"), true, nil
	case k.place != "" && !t.given():
		return post.NewDraft("Arrive"), false, nil
	}
	return post.NewDraft("Note"), true, nil
}

func (k *kindFlags) beginActivity() (d *post.Draft, needsText bool, err error) {
	for _, a := range post.Activities() {
		if a.Word == k.activity {
			d = post.NewDraft(a.Type)
		}
	}
	if d == nil {
		return nil, false, usage("write one of "+strings.Join(activityWords(), ", "), "there is no activity %q", text.Clean(k.activity))
	}
	if k.activity == "exercise" {
		d.Set("name", k.activity)
	}
	if k.link == "" {
		return d, k.activity != "travel" || k.where == "" && k.place == "", nil
	}
	if !isWeb(k.link) {
		return nil, false, usage("give it whole, as https://example.org/", "--link %q is not an http or https address", k.link)
	}
	thing := post.NewDraft("Page")
	thing.Set("url", k.link)
	d.SetValue("object", thing.Value())
	return d, false, nil
}

func (k *kindFlags) setText(d *post.Draft, s string) {
	if !k.article {
		setText(d, s, "text/plain")
		return
	}
	if heading, rest, ok := strings.Cut(s, "\n"); ok && strings.HasPrefix(heading, "# ") {
		d.Set("name", strings.TrimSpace(heading[2:]))
		s = strings.TrimLeft(rest, "\n")
	}
	setText(d, s, "text/markdown")
}

// setPlace: a journey goes there, everything else is there.
func (k *kindFlags) setPlace(d *post.Draft) error {
	member := "location"
	if k.activity == "travel" {
		member = "target"
	}
	if k.place != "" {
		place, err := placeNamed(k.place)
		if err != nil {
			return err
		}
		if place.Name == "" {
			place.Name = k.where
		}
		d.SetValue(member, place.Value())
	} else if k.where != "" {
		d.SetValue(member, post.Place{Name: k.where}.Value())
	}
	return nil
}

// placeNamed reads LAT,LON[,NAME].
func placeNamed(s string) (post.Place, error) {
	parts := strings.SplitN(s, ",", 3)
	bad := func() (post.Place, error) {
		return post.Place{}, usage("write it as 52.52,13.405 or 52.52,13.405,NAME: degrees north and east, south and west negative",
			"--place %q is not LAT,LON[,NAME]", text.Clean(s))
	}
	if len(parts) < 2 {
		return bad()
	}
	lat, err := strconv.ParseFloat(strings.TrimSpace(parts[0]), 64)
	if err != nil || !(lat >= -90 && lat <= 90) {
		return bad()
	}
	lon, err := strconv.ParseFloat(strings.TrimSpace(parts[1]), 64)
	if err != nil || !(lon >= -180 && lon <= 180) {
		return bad()
	}
	place := post.Place{Located: true, Latitude: lat, Longitude: lon}
	if len(parts) == 3 {
		place.Name = strings.TrimSpace(parts[2])
	}
	return place, nil
}

// setTimes: times in the zone of --timezone, or where you are; dates are whole
// days, and have no zone.
func (e *env) setTimes(d *post.Draft, k kindFlags) error {
	if k.start == "" {
		return nil
	}
	zone, name, err := e.zoneNamed(k.timezone)
	if err != nil {
		return err
	}
	start, err := momentIn(k.start, "--start", e.now().In(zone))
	if err != nil {
		return err
	}
	d.Set("startTime", start.String())
	if !start.Day {
		d.Set("timezone", name)
	}
	if k.end == "" {
		return nil
	}
	end, err := momentIn(k.end, "--end", e.now().In(zone))
	if long, is := howLong(k.end, start.Time); is && !start.Day {
		end, err = post.Moment{Time: long}, nil
	}
	switch {
	case err != nil:
		return err
	case end.Day != start.Day:
		return usage("write both as dates, or both as times", "--start and --end: one is a day and the other a time")
	case end.Time.Before(start.Time):
		return usage("see p2ps help time", "--end %s is before --start %s", text.Clean(k.end), text.Clean(k.start))
	}
	d.Set("endTime", end.String())
	return nil
}

// momentIn reads a time, or a day where only a date is written.
func momentIn(s, flag string, now time.Time) (post.Moment, error) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return post.Moment{Time: day, Day: true}, nil
	}
	if !strings.Contains(s, "-") {
		return post.Moment{}, usage("write it as 2026-12-24T18:00, or 2026-12-24 for the whole day", "%s %q is no date or time", flag, text.Clean(s))
	}
	t, err := text.ParseTime(s, now)
	return post.Moment{Time: t}, err
}

// howLong reads a duration such as 2h, as a time so long after another.
func howLong(s string, from time.Time) (time.Time, bool) {
	if strings.Contains(s, "-") {
		return time.Time{}, false
	}
	ago, err := text.ParseTime(s, from)
	return from.Add(from.Sub(ago)), err == nil
}

// zoneNamed is a zone by its name; without one it is where you are, by the name
// it has there if that can be known.
func (e *env) zoneNamed(name string) (*time.Location, string, error) {
	if name == "" {
		return e.now().Location(), e.zoneHere(), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, "", usage("write it as Europe/Berlin", "there is no time zone %q", text.Clean(name))
	}
	return zone, name, nil
}

// setLang says in which language a text is.
func setLang(d *post.Draft, lang string) error {
	if lang != "" && !post.IsLanguage(lang) {
		return usage("write it as de, en or pt-BR", "--lang %q is no language tag", text.Clean(lang))
	}
	d.Set("language", lang)
	return nil
}

// summarize says in words what a post without any is (spec K13).
func (k *kindFlags) summarize(d *post.Draft) {
	if d.Has("content") || d.Has("name") && d.Text("type") != "Activity" {
		return
	}
	place, to := k.where, k.where
	if p, err := placeNamed(k.place); err == nil {
		if p.Name == "" {
			p.Name = k.where
		}
		place = placeWords(p.Rounded())
		to = place
	}
	d.Set("summary", deed(d.Text("type"), d.Text("name"), k.link, place, "", to))
}
