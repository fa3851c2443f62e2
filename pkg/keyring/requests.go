package keyring

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

const (
	requestsDir = "state/requests"
	// MaxRequests wait at once: a stranger has any number of keys (spec I13).
	MaxRequests = 100
	// requestAge is how long one waits.
	requestAge = 30 * 24 * time.Hour
	// requestPause is how long a stranger's words stay before he can change them:
	// he must not keep a disk busy.
	requestPause = time.Hour

	maxRequestFile = 64 << 10
)

// A FriendRequest is a stranger who said hello. Nothing of him is proved but
// that he holds the key.
type FriendRequest struct {
	Fingerprint pgp.Fingerprint
	Cert        *pgp.Certificate
	Name        string // made safe; may be that of a friend: see Same
	Addresses   []string
	At          time.Time
	Ignored     bool
}

type requestFile struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	At        string   `json:"at"`
	Ignored   bool     `json:"ignored,omitzero"`
	Key       string   `json:"key"` // base64 of the certificate
}

func requestPath(fpr pgp.Fingerprint) string { return requestsDir + "/" + string(fpr) + recordSuffix }

// Request keeps a stranger's hello, if there is room. It is the same for who is
// blocked, so that he cannot tell it: Requests leaves him out.
func (k *Keyring) Request(g Guest) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	fpr := g.Cert.Fingerprint()
	r := FriendRequest{Fingerprint: fpr, Cert: g.Cert, Name: text.PetName(g.Name), Addresses: g.Addresses, At: k.now()}
	switch known, err := k.readRequest(fpr); {
	case err == nil && (known.Ignored || k.now().Sub(known.At).Abs() < requestPause):
		return nil
	case err == nil:
		return k.writeRequest(r)
	case !errors.Is(err, ErrUnknown):
		return err
	}
	waiting, err := k.requests()
	if err != nil {
		return err
	}
	if len(waiting) >= MaxRequests {
		return nil
	}
	return k.writeRequest(r)
}

func (k *Keyring) writeRequest(r FriendRequest) error {
	data, err := ijson.MarshalIndent(requestFile{r.Name, append([]string{}, r.Addresses...), post.FormatTime(r.At), r.Ignored,
		base64.StdEncoding.EncodeToString(r.Cert.Bytes())})
	if err != nil {
		return err
	}
	return k.root.WriteFile(requestPath(r.Fingerprint), data, filePerm)
}

// readRequest: ErrUnknown if there is none, or none that can be understood.
func (k *Keyring) readRequest(fpr pgp.Fingerprint) (FriendRequest, error) {
	unknown := fmt.Errorf("%s: no friend request: %w", short(fpr), ErrUnknown)
	data, _, err := k.root.ReadFile(requestPath(fpr), maxRequestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return FriendRequest{}, unknown
	}
	if err != nil {
		return FriendRequest{}, err
	}
	var f requestFile
	if err := ijson.Unmarshal(data, &f); err != nil {
		return FriendRequest{}, unknown
	}
	key, err := base64.StdEncoding.DecodeString(f.Key)
	if err != nil {
		return FriendRequest{}, unknown
	}
	parsed := k.parse(key)
	if parsed.err != nil || parsed.cert.Fingerprint() != fpr {
		return FriendRequest{}, unknown
	}
	at, _ := post.ParseTime(f.At) // a broken one is old
	name := text.PetName(f.Name)
	if name == "" {
		name = keyName(parsed.cert)
	}
	return FriendRequest{fpr, parsed.cert, name, f.Addresses, at, f.Ignored}, nil
}

// requests lists all that wait, ignored or blocked too, and removes the old.
func (k *Keyring) requests() ([]FriendRequest, error) {
	names, err := k.root.Names(requestsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []FriendRequest
	for _, name := range names {
		fpr, err := pgp.ParseFingerprint(strings.TrimSuffix(name, recordSuffix))
		if err != nil || !strings.HasSuffix(name, recordSuffix) {
			continue
		}
		r, err := k.readRequest(fpr)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return nil, err
		}
		if err != nil || k.now().Sub(r.At) > requestAge {
			if err := k.root.Remove(requestPath(fpr)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			continue
		}
		list = append(list, r)
	}
	return list, nil
}

// Requests lists the strangers who want to be friends, the oldest first; neither
// the ignored nor the blocked, nor who is a friend meanwhile.
func (k *Keyring) Requests() ([]FriendRequest, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list, err := k.requests()
	if err != nil {
		return nil, err
	}
	around := k.surroundings()
	list = slices.DeleteFunc(list, func(r FriendRequest) bool {
		friend, _ := k.holds(friendsDir, r.Fingerprint) // shown, if that cannot be read
		return r.Ignored || friend || around.blocked(r.Fingerprint)
	})
	slices.SortStableFunc(list, func(a, b FriendRequest) int { return a.At.Compare(b.At) })
	return list, nil
}

// FindRequest returns the one that a word of the command line means, as Find.
func (k *Keyring) FindRequest(who string) (FriendRequest, error) {
	list, err := k.Requests()
	if err != nil {
		return FriendRequest{}, err
	}
	people := make([]Person, len(list))
	for n, r := range list {
		people[n] = Person{Fingerprint: r.Fingerprint, Name: r.Name}
	}
	p, err := choose(who, people)
	if err != nil {
		return FriendRequest{}, err
	}
	return list[slices.IndexFunc(list, func(r FriendRequest) bool { return r.Fingerprint == p.Fingerprint })], nil
}

// IgnoreRequest shows a request no more. It stays until it is old, so that the
// same stranger does not come again at once.
func (k *Keyring) IgnoreRequest(r FriendRequest) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Ignored = true
	return k.writeRequest(r)
}

// DropRequest forgets one, if it is there.
func (k *Keyring) DropRequest(fpr pgp.Fingerprint) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.root.Remove(requestPath(fpr))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
