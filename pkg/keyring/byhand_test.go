package keyring

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// spec: F14, F15
func TestCopyMakesFriend(t *testing.T) {
	w := home(t)
	w.cp("Alice", "friends/whatever.asc")
	friends, err := w.Friends()
	w.ok(err)
	if len(friends) != 1 {
		t.Fatalf("%d friends", len(friends))
	}
	p := friends[0]
	w.equal([]any{p.Fingerprint, p.Name, p.Trust, p.Follow, p.Blocked, p.Muted}, []any{fpr("Alice"), "Alice", TrustUnknown, false, false, false})
	if age := time.Since(p.Since); age < 0 || age > time.Minute {
		t.Errorf("since %v", p.Since)
	}
	w.equal(w.names("friends"), []string{"{Alice}.asc", "{Alice}.json"})
	w.equal(w.grants("Alice").Friend, true)
}

// spec: F18
func TestCopyNeverOpensThePast(t *testing.T) {
	w := home(t)
	w.newest = "20990101-000000005-aaaaaaaaaaaaa" // the clock was put back since
	w.cp("Alice", "friends/{Alice}.asc")
	w.cp("Alice", "groups/family/alice.asc")
	g := w.grants("Alice")
	w.equal(g.Since, mustStamp(t, "20990101-000000006"))
	w.equal(g.Groups, map[string]post.Position{"family": "20990101-000000006"})

	w.newest = "20991231-000000000-aaaaaaaaaaaaa"
	w.reopen() // and it stays so
	w.equal(w.grants("Alice"), g)
}

// spec: F19
func TestCopyAfterTheClock(t *testing.T) {
	w := home(t)
	w.newest = "20200101-000000000-aaaaaaaaaaaaa"
	w.cp("Alice", "friends/{Alice}.asc")
	before := post.PositionAt(time.Now())
	g := w.grants("Alice")
	if g.Since <= before || g.Since > post.PositionAt(time.Now().Add(time.Second)) {
		t.Errorf("since %s, at %s", g.Since, before)
	}
}

func TestClockBeyondAllPositions(t *testing.T) {
	w := home(t)
	w.ahead = 250 * 365 * 24 * time.Hour
	w.cp("Alice", "friends/{Alice}.asc")
	w.equal(w.grants("Alice").Since, post.Position(lastStamp))
	w.equal(w.grants("Alice").Since, post.Position(lastStamp))
}

func TestRecordGetsTheTimeOfTheKey(t *testing.T) {
	w := home(t)
	w.cp("Alice", "friends/{Alice}.asc")
	w.old("friends/{Alice}.asc")
	w.grants("Alice")
	key, err := os.Stat(w.path("friends/{Alice}.asc"))
	w.ok(err)
	rec, err := os.Stat(w.path("friends/{Alice}.json"))
	w.ok(err)
	w.equal(rec.ModTime(), key.ModTime())
}

// spec: F16
func TestRecordAsDocumented(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.CreateGroup("family"))
	_, err := w.AddMember("family", fpr("Alice"), "20261122-123456789")
	w.ok(err)
	since := post.FormatTime(time.Now())[:10]
	got := w.read("friends/{Alice}.json")
	want := "{\n  \"name\": \"Alice\",\n  \"addresses\": [],\n  \"trust\": \"unknown\",\n  \"muted\": false,\n  \"since\": \"" + since
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\",\n  \"history\": \"all\"\n}\n") {
		t.Errorf("friend: %s", got)
	}
	got = w.read("groups/family/{Alice}.json")
	if !strings.HasPrefix(got, "{\n  \"since\": \""+since) || !strings.HasSuffix(got, "\",\n  \"history\": \"20261122-123456789\"\n}\n") {
		t.Errorf("member: %s", got)
	}
	info, err := os.Stat(w.path("friends/{Alice}.json"))
	w.ok(err)
	w.equal(info.Mode(), os.FileMode(0o600))
}

// spec: F17
func TestRemoveByHandEndsIt(t *testing.T) {
	for name, test := range map[string]struct {
		rm     string
		friend bool
		groups []string
	}{
		"member": {"groups/family/{Alice}.asc", true, []string{"work"}},
		"group":  {"groups/family", true, []string{"work"}},
		"friend": {"friends/{Alice}.asc", false, nil},
		"all":    {"friends", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := home(t)
			w.befriend("Alice")
			for _, group := range []string{"family", "work"} {
				w.ok(w.CreateGroup(group))
				_, err := w.AddMember(group, fpr("Alice"), "all")
				w.ok(err)
			}
			g := w.grants("Alice")
			w.equal(g.Groups, map[string]post.Position{"family": "", "work": ""})
			w.rm(test.rm)
			g = w.grants("Alice")
			w.equal(g.Friend, test.friend)
			w.equal(groupNamesOf(g), test.groups)
		})
	}
}

