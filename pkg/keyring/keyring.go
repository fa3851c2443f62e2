package keyring

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

var (
	// ErrUnknown: nobody, or no group, of that name or fingerprint.
	ErrUnknown = errors.New("unknown")
	// ErrAmbiguous: more than one person or group is meant.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrExists: the name or the identity is taken.
	ErrExists = errors.New("already taken")
	// ErrName: not a name that a person or group can have.
	ErrName = errors.New("not a usable name")
	// ErrHistory: neither all, none nor a stamp like 20261122-123456789.
	ErrHistory = errors.New("not a history")
	// ErrUnsure: what is on the disk cannot be read, so nobody knows who may
	// see what. A server says busy.
	ErrUnsure = errors.New("rights cannot be read")
	// ErrNoIdentity: there is no key/public.asc.
	ErrNoIdentity = errors.New("no identity yet: p2ps keygen makes one")
	// ErrIdentity: the files in key/ do not belong together.
	ErrIdentity = errors.New("identity is damaged")
)

// The directories, and the one file in key/ that makes an identity.
const (
	friendsDir = "friends"
	followsDir = "follows"
	groupsDir  = "groups"
	blockedDir = "blocked"
	keyDir     = "key"
)

const (
	maxKey    = 128 << 10 // bytes of a key file: 96 KiB of armor and to spare
	maxRecord = 64 << 10
	filePerm  = 0o600
)

// A Keyring is the people of one home.
type Keyring struct {
	root   *disk.Root
	now    func() time.Time
	newest func() (post.Position, error)
	log    *slog.Logger

	mu      sync.Mutex
	folders map[string]*folder
	files   map[string]keyFile
	records map[string]recordFile
	parsed  map[[sha256.Size]byte]parsedKey
	proved  map[string]disk.Stat // nil: not read yet
	secret  *pgp.Secret
	public  *pgp.Certificate // that secret bears
	daily   disk.Stat        // of the file that secret was read from

	provedMore bool // than provedFile says
}

// New returns the keyring of a home. newest gives the position of the newest
// post in my own feed, "" if there is none; it must not call the Keyring. A nil
// log drops what is logged: every repair made.
func New(root *disk.Root, now func() time.Time, newest func() (post.Position, error), log *slog.Logger) *Keyring {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Keyring{
		root: root, now: now, newest: newest, log: log,
		folders: map[string]*folder{},
		files:   map[string]keyFile{},
		records: map[string]recordFile{},
		parsed:  map[[sha256.Size]byte]parsedKey{},
	}
}

// racyAge is the age below which a second change may bear the same time stamp
// as the first, on file systems with coarse ones.
const racyAge = 2 * time.Second

// isRacy says that a Stat cannot vouch for what was read, as in git. What comes
// from the future is racy for as long: a clock has been set.
func (k *Keyring) isRacy(stat disk.Stat) bool {
	return max(stat.Mtime, stat.Ctime) >= k.now().Add(-racyAge).UnixNano()
}
