package home_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A populated home in which every kind of file is, and nothing is damaged, and a
// copy of which each test of check damages in one way.
type populated struct {
	t     *testing.T
	dir   string
	alice *pgp.Certificate
	bob   *pgp.Secret
	carol *pgp.Secret
	posts map[string]post.ID // by content; of Alice and Bob
	hash  string             // of the attachment
}

func populate(t *testing.T) *populated {
	t.Helper()
	p := &populated{t: t, dir: filepath.Join(inMemory(t), "alice"), posts: map[string]post.ID{}}
	open := func(dir, name string) (*home.Home, *pgp.Secret) {
		h, err := home.Create(dir, home.Options{Now: clock, Wait: 5 * time.Second})
		if err == nil {
			err = makeIdentity(h, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		raw, err := os.ReadFile(h.Path("key/daily.asc"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := pgp.ParseSecret(raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		return h, s
	}
	alice, me := open(p.dir, "Alice")
	bob, b := open(filepath.Join(filepath.Dir(p.dir), "bob"), "Bob")
	_, p.carol = open(filepath.Join(filepath.Dir(p.dir), "carol"), "Carol")
	p.alice, p.bob = me.Certificate(), b
	url := served(t, bob)
	befriend(t, bob, alice, "")
	befriend(t, alice, bob, url)
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	people := alice.People()
	var strangers []*pgp.Secret
	for _, name := range []string{"Dave", "Eve", "Frank"} {
		s, err := pgp.Generate(name, "", clock())
		must(err)
		strangers = append(strangers, s)
	}
	_, _, err := people.AddFriend(p.carol.Certificate(), keyring.AddOptions{Name: "carol", Trust: keyring.TrustVerified})
	must(err)
	_, _, err = people.AddFollow(strangers[0].Certificate(), keyring.AddOptions{})
	must(err, people.Block(strangers[1].Certificate().Fingerprint(), strangers[1].Certificate()), people.Block(strangers[2].Certificate().Fingerprint(), nil))
	for group, who := range map[string]pgp.Fingerprint{"family": b.Certificate().Fingerprint(), "work": p.carol.Certificate().Fingerprint()} {
		must(people.CreateGroup(group))
		_, err := people.AddMember(group, who, "none")
		must(err)
	}
	pull := func() {
		t.Helper()
		from, err := people.Find("Bob")
		must(err, alice.Pull(t.Context(), []keyring.Person{from}, home.PullOptions{}, func(e home.Event) {
			if e.Pulled != nil {
				must(e.Pulled.Err)
			}
		}))
	}
	say := func(h *home.Home, of *pgp.Certificate, words string, to ...string) {
		p.posts[words] = note(t, h, words, to...).ID()
	}
	for words, to := range map[string][]string{"for friends": {"friends"}, "for family": {"family"}, "for all": {"public"}, "for me": {"me"}, "for carol": {"carol", "work"}, "edited": {"friends"}, "deleted": {"public"}, "widened": {"me"}} {
		say(alice, p.alice, words, to...)
	}
	_, err = alice.Edit(t.Context(), p.posts["edited"], func(d *post.Draft) error { d.Set("content", "edited twice"); return nil })
	must(err)
	_, err = alice.Delete(t.Context(), p.posts["deleted"])
	must(err)
	p.attach(alice)
	for _, words := range []string{"bob one", "bob two", "bob edited", "bob deleted"} {
		say(bob, b.Certificate(), words, "friends")
	}
	pull()
	_, err = bob.Edit(t.Context(), p.posts["bob edited"], func(d *post.Draft) error { d.Set("content", "bob edited twice"); return nil })
	must(err)
	_, err = bob.Delete(t.Context(), p.posts["bob deleted"])
	must(err)
	pull()
	p.byHand(alice)
	must(alice.Close())
	return p
}

// attach makes a post with an attachment, by hand as long as no command does.
func (p *populated) attach(h *home.Home) {
	data := []byte("a picture")
	sum := sha256.Sum256(data)
	p.hash = hex.EncodeToString(sum[:])
	d := post.NewDraft("Note")
	d.Set("content", "with a picture")
	d.SetValue("attachment", fmt.Appendf(nil, `[{"type":"Image","mediaType":"image/png","name":"a picture","size":%d,"url":[{"href":"sha256:%s"}]}]`, len(data), p.hash))
	x, err := h.Post(p.t.Context(), d, post.Audience{Friends: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.posts["with a picture"] = x.ID()
	s := &seeded{populated: p, dir: p.dir}
	s.write(s.attachment(), data)
}

// byHand is what is done by hand and is no damage.
func (p *populated) byHand(h *home.Home) {
	s := &seeded{populated: p, dir: p.dir}
	s.write("feed/lunch.json", []byte(`{"type":"Note","content":"Lunch at one","to":["family"]}`))
	name := s.mine("widened")
	s.write(name, bytes.Replace(s.read(name), []byte(`"signature"`), []byte(`"bto": ["friends"], "signature"`), 1))
	for _, other := range []string{"feed/notes.txt", "feed/2026/.hidden.json", "feed/.git/x.json", "feed/lunch.json~", "feed/x.json.part", "feeds/.DS_Store", "friends/.DS_Store",
		"friends/README", "groups/.DS_Store", "groups/family/notes.txt", "history/.DS_Store", "attachments/.DS_Store", "blocked/.keep"} {
		s.write(other, []byte("{"))
	}
}

// A seeded is one copy of the home, in which something is damaged.
type seeded struct {
	*populated
	dir string
}

func (s *seeded) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *seeded) must(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal(err)
	}
}

func (s *seeded) read(name string) []byte {
	data, err := os.ReadFile(s.path(name))
	s.must(err)
	return data
}

func (s *seeded) write(name string, data []byte) {
	s.t.Helper()
	s.must(os.MkdirAll(filepath.Dir(s.path(name)), 0o700))
	s.must(os.WriteFile(s.path(name), data, 0o600))
}

func (s *seeded) rename(from, to string) {
	s.must(os.MkdirAll(filepath.Dir(s.path(to)), 0o700))
	s.must(os.Rename(s.path(from), s.path(to)))
}

func (s *seeded) remove(name string)   { s.must(os.RemoveAll(s.path(name))) }
func (s *seeded) copy(from, to string) { s.write(to, s.read(from)) }
func (s *seeded) cut(name string)      { d := s.read(name); s.write(name, d[:len(d)/2]) }
func (s *seeded) link(name string) {
	s.rename(name, "elsewhere")
	s.must(os.Symlink(s.path("elsewhere"), s.path(name)))
}
func (s *seeded) mode(n string, m uint32) { s.must(os.Chmod(s.path(n), os.FileMode(m))) }

// flip flips one bit in the middle of what stands after a word.
func (s *seeded) flip(name, after string) {
	d := s.read(name)
	i := bytes.Index(d, []byte(after))
	if i < 0 {
		s.t.Fatalf("%q does not stand in %s", after, name)
	}
	d[i+len(after)+5] ^= 1
	s.write(name, d)
}

func (s *seeded) replace(name, old, by string) {
	d := s.read(name)
	if !bytes.Contains(d, []byte(old)) {
		s.t.Fatalf("%q does not stand in %s:\n%s", old, name, d)
	}
	s.write(name, bytes.Replace(d, []byte(old), []byte(by), 1))
}

func (s *seeded) mine(words string) string { return feed.Mine.Path(s.posts[words].Position) }
func (s *seeded) copied(words string) string {
	return feed.Of(s.posts[words].Author).Path(s.posts[words].Position)
}
func (s *seeded) attachment() string { return "attachments/" + s.hash[:2] + "/" + s.hash }
func (s *seeded) key(dir string, of *pgp.Secret) string {
	return dir + "/" + string(of.Certificate().Fingerprint()) + ".asc"
}
func (s *seeded) json(dir string, of *pgp.Secret) string {
	return strings.TrimSuffix(s.key(dir, of), ".asc") + ".json"
}

func (s *seeded) one(pattern string) string {
	found, _ := filepath.Glob(s.path(pattern))
	if len(found) == 0 {
		s.t.Fatalf("there is no %s", pattern)
	}
	name, err := filepath.Rel(s.dir, found[0])
	s.must(err)
	return filepath.ToSlash(name)
}

// sql changes the index, as a fault of the disk or of a program would.
func (s *seeded) sql(query string, args ...any) string {
	name := s.one("cache/*.db")
	db, err := sql.Open("sqlite", "file:"+s.path(name))
	s.must(err)
	res, err := db.Exec(query, args...)
	s.must(err)
	if n, _ := res.RowsAffected(); n == 0 {
		s.t.Fatalf("%s changes nothing", query)
	}
	s.must(db.Close())
	return name
}

func (s *seeded) row(words, set string) string {
	s.sql("UPDATE post SET "+set+" WHERE position = ?", string(s.posts[words].Position))
	if s.posts[words].Author == s.alice.Fingerprint() {
		return s.mine(words)
	}
	return s.copied(words)
}

// damages are ways to damage a home: each returns the file that check must name,
// and nothing else.
var damages = []struct {
	what      string
	untrusted bool
	seed      func(s *seeded) string
}{
	{"a post of mine is cut", false, func(s *seeded) string { n := s.mine("for friends"); s.cut(n); return n }},
	{"a post of mine is empty", false, func(s *seeded) string { n := s.mine("for friends"); s.write(n, nil); return n }},
	{"a bit of a post's text is flipped", false, func(s *seeded) string {
		n := s.mine("for friends")
		s.replace(n, "for friends", "for frienes")
		return n
	}},
	{"a bit of a post's signature is flipped", false, func(s *seeded) string { n := s.mine("for family"); s.flip(n, `"signature": "`); return n }},
	{"a post of mine is zeroes", false, func(s *seeded) string { n := s.mine("for all"); s.write(n, make([]byte, 500)); return n }},
	{"a post of mine lies under another id", false, func(s *seeded) string {
		n := s.mine("for friends")
		to := strings.TrimSuffix(n, "aaaaaaaaaaaaa.json")
		to = to[:len(to)-len("xxxxxxxxxxxxx.json")] + "aaaaaaaaaaaaa.json"
		s.copy(n, to)
		return to
	}},
	{"a post of mine lies in another month", false, func(s *seeded) string {
		n := s.mine("for me")
		to := "feed/2001/01/" + filepath.Base(n)
		s.copy(n, to)
		return to
	}},
	{"a post of mine is gone", false, func(s *seeded) string { n := s.mine("for me"); s.remove(n); return n }},
	{"a post of mine is an earlier text", false, func(s *seeded) string {
		n := s.mine("edited")
		s.copy(feed.History(post.Version{ID: s.posts["edited"], Revision: 1}), n)
		return n
	}},
	{"a tombstone is flipped", false, func(s *seeded) string {
		n := s.mine("deleted")
		s.replace(n, `"formerType": "Note"`, `"formerType": "Nota"`)
		return n
	}},
	{"a post of mine is by another author", false, func(s *seeded) string { n := s.mine("for all"); s.copy(s.copied("bob one"), n); return n }},
	{"a foreign post lies among mine", true, func(s *seeded) string {
		n := feed.Mine.Path(s.posts["bob one"].Position)
		s.copy(s.copied("bob one"), n)
		return n
	}},
	{"a post of mine has a second member of a name", false, func(s *seeded) string {
		n := s.mine("for all")
		s.replace(n, `"content"`, `"content": "twice", "content"`)
		return n
	}},
	{"a post of mine has an audience that is not in order", false, func(s *seeded) string { n := s.mine("for friends"); s.replace(n, `"friends"`, `"Friends!"`); return n }},
	{"a post of mine is a link", false, func(s *seeded) string { n := s.mine("for all"); s.link(n); return n }},
	{"a post of mine is a folder", false, func(s *seeded) string { s.write("feed/2026/11/x.json/y", nil); return "feed/2026/11/x.json" }},
	{"a post of mine is far too long", false, func(s *seeded) string { n := s.mine("for all"); s.write(n, bytes.Repeat([]byte(" "), 1<<20)); return n }},
	{"a month is a link", false, func(s *seeded) string {
		s.must(os.MkdirAll(s.path("other"), 0o700))
		s.must(os.Symlink(s.path("other"), s.path("feed/2020")))
		return "feed/2020"
	}},
	{"a post lies too deep", false, func(s *seeded) string { s.write("feed/a/b/c/d/x.json", []byte("{}")); return "feed/a/b/c/d" }},
	{"a conflict copy of my post", false, func(s *seeded) string {
		n := s.mine("for all")
		to := strings.TrimSuffix(n, ".json") + ".sync-conflict-20261122-123456-ABCDEFG.json"
		s.copy(n, to)
		return to
	}},
	{"a twin of my post in another case", false, func(s *seeded) string {
		n := s.mine("for all")
		to := filepath.Dir(n) + "/" + strings.ToUpper(strings.TrimSuffix(filepath.Base(n), ".json")) + ".json"
		s.copy(n, to)
		return to
	}},
	{"a twin with another ending", false, func(s *seeded) string {
		n := s.mine("for all")
		to := strings.TrimSuffix(n, ".json") + ".JSON"
		s.copy(n, to)
		return to
	}},
	{"a half-written draft", false, func(s *seeded) string {
		s.write("feed/half.json", []byte(`{"type":"Note","conte`))
		return "feed/half.json"
	}},

	{"a copy is cut", false, func(s *seeded) string { n := s.copied("bob one"); s.cut(n); return n }},
	{"a bit of a copy's text is flipped", true, func(s *seeded) string { n := s.copied("bob one"); s.replace(n, "bob one", "bob onf"); return n }},
	{"a copy is gone", false, func(s *seeded) string { n := s.copied("bob two"); s.remove(n); return n }},
	{"a copy is somebody else's", true, func(s *seeded) string { n := s.copied("bob two"); s.copy(s.mine("for all"), n); return n }},
	{"a copy lies under another id", false, func(s *seeded) string { n := s.copied("bob two"); s.copy(s.copied("bob one"), n); return n }},
	{"a copy lies in another month", false, func(s *seeded) string {
		n := s.copied("bob two")
		to := filepath.Dir(filepath.Dir(filepath.Dir(n))) + "/2001/01/" + filepath.Base(n)
		s.copy(n, to)
		return to
	}},
	{"a copy has a private audience", false, func(s *seeded) string {
		n := s.copied("bob two")
		s.replace(n, `"signature"`, `"bto": ["friends"], "signature"`)
		return n
	}},
	{"a copy is a pipe", false, func(s *seeded) string { n := s.copied("bob one"); s.link(n); return n }},
	{"a conflict copy of a copy", false, func(s *seeded) string {
		n := s.copied("bob one")
		to := strings.TrimSuffix(n, ".json") + " (conflicted copy).json"
		s.copy(n, to)
		return to
	}},
	{"a feed in another case", false, func(s *seeded) string { s.write("feeds/abcdef/2026/11/x.json", []byte("{}")); return "feeds/abcdef" }},

	{"an earlier text is flipped", true, func(s *seeded) string {
		n := s.one("history/" + string(s.alice.Fingerprint()) + "/*")
		s.replace(n, `"edited"`, `"editee"`)
		return n
	}},
	{"an earlier text of a friend is cut", false, func(s *seeded) string {
		n := s.one("history/" + string(s.bob.Certificate().Fingerprint()) + "/*")
		s.cut(n)
		return n
	}},
	{"a text in the trash is flipped", true, func(s *seeded) string {
		n := s.one("trash/" + string(s.alice.Fingerprint()) + "/*")
		s.replace(n, `"deleted"`, `"deletee"`)
		return n
	}},
	{"a text in the trash has another revision", false, func(s *seeded) string {
		n := s.one("trash/" + string(s.bob.Certificate().Fingerprint()) + "/*")
		to := strings.TrimSuffix(n, "1.json") + "7.json"
		s.rename(n, to)
		return to
	}},
	{"a file in the trash that is none", false, func(s *seeded) string {
		n := "trash/" + string(s.alice.Fingerprint()) + "/x.json"
		s.write(n, []byte("{}"))
		return n
	}},
	{"a folder in history that is nobody's", false, func(s *seeded) string { s.write("history/x/y", nil); return "history/x" }},

	{"an attachment is flipped", true, func(s *seeded) string { n := s.attachment(); s.write(n, []byte("a picturf")); return n }},
	{"an attachment is cut", true, func(s *seeded) string { n := s.attachment(); s.cut(n); return n }},
	{"an attachment is gone", false, func(s *seeded) string { n := s.attachment(); s.remove(n); return n }},
	{"an attachment that no post names", false, func(s *seeded) string {
		sum := sha256.Sum256([]byte("nobody's"))
		h := hex.EncodeToString(sum[:])
		s.write("attachments/"+h[:2]+"/"+h, []byte("nobody's"))
		return "attachments/" + h[:2] + "/" + h
	}},
	{"an attachment under no hash", false, func(s *seeded) string { n := "attachments/ab/picture.png"; s.write(n, nil); return n }},
	{"an attachment in another folder", false, func(s *seeded) string { n := "attachments/zz"; s.copy(s.attachment(), n+"/"+s.hash); return n }},

	{"my key can be read by others", false, func(s *seeded) string { s.mode("key/daily.asc", 0o644); return "key/daily.asc" }},
	{"my primary key can be read by a group", false, func(s *seeded) string { s.mode("key/primary.asc", 0o640); return "key/primary.asc" }},
	{"my keys lie open", false, func(s *seeded) string { s.mode("key", 0o755); return "key" }},
	{"my daily key is cut", false, func(s *seeded) string { s.cut("key/daily.asc"); return "key/daily.asc" }},
	{"my daily key is gone", false, func(s *seeded) string { s.remove("key/daily.asc"); return "key/daily.asc" }},
	{"my primary key is flipped", false, func(s *seeded) string { s.cut("key/primary.asc"); return "key/primary.asc" }},
	{"my public key is cut", false, func(s *seeded) string { s.cut("key/public.asc"); return "key/public.asc" }},
	{"my public key is gone", false, func(s *seeded) string { s.remove("key/public.asc"); return "key/public.asc" }},
	{"my revocation is another's", false, func(s *seeded) string { s.copy("key/public.asc", "key/revocation.asc"); return "key/revocation.asc" }},

	{"a friend's key is cut", false, func(s *seeded) string {
		n := s.key("friends", s.carol)
		s.cut(n)
		s.remove(s.key("groups/work", s.carol))
		s.remove(s.json("groups/work", s.carol))
		return n
	}},
	{"a friend's key is another's", true, func(s *seeded) string {
		n := s.key("friends", s.carol)
		s.copy(s.key("friends", s.bob), n)
		s.remove("groups/work")
		return n + "\n" + s.json("friends", s.carol)
	}},
	{"a friend's key is revoked", true, func(s *seeded) string {
		raw := s.read("../carol/key/revocation.asc")
		cert, err := s.carol.Certificate().Revoke(raw)
		s.must(err)
		n := s.key("friends", s.carol)
		s.write(n, cert.Armor())
		return n
	}},
	{"a friend's key is secret", false, func(s *seeded) string {
		n := s.key("friends", s.carol)
		raw, err := s.carol.Daily()
		s.must(err)
		s.write(n, raw)
		s.remove("groups/work")
		return n
	}},
	{"a friend's key is gone", false, func(s *seeded) string {
		s.remove(s.key("friends", s.carol))
		s.remove("groups/work")
		return s.json("friends", s.carol)
	}},
	{"a friend's JSON is cut", false, func(s *seeded) string { n := s.json("friends", s.carol); s.cut(n); return n }},
	{"a friend's history is none", false, func(s *seeded) string {
		n := s.json("friends", s.carol)
		s.replace(n, `"all"`, `"sometimes"`)
		return n
	}},
	{"a friend's trust is none", false, func(s *seeded) string {
		n := s.json("friends", s.carol)
		s.replace(n, `"verified"`, `"verifiec"`)
		return n
	}},
	{"a friend's name is a group's", false, func(s *seeded) string { n := s.json("friends", s.carol); s.replace(n, `"carol"`, `"work"`); return n }},
	{"a friend's name is none", false, func(s *seeded) string {
		n := s.json("friends", s.carol)
		s.replace(n, `"carol"`, `"../carol"`)
		return n
	}},
	{"a friend's JSON is a link", false, func(s *seeded) string { n := s.json("friends", s.carol); s.link(n); return n }},
	{"a conflict copy of a friend", false, func(s *seeded) string {
		n := s.key("friends", s.carol)
		to := strings.TrimSuffix(n, ".asc") + ".sync-conflict-20261122-123456-ABCDEFG.asc"
		s.copy(n, to)
		return to
	}},
	{"a twin of a friend", false, func(s *seeded) string {
		n := s.key("friends", s.carol)
		to := "friends/" + strings.ToLower(filepath.Base(n))
		s.copy(n, to)
		return to
	}},
	{"no key among the friends", false, func(s *seeded) string { s.write("friends/me.asc", []byte("nothing")); return "friends/me.asc" }},
	{"a JSON that was set aside", false, func(s *seeded) string { n := "friends/.broken-abcd-x.json"; s.write(n, []byte("{")); return n }},
	{"a followed key is cut", false, func(s *seeded) string { n := s.one("follows/*.asc"); s.cut(n); return n }},
	{"a member who is no friend", false, func(s *seeded) string {
		n := s.key("groups/family", s.carol)
		s.copy(s.key("friends", s.carol), n)
		s.remove(s.key("friends", s.carol))
		s.remove(s.json("friends", s.carol))
		s.remove("groups/work")
		return n
	}},
	{"a member's JSON is cut", false, func(s *seeded) string { n := s.json("groups/work", s.carol); s.cut(n); return n }},
	{"a member's key is gone", false, func(s *seeded) string { s.remove(s.key("groups/work", s.carol)); return s.json("groups/work", s.carol) }},
	{"a member's key is another's", true, func(s *seeded) string {
		n := s.key("groups/work", s.carol)
		s.copy(s.key("friends", s.bob), n)
		s.remove(s.json("groups/work", s.carol))
		return n
	}},
	{"a group with an impossible name", false, func(s *seeded) string { s.write("groups/My Friends/x", nil); return "groups/My Friends" }},
	{"a key beside the groups", false, func(s *seeded) string { n := "groups/bob.asc"; s.copy(s.key("friends", s.bob), n); return n }},
	{"a block of nobody", false, func(s *seeded) string { s.write("blocked/eve.asc", []byte("x")); return "blocked/eve.asc" }},
	{"a block whose key is another's", true, func(s *seeded) string {
		n := s.key("blocked", s.carol)
		s.copy(s.key("friends", s.bob), n)
		return n
	}},
	{"blocked is no folder", false, func(s *seeded) string { s.remove("blocked"); s.write("blocked", nil); return "blocked" }},

	{"the index lacks a post", false, func(s *seeded) string {
		s.sql("DELETE FROM post WHERE position = ?", string(s.posts["for all"].Position))
		return s.mine("for all")
	}},
	{"the index lacks a copy", false, func(s *seeded) string {
		s.sql("DELETE FROM post WHERE position = ?", string(s.posts["bob one"].Position))
		return s.copied("bob one")
	}},
	{"the index knows a post that is not", false, func(s *seeded) string {
		s.sql("INSERT INTO post SELECT author, '20010101-000000000-aaaaaaaaaaaaa', revision, hash, updated, type, audience, public, expires, reply, received, '20010101-000000000-aaaaaaaaaaaaa', state, why, grown, size, mtime, ctime, ino, sum FROM post WHERE position = ?",
			string(s.posts["for all"].Position))
		return "feed/2001/01/20010101-000000000-aaaaaaaaaaaaa.json" + "\n" + s.one("cache/*.db") // of whose month there is no digest, either
	}},
	{"the index has another audience", false, func(s *seeded) string {
		return s.row("for me", "audience = (SELECT n FROM audience WHERE members = 'friends')")
	}},
	{"the index has another hash", false, func(s *seeded) string { return s.row("for all", "hash = zeroblob(32)") }},
	{"the index has another revision", false, func(s *seeded) string { return s.row("bob one", "revision = 9") }},
	{"the index has another state", false, func(s *seeded) string { return s.row("for all", "state = 1") }},
	{"the index says a post is not there", false, func(s *seeded) string { return s.row("for all", "state = 4") }},
	{"the index has another digest of a file", false, func(s *seeded) string { return s.row("for all", "sum = zeroblob(32)") }},
	{"the index has another expiry", false, func(s *seeded) string { return s.row("for all", "expires = 4000000000") }},
	{"the index has another time", false, func(s *seeded) string {
		s.row("for all", "received = received - 5")
		return s.mine("for all")
	}},
	{"the index has another place", false, func(s *seeded) string { s.row("for all", "place = '2001'"); return s.one("cache/*.db") }},
	{"the index has it public", false, func(s *seeded) string { return s.row("for me", "public = 1") }},
	{"the index lacks a draft", false, func(s *seeded) string { s.sql("DELETE FROM stray"); return "feed/lunch.json" }},
	{"the index has a draft for another thing", false, func(s *seeded) string { s.sql("UPDATE stray SET kind = 'conflict'"); return "feed/lunch.json" }},
	{"the index knows a draft that is not", false, func(s *seeded) string {
		s.sql("INSERT INTO stray SELECT dir, 'x.json', kind, why, size, mtime, ctime, ino FROM stray")
		return "feed/x.json"
	}},
	{"an audience is none", false, func(s *seeded) string { s.sql("DELETE FROM audience WHERE members = 'friends'"); return "" }},
	{"an offer that says nothing", false, func(s *seeded) string {
		return s.sql("INSERT INTO offer VALUES (1, '2001', 0, zeroblob(32), '', '', 0, 0)")
	}},
	{"the digest of a month is another", false, func(s *seeded) string { return s.sql("UPDATE month_line SET count = 7") }},
	{"the digests leave a month out", false, func(s *seeded) string { return s.sql("DELETE FROM month_line") }},
	{"a counter runs backwards", false, func(s *seeded) string { return s.sql("UPDATE audience SET changes = -1") }},
	{"the index is cut", false, func(s *seeded) string { n := s.one("cache/*.db"); s.cut(n); return "" }},
	{"the index is no database", false, func(s *seeded) string {
		n := s.one("cache/*.db")
		s.write(n, bytes.Repeat([]byte("x"), 8192))
		return "cache"
	}},
	{"the index in use is none", false, func(s *seeded) string { s.write("cache/CURRENT", []byte("../../x\n")); return "cache" }},
	{"the index in use is not there", false, func(s *seeded) string { s.remove(s.one("cache/*.db")); return "cache" }},
}

// TestCheckFindsEveryDamage: each damage is named by its file, once or more, and
// no other file is; and nothing but the index is ever written.
func TestCheckFindsEveryDamage(t *testing.T) {
	p := populate(t)
	for i, d := range damages {
		t.Run(d.what, func(t *testing.T) {
			s := &seeded{populated: p, dir: filepath.Join(filepath.Dir(p.dir), fmt.Sprint("seeded-", i))}
			p.t = t
			duplicate(t, p.dir, s.dir)
			s.settle(t)
			if found := s.check(t); len(found) != 0 {
				t.Fatalf("false alarm: %+v", found)
			}
			want := d.seed(s)
			before := snapshotOf(t, s.dir)
			found := s.check(t)
			if after := snapshotOf(t, s.dir); after != before {
				t.Errorf("check changed a file:\n%s\n%s", before, after)
			}
			untrusted := false
			for _, f := range found {
				rel, _ := filepath.Rel(s.dir, f.Path)
				if want != "" && !strings.Contains("\n"+want+"\n", "\n"+filepath.ToSlash(rel)+"\n") {
					t.Errorf("also named: %s: %s", rel, f.Why)
				}
				if f.Why == "" || f.Do == "" {
					t.Errorf("%+v does not say what is wrong and what helps", f)
				}
				untrusted = untrusted || f.Untrusted
			}
			if len(found) == 0 {
				t.Errorf("missed")
			}
			if untrusted != d.untrusted {
				t.Errorf("untrusted: %v, want %v: %+v", untrusted, d.untrusted, found)
			}
		})
	}
}

// settle has the index see all as it is, long enough after it came to be.
func (s *seeded) settle(t *testing.T) {
	t.Helper()
	time.Sleep(25 * time.Millisecond)
	h := s.open(t)
	if _, err := h.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Remake(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
}

func (s *seeded) open(t *testing.T) *home.Home {
	t.Helper()
	h, err := home.Open(s.dir, home.Options{Now: clock, Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func (s *seeded) check(t *testing.T) []home.Damage {
	t.Helper()
	h := s.open(t)
	found, _, err := h.Check(t.Context(), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return found
}

// snapshotOf is every file outside cache and state, with its content.
func snapshotOf(t *testing.T, dir string) string {
	t.Helper()
	out := &strings.Builder{}
	for _, name := range filesBelow(t, dir) {
		rel, _ := filepath.Rel(dir, name)
		if strings.HasPrefix(rel, "cache") || strings.HasPrefix(rel, "state") {
			continue
		}
		data, err := os.ReadFile(name)
		if info, stat := os.Lstat(name); err != nil && (stat != nil || info.Mode().Type() != os.ModeSymlink) {
			t.Fatal(err)
		}
		fmt.Fprintf(out, "%s %x\n", rel, sha256.Sum256(data))
	}
	return out.String()
}
