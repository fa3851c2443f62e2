package home_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// bare is a binary certificate without its subkeys.
func bare(cert []byte) []byte {
	for i := 0; i < len(cert); {
		length, head := int(cert[i+1]), 2
		if cert[i+1] >= 192 {
			length, head = int(cert[i+1]-192)<<8+int(cert[i+2])+192, 3
		}
		if cert[i] == 0xC0|14 {
			return cert[:i]
		}
		i += head + length
	}
	return cert
}

// probe asks the owner with a key that came without the subkey that signed. It
// verifies only with what the owner knows of the asker.
func (d *duo) probe() int {
	d.t.Helper()
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	me, owner := d.readerKey, d.key.Certificate()
	literal := fmt.Sprintf(`{"p2ps":"request/1","kind":"posts","from":%q,"to":%q,"time":%q,"nonce":%q,"key":%q}`, me.Certificate().Fingerprint(),
		owner.Fingerprint(), post.FormatTime(d.ownerClock), hex.EncodeToString(nonce[:]), base64.StdEncoding.EncodeToString(bare(me.Certificate().Bytes())))
	body, err := pgp.Seal([]byte(literal), pgp.ContextRequest, me, owner, d.ownerClock, pgp.SealOptions{})
	d.check(err)
	resp, err := http.Post(d.url+"/p2ps/v1/sealed", "application/pgp-encrypted", bytes.NewReader(body))
	d.check(err)
	d.check(resp.Body.Close())
	return resp.StatusCode
}

// What the owner knows of somebody's key must not show whether he is blocked,
// removed, followed or unknown: of all of them only what comes along counts.
//
// spec: M18
func TestTheBlockedAndTheRemovedAreOne(t *testing.T) {
	d := newDuo(t)
	people, fpr := d.owner.People(), d.readerKey.Certificate().Fingerprint()
	d.tick(time.Second)
	if got := d.probe(); got != http.StatusOK {
		t.Fatalf("the key of a friend is known, and the answer is %d", got)
	}
	for _, c := range []struct {
		who    string
		become func() error
	}{
		{"blocked", func() error { return people.Block(fpr, d.readerKey.Certificate()) }},
		{"removed", func() error {
			if _, err := people.Unblock(fpr); err != nil {
				return err
			}
			_, err := people.RemoveFriend(fpr)
			return err
		}},
		{"followed by the owner", func() error {
			_, _, err := people.AddFollow(d.readerKey.Certificate(), keyring.AddOptions{Name: "somebody"})
			return err
		}},
	} {
		d.check(c.become())
		if got := d.probe(); got != http.StatusBadRequest {
			t.Errorf("%s: the answer is %d, as if his key were known", c.who, got)
		}
	}
}

// A Tombstone that somebody kept from before a post was restored takes nothing
// back.
func TestAnOldTombstoneTakesNothingBack(t *testing.T) {
	d := newDuo(t)
	_, err := d.reader.People().RemoveFriend(d.key.Certificate().Fingerprint())
	d.check(err)
	p := d.note("one", forAll)
	d.tick(time.Second)
	_, err = d.owner.Delete(t.Context(), p.ID())
	d.check(err)
	_, _, tombstone := get(t, d.url+"/p2ps/v1/posts/"+string(p.ID().Position))
	d.tick(time.Second)
	_, err = d.owner.Restore(t.Context(), p.ID())
	d.check(err)

	owner, err := url.Parse(d.url)
	d.check(err)
	honest, hostile := httputil.NewSingleHostReverseProxy(owner), false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := map[string]string{
			"/p2ps/v1/posts":    `{"items":[],"more":false,"count":0,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`,
			"/p2ps/v1/manifest": `{"lines":[],"more":false}`,
		}
		switch {
		case !hostile:
			honest.ServeHTTP(w, r)
		case page[r.URL.Path] != "":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, page[r.URL.Path])
		default:
			w.Header().Set("Content-Type", "application/activity+json")
			w.WriteHeader(http.StatusGone)
			_, _ = fmt.Fprint(w, tombstone)
		}
	}))
	t.Cleanup(s.Close)
	_, _, err = d.reader.People().AddFollow(d.key.Certificate(), keyring.AddOptions{Name: "owner", Addresses: []string{s.URL}})
	d.check(err)
	if got := d.pull(); got.New != 1 || !got.Complete {
		t.Fatalf("the honest pull: %+v", got)
	}
	hostile = true
	if got := d.pull(); got.Withdrawn != 0 || got.Unoffered != 1 {
		t.Errorf("the old Tombstone: %+v", got)
	}
}

// A file where a folder should be stops no command.
func TestFilesInThePlaceOfFolders(t *testing.T) {
	for _, name := range []string{"feed/9999", "feed/9999/12", "feeds/OWNER/2026"} {
		d := newDuo(t)
		d.note("one", forFriends)
		d.pull()
		path := filepath.Join(d.readerDir, strings.ReplaceAll(name, "OWNER", string(d.key.Certificate().Fingerprint())))
		d.check(os.RemoveAll(path))
		d.check(os.MkdirAll(filepath.Dir(path), 0o700))
		d.check(os.WriteFile(path, nil, 0o600))
		if _, err := d.reader.Status(t.Context()); err != nil {
			t.Errorf("%s: status: %v", name, err)
		}
		if _, err := d.reader.Post(t.Context(), post.NewDraft("Unknown"), post.Audience{}); err != nil {
			t.Errorf("%s: post: %v", name, err)
		}
	}
}
