package home_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// The model test: real homes, real keys, real HTTP, random histories. The world
// keeps a record of its own of everything that is done; the oracle computes from
// it who may see what.

// Tiny limits, so that pages end and questions overflow all the time.
const (
	modelItems = 3
	modelIDs   = 3
	modelPart  = 64 // bytes
)

// patience is how long a home waits for a lock, or for an answer: no history
// ends otherwise because the machine has something else to do.
const patience = time.Minute

// groupNames are unlikely in any other text, so that a leak is found.
var groupNames = []string{"kinsfolk", "coworkers"}

// A text is one signed text of one post.
type text struct {
	pos     post.Position
	rev     int64
	updated string
	hash    [32]byte
	canary  string // its content; "" of a Tombstone
	files   []post.File
	tomb    bool
	expires time.Time
}

type fileKind int

const (
	none   fileKind = iota // there is no file
	signed                 // a text as it was signed
	draft                  // a changed text, not signed
	junk                   // nothing that can be read
)

// filed is what a post's file is.
type filed struct {
	kind   fileKind
	text   *text // of signed; of draft the text it was made from
	aud    post.Audience
	bad    bool   // the audience is not in order
	canary string // of a draft
	raw    []byte
}

// An entry is one post in the feed of its owner.
type entry struct {
	pos   post.Position
	file  filed
	known *text           // the text last found signed, as long as the index lives
	whose post.Audience   // its audience
	trash map[int64]filed // by revision
	older []filed         // its earlier texts
}

type group struct {
	away    bool // the folder was moved out of groups/
	members map[pgp.Fingerprint]post.Position
}

// A made is a file made by hand, or a post under another name than its own.
type made struct {
	name   string // in the home
	canary string
	aud    post.Audience
	bad    bool
	moved  post.Position // it is this post
	file   filed         // of moved
}

// A record is what was done in one home: posts, people, rights.
type record struct {
	posts   map[post.Position]*entry
	made    []made
	friends map[pgp.Fingerprint]post.Position // from where on they see what is for friends
	follows map[pgp.Fingerprint]bool
	blocked map[pgp.Fingerprint]bool
	groups  map[string]*group
}

func newRecord() record {
	return record{map[post.Position]*entry{}, nil, map[pgp.Fingerprint]post.Position{}, map[pgp.Fingerprint]bool{},
		map[pgp.Fingerprint]bool{}, map[string]*group{}}
}

func (o *record) clone() record {
	c := newRecord()
	for p, e := range o.posts {
		e := *e
		e.trash, e.older = maps.Clone(e.trash), slices.Clone(e.older)
		c.posts[p] = &e
	}
	c.made = slices.Clone(o.made)
	c.friends, c.follows, c.blocked = maps.Clone(o.friends), maps.Clone(o.follows), maps.Clone(o.blocked)
	for name, g := range o.groups {
		c.groups[name] = &group{g.away, maps.Clone(g.members)}
	}
	return c
}

// sorted lists the posts by position, so that a history is drawn the same again.
func (o *record) sorted(want func(*entry) bool) (list []*entry) {
	for _, p := range slices.Sorted(maps.Keys(o.posts)) {
		if e := o.posts[p]; want == nil || want(e) {
			list = append(list, e)
		}
	}
	return list
}

// newest is the newest position among the names in feed/.
func (o *record) newest() (newest post.Position) {
	for p, e := range o.posts {
		if e.file.kind != none && p > newest {
			newest = p
		}
	}
	return newest
}

// A castMember is an identity and an address, made once for all worlds.
type castMember struct {
	name   string
	secret *pgp.Secret
	cert   *pgp.Certificate
	files  map[string][]byte // key/
	server *httptest.Server
	now    *stage
}

// A stage is what answers at an address now.
type stage struct {
	mu      sync.Mutex
	handler http.Handler
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.handler
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}

