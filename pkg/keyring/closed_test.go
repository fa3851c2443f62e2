package keyring

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// family is a home with Alice as friend and in the groups family and work, all
// with all history.
func family(t *testing.T) *world {
	t.Helper()
	w := home(t)
	w.befriend("Alice")
	for _, group := range []string{"family", "work"} {
		w.ok(w.CreateGroup(group))
		_, err := w.AddMember(group, fpr("Alice"), "all")
		w.ok(err)
	}
	return w
}

// spec: F21
func TestUnsure(t *testing.T) {
	for name, test := range map[string]struct {
		op   disk.Op
		path string
		err  error
	}{
		"blocked cannot be listed":     {disk.OpReadDir, "blocked", syscall.EACCES},
		"blocked cannot be looked at":  {disk.OpLstat, "blocked", syscall.EIO},
		"a block cannot be looked at":  {disk.OpLstat, "blocked/{Alice}.asc", syscall.EIO},
		"a block cannot be read":       {disk.OpOpen, "blocked/somebody.asc", syscall.EACCES},
		"friends cannot be listed":     {disk.OpReadDir, "friends", syscall.EIO},
		"friends cannot be looked at":  {disk.OpLstat, "friends", syscall.EACCES},
		"the friend cannot be read":    {disk.OpOpen, "friends/{Alice}.asc", syscall.EIO},
		"no files left for the groups": {disk.OpReadDir, "groups", syscall.EMFILE},
		"no files left for a group":    {disk.OpReadDir, "groups/family", syscall.ENFILE},
		"no files left for a record":   {disk.OpOpen, "friends/{Alice}.json", syscall.EMFILE},
	} {
		t.Run(name, func(t *testing.T) {
			w := family(t)
			w.cp("Bob", "blocked/somebody.asc")
			w.reopen()
			w.fail(test.op, test.path, test.err)
			g, err := w.Grants(fpr("Alice"))
			w.is(err, ErrUnsure)
			w.is(err, test.err)
			w.equal(g, post.Grants{Reader: fpr("Alice")})
		})
	}
}

func TestBlockedThatIsAFile(t *testing.T) {
	w := family(t)
	w.put("blocked", "")
	_, err := w.Grants(fpr("Alice"))
	w.is(err, ErrUnsure)
}

func TestBlockedThatIsALink(t *testing.T) {
	w := family(t)
	w.put("elsewhere/x", "")
	w.ok(os.Symlink("elsewhere", w.path("blocked")))
	_, err := w.Grants(fpr("Alice"))
	w.is(err, ErrUnsure)
}

func TestUnreadableGroupShowsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		op   disk.Op
		path string
	}{
		"groups":    {disk.OpReadDir, "groups"},
		"directory": {disk.OpReadDir, "groups/family"},
		"key":       {disk.OpOpen, "groups/family/{Alice}.asc"},
		"record":    {disk.OpOpen, "groups/family/{Alice}.json"},
		"lstat":     {disk.OpLstat, "groups/family/{Alice}.json"},
	} {
		t.Run(name, func(t *testing.T) {
			w := family(t)
			before := w.read("groups/family/{Alice}.json")
			w.reopen()
			w.fail(test.op, test.path, syscall.EACCES)
			g := w.grants("Alice")
			if _, shown := g.Groups["family"]; shown || !g.Friend {
				t.Errorf("grants %v", g)
			}
			if _, shown := g.Groups["work"]; !shown && name != "groups" {
				t.Errorf("grants %v", g)
			}
			w.equal(w.read("groups/family/{Alice}.json"), before)
			w.equal(len(w.names("groups/family")), 2)
		})
	}
}

func TestUnreadableFriendRecordShowsNothing(t *testing.T) {
	w := family(t)
	w.reopen()
	w.fail(disk.OpOpen, "friends/{Alice}.json", syscall.EACCES)
	g := w.grants("Alice")
	w.equal(g.Since, never)
	w.equal(groupNamesOf(g), []string{"family", "work"}) // they have their own
	a := post.Audience{Friends: true}
	w.equal(post.Visible(a, g, "21991231-235959999-zzzzzzzzzzzzz"), false)
}

