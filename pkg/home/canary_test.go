package home_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A parlor is a home full of secrets, each a word that stands nowhere else, and
// everybody who asks there.
type parlor struct {
	t       *testing.T
	alice   *home.Home
	tap     *tap
	bob     *home.Home // a friend, in one group
	carol   *asker     // a friend, in another, who sees nothing old
	eve     *asker     // a stranger
	fred    *asker     // blocked, and in a group
	ids     map[string]post.ID
	log     *ledger
	disk    failing
	deleted map[string]bool
	mu      sync.Mutex
	pieces  int
	files   map[string]post.File // what each post names, by its label
}

// A ledger keeps what is logged.
type ledger struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *ledger) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *ledger) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	l.b.Reset()
	return s
}

const (
	canaryFamily = "kinsfolk-canary"
	canaryWork   = "workmates-canary"
)

func newParlor(t *testing.T) *parlor {
	t.Helper()
	p := &parlor{t: t, ids: map[string]post.ID{}, deleted: map[string]bool{}, files: map[string]post.File{}, log: &ledger{}}
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	p.alice, err = home.Create(t.TempDir(), home.Options{Wait: time.Second, Log: log, Hook: p.disk.hook})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.alice.Close() })
	if err := makeIdentity(p.alice, "Alice"); err != nil {
		t.Fatal(err)
	}
	p.bob = newHome(t, "Bob-canary")
	p.carol, p.eve, p.fred = newAsker(t, "Carol-canary"), newAsker(t, "Eve-canary"), newAsker(t, "Fred-canary")
	k := p.alice.People()
	for _, group := range []string{canaryFamily, canaryWork} {
		if err := k.CreateGroup(group); err != nil {
			t.Fatal(err)
		}
	}
	me, err := p.bob.Me()
	if err != nil {
		t.Fatal(err)
	}
	p.write("public, old", "public")
	p.write("friends, old", "friends")
	p.friend(me, "pet-bob-canary", canaryFamily, "all")
	p.friend(p.carol.secret.Certificate(), "pet-carol-canary", canaryWork, "none")
	p.friend(p.fred.secret.Certificate(), "pet-fred-canary", canaryFamily, "all")
	if err := k.Block(p.fred.secret.Certificate().Fingerprint(), p.fred.secret.Certificate()); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"me"}, {"friends"}, {canaryFamily}, {canaryWork}, {"pet-bob-canary"}, {"pet-carol-canary"}, {"pet-fred-canary"},
		{canaryFamily, "public"}, {canaryWork, "pet-bob-canary"}, {"public"}} {
		p.write(strings.Join(words, " and "), words...)
	}
	p.tap = tapped(t, p.alice, peer.Limits{}, secretOf(t, p.bob), p.carol.secret, p.eve.secret, p.fred.secret)
	if p.tap.next, err = peer.Handler(p.alice, peer.Limits{}, log); err != nil {
		t.Fatal(err)
	}
	befriend(t, p.bob, p.alice, p.tap.url)
	p.tap.seen = p.inspect
	return p
}

func (p *parlor) friend(cert *pgp.Certificate, name, group, history string) {
	p.t.Helper()
	k := p.alice.People()
	if _, _, err := k.AddFriend(cert, keyring.AddOptions{Name: name, History: history}); err != nil {
		p.t.Fatal(err)
	}
	if _, err := k.AddMember(group, cert.Fingerprint(), history); err != nil {
		p.t.Fatal(err)
	}
}

// secretText is what a post says, unlike any other.
func secretText(label string) string {
	return fmt.Sprintf("secret-%x", sha256.Sum256([]byte(label)))[:24]
}

func (p *parlor) write(label string, words ...string) {
	p.t.Helper()
	d := post.NewDraft("Note")
	d.Set("content", secretText(label))
	p.carry(p.alice, label, d)
	a, _, err := p.alice.People().Resolve(words)
	if err != nil {
		p.t.Fatal(err)
	}
	written, err := p.alice.Post(p.t.Context(), d, a)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ids[label] = written.ID()
}

// carry has a draft name a file of its own, which says another secret.
func (p *parlor) carry(by *home.Home, label string, d *post.Draft) {
	p.t.Helper()
	f := attach(p.t, by, []byte("a file: "+secretText("file of "+label)))
	f.Description = secretText("description of " + label)
	if d.Text("type") == "Person" { // his picture
		f.Kind = "Image"
		if err := d.SetIcon(f); err != nil {
			p.t.Fatal(err)
		}
	} else {
		naming(p.t, f)(d)
	}
	p.files[label] = f
}

