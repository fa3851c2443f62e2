// Package home is one person's home, where the parts meet: files and index
// kept in step, people and their rights, posts written, asked for and given.
// Every command stands on it, and any other Go program can.
//
// A file a verb: post.go writes, answer.go gives, pull.go asks, sync.go follows
// what was done to the files by hand.
package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// Names in the home that no other package knows.
const (
	lockFile     = "state/lock"
	pullLockFile = "state/pull.lock"
)

var (
	// ErrNoHome: there is no home at that place.
	ErrNoHome = errors.New("there is no p2ps home")
	// ErrNoPost: no post has that id, or none that can be read.
	ErrNoPost = errors.New("no such post")
	// ErrAmbiguous: several posts end so.
	ErrAmbiguous = errors.New("several posts end so")
	// ErrNotMine: only its author can change a post.
	ErrNotMine = errors.New("the post is not yours")
	// ErrDraft: the file was changed by hand, and what is in it would be lost.
	ErrDraft = errors.New("the file was changed by hand and is not signed")
)

// Options of a home. The zero Options are those of a program that a person
// runs: real clock, real randomness, no log.
type Options struct {
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
	Wait time.Duration // for a lock
	Hook disk.Hook     // where tests make the disk fail

	Look       Looker // on the local network; nil is nearby.Look
	PullNearby bool   // a friend whose addresses fail is looked for there

	Items int // of one page that is given; 0 is the protocol's limit
	IDs   int // of one question that is asked; 0 is the protocol's limit
	Part  int // bytes of a file in one answer; 0 is wire.PartSize
	Back  int // answers to what was asked back, in one pull; 0 is the usual limit

	NoHealing bool // the walk alone, so that tests see what the digest would mend
}

// A Home is one person's home. It is safe for concurrent use, also by any
// number of processes.
type Home struct {
	root   *disk.Root
	people *keyring.Keyring
	opt    Options
	sealer wire.Sealer

	mu     sync.Mutex
	index  *index.Index
	secret func() (*pgp.Secret, error)
	served served

	changed change

	collector collector
	fetching  chan struct{} // a place for each of those whose files come
	attached  sync.Map      // hashes of files that no post names yet
}

// Open opens an existing home. Nothing in it is read before it is needed.
func Open(dir string, opt Options) (*Home, error) {
	root, err := disk.Open(dir, opt.Hook)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", ErrNoHome, dir)
	}
	if err != nil {
		return nil, err
	}
	return with(root, opt), nil
}

// Create makes a home, or opens the one that is there.
func Create(dir string, opt Options) (*Home, error) {
	root, err := disk.Create(dir, opt.Hook)
	if err != nil {
		return nil, err
	}
	return with(root, opt), nil
}

func with(root *disk.Root, opt Options) *Home {
	h := &Home{root: root, opt: opt, fetching: make(chan struct{}, fetchingFiles)}
	if h.opt.Now == nil {
		h.opt.Now = time.Now
	}
	if h.opt.Rand == nil {
		h.opt.Rand = cryptoRand
	}
	if h.opt.Items == 0 {
		h.opt.Items = wire.MaxItems
	}
	if h.opt.Log == nil {
		h.opt.Log = slog.New(slog.DiscardHandler)
	}
	h.people = keyring.New(root, h.opt.Now, func() (post.Position, error) { return feed.Mine.Newest(root, last) }, h.opt.Log)
	h.secret = h.people.Secret // which remembers it as long as the files are the same, and no failure
	return h
}

// last is above every position.
const last post.Position = "3"

// People are the friends, followed feeds, groups and blocks of this home.
func (h *Home) People() *keyring.Keyring { return h.people }

// Path is where a file of the home lies, for messages.
func (h *Home) Path(name string) string { return h.root.Path(name) }

// Close ends the use of the home.
func (h *Home) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	if h.index != nil {
		err = h.index.Close()
		h.index = nil
	}
	return errors.Join(err, h.root.Close())
}

// Me is my own certificate.
func (h *Home) Me() (*pgp.Certificate, error) { return h.people.Me() }

// clock is the time to sign with: never before the key was made, or nobody
// could verify what is signed.
func (h *Home) clock(me *pgp.Certificate) time.Time {
	now := h.opt.Now()
	if made := me.Created(); now.Before(made) {
		return made
	}
	return now
}

// lock takes the lock of the home for one batch of changes.
func (h *Home) lock(ctx context.Context) (unlock func(), err error) {
	return h.root.Lock(ctx, lockFile, h.opt.Wait)
}

// Locked runs change, which writes to the people of the home, under its lock.
func (h *Home) Locked(ctx context.Context, change func(*keyring.Keyring) error) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return change(h.people)
}
