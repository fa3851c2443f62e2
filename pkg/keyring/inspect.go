package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// A Flaw is something damaged among the people and keys of a home.
type Flaw struct {
	Path string // absolute
	Err  error  // what is wrong
	Do   string // what to do about it
}

// An Inspection is what a look at all people and keys found, without any of the
// repairs that other looks make.
type Inspection struct {
	Me     *pgp.Certificate                     // nil if none can be read
	People map[pgp.Fingerprint]*pgp.Certificate // friends and followed
	Keys   int                                  // files looked at
	Flaws  []Flaw                               // by folder
}

// Inspect looks at every file in key, friends, follows, groups and blocked, and
// changes none. What waits to be taken in is no flaw: a key under another name,
// or one that has no JSON yet.
func (k *Keyring) Inspect() (Inspection, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := &inspector{k: k, out: Inspection{People: map[pgp.Fingerprint]*pgp.Certificate{}}, names: map[string]string{}}
	if err := i.identity(); err != nil {
		return i.out, err
	}
	groups, strange, err := k.groupNames()
	if err != nil {
		i.flaw(groupsDir, err, "see that it is a folder that can be read")
	}
	for _, name := range strange {
		i.flaw(groupsDir+"/"+name, fmt.Errorf("not a group: %w", errGroupName), "rename it, or move it away")
	}
	for _, group := range groups {
		i.names[group] = group
	}
	for _, dir := range []string{friendsDir, followsDir, blockedDir} {
		i.folder(dir)
	}
	for _, group := range groups {
		i.folder(groupsDir + "/" + group)
	}
	return i.out, nil
}

type inspector struct {
	k     *Keyring
	out   Inspection
	names map[string]string // who has which, folded
	there map[pgp.Fingerprint]bool
}

func (i *inspector) flaw(name string, err error, do string) {
	i.out.Flaws = append(i.out.Flaws, Flaw{i.k.root.Path(name), err, do})
}

// folder looks at one directory of keys.
func (i *inspector) folder(dir string) {
	info, err := i.k.root.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil && !info.IsDir() {
		err = disk.ErrNotRegular
	}
	var entries []disk.Entry
	if err == nil {
		entries, err = i.k.root.ReadDir(dir)
	}
	if err != nil {
		i.flaw(dir, err, "see that it is a folder that can be read: until then nobody is served")
		return
	}
	i.there = map[pgp.Fingerprint]bool{}
	for _, e := range entries { // the keys before the records beside them
		if strings.HasSuffix(e.Name, keySuffix) && !strings.HasPrefix(e.Name, ".") {
			i.key(dir, e)
		}
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name, ".broken-"):
			i.flaw(dir+"/"+e.Name, errors.New("it could not be read, was set aside and made anew"), "take out of it what is missing, and remove it")
		case strings.HasSuffix(e.Name, recordSuffix) && !strings.HasPrefix(e.Name, "."):
			i.record(dir, e)
		}
	}
}

// key looks at one file of a key.
func (i *inspector) key(dir string, e disk.Entry) {
	name := dir + "/" + e.Name
	i.out.Keys++
	stem := strings.TrimSuffix(e.Name, keySuffix)
	fpr, wrong := pgp.ParseFingerprint(stem)
	if isConflict(e.Name) {
		i.flaw(name, errConflict, "compare it with the other, and remove one of them")
		return
	}
	data, _, err := i.k.root.ReadFile(name, maxKey)
	if dir == blockedDir {
		i.block(name, stem, data, err)
		return
	}
	var cert *pgp.Certificate
	if err == nil {
		cert, err = pgp.ParseCertificate(data)
	}
	switch {
	case err != nil:
		i.flaw(name, err, "put it back from a backup, or ask for the key anew")
		if wrong == nil {
			i.there[fpr] = true // it is there, as damaged as it is
		}
	case wrong == nil && cert.Fingerprint() != fpr:
		i.flaw(name, fmt.Errorf("%w: it holds the key %s", pgp.ErrOtherKey, cert.Fingerprint()), "ask the person: somebody may have exchanged it")
	case wrong != nil && strings.EqualFold(stem, string(cert.Fingerprint())):
		i.flaw(name, errors.New("its name has another case than fingerprints have"), "rename it: "+string(cert.Fingerprint())+keySuffix)
		i.there[cert.Fingerprint()] = true
	default:
		i.there[cert.Fingerprint()] = true
		i.person(dir, name, cert)
	}
}