var cast = sync.OnceValues(func() ([]*castMember, error) {
	dir, err := os.MkdirTemp(scratch(), "p2ps-cast-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var all []*castMember
	for _, name := range []string{"Alice", "Bob", "Carol"} {
		c := &castMember{name: name, files: map[string][]byte{}, now: &stage{handler: http.NotFoundHandler()}}
		if c.secret, err = pgp.Generate(name, "", time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)); err != nil {
			return nil, err
		}
		c.cert = c.secret.Certificate()
		primary, err := c.secret.Primary(nil)
		if err != nil {
			return nil, err
		}
		rev, err := c.secret.Revocation(time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC))
		if err != nil {
			return nil, err
		}
		h, err := home.Create(filepath.Join(dir, name), home.Options{})
		if err != nil {
			return nil, err
		}
		if err := errors.Join(h.People().SaveIdentity(c.secret, primary, rev), h.Close()); err != nil {
			return nil, err
		}
		for _, f := range []string{"public.asc", "daily.asc"} {
			if c.files[f], err = os.ReadFile(filepath.Join(dir, name, "key", f)); err != nil {
				return nil, err
			}
		}
		c.server = httptest.NewServer(c.now)
		all = append(all, c)
	}
	return all, nil
})

// scratch is a file system in memory, where there is one.
func scratch() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// A world is some people with their homes, and the record of what they did.
type world struct {
	*rapid.T
	dir    string
	people []*actor
	texts  map[string]*text // every text that was ever signed, by content
	n      int
	mu     sync.Mutex
	faults []string          // found while answering
	trace  []string          // what was done
	lasts  bool              // no post expires
	told   bool              // a story that is told as it is: nothing in it is left to chance
	ids    io.Reader         // the random bits of ids
	files  map[string][]byte // that posts name, by hash; nil: none does
}

// did notes what is done, so that a history that fails can be read.
func (w *world) did(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

// Fatalf ends a history, and tells it.
func (w *world) Fatalf(format string, args ...any) {
	w.Helper()
	w.T.Fatalf("%s\nwhat was done:\n%s", fmt.Sprintf(format, args...), strings.Join(w.trace, "\n"))
}

// An actor is one home, and what was done in it.
type actor struct {
	*castMember
	record
	w        *world
	fpr      pgp.Fingerprint
	dir      string
	clock    time.Time
	h        *home.Home
	hook     hook
	heal     bool
	fault    fault // of the next answers, see proxy
	last     map[pgp.Fingerprint][]byte
	given    map[pgp.Fingerprint]map[post.Position]bool  // ids that a reader was ever given
	refused  map[pgp.Fingerprint]map[post.Position]bool  // what a reader may have refused, by owner
	agreed   map[pgp.Fingerprint]map[post.Position]*text // what an owner offered when the last pull agreed; nil: unknown
	rewound  bool                                        // texts may have lost against newer ones of other times
	snap     *snapshot
	hostile  map[post.Position]bool // posts that nobody can verify, in any answer
	attached map[string]bool        // files that were ever attached here
	moved    bool                   // its files were taken away by hand
	requests int                    // of the pull that goes on
	walked   int                    // items of its pages
}

type snapshot struct {
	dir     string
	record  record
	rewound bool
	cache   bool
}

// Two moments at which a world begins. By a clock before that of the file
// system every file is too young for its stat to be trusted, and is read each
// time; by one far ahead none is, and what was worked out once is kept.
var (
	behind = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ahead  = time.Date(2045, 3, 1, 12, 0, 0, 0, time.UTC)
)

func newWorld(t *rapid.T, begin time.Time) *world {
	all, err := cast()
	w := &world{T: t, texts: map[string]*text{}, ids: rand.NewChaCha8([32]byte{})}
	w.ok(err, "making the people")
	w.dir, err = os.MkdirTemp(scratch(), "p2ps-model-")
	w.ok(err, "making a directory")
	for _, c := range all {
		p := &actor{castMember: c, w: w, record: newRecord(), fpr: c.cert.Fingerprint(), dir: filepath.Join(w.dir, c.name), heal: true,
			clock: begin}
		p.forget()
		for name, data := range c.files {
			p.write("key/"+name, data)
		}
		w.people = append(w.people, p)
	}
	for _, p := range w.people {
		p.open()
		for _, name := range groupNames {
			w.ok(p.h.People().CreateGroup(name), "making a group")
			p.groups[name] = &group{members: map[pgp.Fingerprint]post.Position{}}
		}
		for _, other := range w.people {
			if other != p {
				p.befriend(other, "all")
			}
		}
	}
	w.people[0].join(groupNames[0], w.people[1], "all")
	return w
}

func (p *actor) forget() {
	p.hostile, p.attached = map[post.Position]bool{}, map[string]bool{}
	p.last, p.given = map[pgp.Fingerprint][]byte{}, map[pgp.Fingerprint]map[post.Position]bool{}
	p.refused, p.agreed = map[pgp.Fingerprint]map[post.Position]bool{}, map[pgp.Fingerprint]map[post.Position]*text{}
}

func (w *world) close() {
	for _, p := range w.people {
		if p.h != nil {
			_ = p.h.Close()
		}
		p.now.mu.Lock()
		p.now.handler = http.NotFoundHandler()
		p.now.mu.Unlock()
	}
	_ = os.RemoveAll(w.dir)
}

func (w *world) ok(err error, what string) {
	if err != nil {
		w.Helper()
		w.Fatalf("%s: %v", what, err)
	}
}

func (p *actor) options() home.Options {
	return home.Options{Now: func() time.Time { return p.clock }, Rand: p.w.ids, Wait: patience, Hook: p.hook.call,
		Items: modelItems, IDs: modelIDs, Part: modelPart, NoHealing: !p.heal, Log: slog.New(slog.DiscardHandler)}
}

// open opens the home and serves it.
func (p *actor) open() {
	h, err := home.Open(p.dir, p.options())
	p.w.ok(err, "opening the home of "+p.name)
	p.h = h
	p.serve()
}

func (p *actor) serve() {
	p.w.ok(p.h.StartServing(context.Background(), 1e6), "serving")
	handler, err := peer.Handler(p.h, peer.Limits{PerAddress: 1e6, PerKey: 1e6}, nil)
	p.w.ok(err, "serving")
	p.now.mu.Lock()
	p.now.handler = &proxy{p, handler}
	p.now.mu.Unlock()
}

// reopen is what a crash, and a start after it, comes to.
func (p *actor) reopen() {
	p.hook.off()
	_ = p.h.Close()
	p.open()
}

func (p *actor) other(fpr pgp.Fingerprint) *actor {
	for _, o := range p.w.people {
		if o.fpr == fpr {
			return o
		}
	}
	p.w.Fatalf("nobody is %s", fpr)
	return nil
}

// path, read, write: the files, as any program sees them.
func (p *actor) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *actor) read(name string) []byte {
	data, err := os.ReadFile(p.path(name))
	p.w.ok(err, "reading")
	return data
}