// sees is who may see a post now, by its label: written out, not worked out.
var canarySees = map[string]string{
	"public, old": "bob carol eve fred", "friends, old": "bob", "me": "", "friends": "bob carol", canaryFamily: "bob", canaryWork: "carol",
	"pet-bob-canary": "bob", "pet-carol-canary": "carol", "pet-fred-canary": "", canaryFamily + " and public": "bob carol eve fred",
	canaryWork + " and pet-bob-canary": "bob carol", "public": "bob carol eve fred",
	// of canary_kinds_test.go
	"what bob said": "", "what bob asked": "bob", "a comment for bob": "bob", "a vote for bob": "bob", "a comment for work": "carol", "an answer for bob": "bob",
	"a profile for family": "bob", "a profile for work": "carol", "a profile for all": "bob carol eve fred", "a place for family": "bob",
	"an edited text": "bob carol", "an edited text, before": "bob carol", "an edited text for work": "carol", "an edited text for work, before": "carol",
	"a deleted comment": "bob", "a deleted public one": "bob carol eve fred", "a post that was for friends": "bob",
}

func (p *parlor) nameOf(fpr pgp.Fingerprint) string {
	for name, f := range p.fingerprints() {
		if f == fpr {
			return name
		}
	}
	return "eve" // everybody
}

func (p *parlor) fingerprints() map[string]pgp.Fingerprint {
	me, _ := p.bob.Me()
	return map[string]pgp.Fingerprint{"bob": me.Fingerprint(), "carol": p.carol.secret.Certificate().Fingerprint(),
		"eve": p.eve.secret.Certificate().Fingerprint(), "fred": p.fred.secret.Certificate().Fingerprint()}
}

// inspect looks at all that a reader receives.
func (p *parlor) inspect(from pgp.Fingerprint, r *http.Request, header http.Header, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pieces++
	var all bytes.Buffer
	fmt.Fprintf(&all, "%v\n", header)
	all.Write(body)
	for _, leak := range p.leaks(p.nameOf(from), all.String(), false) {
		p.t.Errorf("%s %s: %s received %s", r.Method, r.URL, p.nameOf(from), leak)
	}
}

// leaks lists what must not stand in a text that somebody receives, or in a log
// line about him: there no text is to be told, not even his own.
func (p *parlor) leaks(reader, text string, logged bool) (found []string) {
	text = goneItem.ReplaceAllString(text, "") // names what he named
	for label, id := range p.ids {
		sees := slices.Contains(strings.Fields(canarySees[label]), reader)
		if (!sees || logged || p.deleted[label]) && strings.Contains(text, secretText(label)) {
			found = append(found, "the text of "+label)
		}
		for _, secret := range []string{secretText("file of " + label), secretText("description of " + label), p.files[label].SHA256} {
			if (!sees || logged || p.deleted[label]) && strings.Contains(text, secret) {
				found = append(found, "the file of "+label)
			}
		}
		if !sees && !logged && strings.Contains(text, string(id.Position)) {
			found = append(found, "the id of "+label)
		}
	}
	for name, fpr := range p.fingerprints() {
		if name != reader && strings.Contains(strings.ToUpper(text), string(fpr[:16])) {
			found = append(found, "the fingerprint of "+name)
		}
	}
	for _, word := range []string{canaryFamily, canaryWork, "pet-", "Bob-", "Carol-", "Fred-", "Eve-"} {
		if strings.Contains(text, word) {
			found = append(found, word)
		}
	}
	return found
}

var goneItem = regexp.MustCompile(`\{"gone":"[^"]*"\}`)

// logged looks at what was logged while one person asked.
func (p *parlor) logged(reader string) {
	p.t.Helper()
	for line := range strings.Lines(p.log.take()) {
		for _, leak := range p.leaks(reader, line, true) {
			p.t.Errorf("asked by %s, the log tells %s: %s", reader, leak, line)
		}
	}
}

