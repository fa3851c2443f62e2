package home_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// readerShares has the reader write a post that names files.
func (d *duo) readerShares(text string, a post.Audience, datas ...[]byte) (*post.Post, []post.File) {
	d.t.Helper()
	var files []post.File
	for _, data := range datas {
		files = append(files, attach(d.t, d.reader, data))
	}
	d.tick(time.Second)
	draft := post.NewDraft("Note")
	draft.Set("content", text)
	naming(d.t, files...)(draft)
	p, err := d.reader.Post(d.t.Context(), draft, a)
	d.check(err)
	return p, files
}

// arriving is where a file of the reader lies at the owner's while it comes.
func (d *duo) arriving(f post.File) string {
	return filepath.Join(d.ownerDir, "attachments", f.SHA256[:2], "."+f.SHA256+"."+string(d.readerKey.Certificate().Fingerprint())+".part")
}

// ownerHolds tells whether the owner has a file of the reader's, with these bytes.
func (d *duo) ownerHolds(f post.File, want []byte) {
	d.t.Helper()
	got, err := os.ReadFile(filepath.Join(d.ownerDir, "attachments", f.SHA256[:2], f.SHA256))
	if want == nil && errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil || want == nil || !bytes.Equal(got, want) {
		d.t.Errorf("of the file of %d bytes the owner has %d: %v", f.Size, len(got), err)
	}
}

// The reader has no server: what his posts name comes to the owner by asking back,
// whatever its size, and is asked for once.
//
// spec: A9, A10, A11
func TestFilesComeBack(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	var datas [][]byte
	for i, n := range []int{0, 1, wire.MaxPartBack - 1, wire.MaxPartBack, wire.MaxPartBack + 1, 3*wire.MaxPartBack - 5} {
		datas = append(datas, noise(n, uint64(i)))
	}
	_, files := d.readerShares("with files", forFriends, datas...)
	if got := d.pulls(1); got.Given != (home.Given{Posts: 1, Files: 5}) { // nobody asks for the empty one
		t.Errorf("given: %+v", got.Given)
	}
	for i, f := range files {
		d.ownerHolds(f, datas[i])
	}
	if n := len(*visits); n != 1+1+1+1+1+2+3 { // the pull, the post, and the parts
		t.Errorf("%d visits", n)
	}
	*visits = nil
	if got := d.pulls(1); got.Given != (home.Given{}) || len(*visits) != 1 {
		t.Errorf("the second pull: %+v, %d visits", got.Given, len(*visits))
	}
	s, err := d.owner.Status(t.Context())
	d.check(err)
	if p := s.People[0]; p.Message != "" || p.Unequal != 0 || p.Count != 1 {
		t.Errorf("it is not noted as complete: %+v", p)
	}
	x, err := d.owner.Index(t.Context())
	d.check(err)
	d.check(x.View(t.Context(), func(v *index.View) error {
		rows, err := v.Wanting(d.readerKey.Certificate().Fingerprint())
		if len(rows) != 0 {
			t.Errorf("%d posts are noted as without a file", len(rows))
		}
		return err
	}))
}

// What is not wanted is not asked for, and waits.
//
// spec: A8
func TestFilesNotWantedBack(t *testing.T) {
	d := newDuo(t)
	small, great := noise(10, 1), noise(100, 2)
	_, files := d.readerShares("with files", forFriends, great, small)
	d.owner.AskBack(home.PullOptions{NoMedia: true})
	if got := d.pulls(1); got.Given != (home.Given{Posts: 1}) {
		t.Errorf("none is wanted: %+v", got.Given)
	}
	d.owner.AskBack(home.PullOptions{MaxBytes: 99})
	if got := d.pulls(1); got.Given != (home.Given{Files: 1}) {
		t.Errorf("none over 99 bytes: %+v", got.Given)
	}
	d.ownerHolds(files[0], nil)
	d.ownerHolds(files[1], small)
	d.owner.AskBack(home.PullOptions{})
	d.pulls(1)
	d.ownerHolds(files[0], great)
}

