package keyring

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

func TestAddFriend(t *testing.T) {
	w := home(t)
	p, already, err := w.AddFriend(cert("Alice"), AddOptions{Name: "Ally", Addresses: []string{"http://a:7117"}, Trust: TrustPinned, History: "20261122-123456789"})
	w.ok(err)
	w.equal(already, false)
	w.equal([]any{p.Name, p.Addresses, p.Trust, p.History}, []any{"Ally", []string{"http://a:7117"}, TrustPinned, "20261122-123456789"})
	w.equal(w.grants("Alice").Since, post.Position("20261122-123456789"))
	w.reopen()
	q, err := w.Find("Ally")
	w.ok(err)
	w.equal(q, p)
}

func TestAddFriendAgain(t *testing.T) {
	w := home(t)
	first, _, err := w.AddFriend(cert("Alice"), AddOptions{Trust: TrustVerified, Addresses: []string{"http://a"}})
	w.ok(err)
	newer := revoked(t, "Alice")
	p, already, err := w.AddFriend(newer, AddOptions{Trust: TrustPinned})
	w.ok(err)
	w.equal(already, true)
	w.equal(p, first) // trust does not fall, the history stays
	held, err := w.Certificate(fpr("Alice"))
	w.ok(err)
	w.equal(held.Bytes(), newer.Bytes())
	p, _, err = w.AddFriend(newer, AddOptions{Name: "Ally", History: "20261122-123456789", Addresses: []string{"http://b"}})
	w.ok(err)
	w.equal([]any{p.Name, p.History, p.Addresses}, []any{"Ally", "20261122-123456789", []string{"http://b"}})
}

func TestAddFriendRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		opt  AddOptions
		want string
	}{
		"history":  {AddOptions{History: "yesterday"}, `"yesterday": not a history`},
		"reserved": {AddOptions{Name: "Friends"}, `"Friends": already taken: it is reserved`},
		"path":     {AddOptions{Name: "a/b"}, `"a/b": not a usable name: try "a-b"`},
		"nothing":  {AddOptions{Name: "..."}, `"...": not a usable name`},
		"friend":   {AddOptions{Name: "BOB"}, `the name "BOB": already taken`},
		"group":    {AddOptions{Name: "Family"}, `the name "Family": already taken`},
		"follow":   {AddOptions{Name: "carol"}, `the name "carol": already taken`},
	} {
		t.Run(name, func(t *testing.T) {
			w := home(t)
			w.befriend("Bob")
			w.ok(w.CreateGroup("family"))
			_, _, err := w.AddFollow(cert("Carol"), AddOptions{})
			w.ok(err)
			_, _, err = w.AddFriend(cert("Alice"), test.opt)
			w.says(err, "add friend "+short(fpr("Alice"))+": "+test.want)
			w.equal(w.names("friends"), sorted("{Bob}.asc", "{Bob}.json"))
		})
	}
}

// In a crash at any operation he is a friend as told, or none.
func TestAddFriendCrash(t *testing.T) {
	for n := 0; ; n++ {
		w := home(t)
		ops := 0
		w.fault = func(disk.Op, string) error {
			if ops++; ops > n {
				return syscall.EIO // and nothing works from here on
			}
			return nil
		}
		_, _, err := w.AddFriend(cert("Alice"), AddOptions{Name: "Ally"})
		if ops <= n {
			return
		}
		w.fault = nil
		w.reopen()
		g := w.grants("Alice")
		if err == nil && !g.Friend {
			t.Errorf("after operation %d: said to be added", n)
		}
		if g.Friend && g.Since != "" {
			t.Errorf("after operation %d: %v", n, g)
		}
		friends, err := w.Friends()
		w.ok(err)
		if len(friends) == 1 && friends[0].Name != "Ally" {
			t.Errorf("after operation %d: %v", n, friends)
		}
	}
}

func TestUniqueNames(t *testing.T) {
	w := home(t)
	w.put("friends/{Bob}.asc", string(cert("Bob").Armor()))
	w.put("friends/{Bob}.json", `{"name":"alice","history":"all"}`)
	w.ok(w.CreateGroup("alice-2"))
	w.befriend("Alice")
	p, err := w.Find(string(fpr("Alice")))
	w.ok(err)
	w.equal(p.Name, "Alice-3")
}