// write replaces a file as a good editor does, by a rename.
func (p *actor) write(name string, data []byte) {
	p.pause()
	file := p.path(name)
	p.w.ok(os.MkdirAll(filepath.Dir(file), 0o700), "making a folder")
	temp := filepath.Join(filepath.Dir(file), ".model.tmp")
	p.w.ok(os.WriteFile(temp, data, 0o600), "writing")
	p.w.ok(os.Rename(temp, file), "renaming")
}

// scribble replaces what is in a file, in place.
func (p *actor) scribble(name string, data []byte) {
	p.pause()
	p.w.ok(os.WriteFile(p.path(name), data, 0o600), "writing in place")
}

func (p *actor) remove(name string) {
	p.pause()
	p.w.ok(os.RemoveAll(p.path(name)), "removing")
}

// pause lets the clock of the file system go on. A home looks again at what
// changed within the last two seconds, since a change may bear the time of the
// one before; by a clock that is ahead, here, nothing has.
func (p *actor) pause() {
	if p.clock.After(time.Now().Add(-10 * time.Second)) {
		time.Sleep(10 * time.Millisecond)
	}
}

// look has the home look at every file, and the record follow.
func (p *actor) look() {
	pending, err := p.h.ByHand(context.Background())
	p.w.ok(err, "looking at what was done by hand")
	p.seen()
	p.checkPending(pending)
}

// seen: the index has seen every file.
func (p *actor) seen() {
	for _, e := range p.posts {
		if e.live() {
			e.known, e.whose = e.file.text, e.file.aud
			if e.file.bad {
				e.whose = post.Audience{}
			}
		}
	}
}

