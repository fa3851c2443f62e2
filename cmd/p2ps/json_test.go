package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	slashed "path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/spec"
)

// A scene plays commands of several people with --json, in this process, and
// holds every line against its schema.
type scene struct {
	t       *testing.T
	dir     string
	kinds   map[string]*jsonschema.Schema
	members map[string]map[string]bool // of each kind, that its schema names
	seen    map[string]int             // lines of each kind
	played  map[string]bool            // commands that ended well
	stdin   string
	last    []map[string]any // lines of the last command
	said    string           // on stderr
	nearby  []nearby.Peer    // who is announced on the local network
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), kinds: map[string]*jsonschema.Schema{}, members: map[string]map[string]bool{}, seen: map[string]int{},
		played: map[string]bool{}}
	c := jsonschema.NewCompiler()
	err := fs.WalkDir(spec.FS, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || slashed.Ext(name) != ".json" {
			return err
		}
		data, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if slashed.Dir(name) == "json" {
			kind := strings.TrimSuffix(slashed.Base(name), ".json")
			s.kinds[kind], s.members[kind] = nil, map[string]bool{}
			object, _ := doc.(map[string]any)
			properties, _ := object["properties"].(map[string]any)
			for member := range properties {
				s.members[kind][member] = true
			}
		}
		return c.AddResource("p2ps:///"+name, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind := range s.kinds {
		if s.kinds[kind], err = c.Compile("p2ps:///json/" + kind + ".json"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// world is a new process of somebody.
func (s *scene) world(who string) *world {
	s.t.Helper()
	w := newWorld(s.t)
	w.now = time.Now
	w.stdin = strings.NewReader(s.stdin)
	w.dir = func() (string, error) { return filepath.Join(s.dir, who), nil }
	w.seek = func(context.Context) ([]nearby.Peer, error) { return s.nearby, nil }
	return w
}

// play runs a command with --json, which must end with an exit code, and holds
// what it printed against the contract.
func (s *scene) play(who string, code int, args ...string) {
	s.t.Helper()
	w := s.world(who)
	got := run(s.t.Context(), w.env, append(args, "--json"))
	s.judge(w, who, got, code, args)
}

func (s *scene) judge(w *world, who string, got, code int, args []string) {
	s.t.Helper()
	line := who + "$ p2ps " + strings.Join(args, " ") + " --json"
	if got != code {
		s.t.Fatalf("%s: exit %d, want %d\n%s%s", line, got, code, w.out, w.errout)
	}
	if code == 0 && w.running != nil {
		s.played[w.running.CommandPath()] = true
	}
	s.last, s.said = nil, w.errout.String()
	if w.running != nil && !slices.Contains(args, "--help") {
		defer func() {
			for _, m := range s.last {
				if kind := fmt.Sprint(m["kind"]); !slices.Contains(kindsOf(w.running), kind) {
					s.t.Errorf("%s: kindsOf does not know that it prints a %s", line, kind)
				}
			}
		}()
	}
	for text := range strings.Lines(w.out.String()) {
		s.last = append(s.last, s.check(line, text))
	}
	if code == 0 {
		return
	}
	lines := strings.Split(strings.TrimSuffix(s.said, "\n"), "\n")
	e := s.check(line, lines[len(lines)-1]+"\n")
	if e["kind"] != "error" || e["exit"] != json.Number(fmt.Sprint(code)) || e["code"] != exit(code).name() {
		s.t.Errorf("%s: exit %d, and it says %v", line, code, e)
	}
}

// check holds one line against its schema and the rules for all.
func (s *scene) check(where, text string) map[string]any {
	s.t.Helper()
	bad := func(format string, args ...any) {
		s.t.Helper()
		s.t.Errorf("%s: %s: %s", where, fmt.Sprintf(format, args...), text)
	}
	if !strings.HasSuffix(text, "}\n") || !strings.HasPrefix(text, `{"kind":"`) || strings.Count(text, "\n") != 1 {
		bad("no JSON line that begins with its kind")
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		s.t.Fatalf("%s: %v: %s", where, err, text)
	}
	m, _ := v.(map[string]any)
	kind, _ := m["kind"].(string)
	schema := s.kinds[kind]
	if schema == nil {
		s.t.Fatalf("%s: no schema of kind %q: %s", where, kind, text)
	}
	s.seen[kind]++
	if err := schema.Validate(v); err != nil {
		bad("%v", err)
	}
	for member := range m {
		if !s.members[kind][member] {
			bad("the schema of %s does not name %s", kind, member)
		}
	}
	everyValue(m, func(name string, value any) {
		switch value := value.(type) {
		case nil:
			bad("%s is null", name)
		case string:
			if looksLikeTime.MatchString(value) && !utcTime.MatchString(value) {
				bad("%s is no time in UTC", name)
			}
		}
	})
	if object, ok := m["post"].(map[string]any); ok && object["bto"] != nil {
		bad("the post has a bto")
	}
	return m
}

var (
	looksLikeTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ]\d`)
	utcTime       = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$`)
)

func everyValue(v any, look func(name string, value any)) {
	var walk func(name string, v any)
	walk = func(name string, v any) {
		look(name, v)
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(name, value)
			}
		case []any:
			for _, value := range v {
				walk(name, value)
			}
		}
	}
	walk("the line", v)
}