// spec: F18
func TestBrokenRecord(t *testing.T) {
	for name, data := range map[string]string{
		"empty":           "",
		"half":            `{"name":"Alice","hist`,
		"doubled":         `{"history":"20200101-000000000","history":"all"}`,
		"miscased":        `{"History":"all"}`,
		"unknown history": `{"history":"ALL"}`,
		"day":             `{"history":"2020-01-01"}`,
		"position":        `{"history":"20200101-000000000-aaaaaaaaaaaaa"}`,
		"number":          `{"history":20200101}`,
		"list":            `["all"]`,
		"trailing":        `{"history":"all"} {}`,
		"too large":       `{"history":"all","x":"` + strings.Repeat("x", maxRecord) + `"}`,
	} {
		for _, dir := range []string{"friends", "groups/family"} {
			t.Run(name+" in "+dir, func(t *testing.T) {
				w := family(t)
				now := post.PositionAt(time.Now())
				w.put(dir+"/{Alice}.json", data)
				w.old(dir + "/{Alice}.json")
				g := w.grants("Alice")
				from := g.Groups["family"]
				if dir == "friends" {
					from = g.Since
				}
				if from <= now || from == never {
					t.Errorf("from %q, now %s", from, now)
				}
				w.equal(w.names(dir), []string{".broken-*-{Alice}.json", "{Alice}.asc", "{Alice}.json"})
				w.equal(strings.Contains(w.logged.String(), "set a broken file aside"), true)
				w.equal(w.grants("Alice"), g)
			})
		}
	}
}

func TestRecordThatIsBeingWritten(t *testing.T) {
	w := family(t)
	w.put("groups/family/{Alice}.json", `{"history":`)
	w.equal(groupNamesOf(w.grants("Alice")), []string{"work"})
	w.equal(w.names("groups/family"), []string{"{Alice}.asc", "{Alice}.json"})
	w.put("groups/family/{Alice}.json", `{"history":"all"}`)
	w.equal(groupNamesOf(w.grants("Alice")), []string{"family", "work"})
}

func TestRecordWithoutHistory(t *testing.T) {
	w := family(t)
	now := post.PositionAt(time.Now())
	w.put("friends/{Alice}.json", `{"name":"Ally","colour":"red"}`)
	if g := w.grants("Alice"); g.Since <= now || g.Since == never {
		t.Errorf("since %s", g.Since)
	}
	got := w.read("friends/{Alice}.json")
	if !strings.Contains(got, `"colour": "red"`) || !strings.Contains(got, `"name": "Ally"`) {
		t.Errorf("record %s", got)
	}
}

func TestMissingRecordThatCannotBeWritten(t *testing.T) {
	w := family(t)
	w.rm("groups/family/{Alice}.json")
	w.rm("friends/{Alice}.json")
	w.fault = func(op disk.Op, _ string) error {
		if op == disk.OpWrite || op == disk.OpLink {
			return syscall.EROFS
		}
		return nil
	}
	g := w.grants("Alice")
	w.equal(groupNamesOf(g), []string{"work"})
	w.equal(g.Since, never)
	p, err := w.Find("Alice") // but she can be shown
	w.ok(err)
	w.equal(p.Name, "Alice")
}

func TestNewestUnknown(t *testing.T) {
	w := home(t)
	w.cp("Alice", "friends/{Alice}.asc")
	w.cp("Alice", "groups/family/{Alice}.asc")
	broken := errors.New("no feed")
	w.Keyring.newest = func() (post.Position, error) { return "", broken }
	g := w.grants("Alice")
	w.equal(g.Since, never)
	w.equal(groupNamesOf(g), []string(nil))
	_, err := w.AddMember("family", fpr("Alice"), "none")
	w.is(err, broken)
	w.equal(w.names("groups/family"), []string{"{Alice}.asc"})
}