// Nothing private reaches anybody whom it is not for: it stands in no byte of an
// answer and its headers, sealed or public, in no log line, in no error.
func TestCanaries(t *testing.T) {
	p := newParlor(t)
	p.logged("")
	p.everybodyAsks()
	// What is taken back and changed is asked for by all again.
	for _, label := range []string{canaryFamily, "public"} {
		if _, err := p.alice.Delete(t.Context(), p.ids[label]); err != nil {
			t.Fatal(err)
		}
		p.deleted[label] = true
	}
	_, err := p.alice.Edit(t.Context(), p.ids["pet-carol-canary"], func(d *post.Draft) error {
		d.Set("summary", secretText("pet-carol-canary"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.everybodyAsks()
	p.diskFails()
	if p.pieces < 150 {
		t.Errorf("only %d answers were looked at", p.pieces)
	}
	for _, leak := range []string{secretText("me"), secretText("file of me"), p.files[canaryFamily].SHA256, canaryFamily, string(p.fingerprints()["bob"]), string(p.ids["me"].Position), "pet-bob-canary"} {
		if len(p.leaks("carol", "x"+leak+"x", false)) == 0 {
			t.Errorf("%s would not be found", leak)
		}
	}
}

func (p *parlor) everybodyAsks() {
	p.t.Helper()
	if got := pullAll(p.t, p.bob); !got.Complete {
		p.t.Errorf("bob: %+v", got)
	}
	p.logged("bob")
	for name, a := range map[string]*asker{"carol": p.carol, "eve": p.eve, "fred": p.fred} {
		for _, q := range p.questions() {
			p.post(a, q, time.Now())
		}
		p.post(a, wire.Question{Kind: wire.KindPosts}, time.Now().Add(time.Hour))
		p.logged(name)
	}
	p.publicPages()
	p.logged("")
}

// questions ask for everything, also by names that the reader cannot know.
func (p *parlor) questions() []wire.Question {
	ids := slices.Collect(maps.Values(p.ids))
	month := ids[0].Position.Month()
	all := []wire.Question{{Kind: wire.KindPosts}, {Kind: wire.KindPosts, Have: ids}, {Kind: wire.KindManifest}, {Kind: wire.KindManifest, Months: []string{month}},
		{Kind: wire.KindIDs, Want: ids}, {Kind: wire.KindIDs, Have: ids}}
	// Each file by its post, and by every post that everybody sees.
	for label, f := range p.files {
		for _, id := range []post.ID{p.ids[label], p.ids["public"], p.ids["public, old"]} {
			all = append(all, wire.Question{Kind: wire.KindAttachment, File: &wire.FileQuestion{ID: id, SHA256: f.SHA256}})
		}
	}
	return all
}

// post sends a sealed question; what comes back is looked at by the tap.
func (p *parlor) post(a *asker, q wire.Question, at time.Time) {
	p.t.Helper()
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	sent, err := a.sealer.SealRequest(wire.Party{Me: a.secret, Other: p.tap.owner.Certificate()}, q, at, nonce)
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(http.MethodPost, "/p2ps/v1/sealed", "application/pgp-encrypted", sent.Body)
}

// publicPages asks for each page, as everybody can, also for what is not there.
func (p *parlor) publicPages() {
	p.t.Helper()
	paths := []string{"", "/posts", "/posts?after=x", "/manifest", "/key", "/attachments/" + strings.Repeat("0", 64), "/sealed", "/../key"}
	for _, id := range p.ids {
		paths = append(paths, "/posts/"+string(id.Position), "/posts/"+string(id.Position)+"?x=y", "/manifest?months="+id.Position.Month())
	}
	for _, fpr := range p.fingerprints() {
		paths = append(paths, "/key/"+string(fpr))
	}
	for _, f := range p.files {
		paths = append(paths, "/attachments/"+f.SHA256, "/attachments/"+strings.ToUpper(f.SHA256), "/attachments/"+f.SHA256+"?x=y")
	}
	for _, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			p.do(method, "/p2ps/v1"+path, "", nil)
		}
	}
	p.do(http.MethodPost, "/p2ps/v1/sealed", "application/pgp-encrypted", []byte("nonsense"))
}

func (p *parlor) do(method, path, kind string, body []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.tap.url+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}

// diskFails: also a server in trouble tells nothing. What its owner is told of a
// file that cannot be read has the file's path, but no text.
func (p *parlor) diskFails() {
	p.t.Helper()
	for n := 1; n < 60; n += 3 {
		p.disk.again(n)
		p.post(p.carol, wire.Question{Kind: wire.KindPosts}, time.Now())
		p.disk.again(n)
		p.do(http.MethodGet, "/p2ps/v1/posts", "", nil)
		p.disk.again(n)
		err := p.bob.Pull(context.Background(), nil, home.PullOptions{Jobs: 1}, func(e home.Event) {
			if e.Pulled != nil && e.Pulled.Err != nil {
				for _, leak := range p.leaks("bob", e.Pulled.Err.Error(), true) {
					p.t.Errorf("bob is told: %v: %s", e.Pulled.Err, leak)
				}
			}
		})
		if err != nil {
			p.t.Error(err)
		}
	}
	p.disk.rest()
	log := p.log.take()
	for label := range p.ids {
		if strings.Contains(log, secretText(label)) {
			p.t.Errorf("the log tells the text of %s", label)
		}
	}
}