func TestSafeNames(t *testing.T) {
	for raw, want := range map[string]string{
		"me": "me-2", "Public": "Public-2", "../evil": "evil", "DEADBEEF": "x DEADBEEF", "--to": "to",
		"...": "friend ########", strings.Repeat("x", 100): strings.Repeat("x", 64),
	} {
		secret, err := pgp.Generate(raw, "", testTime)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		w := home(t)
		p, _, err := w.AddFriend(secret.Certificate(), AddOptions{})
		w.ok(err)
		w.equal(p.Name, strings.ReplaceAll(want, "########", string(p.Fingerprint[:8])))
		w.ok(CheckName(p.Name))
	}
}

func TestNameMadeUniqueIsNotTooLong(t *testing.T) {
	w := home(t)
	long := strings.Repeat("x", 64)
	for i, want := range []string{long, long[:62] + "-2"} {
		secret, err := pgp.Generate(long, "", testTime.AddDate(0, 0, i))
		w.ok(err)
		p, _, err := w.AddFriend(secret.Certificate(), AddOptions{})
		w.ok(err)
		w.equal(p.Name, want)
	}
}

func TestNamesChangedByHand(t *testing.T) {
	w := home(t)
	w.befriend("Alice", "Bob")
	w.put("friends/{Alice}.json", `{"name":"me","history":"all","trust":"absolute"}`)
	p, err := w.Find("me-2")
	w.ok(err)
	w.equal([]any{p.Fingerprint, p.Trust}, []any{fpr("Alice"), TrustUnknown})
	w.put("friends/{Alice}.json", `{"name":"BOB","history":"all"}`)
	_, err = w.Find("bob")
	w.is(err, ErrAmbiguous)
	_, _, err = w.Resolve([]string{"bob"})
	w.is(err, ErrAmbiguous)
	problems := w.problems()
	if len(problems) != 1 || !strings.HasSuffix(problems[0], "is taken") {
		t.Errorf("problems %q", problems)
	}
}

func TestFind(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	_, _, err := w.AddFollow(cert("Bob"), AddOptions{Name: "Zoë B."})
	w.ok(err)
	a, b := string(fpr("Alice")), string(fpr("Bob"))
	for who, want := range map[string]pgp.Fingerprint{
		"Alice": fpr("Alice"), "aLICE": fpr("Alice"), "zoe\u0308 b.": fpr("Bob"),
		a: fpr("Alice"), strings.ToLower(a): fpr("Alice"), a[:8]: fpr("Alice"), "openpgp4fpr:" + a: fpr("Alice"), "OPENPGP4FPR:" + b[:12]: fpr("Bob"),
		b[:4] + " " + b[4:8] + "  " + b[8:]: fpr("Bob"),
	} {
		p, err := w.Find(who)
		if err != nil || p.Fingerprint != want {
			t.Errorf("%q: %v, %v", who, p.Fingerprint, err)
		}
	}
	for _, who := range []string{"", "Ali", a[:7], a + "0", string(fpr("Carol")), a[1:9], "\x1b[2J"} {
		_, err := w.Find(who)
		w.is(err, ErrUnknown)
	}
	_, err = w.Find("al\x1bice")
	w.says(err, "\"al\uFFFDice\": unknown")
}

func TestFindAny(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.Block(fpr("Bob"), cert("Bob")))
	w.cp("Carol", "groups/family/{Carol}.asc")
	_, err := w.Find("bob")
	w.is(err, ErrUnknown)
	p, err := w.FindAny("bob")
	w.ok(err)
	w.equal(p, Person{Fingerprint: fpr("Bob"), Name: "Bob", Trust: TrustUnknown, Blocked: true})
	p, err = w.FindAny(string(fpr("Carol")[:8]))
	w.ok(err)
	w.equal(p, Person{Fingerprint: fpr("Carol"), Name: "Carol", Trust: TrustUnknown, Groups: []string{"family"}})
	p, err = w.FindAny("alice")
	w.ok(err)
	w.equal(p.Fingerprint, fpr("Alice"))
	_, err = w.FindAny("nobody")
	w.says(err, `"nobody": unknown`)
}