// spec: F14
func TestKeysThatDoNotCount(t *testing.T) {
	for name, data := range map[string]string{
		"empty":        "",
		"rubbish":      "rubbish",
		"another's":    string(cert("Bob").Armor()),
		"two keys":     string(cert("Alice").Bytes()) + string(cert("Bob").Bytes()),
		"too large":    strings.Repeat("x", maxKey+1),
		"with garbage": string(cert("Alice").Bytes()) + "rubbish",
	} {
		t.Run(name, func(t *testing.T) {
			w := family(t)
			w.put("groups/family/{Alice}.asc", data)
			w.equal(groupNamesOf(w.grants("Alice")), []string{"work"})
			w.equal(groupNamesOf(w.grants("Bob")), []string(nil))
			known, maybe, err := w.MayBeMember(fpr("Alice"), "family")
			w.ok(err)
			w.equal([]bool{known, maybe}, []bool{true, true})
			w.equal(len(w.problems()), 1)

			w.put("friends/{Alice}.asc", data)
			w.equal(w.grants("Alice"), post.Grants{Reader: fpr("Alice")})
			_, err = w.Certificate(fpr("Alice"))
			w.is(err, ErrUnknown)
		})
	}
}

func TestLinkedKeyDoesNotCount(t *testing.T) {
	w := family(t)
	w.rm("groups/family/{Alice}.asc")
	w.ok(os.Symlink("../../friends/"+string(fpr("Alice"))+".asc", w.path("groups/family/{Alice}.asc")))
	w.equal(groupNamesOf(w.grants("Alice")), []string{"work"})
	w.equal(w.problems(), []string{"groups/family/{Alice}.asc: not a usable key: not a regular file"})
}

func TestLinkedGroupDoesNotCount(t *testing.T) {
	w := family(t)
	w.ok(os.Symlink("family", w.path("groups/all")))
	w.equal(groupNamesOf(w.grants("Alice")), []string{"family", "work"})
	w.equal(w.problems(), []string{"groups/all: not a group: " + errGroupName.Error()})
}

func TestMayBeMember(t *testing.T) {
	for name, test := range map[string]struct {
		put          func(*world)
		known, maybe bool
	}{
		"no group":         {func(w *world) { w.rm("groups/family") }, false, false},
		"no groups":        {func(w *world) { w.rm("groups") }, false, false},
		"a file":           {func(w *world) { w.rm("groups/family"); w.put("groups/family", "") }, false, false},
		"member":           {func(*world) {}, true, true},
		"record alone":     {func(w *world) { w.rm("groups/family/{Alice}.asc") }, true, true},
		"nothing":          {func(w *world) { w.rm("groups/family/{Alice}.asc"); w.rm("groups/family/{Alice}.json") }, true, false},
		"somebody's key":   {func(w *world) { w.rm("groups/family"); w.put("groups/family/x.asc", "half") }, true, true},
		"under Bob's name": {func(w *world) { w.rm("groups/family"); w.cp("Alice", "groups/family/{Bob}.asc") }, true, true},
		"Bob's conflict":   {func(w *world) { w.rm("groups/family"); w.cp("Bob", "groups/family/x.sync-conflict-1.asc") }, true, false},
		"her conflict":     {func(w *world) { w.rm("groups/family"); w.cp("Alice", "groups/family/x.sync-conflict-1.asc") }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := family(t)
			test.put(w)
			known, maybe, err := w.MayBeMember(fpr("Alice"), "family")
			w.ok(err)
			w.equal([]bool{known, maybe}, []bool{test.known, test.maybe})
		})
	}
}

func TestMayBeMemberUnreadable(t *testing.T) {
	w := family(t)
	w.fail(disk.OpReadDir, "groups/family", syscall.EACCES)
	known, _, err := w.MayBeMember(fpr("Alice"), "family")
	w.is(err, syscall.EACCES)
	w.equal(known, false)
	known, maybe, err := w.MayBeMember(fpr("Alice"), "../friends")
	w.ok(err)
	w.equal([]bool{known, maybe}, []bool{false, false})
}