// spec: F17
func TestStrangerWhateverAGroupHolds(t *testing.T) {
	w := home(t)
	w.cp("Alice", "groups/family/{Alice}.asc")
	w.put("groups/family/{Alice}.json", `{"since":"2026-01-01T00:00:00Z","history":"all"}`)
	w.equal(w.grants("Alice"), post.Grants{Reader: fpr("Alice")})
}

// spec: F20
func TestNameAloneBlocks(t *testing.T) {
	for name, path := range map[string]string{
		"fingerprint": "blocked/{Alice}.asc",
		"lower case":  "blocked/" + strings.ToLower(string(fpr("Alice"))) + ".asc",
		"with spaces": "blocked/" + string(fpr("Alice")[:20]) + " " + string(fpr("Alice")[20:]) + ".asc",
	} {
		t.Run(name, func(t *testing.T) {
			w := home(t)
			w.befriend("Alice", "Bob")
			w.put(path, "")
			w.equal(w.grants("Alice"), post.Grants{Reader: fpr("Alice")})
			w.equal(w.grants("Bob").Friend, true)
			w.equal(w.names("blocked"), []string{"{Alice}.asc"})
			w.rm("blocked/{Alice}.asc")
			w.equal(w.grants("Alice").Friend, true)
		})
	}
}

func TestKeyUnderAnotherNameBlocks(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.cp("Alice", "blocked/that.sync-conflict-20260101-120000-ABCDEFG.asc")
	w.equal(w.grants("Alice").Friend, false)
	w.equal(w.names("blocked"), []string{"{Alice}.asc"})
}

func TestMoveToBlocked(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(os.Mkdir(w.path("blocked"), 0o700))
	w.ok(os.Rename(w.path("friends/{Alice}.asc"), w.path("blocked/{Alice}.asc")))
	w.equal(w.grants("Alice").Friend, false)
	p, err := w.FindAny("alice")
	w.ok(err)
	w.equal([]any{p.Fingerprint, p.Name, p.Blocked}, []any{fpr("Alice"), "Alice", true})
}

func TestBlockedThatCannotBeRenamedBlocks(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.cp("Alice", "blocked/alice.asc")
	w.fail(disk.OpRename, "blocked/{Alice}.asc", syscall.EROFS)
	w.equal(w.grants("Alice").Friend, false)
}

func TestSecondCopyIsMerged(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	newer := revoked(t, "Alice")
	w.put("friends/alice-new.asc", string(newer.Armor()))
	held, err := w.Certificate(fpr("Alice"))
	w.ok(err)
	w.equal(held.Bytes(), newer.Bytes())
	w.equal(w.names("friends"), []string{".dup-*-{Alice}.asc", "{Alice}.asc", "{Alice}.json"})
	w.equal(w.problems(), []string(nil))
}

func TestSecondCopyInGroupIsSetAside(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.cp("Alice", "groups/family/{Alice}.asc")
	w.cp("Alice", "groups/family/alice.asc")
	w.equal(groupNamesOf(w.grants("Alice")), []string{"family"})
	w.equal(w.names("groups/family"), []string{".dup-*-{Alice}.asc", "{Alice}.asc", "{Alice}.json"})
}

func TestSecondCopyBesideABrokenOneStays(t *testing.T) {
	w := home(t)
	w.put("friends/{Alice}.asc", "broken")
	w.cp("Alice", "friends/alice.asc")
	w.equal(w.grants("Alice").Friend, false)
	w.equal(w.names("friends"), []string{"alice.asc", "{Alice}.asc"})
	w.equal(len(w.problems()), 2)
}

func TestHalfCopiedKey(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	whole := string(cert("Alice").Armor())
	file := "groups/family/alice.asc"
	w.put(file, whole[:len(whole)/2])
	w.equal(groupNamesOf(w.grants("Alice")), []string(nil))
	w.old("groups/family") // its times do not move again
	w.equal(groupNamesOf(w.grants("Alice")), []string(nil))
	f, err := os.OpenFile(w.path(file), os.O_APPEND|os.O_WRONLY, 0)
	w.ok(err)
	_, err = f.WriteString(whole[len(whole)/2:])
	w.ok(err)
	w.ok(f.Close())
	w.equal(groupNamesOf(w.grants("Alice")), []string{"family"})
}