// person looks at whose key it is.
func (i *inspector) person(dir, name string, cert *pgp.Certificate) {
	if isGroup(dir) {
		if friend, err := i.k.holds(friendsDir, cert.Fingerprint()); err == nil && !friend {
			i.flaw(name, errors.New("a member who is no friend: he is shown nothing"), "p2ps friend add, or remove it from the group")
		}
		return
	}
	if i.out.People[cert.Fingerprint()] == nil || dir == friendsDir {
		i.out.People[cert.Fingerprint()] = cert
	}
	err := cert.Usable(i.k.now())
	if dir == followsDir && errors.Is(err, pgp.ErrNoEncryption) {
		err = nil // nothing is sealed to who is only followed
	}
	if err != nil {
		i.flaw(name, err, "ask the person for the new key")
	}
}

// block looks at one file in blocked, whose name alone counts.
func (i *inspector) block(name, stem string, data []byte, err error) {
	fpr, wrong := pgp.ParseFingerprint(strings.ToUpper(strings.ReplaceAll(stem, " ", "")))
	if err == nil && len(data) == 0 && wrong == nil {
		return
	}
	var cert *pgp.Certificate
	if err == nil {
		cert, err = pgp.ParseCertificate(data)
	}
	switch {
	case err != nil && wrong == nil:
		i.flaw(name, fmt.Errorf("the block holds, but its key is damaged: %w", err), "p2ps block remove and add makes it anew")
	case err != nil:
		i.flaw(name, err, "nobody is served while it is not known whom it blocks: give it the fingerprint as its name, or remove it")
	case wrong == nil && cert.Fingerprint() != fpr:
		i.flaw(name, fmt.Errorf("%w: it blocks %s, and holds the key %s", pgp.ErrOtherKey, fpr, cert.Fingerprint()), "rename it if it is to block the other")
	}
}

// record looks at the JSON beside a key.
func (i *inspector) record(dir string, e disk.Entry) {
	if dir == blockedDir {
		return
	}
	name := dir + "/" + e.Name
	stem := strings.TrimSuffix(e.Name, recordSuffix)
	fpr, err := pgp.ParseFingerprint(stem)
	if err != nil {
		if _, twin := pgp.ParseFingerprint(strings.ToUpper(stem)); isConflict(e.Name) {
			i.flaw(name, errConflict, "compare it with the other, and remove one of them")
		} else if twin == nil {
			i.flaw(name, errors.New("its name has another case than fingerprints have"), "rename it: "+strings.ToUpper(stem)+recordSuffix)
		}
		return
	}
	if !i.there[fpr] {
		i.flaw(name, errors.New("its key is not there"), "put the key beside it, or remove it")
	}
	data, _, err := i.k.root.ReadFile(name, maxRecord)
	var r record
	if err == nil {
		r, err = parseRecord(dir, data)
	}
	if err == nil {
		err = i.sayings(dir, fpr, r)
	}
	if err != nil {
		i.flaw(name, err, "mend it, or put it back from a backup")
	}
}

// sayings looks at what a record says that can be read.
func (i *inspector) sayings(dir string, fpr pgp.Fingerprint, r record) error {
	if r.Since != "" {
		if _, err := post.ParseTime(r.Since); err != nil {
			return fmt.Errorf("since: %w", err)
		}
	}
	if isGroup(dir) {
		return nil
	}
	switch r.Trust {
	case TrustUnknown, TrustPinned, TrustVerified:
	default:
		return fmt.Errorf("trust is %q: not one of unknown, pinned, verified", text.Clean(string(r.Trust)))
	}
	if err := CheckName(r.Name); err != nil {
		return err
	}
	if other := i.names[fold(r.Name)]; other != "" && other != string(fpr) {
		return fmt.Errorf("the name %q: %w", r.Name, ErrExists)
	}
	i.names[fold(r.Name)] = string(fpr)
	return nil
}