func TestBlockWithoutCertificate(t *testing.T) {
	w := home(t)
	w.ok(w.Block(fpr("Bob"), nil))
	w.equal(w.read("blocked/{Bob}.asc"), "")
	p, err := w.FindAny(string(fpr("Bob")))
	w.ok(err)
	w.equal([]any{p.Name, p.Blocked}, []any{short(fpr("Bob")), true})
	w.is(w.Block("../x", nil), pgp.ErrMalformed)
}

func TestBlockAndUnblock(t *testing.T) {
	w := family(t)
	before := w.grants("Alice")
	w.ok(w.Block(fpr("Alice"), cert("Alice")))
	w.ok(w.Block(fpr("Alice"), nil)) // nothing is lost
	w.equal(w.read("blocked/{Alice}.asc"), string(cert("Alice").Armor()))
	blocked, err := w.Blocked()
	w.ok(err)
	w.equal(blocked, []pgp.Fingerprint{fpr("Alice")})
	w.equal(w.grants("Alice"), post.Grants{Reader: fpr("Alice")})
	p, err := w.Find("Alice")
	w.ok(err)
	w.equal(p.Blocked, true)
	for _, want := range []bool{true, false} {
		was, err := w.Unblock(fpr("Alice"))
		w.ok(err)
		w.equal(was, want)
	}
	w.equal(w.grants("Alice"), before)
}

func TestRemoveFriendLeavesEveryGroup(t *testing.T) {
	w := family(t)
	for _, want := range []bool{true, false} {
		was, err := w.RemoveFriend(fpr("Alice"))
		w.ok(err)
		w.equal(was, want)
	}
	w.equal(w.grants("Alice"), post.Grants{Reader: fpr("Alice")})
	for _, dir := range []string{"friends", "groups/family", "groups/work"} {
		w.equal(w.names(dir), []string(nil))
	}
	w.befriend("Alice")
	w.equal(groupNamesOf(w.grants("Alice")), []string(nil))
}

func TestRemoveFriendFromWhatCannotBeRead(t *testing.T) {
	w := family(t)
	w.fail(disk.OpRemove, "groups/family/{Alice}.asc", syscall.EACCES)
	_, err := w.RemoveFriend(fpr("Alice"))
	w.is(err, syscall.EACCES)
	w.equal(w.grants("Alice").Friend, false)
	w.equal(w.names("groups/work"), []string(nil))
}

func TestFollow(t *testing.T) {
	w := home(t)
	p, already, err := w.AddFollow(cert("Alice"), AddOptions{Addresses: []string{"http://a"}})
	w.ok(err)
	w.equal([]any{already, p.Name, p.Follow, p.History}, []any{false, "Alice", true, ""})
	w.equal(w.grants("Alice").Friend, false)
	_, already, err = w.AddFollow(cert("Alice"), AddOptions{})
	w.ok(err)
	w.equal(already, true)
	w.ok(w.RenamePerson(fpr("Alice"), "Ally"))
	w.ok(w.SetMuted(fpr("Alice"), true))

	p, already, err = w.AddFriend(cert("Alice"), AddOptions{})
	w.ok(err)
	w.equal([]any{already, p.Name, p.Addresses, p.Muted, p.History}, []any{false, "Ally", []string{"http://a"}, true, "all"})
	follows, err := w.Follows()
	w.ok(err)
	w.equal(len(follows), 0)
	w.equal(w.names("follows"), []string(nil))

	p, already, err = w.AddFollow(cert("Alice"), AddOptions{Name: "Other"})
	w.ok(err)
	w.equal([]any{already, p.Name, p.Follow}, []any{true, "Ally", false})
	was, err := w.RemoveFollow(fpr("Alice"))
	w.ok(err)
	w.equal(was, false)
}

func TestFollowByHand(t *testing.T) {
	w := home(t)
	w.cp("Alice", "follows/alice.asc")
	follows, err := w.Follows()
	w.ok(err)
	w.equal([]any{len(follows), follows[0].Name, follows[0].Follow}, []any{1, "Alice", true})
	w.equal(strings.Contains(w.read("follows/{Alice}.json"), "history"), false)
}