// What does not fit into one pull goes on in the next one, at the byte where it
// ended; and so does a download that began by the other road, and one that was
// broken off by either side.
//
// spec: A11
func TestFilesBackResume(t *testing.T) {
	const parts = 5
	data := noise(parts*wire.MaxPartBack, 3)
	for name, c := range map[string]struct {
		first func(d *duo, f post.File)
		there int // parts, after it
	}{
		"the giver ends": {func(d *duo, _ post.File) {
			d.back = 1 + 2 // the post, and two parts
			d.again()
			d.pulls(1)
			d.back = 0
			d.again()
		}, 2},
		"the owner ends": {func(d *duo, _ post.File) {
			d.slow, d.requests = 20*time.Minute, 0 // half an hour is over after the second answer
			d.pulls(1)
			d.slow, d.readerClock = 0, d.ownerClock
		}, 1},
		"the owner's disk fails": {func(d *duo, f post.File) {
			n := 0
			d.hook.set(func(op disk.Op, name string) error {
				if op == disk.OpWrite && filepath.Base(name) == filepath.Base(d.arriving(f)) {
					if n++; n == 4 {
						return os.ErrPermission
					}
				}
				return nil
			})
			d.pulls(1)
			d.hook.set(nil)
		}, 3},
		"by the other road": {func(d *duo, f post.File) {
			d.check(os.MkdirAll(filepath.Dir(d.arriving(f)), 0o700))
			d.check(os.WriteFile(d.arriving(f), data[:wire.MaxPartBack], 0o600))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDuo(t)
			visits := d.asksBack()
			_, files := d.readerShares("with a file", forFriends, data)
			c.first(d, files[0])
			d.ownerHolds(files[0], nil)
			if there, err := os.ReadFile(d.arriving(files[0])); err != nil || len(there) != c.there*wire.MaxPartBack || !bytes.HasPrefix(data, there) {
				t.Fatalf("of the file there are %d bytes: %v", len(there), err)
			}
			*visits = nil
			got := d.pulls(1)
			d.ownerHolds(files[0], data)
			if n := len(*visits) - 2; n != parts-c.there || got.Given.Files != 1 {
				t.Errorf("%d parts for the rest: %+v", n, got.Given)
			}
			if _, err := os.Stat(d.arriving(files[0])); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the part is left: %v", err)
			}
		})
	}
}

// What is there from before may be spoiled: it is fetched anew, once.
//
// spec: A11
func TestSpoiledBeginningBack(t *testing.T) {
	data := noise(2*wire.MaxPartBack, 4)
	for _, spoiled := range [][]byte{make([]byte, 5000), make([]byte, len(data)), append(bytes.Clone(data), 'x'), data[:77]} {
		d := newDuo(t)
		d.asksBack()
		_, files := d.readerShares("with a file", forFriends, data)
		d.check(os.MkdirAll(filepath.Dir(d.arriving(files[0])), 0o700))
		d.check(os.WriteFile(d.arriving(files[0]), spoiled, 0o600))
		d.pulls(1)
		d.ownerHolds(files[0], data)
	}
}

// A giving is how a friend gives what he is asked back, as he likes.
type giving struct {
	*duo
	sealer wire.Sealer
	party  wire.Party
	sum    string // of what asks
	nonce  byte
}

func (d *duo) giving() *giving {
	return &giving{duo: d, party: wire.Party{Me: d.readerKey, Other: d.key.Certificate()}}
}

// comes pulls, and tells what is asked back.
func (g *giving) comes() *wire.Question {
	g.t.Helper()
	g.nonce++
	sent, err := g.sealer.SealRequest(g.party, wire.Question{Kind: wire.KindPosts}, g.ownerClock, [16]byte{g.nonce})
	g.check(err)
	return g.sends(sent)
}

func (g *giving) sends(sent *wire.Sent) *wire.Question {
	g.t.Helper()
	body, err := g.owner.AnswerSealed(g.t.Context(), sent.Body, nil)
	g.check(err)
	a, err := sent.OpenAnswer(body, g.party, g.ownerClock)
	g.check(err)
	g.sum = a.Sum
	return a.Ask
}

