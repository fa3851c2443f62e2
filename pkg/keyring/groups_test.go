package keyring

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sorted(names ...string) []string {
	slices.Sort(names)
	return names
}

func TestGroups(t *testing.T) {
	w := home(t)
	w.ok(w.CreateGroup("work"))
	w.ok(w.CreateGroup("family"))
	w.befriend("Alice")
	already, err := w.AddMember("family", fpr("Alice"), "all")
	w.ok(err)
	w.equal(already, false)
	w.cp("Bob", "groups/family/{Bob}.asc")
	w.put("groups/family/{Bob}.json", `{"since":"2026-01-02T03:04:05Z","history":"20261122-123456789"}`)
	groups, err := w.Groups()
	w.ok(err)
	w.equal(len(groups), 2)
	w.equal([]any{groups[0].Name, groups[1].Name, len(groups[0].Members), len(groups[1].Members)}, []any{"family", "work", 2, 0})
	for _, m := range groups[0].Members {
		if m.Fingerprint == fpr("Alice") {
			w.equal([]any{m.History, m.Friend}, []any{"all", true})
		} else {
			w.equal(m, Member{fpr("Bob"), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "20261122-123456789", false})
		}
	}
}

func TestAddMemberHidesThePast(t *testing.T) {
	for _, history := range []string{"", "none"} {
		w := home(t)
		w.befriend("Alice")
		w.ok(w.CreateGroup("family"))
		w.newest = "20990101-000000000-aaaaaaaaaaaaa"
		_, err := w.AddMember("family", fpr("Alice"), history)
		w.ok(err)
		w.equal(w.grants("Alice").Groups, map[string]post.Position{"family": "20990101-000000001"})
	}
}

func TestAddMemberAgain(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.CreateGroup("family"))
	_, err := w.AddMember("family", fpr("Alice"), "20261122-123456789")
	w.ok(err)
	w.put("groups/family/{Alice}.json", `{"colour":"red","history":"20261122-123456789"}`)
	for _, test := range []struct{ history, want string }{{"", "20261122-123456789"}, {"all", ""}, {"20261123-000000000", "20261123-000000000"}} {
		already, err := w.AddMember("family", fpr("Alice"), test.history)
		w.ok(err)
		w.equal(already, true)
		w.equal(w.grants("Alice").Groups["family"], post.Position(test.want))
	}
	w.equal(strings.Contains(w.read("groups/family/{Alice}.json"), `"colour": "red"`), true)
}

func TestAddMemberRefuses(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	_, _, err := w.AddFollow(cert("Bob"), AddOptions{})
	w.ok(err)
	w.ok(w.CreateGroup("family"))
	_, err = w.AddMember("work", fpr("Alice"), "all")
	w.says(err, `group "work": unknown`)
	_, err = w.AddMember("../friends", fpr("Alice"), "all")
	w.says(err, `group "../friends": unknown`)
	_, err = w.AddMember("family", fpr("Carol"), "all")
	w.says(err, string(fpr("Carol"))+": unknown")
	_, err = w.AddMember("family", fpr("Bob"), "all")
	w.says(err, short(fpr("Bob"))+": unknown: followed, but not a friend")
	_, err = w.AddMember("family", fpr("Alice"), "some")
	w.says(err, `"some": not a history`)
	w.equal(w.names("groups/family"), []string(nil))
}

// A crash leaves him in the group as told, or not in it.
func TestAddMemberCrash(t *testing.T) {
	for n := 0; ; n++ {
		w := home(t)
		w.befriend("Alice")
		w.ok(w.CreateGroup("family"))
		ops := 0
		w.fault = func(disk.Op, string) error {
			if ops++; ops > n {
				return syscall.EIO
			}
			return nil
		}
		_, err := w.AddMember("family", fpr("Alice"), "20200101-000000000")
		if err == nil {
			return
		}
		w.fault = nil
		w.reopen()
		for _, from := range w.grants("Alice").Groups {
			w.equal(from, post.Position("20200101-000000000"))
		}
	}
}

