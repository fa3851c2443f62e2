package keyring

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// AddOptions are what is known of a new person beside the certificate.
type AddOptions struct {
	Name      string   // "" takes the key's, made safe and unique
	Addresses []string // where he is reached
	Trust     Trust    // "" is unknown
	History   string   // "all", "none" or a stamp; "" is "all"
}

// AddFriend makes a person a friend. If he is one already, it takes over what
// the certificate and the options say anew. Who was followed is a friend from
// now on and keeps his name. Errors: ErrName, ErrExists of a name, ErrHistory.
func (k *Keyring) AddFriend(cert *pgp.Certificate, opt AddOptions) (p Person, already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fpr := cert.Fingerprint()
	already, err = k.add(friendsDir, cert, opt)
	if err != nil {
		return Person{}, already, fmt.Errorf("add friend %s: %w", short(fpr), err)
	}
	if _, err := k.removeFrom(followsDir, fpr); err != nil {
		return Person{}, already, err
	}
	return k.person(friendsDir, fpr, k.surroundings()), already, nil
}

// AddFollow makes a person one whose public posts I read; the history of the
// options does not matter. already also holds of a friend, who is left as he is.
func (k *Keyring) AddFollow(cert *pgp.Certificate, opt AddOptions) (p Person, already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fpr := cert.Fingerprint()
	if _, err := k.look(friendsDir); err != nil {
		return Person{}, false, err
	}
	friend, err := k.holds(friendsDir, fpr)
	if err != nil {
		return Person{}, false, err
	}
	if friend {
		return k.person(friendsDir, fpr, k.surroundings()), true, nil
	}
	already, err = k.add(followsDir, cert, opt)
	if err != nil {
		return Person{}, already, fmt.Errorf("follow %s: %w", short(fpr), err)
	}
	return k.person(followsDir, fpr, k.surroundings()), already, nil
}

func (k *Keyring) add(dir string, cert *pgp.Certificate, opt AddOptions) (already bool, err error) {
	fpr := cert.Fingerprint()
	if opt.Name != "" {
		if err := k.checkFree(opt.Name, fpr); err != nil {
			return false, err
		}
	}
	if _, err := k.look(dir); err != nil {
		return false, err
	}
	if already, err = k.holds(dir, fpr); err != nil {
		return false, err
	}
	var r record
	if already {
		if r, err = k.record(dir, fpr); err == nil {
			_, _, err = k.merge(dir, cert)
		}
		if err != nil {
			return true, err
		}
	} else {
		r = k.begin(dir, fpr)
		if opt.History == "" {
			opt.History = all
		}
	}
	if dir == followsDir {
		opt.History = ""
	}
	if err := k.apply(&r, opt); err != nil {
		return already, err
	}
	if CheckName(r.Name) != nil {
		r.Name = k.freeName(keyName(cert), fpr)
	}
	// The record before the key: by a key alone he would see nothing old, and a
	// record alone is nobody.
	if err := k.writeRecord(dir, fpr, r); err != nil || already {
		return already, err
	}
	return false, k.root.WriteFile(keyPath(dir, fpr), cert.Armor(), filePerm)
}

// begin is the record of somebody new: with what is left of an earlier time, or
// of following him.
func (k *Keyring) begin(dir string, fpr pgp.Fingerprint) record {
	for _, dir := range []string{dir, followsDir} {
		r, _, err := k.readRecord(dir, fpr)
		if err == nil {
			r.Since, r.History = post.FormatTime(k.now()), ""
			return r
		}
	}
	return record{Trust: TrustUnknown, Since: post.FormatTime(k.now())}
}

// apply takes over the options that say something. Trust only grows: adding
// once more by a lesser road takes nothing away.
func (k *Keyring) apply(r *record, opt AddOptions) (err error) {
	if opt.Name != "" {
		r.Name = opt.Name
	}
	if opt.Addresses != nil {
		r.Addresses = opt.Addresses
	}
	rank := map[Trust]int{TrustPinned: 1, TrustVerified: 2}
	if rank[opt.Trust] > rank[r.Trust] {
		r.Trust = opt.Trust
	}
	if opt.History != "" {
		r.History, err = k.history(opt.History)
	}
	return err
}