// answer is what the reader would give, changed.
func (g *giving) answer(q wire.Question, change func(*wire.Answer)) *wire.Sent {
	g.t.Helper()
	if q.Limit = wire.MaxPartBack; q.File == nil {
		q.Limit = wire.MaxBack
	}
	a, err := g.reader.Answer(g.t.Context(), g.key.Certificate().Fingerprint(), q, g.readerClock)
	g.check(err)
	if a.Part != nil {
		g.check(a.Part.Load())
		change(&a)
	}
	sent, err := g.sealer.SealAsking(g.party, a, g.sum)
	g.check(err)
	return sent
}

// gives answers all that is asked back, and counts the parts.
func (g *giving) gives(change func(*wire.Answer)) (parts int) {
	g.t.Helper()
	for q := g.comes(); q != nil; {
		if q.File != nil {
			parts++
		}
		if parts > 20 {
			g.t.Fatal("it does not end")
		}
		q = g.sends(g.answer(*q, change))
	}
	return parts
}

func (d *duo) told() string {
	d.t.Helper()
	s, err := d.owner.Status(d.t.Context())
	d.check(err)
	return s.People[0].Message
}

// What is not the file is never kept, is told, and is asked for once in a pull; it
// keeps no other file from coming.
//
// spec: A11, M41
func TestOtherBytesBack(t *testing.T) {
	first, second := noise(2*wire.MaxPartBack+10, 5), noise(100, 6)
	for name, c := range map[string]struct {
		change func(*wire.Answer)
		parts  int // asked for, of the first file
		told   string
	}{
		"another bit": {func(a *wire.Answer) { a.Part.Data[7] ^= 1 }, 3, "another SHA-256"},
		"a byte more": {func(a *wire.Answer) { a.Part.Size++ }, 1, fmt.Sprintf("it has %d bytes, not %d", len(first)+1, len(first))},
		"a byte less": {func(a *wire.Answer) { a.Part.Size-- }, 1, fmt.Sprintf("it has %d bytes, not %d", len(first)-1, len(first))},
		"nothing":     {func(a *wire.Answer) { *a = wire.Answer{Kind: wire.KindError, Code: wire.CodeNotFound, Time: a.Time} }, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDuo(t)
			d.asksBack()
			_, files := d.readerShares("with files", forFriends, first, second)
			of := func(a *wire.Answer) bool { return a.Part.Size == int64(len(first)) }
			change := func(a *wire.Answer) {
				if of(a) {
					c.change(a)
				}
			}
			g := d.giving()
			for pull, more := range []int{1, 0} { // the second file comes once
				if n := g.gives(change); n != c.parts+more {
					t.Errorf("pull %d: %d parts, want %d", pull, n, c.parts+more)
				}
				d.ownerHolds(files[0], nil)
				d.ownerHolds(files[1], second)
				if got := d.told(); !strings.Contains(got, c.told) || c.told == "" && got != "" {
					t.Errorf("the owner is told %q", got)
				}
				d.tick(time.Second)
			}
			if _, err := os.Stat(d.arriving(files[0])); c.told != "" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what came of it is left: %v", err)
			}
			d.pulls(1)
			d.ownerHolds(files[0], first)
			if got := d.told(); got != "" {
				t.Errorf("when all is here the owner is told %q", got)
			}
		})
	}
}

// Spoiled or not, what is there from before is an excuse once.
//
// spec: A11
func TestSpoiledTwiceBack(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	data := noise(2*wire.MaxPartBack, 13)
	_, files := d.readerShares("with a file", forFriends, data)
	d.check(os.MkdirAll(filepath.Dir(d.arriving(files[0])), 0o700))
	d.check(os.WriteFile(d.arriving(files[0]), data[:77], 0o600))
	if n := d.giving().gives(func(a *wire.Answer) { a.Part.Data[7] ^= 1 }); n != 4 {
		t.Errorf("%d parts, not two twice", n)
	}
	if got := d.told(); !strings.Contains(got, "another SHA-256") {
		t.Errorf("the owner is told %q", got)
	}
	d.ownerHolds(files[0], nil)
}