// The directory's times are the hint; with the racy rule out of the way they
// must be enough.
func TestSettledDirectoriesAreNoticed(t *testing.T) {
	w := home(t)
	w.ahead = time.Hour
	w.befriend("Alice")
	w.old("friends/{Alice}.asc")
	for range 2 {
		w.equal(w.grants("Alice").Friend, true)
	}
	w.cp("Bob", "friends/bob.asc")
	w.equal(w.grants("Bob").Friend, true)
	w.put("blocked/{Bob}.asc", "")
	w.equal(w.grants("Bob").Friend, false)
	w.put("friends/{Alice}.asc", string(cert("Carol").Armor())) // in place
	w.equal(w.grants("Alice").Friend, false)
}

func TestSettledDirectoryIsNotListed(t *testing.T) {
	w := home(t)
	w.ahead = time.Hour
	w.befriend("Alice")
	w.ok(w.Block(fpr("Bob"), nil))
	w.grants("Alice")
	w.fault = func(op disk.Op, name string) error {
		if op == disk.OpReadDir && name != groupsDir || op == disk.OpRead || op == disk.OpOpen {
			t.Errorf("%s %s", op, name)
		}
		return nil
	}
	w.equal(w.grants("Alice").Friend, true)
}

func TestRacyDirectoryIsListedAgain(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.put("blocked/x", "")
	w.grants("Alice")
	listed := false
	w.fault = func(op disk.Op, name string) error {
		listed = listed || op == disk.OpReadDir && name == blockedDir
		return nil
	}
	w.grants("Alice")
	w.equal(listed, true)
}

func TestConflictCopiesMakeNobody(t *testing.T) {
	w := home(t)
	w.befriend("Bob")
	w.cp("Alice", "friends/{Alice}.sync-conflict-20260101-120000-ABCDEFG.asc")
	w.cp("Bob", "groups/family/bob (conflicted copy 2026-01-01).asc")
	w.equal(w.grants("Alice").Friend, false)
	w.equal(groupNamesOf(w.grants("Bob")), []string(nil))
	w.equal(w.problems(), []string{
		"friends/{Alice}.sync-conflict-20260101-120000-ABCDEFG.asc: " + errConflict.Error(),
		"groups/family/bob (conflicted copy 2026-01-01).asc: " + errConflict.Error(),
	})
}

func TestOrphanLosesItsHistory(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.CreateGroup("family"))
	_, err := w.AddMember("family", fpr("Alice"), "all")
	w.ok(err)
	w.ok(w.SetTrust(fpr("Alice"), TrustVerified))
	w.rm("friends/{Alice}.asc")
	w.rm("groups/family/{Alice}.asc")
	w.ahead = time.Hour
	w.equal(w.grants("Alice").Friend, false)
	if _, err := w.Groups(); err != nil {
		t.Fatal(err)
	}
	now := post.PositionAt(time.Now().Add(w.ahead))
	w.cp("Alice", "friends/{Alice}.asc")
	w.cp("Alice", "groups/family/{Alice}.asc")
	g := w.grants("Alice")
	if g.Since <= now || g.Groups["family"] <= now {
		t.Errorf("grants %v, now %s", g, now)
	}
	p, err := w.Find("alice")
	w.ok(err)
	w.equal(p.Trust, TrustVerified)
}

func TestRecordThatArrivesBeforeItsKey(t *testing.T) {
	w := home(t)
	w.put("friends/{Alice}.json", `{"name":"Ally","history":"all"}`)
	w.equal(w.grants("Alice").Friend, false)
	w.cp("Alice", "friends/{Alice}.asc")
	w.equal(w.grants("Alice").Since, post.Position(""))
}

func TestFilesOfEditorsAreNobody(t *testing.T) {
	w := home(t)
	for _, name := range []string{"alice.asc~", ".alice.asc.swp", ".#alice.asc", ".syncthing.alice.asc.tmp", "alice.asc.part", ".alice.asc", "alice.gpg"} {
		w.cp("Alice", "friends/"+name)
	}
	friends, err := w.Friends()
	w.ok(err)
	w.equal(len(friends), 0)
	w.equal(w.problems(), []string(nil))
}
