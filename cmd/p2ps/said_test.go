package main

import (
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// signedAs signs drafts written as JSON.
func signedAs(t *testing.T, secret *pgp.Secret, position, object string, a post.Audience) *post.Post {
	t.Helper()
	d, err := post.ParseDraft([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	at := secret.Certificate().Created().Add(time.Hour)
	p, err := post.Sign(d, post.Particulars{ID: post.ID{Author: secret.Certificate().Fingerprint(), Position: post.Position(position)}, Published: at, Revision: 1, Audience: a, At: at}, secret)
	if err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return p
}

func newSecret(t *testing.T) *pgp.Secret {
	t.Helper()
	s, err := pgp.Generate("Alice", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What each kind of post says, whole. What its type is, is asked of no network.
func TestSaid(t *testing.T) {
	secret := newSecret(t)
	const place = `{"type":"Place","name":"The garden","latitude":52.52,"longitude":13.405}`
	const it = `"p2ps:6F3A0C19D2B84E57A1C6F09B3D7E25840A9C1B2D/20261122-123456789-k3q5vx2m4f7da"`
	for object, want := range map[string]string{
		`{"type":"Note","content":"a\nb"}`:                                                            "a\nb",
		`{"type":"Note","content":"<b>a</b>"}`:                                                        "<b>a</b>",
		`{"type":"Note","content":"<b>a</b><p>b","mediaType":"Text/HTML; charset=utf-8"}`:             "a\nb",
		`{"type":"Juggling","content":"<b>a</b>","mediaType":"text/html"}`:                            "a",
		`{"type":"Article","name":"A","content":"# b\n<i>c</i>"}`:                                     "A\n# b\n<i>c</i>",
		`{"type":"Page","url":"https://example.org/","name":"A","content":"b"}`:                       "A\nb\nhttps://example.org/",
		`{"type":"Note","content":"a","location":` + place + `}`:                                      "a\nat The garden (52.52, 13.405)",
		`{"type":"Note","location":{"type":"Place","latitude":-1,"longitude":0.5}}`:                   "at -1, 0.5",
		`{"type":"Note","content":"a","inReplyTo":` + it + `}`:                                        "(to …2m4f7da)\na",
		`{"type":"Note","content":"x, y","inReplyTo":` + it + `,"choices":["x","y"]}`:                 "(to …2m4f7da)\nchooses x, y",
		`{"type":"Note","content":"why not","inReplyTo":` + it + `,"choices":["x"]}`:                  "(to …2m4f7da)\nwhy not",
		`{"type":"Like","object":` + it + `,"content":"🎉"}`:                                           "likes …2m4f7da 🎉",
		`{"type":"Arrive","location":` + place + `,"summary":"is at The garden (52.52, 13.405)"}`:     "is at The garden (52.52, 13.405)",
		`{"type":"Arrive","location":` + place + `,"summary":"Alice has arrived","content":"wet"}`:    "is at The garden (52.52, 13.405)\nAlice has arrived\nwet",
		`{"type":"Event","name":"Lunch","startTime":"2026-11-29"}`:                                    "Lunch\nSun 2026-11-29",
		`{"type":"Event","name":"Lunch","startTime":"2026-11-28","endTime":"2026-11-29"}`:             "Lunch\nSat 2026-11-28 to Sun 2026-11-29",
		`{"type":"Event","name":"Lunch","startTime":"2026-11-29T12:00:00Z"}`:                          "Lunch\nSun 2026-11-29 12:00 UTC",
		`{"type":"Event","name":"Lunch","startTime":"2026-11-29T12:00:00Z","timezone":"Mars/Sea"}`:    "Lunch\nSun 2026-11-29 12:00 UTC",
		`{"type":"Event","name":"Lunch","startTime":"2026-07-29T12:00:00Z","timezone":"Europe/Rome"}`: "Lunch\nWed 2026-07-29 14:00 Europe/Rome",
		`{"type":"Event","name":"Night","startTime":"2026-11-29T22:00:00Z","endTime":"2026-11-30T01:30:00Z","timezone":"Europe/Rome","location":{"type":"Place","name":"X"},"content":"c"}`: "Night\nSun 2026-11-29 23:00 to Mon 2026-11-30 02:30 Europe/Rome\nat X\nc",
		`{"type":"Accept","object":` + it + `,"summary":"comes"}`:                                                                                    "comes: …2m4f7da",
		`{"type":"TentativeAccept","object":` + it + `}`:                                                                                             "may come: …2m4f7da",
		`{"type":"Reject","object":` + it + `,"content":"alas"}`:                                                                                     "does not come: …2m4f7da\nalas",
		`{"type":"Listen","content":"the rain"}`:                                                                                                     "listens to\nthe rain",
		`{"type":"Read","object":{"type":"Document","name":"Moby Dick","url":"https://example.org/"}}`:                                               "reads Moby Dick https://example.org/",
		`{"type":"View","object":{"type":"Video","name":"M"},"content":"again"}`:                                                                     "watches M\nagain",
		`{"type":"Travel","origin":{"type":"Place","name":"Rome"},"target":{"type":"Place","name":"X"}}`:                                             "travels from Rome to X",
		`{"type":"Activity","name":"exercise","content":"5 km"}`:                                                                                     "exercise\n5 km",
		`{"type":"Activity","content":"5 km"}`:                                                                                                       "does something\n5 km",
		`{"type":"Question","content":"where?","oneOf":[{"type":"Note","name":"a"},{"type":"Note","name":"b\nc"}],"endTime":"2026-11-29T12:00:00Z"}`: "where?\none of:\n- a\n- b c\nuntil Sun 2026-11-29 12:00 UTC",
		`{"type":"Question","content":"what?","anyOf":[{"type":"Note","name":"a"},{"type":"Note","name":"b"}]}`:                                      "what?\nany of:\n- a\n- b",
		`{"type":"Person","name":"Alice","summary":"bread"}`:                                                                                         "Alice\nbread",
		`{"type":"Juggling","name":["x"],"summary":"clubs"}`:                                                                                         "clubs",
		`{"type":"Juggling","startTime":5,"location":"x","choices":7}`:                                                                               "(Juggling)",
	} {
		if got := said(signedAs(t, secret, "20261122-123456789-k3q5vx2m4f7da", object, post.Audience{})); got != strings.ReplaceAll(want, "…2m4f7da", "…m4f7da") {
			t.Errorf("%s\ngot  %q\nwant %q", object, got, want)
		}
	}
}

// Where the reader is, it is another time; nothing of it obeys the terminal.
func TestSaidOnATerminal(t *testing.T) {
	secret := newSecret(t)
	lunch := signedAs(t, secret, "20261122-123456789-k3q5vx2m4f7da",
		`{"type":"Event","name":"Lunch","startTime":"2026-11-29T12:00:00Z","timezone":"Europe/Rome","location":{"type":"Place","name":"\u001b[31mred\u202e"}}`, post.Audience{})
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := saidIn(lunch, tokyo), "Sun 2026-11-29 13:00 Europe/Rome (Sun 2026-11-29 21:00 where you are)"; !strings.Contains(got, want) {
		t.Errorf("%q lacks %q", got, want)
	}
	w := newWorld(t)
	block := w.block(home.Branch{Entry: home.Entry{Post: lunch, Answers: &home.Answers{Likes: []home.Said{{What: "\x1b[2J", Who: make([]home.Voice, 2)}}}}}, time.Now().In(tokyo), false)
	if strings.ContainsAny(block, "\x1b\u202e") || !strings.Contains(block, "[2J 2") {
		t.Errorf("%q", block)
	}
	if got := inBrief(lunch); strings.ContainsAny(got, "\n\x1b\u202e") || !strings.HasPrefix(got, "Lunch Sun 2026-11-29 13:00 Europe/Rome at ") {
		t.Errorf("in brief: %q", got)
	}
}

// Of several profiles the newest that is not public is shown, else the newest.
//
// spec: K20
func TestProfileOf(t *testing.T) {
	secret := newSecret(t)
	entry := func(position, name string, public bool) home.Entry {
		return home.Entry{Post: signedAs(t, secret, position, `{"type":"Person","name":"`+name+`"}`, post.Audience{Public: public})}
	}
	a, b := entry("20261101-000000000-aaaaaaaaaaaaa", "a", true), entry("20261102-000000000-aaaaaaaaaaaaa", "b", true)
	c, d := entry("20261001-000000000-aaaaaaaaaaaaa", "c", false), entry("20261002-000000000-aaaaaaaaaaaaa", "d", false)
	for _, x := range []struct {
		all  []home.Entry
		want string
	}{{[]home.Entry{a, b}, "b"}, {[]home.Entry{b, a}, "b"}, {[]home.Entry{b, c, a}, "c"}, {[]home.Entry{c, d, b}, "d"}, {[]home.Entry{d, b, c}, "d"}} {
		if got := profileOf(x.all).Post.Name(); got != x.want {
			t.Errorf("got %s, want %s", got, x.want)
		}
	}
}

// Degrees are written as a post may hold them, whatever was typed.
func TestPlaceNamed(t *testing.T) {
	for in, want := range map[string]string{
		"52.5200,13.405,The garden, behind": `{"type":"Place","name":"The garden, behind","latitude":52.52,"longitude":13.405}`,
		"-33.9, 18.4":                       `{"type":"Place","latitude":-33.9,"longitude":18.4}`,
		"0.00001,-0":                        `{"type":"Place","latitude":0,"longitude":0}`,
		"1e1,12.3456789":                    `{"type":"Place","latitude":10,"longitude":12.345679}`,
		"90,-180":                           `{"type":"Place","latitude":90,"longitude":-180}`,
	} {
		p, err := placeNamed(in)
		if got := string(p.Value()); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "52", "52,x", "91,0", "0,181", "NaN,0", "0,Inf", "Berlin"} {
		if p, err := placeNamed(in); err == nil {
			t.Errorf("%q is read as %s", in, p.Value())
		}
	}
}