// spec: F16
func TestSettersKeepWhatTheyDoNotKnow(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.put("friends/{Alice}.json", `{"colour":"red","name":"Ally","history":"all","since":"2026-01-01T00:00:00Z","trust":"pinned","z":[1,{"a":null}]}`)
	w.ok(w.RenamePerson(fpr("Alice"), "Al"))
	w.ok(w.SetAddresses(fpr("Alice"), []string{"http://a", "http://b"}))
	w.ok(w.SetMuted(fpr("Alice"), true))
	w.ok(w.SetTrust(fpr("Alice"), TrustVerified))
	w.ok(w.SetHistory(fpr("Alice"), "20261122-123456789"))
	want := `{"name":"Al","addresses":["http://a","http://b"],"trust":"verified","muted":true,"since":"2026-01-01T00:00:00Z","history":"20261122-123456789","colour":"red","z":[1,{"a":null}]}`
	got := strings.NewReplacer("\n", "", " ", "").Replace(w.read("friends/{Alice}.json"))
	w.equal(got, want)
}

func TestSettersRefuse(t *testing.T) {
	w := home(t)
	w.befriend("Alice", "Bob")
	before := w.read("friends/{Alice}.json")
	w.is(w.RenamePerson(fpr("Carol"), "x"), ErrUnknown)
	w.is(w.RenamePerson(fpr("Alice"), "bob"), ErrExists)
	w.is(w.RenamePerson(fpr("Alice"), "deadbeef"), ErrName)
	w.is(w.SetHistory(fpr("Alice"), "ALL"), ErrHistory)
	w.fail(disk.OpOpen, "friends/{Alice}.json", syscall.EIO)
	w.is(w.SetMuted(fpr("Alice"), true), syscall.EIO)
	w.fault = nil
	w.equal(w.read("friends/{Alice}.json"), before)
	w.ok(w.RenamePerson(fpr("Alice"), "ALICE")) // her own in another case
}

func TestMerge(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	newer := revoked(t, "Alice")
	merged, changed, err := w.Merge(newer)
	w.ok(err)
	w.equal(changed, true)
	w.equal(merged.Bytes(), newer.Bytes())
	w.equal(w.read("friends/{Alice}.asc"), string(newer.Armor()))
	merged, changed, err = w.Merge(cert("Alice")) // an older one takes nothing away
	w.ok(err)
	w.equal(changed, false)
	w.equal(merged.Bytes(), newer.Bytes())
	_, _, err = w.Merge(cert("Bob"))
	w.is(err, ErrUnknown)
}

func TestFriendsAreSorted(t *testing.T) {
	w := home(t)
	for who, name := range map[string]string{"Alice": "zed", "Bob": "Émile", "Carol": "anna"} {
		_, _, err := w.AddFriend(cert(who), AddOptions{Name: name})
		w.ok(err)
	}
	friends, err := w.Friends()
	w.ok(err)
	var names []string
	for _, p := range friends {
		names = append(names, p.Name)
	}
	w.equal(names, []string{"anna", "zed", "Émile"})
}

func TestFriendsUnreadable(t *testing.T) {
	w := family(t)
	w.reopen()
	w.fail(disk.OpReadDir, "friends", syscall.EIO)
	_, err := w.Friends()
	w.is(err, syscall.EIO)
	_, err = w.Certificate(fpr("Alice"))
	w.is(err, syscall.EIO)
	_, err = w.Find("Alice")
	w.is(err, syscall.EIO)
}

func TestProblemsNameUnreadableDirectories(t *testing.T) {
	w := family(t)
	w.reopen()
	w.cp("Bob", "groups/bob.asc")
	w.ok(os.Mkdir(w.path("groups/Work"), 0o700))
	w.fail(disk.OpReadDir, "friends", syscall.EIO)
	w.equal(w.problems(), []string{
		"friends: input/output error",
		"groups/Work: not a group: " + errGroupName.Error(),
		"groups/bob.asc: not a group: " + errGroupName.Error(),
	})
}
