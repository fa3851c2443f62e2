package home_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A nosy is the server of somebody who asks back for whatever he likes, one
// question after the other, and looks at all that he is given.
type nosy struct {
	t     *testing.T
	me    *pgp.Secret
	other *pgp.Certificate // who pulls from him
	now   func() time.Time
	page  func() wire.Answer // what he says to a pull; nil: that he has nothing
	asks  []wire.Question
	heard func(q wire.Question, a wire.Answer, body []byte)

	sealer wire.Sealer
	sent   *wire.Sent
	asked  wire.Question
}

// serve serves until the test is over.
func (n *nosy) serve() (url string) {
	s := httptest.NewServer(n)
	n.t.Cleanup(s.Close)
	return s.URL
}

func (n *nosy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		n.t.Error(err)
	}
	request, reply, err := wire.OpenSealed(body, n.me)
	if err != nil {
		n.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	party := wire.Party{Me: n.me, Other: n.other}
	zero := 0
	_, nothing := wire.Months{}.Digest()
	a, re := wire.Answer{Kind: wire.KindPosts, Count: &zero, Digest: nothing}, ""
	switch {
	case request != nil:
		if re = request.Re; n.page != nil {
			a = n.page()
		}
	default:
		given, err := reply.Verify(n.sent, party, n.now())
		if err != nil {
			n.t.Errorf("what is given to %+v: %v", n.asked, err)
		}
		n.heard(n.asked, given, body)
		a, re = wire.Answer{Kind: wire.KindAsk}, reply.Sum
	}
	if len(n.asks) > 0 {
		n.asked, n.asks = n.asks[0], n.asks[1:]
		a.Ask = &n.asked
	}
	a.Time = n.now()
	if n.sent, err = n.sealer.SealAsking(party, a, re); err != nil {
		n.t.Error(err)
		return
	}
	w.Header().Set("Content-Type", "application/pgp-encrypted")
	_, _ = w.Write(n.sent.Body)
}

// plain is a body as who gets it can read it.
func (n *nosy) plain(body []byte) string {
	opened, err := pgp.Decrypt(body, n.me, wire.MaxRequest)
	if err != nil {
		n.t.Error(err)
		return ""
	}
	return string(opened.Literal)
}

// Who asks back gets the files of the posts that he may see, and no other: not
// with the id, not with the hash, not with both; and nothing tells whether there
// is such a file. That he is given none does not end it.
//
// spec: A3, A11, P58, M39
func TestFilesBackAreForReadersOfThePost(t *testing.T) {
	d := newDuo(t)
	for1 := post.Audience{Readers: []pgp.Fingerprint{d.key.Certificate().Fingerprint()}}
	his, hisFile := d.readerShares("for him", for1, noise(5000, 1))
	secret, secretFile := d.readerShares("for nobody", post.Audience{}, noise(5000, 2))
	other, otherFile := d.readerShares("for another", post.Audience{Readers: []pgp.Fingerprint{pgp.Fingerprint(strings.Repeat("A", 40))}}, noise(5000, 3))
	open, openFile := d.readerShares("for all", forAll, noise(5000, 4))
	gone, goneFile := d.readerShares("not any more", forFriends, noise(5000, 5))
	_, err := d.reader.Delete(t.Context(), gone.ID())
	d.check(err)
	nobodys := attach(t, d.reader, noise(5000, 6))
	// A post that is passed on names files that its author gives.
	elsewhere, _ := d.home(t.TempDir(), &d.ownerClock, "Other")
	draft := post.NewDraft("Note")
	draft.Set("content", "look")
	naming(t, secretFile[0])(draft)
	named, err := elsewhere.Post(t.Context(), draft, forAll)
	d.check(err)
	repost := post.NewDraft("Announce")
	repost.SetValue("object", named.Wire())
	again, err := d.reader.Post(t.Context(), repost, forAll)
	d.check(err)
	// So does a post of the one who asks.
	own := d.note("my own", forAll, naming(t, attach(t, d.owner, noise(5000, 2))))
	d.pulls(1)

	questions := []struct {
		what string
		q    wire.FileQuestion
		sees bool
	}{
		{"a private one of another", wire.FileQuestion{ID: other.ID(), SHA256: otherFile[0].SHA256}, false},
		{"what is for him", wire.FileQuestion{ID: his.ID(), SHA256: hisFile[0].SHA256}, true},
		{"the middle of it", wire.FileQuestion{ID: his.ID(), SHA256: hisFile[0].SHA256, Offset: 77}, true},
		{"beyond its end", wire.FileQuestion{ID: his.ID(), SHA256: hisFile[0].SHA256, Offset: 5001}, false},
		{"of a post for nobody", wire.FileQuestion{ID: secret.ID(), SHA256: secretFile[0].SHA256}, false},
		{"a private hash of his post", wire.FileQuestion{ID: his.ID(), SHA256: secretFile[0].SHA256}, false},
		{"a private hash of a public post", wire.FileQuestion{ID: open.ID(), SHA256: otherFile[0].SHA256}, false},
		{"his hash of a private post", wire.FileQuestion{ID: secret.ID(), SHA256: hisFile[0].SHA256}, false},
		{"of a deleted post", wire.FileQuestion{ID: gone.ID(), SHA256: goneFile[0].SHA256}, false},
		{"what no post names", wire.FileQuestion{ID: open.ID(), SHA256: nobodys.SHA256}, false},
		{"a hash that is nowhere", wire.FileQuestion{ID: open.ID(), SHA256: strings.Repeat("0", 64)}, false},
		{"of a post passed on", wire.FileQuestion{ID: again.ID(), SHA256: secretFile[0].SHA256}, false},
		{"of the post that was passed on", wire.FileQuestion{ID: named.ID(), SHA256: secretFile[0].SHA256}, false},
		{"of a post of his own", wire.FileQuestion{ID: own.ID(), SHA256: secretFile[0].SHA256}, false},
		{"what is public", wire.FileQuestion{ID: open.ID(), SHA256: openFile[0].SHA256}, true},
	}
	n := &nosy{t: t, me: d.key, other: d.readerKey.Certificate(), now: func() time.Time { return d.ownerClock }}
	n.page = func() wire.Answer { // nothing new
		return d.ask(n.other, wire.Question{Kind: wire.KindPosts, After: string(own.ID().Position)})
	}
	for _, c := range questions {
		n.asks = append(n.asks, wire.Question{Kind: wire.KindAttachment, File: &c.q})
	}
	at, sizes := 0, map[int]bool{}
	n.heard = func(_ wire.Question, a wire.Answer, body []byte) {
		c := questions[at]
		at++
		if c.sees != (a.Part != nil) || !c.sees && (a.Kind != wire.KindError || a.Code != wire.CodeNotFound) {
			t.Errorf("%s: %s %s, %v", c.what, a.Kind, a.Code, a.Part != nil)
		}
		if !c.sees {
			sizes[len(body)] = true
		}
	}
	d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), []string{n.serve()}))
	if got := d.pull(); got.Err != nil || at != len(questions) || got.Given != (home.Given{Files: 3}) {
		t.Errorf("%d questions were answered: %v, %+v", at, got.Err, got.Given)
	}
	if len(sizes) != 1 || !sizes[wire.MinSize] {
		t.Errorf("the refusals have the sizes %v", sizes)
	}
}

