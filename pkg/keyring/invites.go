package keyring

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

const (
	invitesDir = "state/invites"
	// MaxUses is how many people one invite can bring.
	MaxUses = 1000
	// maxLate is how many who came too late are remembered of one invite.
	maxLate = 8
)

var (
	// ErrNoInvite: there is no such invite, or no longer: it has expired, was
	// revoked, or never was.
	ErrNoInvite = errors.New("no such invite, or no longer")
	// ErrSpent: somebody else used the invite before.
	ErrSpent = errors.New("the invite was used before, by another key")
)

// An Invite is a token that was given away, what it makes of who comes with it,
// and who came. Its file lies in state/invites, 0600 like the daily keys beside
// which it lies: the token in it is not hidden from who can read those.
type Invite struct {
	Token    string // 26 of A-Z and 2-7
	Link     string // as it was given away
	Made     time.Time
	Expires  time.Time
	Uses     int
	Groups   []string
	History  string // "all", "none" or a stamp; "" is "all"
	InPerson bool
	Used     []Use // in order
	Late     []Use // came with it when it was spent; the last few
}

// A Use is one key that came with an invite.
type Use struct {
	Fingerprint pgp.Fingerprint
	At          time.Time
	Done        bool // the friendship was made; from then on the invite is spent for him too
}

// Open tells whether somebody new can still come with it.
func (i Invite) Open(now time.Time) bool { return len(i.Used) < i.Uses && now.Before(i.Expires) }

type inviteFile struct {
	Token    string    `json:"token"`
	Link     string    `json:"link"`
	Made     string    `json:"made"`
	Expires  string    `json:"expires"`
	Uses     int       `json:"uses"`
	Groups   []string  `json:"groups,omitzero"`
	History  string    `json:"history,omitzero"`
	InPerson bool      `json:"inPerson,omitzero"`
	Used     []useFile `json:"used,omitzero"`
	Late     []useFile `json:"late,omitzero"`
}

type useFile struct {
	Fingerprint string `json:"fingerprint"`
	At          string `json:"at"`
	Done        bool   `json:"done,omitzero"`
}

// invitePath is the file of a token: named by its hash, so that no foreign text
// becomes a name.
func invitePath(token string) string {
	sum := sha256.Sum256([]byte(token))
	return invitesDir + "/" + hex.EncodeToString(sum[:16]) + recordSuffix
}

// AddInvite keeps an invite durably: only then may it be given away.
func (k *Keyring) AddInvite(i Invite) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i.Uses < 1 || i.Uses > MaxUses {
		return fmt.Errorf("an invite is for 1 to %d uses, not %d", MaxUses, i.Uses)
	}
	for _, group := range i.Groups {
		if err := k.isThere(group); err != nil {
			return err
		}
	}
	if i.History != "" {
		if _, err := k.history(i.History); err != nil {
			return err
		}
	}
	return k.writeInvite(i)
}

func (k *Keyring) writeInvite(i Invite) error {
	f := inviteFile{
		Token: i.Token, Link: i.Link, Made: post.FormatTime(i.Made), Expires: post.FormatTime(i.Expires), Uses: i.Uses,
		Groups: i.Groups, History: i.History, InPerson: i.InPerson,
	}
	for _, u := range i.Used {
		f.Used = append(f.Used, useFile{string(u.Fingerprint), post.FormatTime(u.At), u.Done})
	}
	for _, u := range i.Late {
		f.Late = append(f.Late, useFile{string(u.Fingerprint), post.FormatTime(u.At), false})
	}
	data, err := ijson.MarshalIndent(f)
	if err != nil {
		return err
	}
	return k.root.WriteFile(invitePath(i.Token), data, filePerm)
}

// readInvite reads the file of a token. ErrNoInvite also of one that cannot be
// understood: nobody becomes a friend by a file that was cut.
func (k *Keyring) readInvite(path string) (Invite, error) {
	data, _, err := k.root.ReadFile(path, maxRecord)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, disk.ErrTooLarge) || errors.Is(err, disk.ErrNotRegular) {
		return Invite{}, ErrNoInvite
	}
	if err != nil {
		return Invite{}, err
	}
	var f inviteFile
	if err := ijson.Unmarshal(data, &f); err != nil {
		return Invite{}, fmt.Errorf("%w: %w", ErrNoInvite, err)
	}
	i := Invite{Token: f.Token, Link: f.Link, Uses: f.Uses, Groups: f.Groups, History: f.History, InPerson: f.InPerson}
	var bad [2]error
	i.Made, bad[0] = post.ParseTime(f.Made)
	i.Expires, bad[1] = post.ParseTime(f.Expires)
	if err := errors.Join(bad[:]...); err != nil || invitePath(i.Token) != path {
		return Invite{}, fmt.Errorf("%w: %s is damaged", ErrNoInvite, path)
	}
	i.Used, i.Late = uses(f.Used), uses(f.Late)
	return i, nil
}