// checkPending holds status to the record.
func (p *actor) checkPending(pending []home.Pending) {
	want, got := map[string]string{}, map[string]string{}
	for _, m := range p.made {
		want[m.name] = home.WasMade
		if m.moved != "" {
			want[m.name] = home.WasMoved
		}
	}
	for pos, e := range p.posts {
		name := feed.Mine.Path(pos)
		switch {
		case e.live() && e.file.bad:
			want[name] = home.IsUnaddress
		case e.live():
		case e.file.kind == none && e.known != nil:
			want[name] = home.WasRemoved
		case e.file.kind == signed:
			want[name] = home.WasPutBack
		case e.file.kind == draft && e.known != nil:
			want[name] = home.WasChanged
		case e.file.kind == draft:
			want[name] = home.WasMade
		case e.file.kind == junk:
			want[name] = home.IsBroken
		}
	}
	for _, x := range pending {
		if x.What != home.WasWidened && x.What != home.IsConflict {
			got[x.Name] = x.What
		}
	}
	if !maps.Equal(want, got) {
		p.w.Fatalf("what was done by hand at %s: status says %v, it was %v", p.name, got, want)
	}
}

// befriend is friend add, with an address.
func (p *actor) befriend(other *actor, history string) {
	p.w.did("%s adds the friend %s, history %s", p.name, other.name, history)
	_, _, err := p.h.People().AddFriend(other.cert, keyring.AddOptions{Addresses: []string{other.server.URL}, History: history})
	p.w.ok(err, "adding a friend")
	p.friends[other.fpr] = p.from(history)
	delete(p.follows, other.fpr)
}

// from is the position from which a history shows posts.
func (p *actor) from(history string) post.Position {
	switch history {
	case "all":
		return ""
	case "none":
		at := p.clock
		if t := p.newest().Time(); t.After(at) {
			at = t
		}
		return post.PositionAt(at.Add(time.Millisecond))
	}
	return post.Position(history)
}

// A hook makes the disk fail, once or for good.
type hook struct {
	mu    sync.Mutex
	left  int // operations until it fails; negative: never
	crash bool
	dead  bool
	hit   bool
	armed bool
	reads bool // never fails to read: what cannot be read is fetched again
}

var errDisk = errors.New("the disk fails, says the test")

func (h *hook) call(op disk.Op, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead {
		return errDisk
	}
	if !h.armed || op == disk.OpLock || h.reads && slices.Contains([]disk.Op{disk.OpOpen, disk.OpRead, disk.OpLstat, disk.OpReadDir}, op) {
		return nil
	}
	if h.left--; h.left >= 0 {
		return nil
	}
	h.hit, h.armed, h.dead = true, false, h.crash
	return errDisk
}

func (h *hook) arm(after int, crash bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left, h.crash, h.dead, h.hit, h.armed = after, crash, false, false, true
}

func (h *hook) off() (hit bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hit = h.hit
	h.dead, h.armed, h.hit = false, false, false
	return hit
}

// copyTree copies a directory, but for some of what is in it.
func copyTree(from, to string, but ...string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, name)
		if slices.Contains(but, rel) {
			return fs.SkipDir
		}
		if strings.HasSuffix(rel, "-shm") {
			return nil // of a database that is open: made anew
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}

// canary is a text that stands nowhere else.
func (w *world) canary() string {
	w.n++
	return fmt.Sprintf("canary-%d-", w.n)
}

// pick draws one of a list; a history that has none goes another way.
func pick[E any](w *world, list []E, what string) E {
	if len(list) == 0 {
		w.Skip("there is no " + what)
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(w.T, what)]
}

func (w *world) chance(percent int, what string) bool {
	if w.told {
		return false
	}
	return rapid.IntRange(0, 99).Draw(w.T, what) >= 100-percent
}

// person draws somebody: mostly the same, so that histories grow long.
func (w *world) person() *actor {
	return w.people[rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 1, 2}).Draw(w.T, "person")]
}

// two draws an owner and a reader.
func (w *world) two() (o, r *actor) {
	pair := rapid.SampledFrom([][2]int{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 2}, {1, 0}}).Draw(w.T, "pair")
	return w.people[pair[0]], w.people[pair[1]]
}

// isPosition tells the name of a post's file from others.
func isPosition(name string) (post.Position, bool) {
	stem, json := strings.CutSuffix(path.Base(name), ".json")
	p, err := post.ParsePosition(stem)
	return p, json && err == nil
}