// history checks what a caller says, and turns "none" into a stamp.
func (k *Keyring) history(h string) (string, error) {
	switch h {
	case all:
		return all, nil
	case none:
		return k.fresh()
	}
	if _, err := post.ParseStamp(h); err != nil {
		return "", fmt.Errorf("%q: %w", text.Clean(h), ErrHistory)
	}
	return h, nil
}

// RemoveFriend takes a person out of every group and out of friends/. was says
// whether there was anything of him.
func (k *Keyring) RemoveFriend(fpr pgp.Fingerprint) (was bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.closeUses(fpr); err != nil {
		return false, err
	}
	// The groups first: were he left in one by a crash, he would be in it
	// again as soon as he is a friend again.
	groups, _, err := k.groupNames()
	failed := []error{err}
	for _, group := range groups {
		_, err := k.removeFrom(groupsDir+"/"+group, fpr)
		failed = append(failed, err)
	}
	was, err = k.removeFrom(friendsDir, fpr)
	return was, errors.Join(append(failed, err)...)
}

// RemoveFollow ends the reading of a public feed.
func (k *Keyring) RemoveFollow(fpr pgp.Fingerprint) (was bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.removeFrom(followsDir, fpr)
}

// removeFrom removes key and record, the key first: a record alone is nobody.
func (k *Keyring) removeFrom(dir string, fpr pgp.Fingerprint) (was bool, err error) {
	if _, err := k.look(dir); err != nil {
		return false, err
	}
	for _, path := range []string{keyPath(dir, fpr), recordPath(dir, fpr)} {
		err := k.root.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return was, err
		}
		was = true
	}
	return was, nil
}

// RenamePerson gives a friend or followed person another name. Errors:
// ErrUnknown, ErrName, ErrExists.
func (k *Keyring) RenamePerson(fpr pgp.Fingerprint, name string) error {
	return k.update(fpr, func(r *record) error {
		r.Name = name
		return k.checkFree(name, fpr)
	})
}

// SetAddresses says where a person is reached. An alarm about where he was is
// settled by it.
func (k *Keyring) SetAddresses(fpr pgp.Fingerprint, addresses []string) error {
	return k.update(fpr, func(r *record) error { r.Addresses, r.Alarm = addresses, ""; return nil })
}

// SetAlarm notes that another key answered in the place of a person's: nothing
// is asked of him, nor believed about where he is, until somebody has looked
// (SetTrust, SetAddresses, RemoveFriend).
func (k *Keyring) SetAlarm(fpr, other pgp.Fingerprint) error {
	return k.update(fpr, func(r *record) error { r.Alarm = string(other); return nil })
}

// SetMuted says whether a person's posts are left out of the timeline.
func (k *Keyring) SetMuted(fpr pgp.Fingerprint, muted bool) error {
	return k.update(fpr, func(r *record) error { r.Muted = muted; return nil })
}

// SetTrust says how I know the key, and settles an alarm.
func (k *Keyring) SetTrust(fpr pgp.Fingerprint, trust Trust) error {
	return k.update(fpr, func(r *record) error { r.Trust, r.Alarm = trust, ""; return nil })
}

// SetHistory says from where on a friend sees posts for friends: "all", "none"
// or a stamp, else ErrHistory.
func (k *Keyring) SetHistory(fpr pgp.Fingerprint, history string) error {
	return k.update(fpr, func(r *record) (err error) {
		r.History, err = k.history(history)
		return err
	})
}

// update changes the record of a friend or followed person, if it can be read.
func (k *Keyring) update(fpr pgp.Fingerprint, change func(*record) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	dir, err := k.where(fpr)
	if err != nil {
		return err
	}
	r, err := k.record(dir, fpr)
	if err != nil {
		return err
	}
	if err := change(&r); err != nil {
		return err
	}
	return k.writeRecord(dir, fpr, r)
}