func uses(files []useFile) (list []Use) {
	for _, u := range files {
		at, _ := post.ParseTime(u.At) // only shown
		list = append(list, Use{pgp.Fingerprint(u.Fingerprint), at, u.Done})
	}
	return list
}

// Invites lists all that is kept, the oldest first; also those that have ended,
// until they are revoked.
func (k *Keyring) Invites() ([]Invite, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.invites()
}

func (k *Keyring) invites() ([]Invite, error) {
	names, err := k.root.Names(invitesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Invite
	for _, name := range names {
		if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, recordSuffix) {
			continue
		}
		i, err := k.readInvite(invitesDir + "/" + name)
		if errors.Is(err, ErrNoInvite) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Invite) int {
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return strings.Compare(a.Token, b.Token)
	})
	return list, nil
}

// RevokeInvite ends an invite, durably. Who came with it stays what he is.
// ErrNoInvite if there is none.
func (k *Keyring) RevokeInvite(token string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.root.Remove(invitePath(token))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoInvite
	}
	return err
}

// A Guest is who comes with a token.
type Guest struct {
	Cert      *pgp.Certificate
	Name      string // as he calls himself
	Addresses []string
}

// Welcome takes a guest who comes with a token: the invite is spent durably,
// then he is a friend in the groups that it says, all at once. The same guest
// again is answered again, until the friendship was once made; then what became
// of it counts. already: he was a friend before. Errors: ErrNoInvite, ErrSpent.
//
// The caller holds the home's lock, and has looked whether he is blocked.
func (k *Keyring) Welcome(token string, g Guest) (p Person, i Invite, already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fpr := g.Cert.Fingerprint()
	if i, err = k.readInvite(invitePath(token)); err != nil {
		return p, i, false, err
	}
	if already, err = k.holds(friendsDir, fpr); err != nil {
		return p, i, already, err
	}
	n := slices.IndexFunc(i.Used, func(u Use) bool { return u.Fingerprint == fpr })
	switch {
	case n >= 0 && already:
		return k.person(friendsDir, fpr, k.surroundings()), i, true, k.closeUse(&i, n)
	case n >= 0 && i.Used[n].Done: // he was removed since
		return p, i, false, ErrNoInvite
	case n >= 0: // it was spent, and then something failed
	case len(i.Used) >= i.Uses:
		return p, i, already, errors.Join(ErrSpent, k.late(&i, fpr))
	case !k.now().Before(i.Expires):
		return p, i, already, ErrNoInvite
	default:
		n = len(i.Used)
		i.Used = append(i.Used, Use{Fingerprint: fpr, At: k.now()})
		if err := k.writeInvite(i); err != nil {
			return p, i, already, err
		}
	}
	trust := TrustPinned
	if i.InPerson {
		trust = TrustVerified
	}
	history := i.History
	if history == "" && !already {
		history = all
	}
	p, err = k.befriend(g.Cert, AddOptions{Addresses: g.Addresses, Trust: trust, History: history}, g.Name, i.Groups)
	if err != nil {
		return p, i, already, err
	}
	return p, i, already, k.closeUse(&i, n)
}

func (k *Keyring) closeUse(i *Invite, n int) error {
	if i.Used[n].Done {
		return nil
	}
	i.Used[n].Done = true
	return k.writeInvite(*i)
}

// late remembers who came when it was too late: the owner should know that the
// link is in other hands as well.
func (k *Keyring) late(i *Invite, fpr pgp.Fingerprint) error {
	if len(i.Late) >= maxLate || slices.ContainsFunc(i.Late, func(u Use) bool { return u.Fingerprint == fpr }) {
		return nil
	}
	i.Late = append(i.Late, Use{Fingerprint: fpr, At: k.now()})
	return k.writeInvite(*i)
}

// closeUses ends what invites hold open for a person: who is removed does not
// come back by saying hello again.
func (k *Keyring) closeUses(fpr pgp.Fingerprint) error {
	list, err := k.invites()
	failed := []error{err}
	for _, i := range list {
		for n, u := range i.Used {
			if u.Fingerprint == fpr {
				failed = append(failed, k.closeUse(&i, n))
			}
		}
	}
	return errors.Join(failed...)
}

// FindInvite returns the invite of a token. ErrNoInvite if there is none.
func (k *Keyring) FindInvite(token string) (Invite, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.readInvite(invitePath(token))
}