func TestRemoveMember(t *testing.T) {
	w := family(t)
	for _, want := range []bool{true, false} {
		was, err := w.RemoveMember("family", fpr("Alice"))
		w.ok(err)
		w.equal(was, want)
	}
	w.equal(groupNamesOf(w.grants("Alice")), []string{"work"})
	w.equal(w.names("groups/family"), []string(nil))
	_, err := w.RemoveMember("none", fpr("Alice"))
	w.says(err, `group "none": unknown`)
}

func TestCreateGroupRefuses(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.CreateGroup("family"))
	w.put("groups/odd", "")
	for name, want := range map[string]error{
		"family": ErrExists, "alice": ErrExists, "odd": ErrExists, "Family": ErrName, "me": ErrExists, "friends": ErrExists, "public": ErrExists,
		"": ErrName, "-a": ErrName, "a b": ErrName, "a/b": ErrName, "..": ErrName, "ä": ErrName, "deadbeef": ErrName, strings.Repeat("x", 33): ErrName,
	} {
		if err := w.CreateGroup(name); err == nil {
			t.Errorf("%q was made", name)
		} else {
			w.is(err, want)
		}
	}
	w.equal(w.names("groups"), []string{"family", "odd"})
	w.says(w.CreateGroup("Work"), `"Work": not a usable name: a group's name is 1 to 32 of a-z, 0-9 and -, and does not begin with -`)
}

func TestRenameGroup(t *testing.T) {
	w := family(t)
	w.is(w.RenameGroup("none", "x"), ErrUnknown)
	w.is(w.RenameGroup("family", "work"), ErrExists)
	w.is(w.RenameGroup("family", "Alice"), ErrName)
	w.is(w.RenameGroup("family", "alice"), ErrExists)
	w.ok(w.RenameGroup("family", "home"))
	w.equal(w.grants("Alice").Groups, map[string]post.Position{"home": "", "work": ""})
}

func TestDeleteGroup(t *testing.T) {
	w := family(t)
	w.is(w.DeleteGroup("none"), ErrUnknown)
	w.is(w.DeleteGroup("../friends"), ErrUnknown)
	w.ok(w.DeleteGroup("family"))
	w.equal(w.names("groups"), []string{"work"})
	w.equal(groupNamesOf(w.grants("Alice")), []string{"work"})
}

func TestResolve(t *testing.T) {
	w := family(t)
	_, _, err := w.AddFollow(cert("Bob"), AddOptions{})
	w.ok(err)
	alice := []pgp.Fingerprint{fpr("Alice")}
	for words, test := range map[string]struct {
		want  post.Audience
		shown string
	}{
		"me":                 {post.Audience{}, "me"},
		"":                   {post.Audience{}, ""},
		"friends":            {post.Audience{Friends: true}, "friends"},
		"public":             {post.Audience{Public: true}, "public"},
		"family,work,family": {post.Audience{Groups: []string{"family", "work"}}, "family,work"},
		"ALICE,alice":        {post.Audience{Readers: alice}, "Alice"},
		string(fpr("Alice")): {post.Audience{Readers: alice}, "Alice"},
		"me,family,Alice":    {post.Audience{Groups: []string{"family"}, Readers: alice}, "me,family,Alice"},
		"openpgp4fpr:" + string(fpr("Alice")[:9]): {post.Audience{Readers: alice}, "Alice"},
	} {
		got, shown, err := w.Resolve(strings.FieldsFunc(words, func(r rune) bool { return r == ',' }))
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		w.equal(got, test.want)
		w.equal(strings.Join(shown, ","), test.shown)
	}
	for _, word := range []string{"nobody", "Bob", "Friends", "PUBLIC", "Family", "fam", "as:Public", "", string(fpr("Bob"))} {
		a, _, err := w.Resolve([]string{"public", word})
		w.is(err, ErrUnknown)
		w.equal(a, post.Audience{})
	}
	_, _, err = w.Resolve([]string{"family", "nobody", "nobody2"})
	w.says(err, `"nobody": unknown`)
}