// An answer that is no part of what was asked for is refused, and changes nothing;
// after one that says that he cannot, nothing more is asked.
//
// spec: A5, A10, A11
func TestNoPartBack(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	data := noise(2*wire.MaxPartBack, 7)
	_, files := d.readerShares("with files", forFriends, data, noise(10, 14))
	g := d.giving()
	q := g.sends(g.answer(*g.comes(), nil))
	if q == nil || q.File == nil || q.File.SHA256 != files[0].SHA256 || q.File.Offset != 0 || q.File.GCM {
		t.Fatalf("asked is %+v", q)
	}
	for name, c := range map[string]struct {
		change func(*wire.Answer)
		want   error
	}{
		"no bytes":         {func(a *wire.Answer) { a.Part.Data = nil }, wire.ErrInvalid},
		"too many":         {func(a *wire.Answer) { a.Part.Data = data[:wire.MaxPartBack+1] }, wire.ErrInvalid},
		"beyond its end":   {func(a *wire.Answer) { a.Part.Size = 5 }, wire.ErrInvalid},
		"from another on":  {func(a *wire.Answer) { a.Part.Offset = 1 }, wire.ErrBinding},
		"before its start": {func(a *wire.Answer) { a.Part.Offset = -1 }, wire.ErrBinding},
		"a page":           {func(a *wire.Answer) { *a = wire.Answer{Kind: wire.KindIDs, Time: a.Time} }, wire.ErrBinding},
	} {
		if _, err := d.owner.AnswerSealed(t.Context(), g.answer(*q, c.change).Body, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if there, err := os.ReadFile(d.arriving(files[0])); err != nil || len(there) != 0 {
		t.Errorf("of the file there are %d bytes: %v", len(there), err)
	}
	good := g.answer(*q, func(*wire.Answer) {})
	q = g.sends(good)
	if q == nil || q.File == nil || q.File.Offset != wire.MaxPartBack {
		t.Fatalf("then asked is %+v", q)
	}
	if _, err := d.owner.AnswerSealed(t.Context(), good.Body, nil); !errors.Is(err, wire.ErrBinding) {
		t.Errorf("a part a second time: %v", err)
	}
	for _, code := range []string{wire.CodeBusy, wire.CodeKind, wire.CodeInvalid} {
		busy := func(a *wire.Answer) { *a = wire.Answer{Kind: wire.KindError, Code: code, Time: a.Time} }
		if next := g.sends(g.answer(*q, busy)); next != nil {
			t.Errorf("after %s asked is %+v", code, next)
		}
		if q = g.sends(g.answer(*g.comes(), nil)); q == nil || q.File == nil || q.File.Offset != wire.MaxPartBack {
			t.Fatalf("when he comes again, asked is %+v", q)
		}
	}
	for step := 0; q != nil; step++ { // byte by byte it comes, but not for ever
		if step > 10 {
			d.ownerClock = d.ownerClock.Add(time.Hour)
		}
		if step > 11 {
			t.Fatal("bytes are asked for after half an hour")
		}
		q = g.sends(g.answer(*q, func(a *wire.Answer) { a.Part.Data = a.Part.Data[:1] }))
	}
	if there, err := os.ReadFile(d.arriving(files[0])); err != nil || !bytes.Equal(there, data[:wire.MaxPartBack+12]) {
		t.Errorf("byte by byte there are %d: %v", len(there), err)
	}
}

// A post that is taken back while its file comes takes the file with it; one that
// cannot be had is no reason not to have the next.
//
// spec: A3, A11
func TestWithdrawnWhileItComes(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	one, two := noise(3*wire.MaxPartBack, 8), noise(100, 9)
	p, ones := d.readerShares("one", forFriends, one)
	_, twos := d.readerShares("two", forFriends, two)
	g := d.giving()
	parts := g.gives(func(a *wire.Answer) {
		if a.Part.Offset == wire.MaxPartBack {
			_, err := d.reader.Delete(t.Context(), p.ID())
			d.check(err)
		}
	})
	if parts != 2+1+1 { // two, none, and that of the other
		t.Errorf("%d parts", parts)
	}
	d.ownerHolds(ones[0], nil)
	d.ownerHolds(twos[0], two)
	d.pulls(1)
	d.wants("the owner has", d.ownerHas(), "two")
}

// While the owner's own commands bring the file, asking back neither adds to it
// nor brings it again.
//
// spec: A11
func TestFileByBothRoads(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	data := noise(3*wire.MaxPartBack, 10)
	_, files := d.readerShares("with a file", forFriends, data)
	g := d.giving()
	q := g.sends(g.answer(*g.comes(), nil))
	d.check(os.WriteFile(d.arriving(files[0]), data[:wire.MaxPartBack+5], 0o600))
	if q = g.sends(g.answer(*q, func(*wire.Answer) {})); q == nil || q.File.Offset != wire.MaxPartBack+5 {
		t.Fatalf("beside another road asked is %+v", q)
	}
	if sha := attach(t, d.owner, data).SHA256; sha != files[0].SHA256 {
		t.Fatal(sha)
	}
	if q = g.sends(g.answer(*q, func(*wire.Answer) {})); q != nil {
		t.Errorf("when it is here asked is %+v", q)
	}
	d.ownerHolds(files[0], data)
}

// Parts do not count as requests of a key. Who has no time is given the same once
// more, and, if he has none then either, at the next pull; the pull is as good.
//
// spec: A12
func TestFilesBackInHaste(t *testing.T) {
	d := newDuo(t)
	d.asksBack()
	d.check(d.owner.StartServing(t.Context(), 1)) // four at once
	data := noise(10*wire.MaxPartBack, 11)
	_, files := d.readerShares("with a file", forFriends, data)
	handler, err := peer.Handler(d, peer.Limits{}, nil)
	d.check(err)
	requests, busy := 0, map[int]bool{3: true, 6: true, 7: true, 8: true}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; busy[requests] {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	d.check(d.reader.People().SetAddresses(d.key.Certificate().Fingerprint(), []string{s.URL}))
	if got := d.pulls(1); got.Given != (home.Given{Posts: 1}) || requests != 8 {
		t.Errorf("after %d requests: %+v", requests, got.Given)
	}
	if there, err := os.ReadFile(d.arriving(files[0])); err != nil || !bytes.Equal(there, data[:2*wire.MaxPartBack]) {
		t.Errorf("of the file there are %d bytes: %v", len(there), err)
	}
	d.tick(time.Second)
	if got := d.pulls(1); got.Given != (home.Given{Files: 1}) {
		t.Errorf("the next pull: %+v", got.Given)
	}
	d.ownerHolds(files[0], data)
}

// A standing pull gives what its friend asks back, too: posts and files.
//
// spec: A11
func TestFilesBackWhileItStands(t *testing.T) {
	alice, bob := newHome(t, "Alice"), newHome(t, "Bob")
	alice.AskBack(home.PullOptions{})
	befriend(t, alice, bob, "")
	befriend(t, bob, alice, served(t, alice))
	ctx, cancel := context.WithCancelCause(t.Context())
	given, over := make(chan home.Given, 1000), make(chan error, 1)
	go func() {
		over <- bob.PullBriskly(ctx, nil, func(e home.Event) {
			if e.Pulled != nil {
				given <- e.Pulled.Given
			}
		})
	}()
	if got := <-given; got != (home.Given{}) {
		t.Errorf("the first pull gave %+v", got)
	}
	f := attach(t, bob, noise(2*wire.MaxPartBack, 12))
	d := post.NewDraft("Note")
	naming(t, f)(d)
	if _, err := bob.Post(t.Context(), d, forFriends); err != nil {
		t.Fatal(err)
	}
	for all := (home.Given{}); all != (home.Given{Posts: 1, Files: 1}); {
		select {
		case g := <-given:
			all.Posts, all.Files = all.Posts+g.Posts, all.Files+g.Files
		case err := <-over:
			t.Fatalf("it ended: %v, given %+v", err, all)
		case <-time.After(20 * time.Second):
			t.Fatalf("given is %+v", all)
		}
	}
	if !alice.Holds(f) {
		t.Error("the file is not there")
	}
	enough := errors.New("enough")
	cancel(enough)
	if err := <-over; !errors.Is(err, enough) {
		t.Error(err)
	}
}