// one is a member of the only line, or the first one of a kind, of the last
// command.
func (s *scene) one(kind, member string) string {
	s.t.Helper()
	for _, m := range s.last {
		if m["kind"] == kind && m[member] != nil {
			return fmt.Sprint(m[member])
		}
	}
	s.t.Fatalf("no %s with %s in %v\n%s", kind, member, s.last, s.said)
	return ""
}

// kindsOf are those of the lines of the last command.
func (s *scene) kindsOf() string {
	var kinds []string
	for _, m := range s.last {
		kinds = append(kinds, fmt.Sprint(m["kind"]))
	}
	return strings.Join(kinds, " ")
}

func (s *scene) prints(want string) {
	s.t.Helper()
	if got := s.kindsOf(); got != want {
		s.t.Errorf("it printed %q, want %q: %v\n%s", got, want, s.last, s.said)
	}
}

// serve runs a server in this process, until the scene is over.
func (s *scene) serve(who string) (url string, stop func()) {
	s.t.Helper()
	w := s.world(who)
	ready := filepath.Join(s.dir, who+".url")
	_ = os.Remove(ready)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(s.t.Context()))
	args := []string{"serve", "--listen", "127.0.0.1:0", "--ready-file", ready}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, w.env, append(args, "--json")) }()
	stop = func() {
		cancel(interruption{syscall.SIGTERM})
		s.judge(w, who, <-ended, 0, args)
		s.prints("serve")
	}
	for range 2000 {
		if data, err := os.ReadFile(ready); err == nil {
			return strings.TrimSpace(string(data)), stop
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel(nil)
	s.t.Fatalf("%s is not being served: exit %d: %s", who, <-ended, w.errout)
	return "", nil
}

// fingerprint is somebody's own.
func (s *scene) fingerprint(who string) string {
	s.t.Helper()
	s.play(who, 0, "key", "show")
	return s.one("key", "fingerprint")
}

func (s *scene) file(name, text string) string {
	s.t.Helper()
	name = filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// TestJSON plays every command of the tree with --json.
func TestJSON(t *testing.T) {
	s := newScene(t)
	s.beginnings()
	s.people()
	s.writing()
	s.byHand()
	s.exchange()
	s.meeting()
	s.settings()
	s.leaving()
	for name, cmd := range tree(t) {
		if cmd.HasSubCommands() && cmd.HasParent() && name != "p2ps invite" { // a noun alone says what follows it
			s.play("alice", 2, path(name)...)
			continue
		}
		if !s.played[name] {
			t.Errorf("%s was never played to a good end", name)
		}
		s.play("alice", 2, path(name, "--no-such-flag")...)
		s.play("alice", 0, path(name, "--help")...)
		s.prints("help")
	}
	for kind := range s.kinds {
		if s.seen[kind] == 0 {
			t.Errorf("no line of kind %s was printed", kind)
		}
	}
}

func (s *scene) beginnings() {
	s.play("alice", 3, "status")
	s.play("alice", 3, "timeline")
	s.play("alice", 0, "keygen", "--name", "Alice", "--no-passphrase", "--dry-run")
	s.prints("change")
	for _, who := range []string{"alice", "bob", "carol"} {
		s.play(who, 0, "keygen", "--name", who, "--no-passphrase")
		s.prints("key")
		s.play(who, 0, "key", "export", "-o", filepath.Join(s.dir, who+".asc"))
		s.prints("key")
	}
	s.play("alice", 9, "keygen", "--name", "alice", "--no-passphrase")
	s.play("alice", 0, "key", "show")
	if s.one("key", "secret") != "true" {
		s.t.Error("my key is not secret")
	}
	s.play("alice", 0, "status")
	s.prints("status")
	s.play("alice", 0, "timeline") // nothing prints nothing
	s.prints("")
	s.play("alice", 0, "demo")
	s.play("alice", 0)
	s.prints("help")
	s.play("alice", 0, "help")
	s.play("alice", 0, "help", "exit-codes")
	s.prints("help")
	s.play("alice", 2, "help", "nothing")
	s.play("alice", 0, "version")
	s.prints("version")
	s.play("alice", 0, "completion", "fish")
	s.prints("completion")
	s.play("alice", 2, "completion", "csh")
}

func (s *scene) people() {
	bob, carol := filepath.Join(s.dir, "bob.asc"), filepath.Join(s.dir, "carol.asc")
	s.play("alice", 0, "friend", "add", bob, "--dry-run")
	s.prints("change")
	s.play("alice", 0, "friend", "add", bob)
	s.prints("friend change")
	s.play("alice", 0, "friend", "add", bob)
	s.play("alice", 0, "friend", "add", carol, "--history", "none")
	s.play("bob", 0, "friend", "add", filepath.Join(s.dir, "alice.asc"))
	s.play("alice", 0, "friend", "list")
	s.prints("friend friend")
	s.play("alice", 0, "friend", "list", "--follows")
	s.prints("")
	s.play("alice", 0, "friend", "show", "bob")
	s.prints("friend")
	s.play("alice", 3, "friend", "show", "zoe")
	s.play("alice", 0, "friend", "rename", "carol", "caro")
	s.prints("change")
	s.play("alice", 9, "friend", "rename", "caro", "bob")
	s.play("alice", 0, "friend", "address", "bob", "http://127.0.0.1:1")
	s.prints("change")
	s.play("alice", 0, "friend", "address", "bob")
	s.prints("friend")
	s.play("alice", 0, "friend", "mute", "bob")
	s.play("alice", 0, "friend", "unmute", "bob")
	s.play("alice", 0, "friend", "unmute", "bob")
	s.play("alice", 2, "friend", "verify", "bob")
	s.play("alice", 7, "friend", "verify", "bob", strings.Repeat("0", 40))
	s.play("alice", 0, "friend", "verify", "bob", "-y")
	s.prints("change")
	s.play("alice", 0, "key", "show", "bob")
	s.play("alice", 0, "key", "export", "bob")
	s.prints("key")

	s.play("alice", 0, "group", "create", "family")
	s.prints("change")
	s.play("alice", 9, "group", "create", "family")
	s.play("alice", 0, "group", "list")
	s.prints("group")
	s.play("alice", 0, "group", "add", "family", "bob", "caro", "--history", "since:2026-01-01")
	s.prints("change change")
	s.play("alice", 3, "group", "add", "family", "zoe")
	s.play("alice", 0, "group", "remove", "family", "caro")
	s.play("alice", 0, "group", "show", "family")
	s.prints("group")
	if people := fmt.Sprint(s.last[0]["people"]); !strings.Contains(people, "name:bob") || !regexp.MustCompile(`history:20\d\d-\d\d-\d\dT`).MatchString(people) {
		s.t.Errorf("group show: the people are %s", people)
	}
	s.play("alice", 0, "group", "rename", "family", "kin")
	s.prints("change")
	s.play("alice", 0, "group", "create", "work")
	s.play("alice", 0, "group", "delete", "work")
	s.play("alice", 0, "block", "add", "caro")
	s.prints("change")
	s.play("alice", 0, "block", "add", strings.Repeat("AB", 20))
	s.play("alice", 0, "block", "list")
	s.prints("block block")
	s.play("alice", 0, "block", "remove", "caro")
	s.prints("change")
	s.play("alice", 3, "block", "remove", "zoe")
}

func (s *scene) writing() {
	s.play("alice", 0, "post", "-m", "to the kin\u009b\u202e", "--to", "kin", "--dry-run")
	s.prints("change")
	s.play("alice", 0, "post", "-m", "to the kin", "--to", "kin", "--expires", "2w")
	s.prints("post")
	if to := s.one("post", "to"); to != "[kin]" {
		s.t.Errorf("of my own the audience is %s", to)
	}
	s.play("alice", 3, "post", "-m", "x", "--to", "nobody")
	s.play("alice", 2, "post", "list")
	s.stdin = "{\"type\":\"Note\",\"content\":\"one\",\"to\":[\"public\"]}\n{\"type\":\"Note\",\"content\":\"two\"}\n"
	s.play("alice", 0, "post", "--json-in", "-", "--to", "friends")
	s.prints("post post")
	s.stdin = ""
	s.play("alice", 0, "post", "-m", "hello", "--to", "public", "--article")
	id := s.one("post", "id")
	s.play("alice", 0, "post", "--link", "https://example.org/", "-m", "worth it", "--to", "me")
	for _, args := range [][]string{{"reply", id, "-m", "and more"}, {"like", id, "🎉"}, {"repost", id, "--to", "friends"}, {"edit", id, "-m", "hello again"},
		{"edit", id, "-m", "hello again"}, {"restore", id}, {"delete", id}, {"delete", id}, {"restore", id}, {"edit", id, "-m", "x", "--dry-run"},
		{"delete", id, "--dry-run"}, {"profile", "--name", "Alice", "--note", "bread"}, {"profile"}} {
		s.play("alice", 0, args...)
		want := map[string]string{"delete": "change"}[args[0]]
		if want == "" && !slices.Contains(args, "--dry-run") && !(args[0] == "restore" && len(s.last) > 0 && s.last[0]["already"] == true) {
			want = "post"
		} else {
			want = "change"
		}
		s.prints(want)
	}
	s.moreKinds(id)
	s.play("alice", 0, "show", id, "--history")
	if n := len(s.last); n < 2 {
		s.t.Errorf("history has %d lines", n)
	} else if s.last[0]["revision"] != json.Number("1") || s.last[0]["updated"] != nil || s.last[n-1]["updated"] == nil {
		s.t.Errorf("history: %v", s.last)
	}
	s.play("alice", 0, "show", id, "--readers")
	s.play("alice", 2, "show", id, "--raw")
	s.play("alice", 2, "show", "x")
	s.play("alice", 3, "show", "zzzzzz")
	s.play("alice", 0, "timeline", "--type", "Note")
	s.play("alice", 2, "timeline", "--limit", "0")
	s.play("alice", 0, "timeline", "--threads")
	s.play("alice", 0, "timeline", "--as", "bob")
	s.play("alice", 0, "timeline", "--unread", "--mark-read")
	s.prints("")
	s.play("alice", 0, "thread", id)
	s.play("alice", 3, "thread", "zzzzzz")
	s.play("alice", 0, "search", "hello", "type:Article")
	s.prints("post")
	s.play("alice", 0, "search", "...")
	s.prints("")
	s.play("alice", 2, "search", "since:never")
}

// moreKinds plays what is not a text: an event and who comes, a question and its
// answers, and the change of an audience.
func (s *scene) moreKinds(id string) {
	s.play("alice", 0, "post", "--event", "lunch", "--start", "2027-01-01", "--to", "kin")
	s.prints("post")
	event := s.one("post", "id")
	s.play("alice", 0, "post", "--activity", "listen", "-m", "the rain", "--lang", "en", "--to", "me")
	s.play("alice", 0, "post", "--place", "52.5,13.4,Berlin", "--to", "me")
	s.play("alice", 2, "post", "--place", "52.5", "--to", "me")
	s.play("alice", 0, "rsvp", event, "yes")
	s.prints("post")
	s.play("alice", 2, "rsvp", event, "perhaps")
	s.play("alice", 2, "rsvp", id, "yes")
	s.play("alice", 0, "question", "-m", "where?", "--option", "here", "--option", "there", "--to", "kin")
	question := s.one("post", "id")
	s.play("alice", 2, "question", "-m", "where?", "--option", "here")
	s.play("alice", 0, "vote", question, "there")
	s.prints("post")
	s.play("alice", 2, "vote", question, "elsewhere")
	s.play("alice", 0, "show", question)
	if got := fmt.Sprint(s.last[0]["said"]); !strings.Contains(got, "choices:[map[count:0 what:here] map[count:1 what:there who:[") {
		s.t.Errorf("the answers are %s", got)
	}
	s.play("alice", 0, "audience", event, "--add", "bob", "--remove", "kin", "--dry-run")
	s.prints("change")
	s.play("alice", 0, "audience", event, "--add", "bob", "--remove", "kin")
	s.prints("post")
	s.play("alice", 0, "audience", event, "--add", "bob")
	s.prints("change")
	s.play("alice", 3, "audience", event, "--remove", "caro")
	s.play("alice", 2, "audience", event)
	s.play("alice", 3, "profile", "bob")
	s.play("alice", 0, "delete", event)
	s.play("alice", 0, "gc")
	s.prints("")
	s.play("alice", 0, "gc", "--older-than", "2090-01-01", "--dry-run")
	if len(s.last) == 0 || s.last[0]["what"] != "trash.remove" || s.last[0]["dry_run"] != true {
		s.t.Errorf("gc --dry-run: %v", s.last)
	}
}

func (s *scene) byHand() {
	s.file("alice/feed/lunch.json", `{"type":"Note","content":"lunch","to":["kin"]}`)
	s.file("alice/feed/broken.json", `{"type":`)
	s.play("alice", 0, "status")
	s.prints("status problem")
	if s.one("status", "made") != "1" {
		s.t.Errorf("status: %v", s.last)
	}
	s.play("alice", 0, "sign", "--dry-run")
	s.prints("change")
	s.play("alice", 0, "sign")
	s.prints("post")
	s.play("alice", 0, "sign")
	s.prints("")
	s.play("alice", 3, "sign", "nothing.json")
	if err := os.Remove(filepath.Join(s.dir, "alice/feed/broken.json")); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) exchange() {
	url, stop := s.serve("alice")
	s.play("bob", 5, "pull", "alice")
	s.prints("pull")
	s.play("bob", 0, "pull")
	s.prints("pull") // away, which is no failure
	s.play("bob", 0, "nearby")
	s.prints("") // nobody
	fpr := pgp.Fingerprint(s.fingerprint("alice"))
	s.nearby = []nearby.Peer{
		{Record: nearby.Record{Fingerprint: fpr, Name: "Alice\u202e"}, Addresses: []string{url}},
		{Addresses: []string{"http://127.0.0.1:1"}},
	}
	s.play("bob", 0, "nearby")
	s.prints("peer peer")
	s.play("bob", 0, "friend", "add", "nearby:1", "--dry-run")
	s.prints("change")
	s.play("bob", 5, "friend", "add", "nearby:2")
	s.play("bob", 3, "friend", "add", "nearby:3")
	s.nearby = nil
	s.play("bob", 0, "friend", "address", "alice", url)
	s.play("bob", 0, "pull")
	if kinds := s.kindsOf(); !strings.HasPrefix(kinds, "post ") || !strings.HasSuffix(kinds, " pull") {
		s.t.Errorf("a pull printed %s", kinds)
	}
	for _, m := range s.last {
		if m["kind"] == "post" && m["to"] != nil {
			s.t.Errorf("the audience of another's post: %v", m)
		}
	}
	s.play("bob", 8, "pull", "--exit-code")
	s.prints("pull")
	s.play("alice", 0, "timeline", "--type", "Article")
	s.play("alice", 0, "delete", s.one("post", "id"))
	s.play("bob", 0, "pull", "alice")
	s.prints("gone pull")
	s.play("alice", 0, "post", "--attach", s.file("minutes.txt", "minutes"), "--alt", "what was said", "--to", "public")
	s.prints("post")
	id := s.one("post", "id")
	s.play("bob", 0, "pull")
	s.prints("post file pull")
	s.play("bob", 0, "save", id, filepath.Join(s.dir, "saved"), "--dry-run")
	s.prints("change")
	s.play("bob", 0, "save", id, filepath.Join(s.dir, "saved"))
	s.prints("file")
	s.play("alice", 0, "post", "-m", "no file", "--to", "me")
	s.play("alice", 0, "save", s.one("post", "id"), s.dir)
	s.prints("")
	s.play("bob", 0, "timeline")
	s.play("bob", 0, "status")
	s.play("carol", 2, "follow", url)
	s.play("carol", 0, "follow", url, "-y")
	s.prints("friend change")
	s.play("carol", 0, "pull", "--full")
	s.play("alice", 1, "serve", "--listen", strings.TrimPrefix(url, "http://"))
	s.play("alice", 10, "serve", "--listen", "127.0.0.1:0")
	stop()
	s.play("carol", 0, "unfollow", "alice")
	s.prints("change")
}

func (s *scene) meeting() {
	s.play("alice", 2, "invite", "nothing")
	s.play("alice", 2, "invite", "--qr", "x")
	s.play("alice", 2, "invite", "--uses", "0")
	s.play("alice", 2, "invite", "--card", "--uses", "2")
	s.play("alice", 2, "invite", "--expires", "100w")
	s.play("alice", 3, "invite", "--group", "nothing")
	url, stop := s.serve("alice")
	s.play("alice", 0, "invite", "--group", "kin", "--history", "none")
	s.prints("invite")
	link := s.one("invite", "link")
	s.play("dave", 3, "friend", "add", link)
	s.play("dave", 0, "keygen", "--name", "Bob", "--no-passphrase")
	s.play("alice", 2, "friend", "add", link)
	s.play("dave", 2, "friend", "add", strings.ToLower(link))
	s.play("dave", 12, "friend", "add", strings.Replace(link, "P2PS:1", "P2PS:2", 1))
	s.play("dave", 0, "friend", "add", link, "--dry-run")
	s.prints("change")
	s.play("dave", 0, "friend", "add", link)
	if kinds := s.kindsOf(); !strings.HasPrefix(kinds, "friend change post ") || !strings.HasSuffix(kinds, " pull") {
		s.t.Errorf("friend add printed %s", kinds)
	}
	s.play("carol", 7, "friend", "add", link)
	s.play("alice", 0, "invite", "list")
	s.prints("invite")
	s.play("alice", 0, "invite", "revoke", link)
	s.prints("change")
	s.play("alice", 3, "invite", "revoke", "ABCDEFGH")
	s.play("carol", 3, "friend", "add", link)
	s.play("alice", 0, "friend", "remove", "Bob-2")
	s.play("alice", 0, "invite", "--card")
	s.prints("invite")
	card := s.one("invite", "link")
	if !strings.HasSuffix(card, strings.TrimPrefix(url, "http://")) {
		s.t.Errorf("the card is %s", card)
	}
	s.play("dave", 0, "friend", "add", card)
	s.play("alice", 0, "status")
	if s.one("status", "requests") != "1" {
		s.t.Errorf("status: %v", s.last)
	}
	s.play("alice", 0, "friend", "requests")
	s.prints("request")
	if s.one("request", "like") != "bob" {
		s.t.Errorf("he is not told from bob: %v", s.last)
	}
	s.play("alice", 3, "friend", "accept", "zoe")
	s.play("alice", 3, "friend", "ignore", "zoe")
	s.play("alice", 0, "friend", "ignore", "Bob", "--dry-run")
	s.play("alice", 0, "friend", "accept", "Bob", "--name", "dave")
	s.prints("friend change")
	s.play("erin", 0, "keygen", "--name", "Erin", "--no-passphrase")
	s.play("erin", 0, "friend", "add", card)
	s.play("alice", 0, "friend", "ignore", "Erin")
	s.prints("change")
	s.play("alice", 0, "friend", "requests")
	s.prints("")
	s.play("alice", 0, "key", "qr", "--qr", "png:"+filepath.Join(s.dir, "key.png"))
	s.prints("key")
	s.play("dave", 0, "friend", "verify", "alice", "--scan", filepath.Join(s.dir, "key.png"))
	s.prints("change")
	s.play("carol", 0, "friend", "add", "--scan", filepath.Join(s.dir, "key.png"))
	s.prints("friend change")
	stop()
}

func (s *scene) settings() {
	s.play("alice", 0, "config", "list")
	s.play("alice", 0, "config", "get", "to")
	s.prints("setting")
	s.play("alice", 2, "config", "get", "nothing")
	s.play("alice", 0, "config", "set", "to", "kin", "friends")
	s.prints("change")
	s.play("alice", 0, "config", "path")
	s.prints("setting")
	s.file("dave/config.toml", "nothing = 1\n")
	s.play("dave", 2, "timeline")
	s.play("dave", 0, "config", "list")
	s.play("dave", 0, "config", "unset", "nothing")
	s.prints("change")
}

func (s *scene) leaving() {
	s.play("alice", 0, "friend", "remove", "caro")
	s.prints("change")
	s.play("alice", 3, "friend", "remove", "caro") // he is nobody now
	s.checks()
}

// checks: all is well, or what is wrong is told by file.
func (s *scene) checks() {
	s.play("nobody", 3, "check")
	s.play("bob", 0, "check")
	s.prints("")
	file := s.file("bob/friends/x.asc", "nothing")
	s.play("bob", 6, "check")
	s.prints("problem")
	if s.one("problem", "path") != file || s.one("problem", "do") == "" {
		s.t.Errorf("it says %v", s.last)
	}
	posts, err := filepath.Glob(filepath.Join(s.dir, "bob", "feeds", "*", "*", "*", "*.json"))
	if err != nil || len(posts) == 0 {
		s.t.Fatalf("bob has no copy: %v", err)
	}
	text, err := os.ReadFile(posts[0])
	if err != nil {
		s.t.Fatal(err)
	}
	flipped := bytes.Replace(text, []byte(`"published": "2`), []byte(`"published": "1`), 1)
	s.file(strings.TrimPrefix(posts[0], s.dir), string(flipped))
	s.play("bob", 7, "check")
	if s.kindsOf() == "problem problem" && s.one("problem", "untrusted") != "true" {
		s.t.Errorf("it says %v", s.last)
	}
	s.file(strings.TrimPrefix(posts[0], s.dir), string(text))
	s.play("bob", 6, "check", "--repair")
	s.play("bob", 6, "check", "--repair", "--dry-run")
	if err := os.Remove(file); err != nil {
		s.t.Fatal(err)
	}
	s.play("bob", 0, "check", "--repair")
}

// TestJSONFields: --json=FIELDS keeps these, in this order, after kind and v; what
// is not there is left out. A failure is told whole.
func TestJSONFields(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"config get jobs --json=value,name", `{"kind":"setting","v":1,"value":8,"name":"jobs"}`},
		{"config get jobs --json=name,path,v,kind,name", `{"kind":"setting","v":1,"name":"jobs"}`},
		{"config get jobs --json=", `{"kind":"setting","v":1}`},
		{"help json --json=topic", `{"kind":"help","v":1,"topic":"json"}`},
		{"config set --help --json=topic", `{"kind":"help","v":1,"topic":"config set"}`},
		{"--json=topic", `{"kind":"help","v":1}`},
		{"completion zsh --json=shell", `{"kind":"completion","v":1,"shell":"zsh"}`},
	} {
		code, stdout, stderr := runIn(t, strings.Fields(c.args)...)
		if code != 0 || stdout != c.want+"\n" || stderr != "" {
			t.Errorf("p2ps %s: exit %d, %s%s, want %s", c.args, code, stdout, stderr, c.want)
		}
	}
	code, stdout, stderr := runIn(t, "config", "get", "nothing", "--json=value")
	if want := `{"kind":"error","v":1,"code":"usage","exit":2,"message":"there is no setting \"nothing\"","hint":`; code != 2 || stdout != "" ||
		!strings.HasPrefix(stderr, want) {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}