func TestResolveNoticesNewMembers(t *testing.T) {
	w := family(t)
	w.cp("Alice", "groups/new/alice.asc")
	_, _, err := w.Resolve([]string{"new"})
	w.ok(err)
	w.equal(w.names("groups/new"), []string{"{Alice}.asc", "{Alice}.json"})
}

func TestResolveGroupAndFriendOfOneName(t *testing.T) {
	w := family(t)
	w.put("groups/alice/x", "")
	_, _, err := w.Resolve([]string{"alice"})
	w.says(err, `"alice": ambiguous: a group and a friend`)
}

func TestNames(t *testing.T) {
	w := family(t)
	got := w.Names(post.Audience{Public: true, Friends: true, Groups: []string{"family", "gone"}, Readers: []pgp.Fingerprint{fpr("Alice"), fpr("Bob")}})
	w.equal(got, []string{"public", "friends", "family", "gone", "Alice", string(fpr("Bob")[:16])})
	w.equal(w.Names(post.Audience{}), []string{"me"})
}

// The rules of names, written a second time.
func TestCheckNameProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.RuneFrom([]rune("aAeE1f -.@/\\:\u0301\u200D\u202E\x1b\u00E9\uFFFDß字 ")), 0, 70, -1).Draw(t, "name")
		ok := CheckName(name) == nil
		switch {
		case !ok:
		case len(name) == 0, strings.ContainsAny(name[:1], ".-@ "), strings.HasSuffix(name, " "), strings.Contains(name, "  "),
			strings.ContainsAny(name, "/\\\u200D\u202E\x1b\uFFFD"), strings.Contains(name, "e\u0301"), len([]rune(name)) > 64:
			t.Fatalf("%+q passes", name)
		default:
			digits := strings.ReplaceAll(name, " ", "")
			if len(digits) >= 8 && strings.Trim(digits, "0123456789abcdefABCDEF") == "" {
				t.Fatalf("%+q passes for a fingerprint", name)
			}
		}
		plain := strings.Trim(name, "aA1fß字") == "" && name != ""
		if plain && len([]rune(name)) <= 64 && (len([]rune(name)) < 8 || strings.ContainsAny(name, "ß字")) && !ok {
			t.Fatalf("%+q is refused", name)
		}
	})
}

// spec: F22
func TestCheckName(t *testing.T) {
	for name, want := range map[string]error{
		"Alice": nil, "Zoë": nil, "Anna B. Smith": nil, "a:b": nil, "deadbee": nil, "friends2": nil, "👩\u200D🚀x": ErrName, "🚀": nil,
		"": ErrName, "ME": ErrExists, "Friends": ErrExists, "pUbLiC": ErrExists, " a": ErrName, "a ": ErrName, "a  b": ErrName, ".a": ErrName, "-a": ErrName, "@a": ErrName,
		"a/b": ErrName, "a\\b": ErrName, "a\nb": ErrName, "a\u00A0b": ErrName, "a\u200Bb": ErrName, "a\xffb": ErrName, "Zoe\u0308": ErrName,
		"deadbeef": ErrName, "DEAD BEEF": ErrName, "openpgp4fpr:deadbeef": ErrName, strings.Repeat("ä", 64): nil, strings.Repeat("ä", 65): ErrName,
	} {
		err := CheckName(name)
		if want == nil && err != nil {
			t.Errorf("%+q: %v", name, err)
		}
		if want != nil && (err == nil || !strings.Contains(err.Error(), want.Error())) {
			t.Errorf("%+q: got %v, want %v", name, err, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, pair := range [][2]string{{"ALICE", "alice"}, {"Zoe\u0308", "ZOË"}, {"Straße", "STRASSE"}, {"ΣΑΣ", "σας"}} {
		if fold(pair[0]) != fold(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
}