// What a friend may see is looked at anew for each part that he asks back.
//
// spec: A3, S9
func TestRemovedWhileAskingBack(t *testing.T) {
	for name, become := range map[string]func(*duo) error{
		"removed": func(d *duo) error {
			_, err := d.reader.People().RemoveFriend(d.key.Certificate().Fingerprint())
			return err
		},
		"blocked": func(d *duo) error {
			return d.reader.People().Block(d.key.Certificate().Fingerprint(), d.key.Certificate())
		},
	} {
		d := newDuo(t)
		p, files := d.readerShares("for friends", forFriends, noise(3*wire.MaxPartBack, 1))
		n := &nosy{t: t, me: d.key, other: d.readerKey.Certificate(), now: func() time.Time { return d.ownerClock }}
		for i := range int64(3) {
			n.asks = append(n.asks, wire.Question{Kind: wire.KindAttachment, File: &wire.FileQuestion{ID: p.ID(), SHA256: files[0].SHA256, Offset: i * wire.MaxPartBack}})
		}
		var got []bool
		n.heard = func(_ wire.Question, a wire.Answer, _ []byte) {
			if got = append(got, a.Part != nil); len(got) == 1 {
				d.check(become(d))
			}
		}
		d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), []string{n.serve()}))
		d.pull()
		if !slices.Equal(got, []bool{true, false, false}) {
			t.Errorf("%s after the first part: %v", name, got)
		}
	}
}

// Whoever is pulled from gets by asking back, of posts and files, what he would by
// a pull, and nothing else: not in any byte, nor in the log.
//
// spec: A3
func TestCanariesBack(t *testing.T) {
	p := newParlor(t)
	me, err := p.alice.Me()
	if err != nil {
		t.Fatal(err)
	}
	p.log.take()
	for name, secret := range map[string]*pgp.Secret{"bob": secretOf(t, p.bob), "carol": p.carol.secret} {
		n := &nosy{t: t, me: secret, other: me, now: time.Now, asks: p.questions()}
		posts, parts, questions := 0, 0, len(n.asks)
		n.heard = func(q wire.Question, a wire.Answer, body []byte) {
			questions--
			posts += len(a.Items)
			if a.Part != nil {
				parts++
			}
			for _, leak := range p.leaks(name, n.plain(body), false) {
				t.Errorf("asking back for %s, %s was given %s", q.Kind, name, leak)
			}
		}
		fpr := secret.Certificate().Fingerprint()
		if err := p.alice.People().SetAddresses(fpr, []string{n.serve()}); err != nil {
			t.Fatal(err)
		}
		who, err := p.alice.People().Person(fpr)
		if err != nil {
			t.Fatal(err)
		}
		err = p.alice.Pull(t.Context(), []keyring.Person{who}, home.PullOptions{Jobs: 1}, func(e home.Event) {
			if e.Pulled != nil && e.Pulled.Err != nil {
				t.Error(e.Pulled.Err)
			}
		})
		if sees := p.seenBy(name); err != nil || questions != 0 || posts < sees || parts < sees {
			t.Errorf("%s: %v: %d questions are left, %d posts, %d parts of files; he sees %d", name, err, questions, posts, parts, sees)
		}
		p.logged(name)
	}
}

// seenBy is how many of the posts somebody sees.
func (p *parlor) seenBy(name string) (n int) {
	for label := range p.ids {
		if slices.Contains(strings.Fields(canarySees[label]), name) {
			n++
		}
	}
	return n
}
