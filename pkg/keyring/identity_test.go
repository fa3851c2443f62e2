package keyring

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

func identity(t *testing.T) *world {
	t.Helper()
	w := home(t)
	w.ok(w.SaveIdentity(people()["Alice"], []byte("primary"), []byte("revocation")))
	return w
}

func TestNoIdentity(t *testing.T) {
	w := home(t)
	_, err := w.Me()
	w.is(err, ErrNoIdentity)
	_, err = w.Secret()
	w.is(err, ErrNoIdentity)
	w.is(w.SaveCertificate(cert("Alice")), ErrNoIdentity)
}

func TestSaveIdentity(t *testing.T) {
	w := identity(t)
	me, err := w.Me()
	w.ok(err)
	w.equal(me.Bytes(), cert("Alice").Bytes())
	secret, err := w.Secret()
	w.ok(err)
	w.equal([]any{secret.Certificate().Fingerprint(), secret.HasPrimary()}, []any{fpr("Alice"), false})
	again, err := w.Secret()
	w.ok(err)
	w.equal(again.Certificate().Bytes(), me.Bytes())
	w.equal(w.read("key/primary.asc"), "primary")
	w.equal(w.read("key/revocation.asc"), "revocation")
	for name, mode := range map[string]os.FileMode{"key": 0o700 | os.ModeDir, "key/public.asc": 0o600, "key/primary.asc": 0o600, "key/daily.asc": 0o600, "key/revocation.asc": 0o600} {
		info, err := os.Stat(w.path(name))
		w.ok(err)
		w.equal(info.Mode(), mode)
	}
}

func TestIdentityIsNeverReplaced(t *testing.T) {
	w := identity(t)
	before := w.read("key/daily.asc")
	w.is(w.SaveIdentity(people()["Bob"], nil, nil), ErrExists)
	w.equal(w.read("key/daily.asc"), before)
}

func TestWhatIsLeftOfAnIdentityIsKept(t *testing.T) {
	w := identity(t)
	w.rm("key/public.asc")
	w.ok(w.SaveIdentity(people()["Bob"], []byte("other"), []byte("other")))
	w.equal(w.names("key"), []string{".old-*-daily.asc", ".old-*-primary.asc", ".old-*-revocation.asc", "daily.asc", "primary.asc", "public.asc", "revocation.asc"})
	secret, err := w.Secret()
	w.ok(err)
	w.equal(secret.Certificate().Fingerprint(), fpr("Bob"))
}

// A crash at any operation leaves no identity, and the next try makes one; or a
// whole one.
func TestSaveIdentityCrash(t *testing.T) {
	for n := 0; ; n++ {
		w := home(t)
		ops := 0
		w.fault = func(disk.Op, string) error {
			if ops++; ops > n {
				return syscall.EIO
			}
			return nil
		}
		crash := w.SaveIdentity(people()["Alice"], []byte("primary"), []byte("revocation"))
		w.fault = nil
		w.reopen()
		if _, err := w.Me(); err == nil {
			_, err := w.Secret()
			w.ok(err)
			w.equal(w.read("key/primary.asc")+w.read("key/revocation.asc"), "primaryrevocation")
		} else {
			w.is(err, ErrNoIdentity)
			w.ok(w.SaveIdentity(people()["Alice"], []byte("primary"), []byte("revocation")))
		}
		if crash == nil {
			return
		}
	}
}

// spec: F23
func TestExposedSecrets(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"key": 0o755, "key/daily.asc": 0o640} {
		w := identity(t)
		w.ok(os.Chmod(w.path(name), mode))
		_, err := w.Secret()
		w.is(err, disk.ErrExposed)
		want := fmt.Sprintf("run chmod %o %s", mode&0o700, w.path(name))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	w := home(t)
	w.ok(os.Mkdir(w.path("key"), 0o755))
	w.is(w.SaveIdentity(people()["Alice"], nil, nil), disk.ErrExposed)
}

func TestDamagedIdentity(t *testing.T) {
	for name, damage := range map[string]func(*world){
		"no daily key":      func(w *world) { w.rm("key/daily.asc") },
		"another daily key": func(w *world) { d, err := people()["Bob"].Daily(); w.ok(err); w.put("key/daily.asc", string(d)) },
		"broken public key": func(w *world) { w.put("key/public.asc", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			w := identity(t)
			damage(w)
			_, err := w.Secret()
			w.is(err, ErrIdentity)
		})
	}
	w := identity(t)
	w.put("key/daily.asc", "x")
	_, err := w.Secret()
	w.is(err, pgp.ErrMalformed)
}

func TestSaveCertificate(t *testing.T) {
	w := identity(t)
	_, err := w.Secret()
	w.ok(err)
	newer := revoked(t, "Alice")
	w.ok(w.SaveCertificate(newer))
	me, err := w.Me()
	w.ok(err)
	w.equal(me.Bytes(), newer.Bytes())
	secret, err := w.Secret()
	w.ok(err)
	w.equal(secret.Certificate().Bytes(), newer.Bytes())
	w.is(w.SaveCertificate(cert("Bob")), pgp.ErrOtherKey)
}

func TestConcurrentUse(t *testing.T) {
	w := home(t)
	w.befriend("Alice")
	w.ok(w.CreateGroup("family"))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 10 {
				if _, err := w.AddMember("family", fpr("Alice"), "all"); err != nil {
					t.Error(err)
				}
				if _, err := w.Grants(fpr("Alice")); err != nil {
					t.Error(err)
				}
				if _, err := w.Friends(); err != nil {
					t.Error(err)
				}
				if i == 0 {
					if _, err := w.RemoveMember("family", fpr("Alice")); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
}

// Two processes mend one home at once, without a lock: one wins.
func TestTwoProcessesMend(t *testing.T) {
	one, two := home(t), home(t)
	two.dir = one.dir
	two.reopen()
	for range 20 {
		one.rm("friends")
		one.rm("groups")
		one.cp("Alice", "friends/alice.asc")
		one.cp("Alice", "groups/family/a.asc")
		results := make([]post.Grants, 2)
		var group sync.WaitGroup
		for i, w := range []*world{one, two} {
			group.Go(func() {
				g, err := w.Grants(fpr("Alice"))
				if err != nil {
					t.Error(err)
				}
				results[i] = g
			})
		}
		group.Wait()
		one.equal(one.grants("Alice"), two.grants("Alice"))
		one.equal(one.grants("Alice").Friend, true)
		one.equal(len(one.grants("Alice").Groups), 1)
	}
}
