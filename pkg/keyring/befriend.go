package keyring

import (
	"slices"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
)

// Befriend makes a person a friend and a member of groups in one step: whatever
// fails, he is a stranger still, or all that was said. called is what he calls
// himself; it counts where neither the options nor an earlier time name him.
// Errors: as those of AddFriend, and ErrUnknown of a group.
func (k *Keyring) Befriend(cert *pgp.Certificate, opt AddOptions, called string, groups []string) (p Person, already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.look(friendsDir); err != nil {
		return Person{}, false, err
	}
	if already, err = k.holds(friendsDir, cert.Fingerprint()); err != nil {
		return Person{}, already, err
	}
	p, err = k.befriend(cert, opt, called, groups)
	return p, already, err
}

// befriend puts the key into friends/ last: before that a member of a group is
// nobody.
func (k *Keyring) befriend(cert *pgp.Certificate, opt AddOptions, called string, groups []string) (Person, error) {
	fpr := cert.Fingerprint()
	if opt.Name != "" {
		if err := k.checkFree(opt.Name, fpr); err != nil {
			return Person{}, err
		}
	} else if !k.isNamed(fpr) {
		wish := text.PetName(called)
		if wish == "" {
			wish = keyName(cert)
		}
		opt.Name = k.freeName(wish, fpr)
	}
	for _, group := range groups {
		if err := k.enlist(group, cert, opt.History); err != nil {
			return Person{}, err
		}
	}
	if _, err := k.add(friendsDir, cert, opt); err != nil {
		return Person{}, err
	}
	if _, err := k.removeFrom(followsDir, fpr); err != nil {
		return Person{}, err
	}
	return k.person(friendsDir, fpr, k.surroundings()), nil
}

// isNamed tells whether a person has a pet name, of now or of an earlier time.
func (k *Keyring) isNamed(fpr pgp.Fingerprint) bool {
	for _, dir := range []string{friendsDir, followsDir} {
		if r, _, err := k.readRecord(dir, fpr); err == nil && CheckName(r.Name) == nil {
			return true
		}
	}
	return false
}

// enlist makes a key a member of a group, whoever it is. Without history who is
// a member keeps his, and who is new sees all.
func (k *Keyring) enlist(group string, cert *pgp.Certificate, history string) error {
	if err := k.isThere(group); err != nil {
		return err
	}
	dir, fpr := groupsDir+"/"+group, cert.Fingerprint()
	if _, err := k.look(dir); err != nil {
		return err
	}
	member, err := k.holds(dir, fpr)
	if err != nil || member && history == "" {
		return err
	}
	r, _, err := k.readRecord(dir, fpr)
	if err != nil {
		r = record{}
	}
	if history == "" {
		history = all
	}
	r.Since = post.FormatTime(k.now())
	if r.History, err = k.history(history); err != nil {
		return err
	}
	if err := k.writeRecord(dir, fpr, r); err != nil || member {
		return err
	}
	return k.root.WriteFile(keyPath(dir, fpr), cert.Armor(), filePerm)
}

// Same tells which friend or followed person is called as a stranger calls
// himself; "" if none is.
func (k *Keyring) Same(called string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	people, err := k.known()
	if err != nil {
		return ""
	}
	wish := fold(text.PetName(called))
	n := slices.IndexFunc(people, func(p Person) bool { return fold(p.Name) == wish })
	if n < 0 || wish == "" {
		return ""
	}
	return people[n].Name
}
