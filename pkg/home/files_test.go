package home_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// noise is n bytes that are like no others.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// attach puts data beside the posts of h.
func attach(t testing.TB, h *home.Home, data []byte) post.File {
	t.Helper()
	plan, err := media.Look(bytes.NewReader(data), int64(len(data)), true)
	if err != nil {
		t.Fatal(err)
	}
	sha, err := h.Attach(plan, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if sha != hex.EncodeToString(sum[:]) {
		t.Fatalf("it is called %s", sha)
	}
	return post.File{Kind: "Document", MediaType: plan.MediaType, SHA256: sha, Size: int64(len(data)), Name: "a file"}
}

// naming has a draft name files.
func naming(t testing.TB, files ...post.File) func(*post.Draft) {
	return func(d *post.Draft) {
		if err := d.Attach(files...); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *duo) fileOf(f post.File) string {
	return filepath.Join(d.readerDir, "attachments", f.SHA256[:2], f.SHA256)
}

func (d *duo) hasFile(f post.File, want []byte) {
	d.t.Helper()
	got, err := os.ReadFile(d.fileOf(f))
	if want == nil && errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil || !bytes.Equal(got, want) {
		d.t.Errorf("the file of %d bytes has %d here: %v", f.Size, len(got), err)
	}
}

// A file comes whole, by a friend's road and by the public one, whatever its
// size; the second pull asks for nothing.
//
// spec: P56, P57, M39, M40, F28
func TestFilesCome(t *testing.T) {
	for _, follow := range []bool{false, true} {
		d := newDuo(t)
		if follow {
			_, err := d.reader.People().RemoveFriend(d.key.Certificate().Fingerprint())
			d.check(err)
			_, _, err = d.reader.People().AddFollow(d.key.Certificate(), keyring.AddOptions{Name: "owner", Addresses: []string{d.url}})
			d.check(err)
		}
		var files []post.File
		var datas [][]byte
		for i, n := range []int{0, 1, 1000, wire.PartSize, wire.PartSize + 1, 3*wire.PartSize - 5} {
			datas = append(datas, noise(n, uint64(i)))
			files = append(files, attach(t, d.owner, datas[i]))
		}
		d.note("with files", forAll, naming(t, files...))
		got := d.pull()
		if got.Err != nil || got.Files != len(files) || got.Waiting != 0 || !got.Complete {
			t.Fatalf("follow %v: %+v", follow, got)
		}
		for i, f := range files {
			d.hasFile(f, datas[i])
		}
		d.requests = 0
		if got = d.pull(); got.Files != 0 || d.requests != 1 {
			t.Errorf("follow %v: the second pull: %+v, %d requests", follow, got, d.requests)
		}
		// Whole files are found without a look at the network also after the index
		// is made anew.
		d.check(d.reader.Close())
		d.check(os.RemoveAll(filepath.Join(d.readerDir, "cache")))
		d.reader, _ = d.home(d.readerDir, &d.readerClock, "")
		if got = d.pull(); got.Files != 0 || got.Waiting != 0 || got.Err != nil {
			t.Errorf("follow %v: after the index was made anew: %+v", follow, got)
		}
	}
}

// A broken download goes on where it broke; what stood there is part of the file
// that was verified, and nothing has its name before all of it is there.
//
// spec: M41, F29
func TestFilesResume(t *testing.T) {
	d := newDuo(t)
	data := noise(6*wire.PartSize, 7)
	f := attach(t, d.owner, data)
	d.note("with a file", forFriends, naming(t, f))
	opens := 0
	d.hook.set(func(op disk.Op, name string) error {
		if op == disk.OpOpen && strings.HasSuffix(name, f.SHA256) {
			if opens++; opens > 3 {
				return os.ErrPermission
			}
		}
		return nil
	})
	if got := d.pull(); got.Err != nil || got.Files != 0 || got.Waiting != 1 {
		t.Fatalf("%+v", got)
	}
	d.hasFile(f, nil)
	parts := files(t, d.readerDir, ".part")
	if len(parts) != 1 || !strings.HasPrefix(filepath.Base(parts[0]), "."+f.SHA256) {
		t.Fatalf("left are %q", parts)
	}
	there, err := os.ReadFile(filepath.Join(d.readerDir, parts[0]))
	d.check(err)
	if n := len(there) / wire.PartSize; n < 1 || n > 3 || len(there)%wire.PartSize != 0 || !bytes.HasPrefix(data, there) {
		t.Errorf("of the file there are %d bytes", len(there))
	}
	d.hook.set(nil)
	if got := d.pull(); got.Err != nil || got.Files != 1 || got.Bytes < int64(len(data)-len(there)) || got.Bytes > int64(len(data)-len(there)+wire.PartSize/2) {
		t.Errorf("%+v for the rest of %d bytes", got, len(data)-len(there))
	}
	d.hasFile(f, data)
	if left := files(t, d.readerDir, ".part"); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// What a power cut made of the beginning is found out at the end, and the file is
// fetched anew, once.
func TestSpoiledBeginning(t *testing.T) {
	d := newDuo(t)
	data := noise(2*wire.PartSize, 8)
	f := attach(t, d.owner, data)
	d.note("with a file", forFriends, naming(t, f))
	name := filepath.Join(d.readerDir, "attachments", f.SHA256[:2], "."+f.SHA256+"."+string(d.key.Certificate().Fingerprint())+".part")
	for _, spoiled := range [][]byte{make([]byte, 5000), append(bytes.Clone(data), 'x'), data[:77]} {
		d.check(os.RemoveAll(filepath.Join(d.readerDir, "attachments")))
		d.check(os.RemoveAll(filepath.Join(d.readerDir, "cache")))
		d.check(os.MkdirAll(filepath.Dir(name), 0o700))
		d.check(os.WriteFile(name, spoiled, 0o600))
		if got := d.pull(); got.Err != nil || got.Files != 1 {
			t.Errorf("%+v", got)
		}
		d.hasFile(f, data)
	}
}

// A file that is not what the post says is never kept: wrong bytes, too few, too
// many. The pull says so, and the post stays.
//
// spec: M41, F29
func TestOtherBytes(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"other bytes": func(b []byte) []byte { return append([]byte{b[0] ^ 1}, b[1:]...) },
		"longer":      func(b []byte) []byte { return append(bytes.Clone(b), 'x') },
		"shorter":     func(b []byte) []byte { return b[:len(b)-1] },
	} {
		for _, follow := range []bool{false, true} {
			d := newDuo(t)
			data := noise(wire.PartSize+9, 9)
			f := attach(t, d.owner, data)
			p := d.note("with a file", forAll, naming(t, f))
			if follow {
				_, err := d.reader.People().RemoveFriend(d.key.Certificate().Fingerprint())
				d.check(err)
				owner, err := url.Parse(d.url)
				d.check(err)
				proxy := httputil.NewSingleHostReverseProxy(owner)
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "/attachments/") {
						http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(change(data)))
						return
					}
					proxy.ServeHTTP(w, r)
				}))
				t.Cleanup(s.Close)
				_, _, err = d.reader.People().AddFollow(d.key.Certificate(), keyring.AddOptions{Name: "owner", Addresses: []string{s.URL}})
				d.check(err)
			} else {
				d.lies(func(part *wire.Part) { lie(part, change(data)) })
			}
			got := d.pull()
			if !errors.Is(got.Err, home.ErrFile) || got.New != 1 || got.Files != 0 {
				t.Errorf("%s, follow %v: %+v", name, follow, got)
			}
			d.hasFile(f, nil)
			if _, err := os.Stat(d.copied(p)); err != nil {
				t.Error(err)
			}
			if left := files(t, d.readerDir, ".part"); len(left) != 0 {
				t.Errorf("%s: left are %q", name, left)
			}
		}
	}
}

// lie makes a part one of other bytes.
func lie(p *wire.Part, data []byte) {
	_ = p.File.Close()
	p.File = nil
	p.Size = int64(len(data))
	p.Data = data[min(p.Offset, p.Size):]
	p.Data = p.Data[:min(len(p.Data), wire.PartSize)]
}

// lies has the owner's server change the parts that it gives.
func (d *duo) lies(change func(*wire.Part)) {
	d.spoil = func(_ wire.Question, a *wire.Answer) {
		if a.Part != nil {
			change(a.Part)
		}
	}
}

// What is not wanted waits: no file is asked for, or none that is too great; and
// comes when it is wanted.
func TestFilesWait(t *testing.T) {
	d := newDuo(t)
	small, great := noise(10, 1), noise(1000, 2)
	files := []post.File{attach(t, d.owner, small), attach(t, d.owner, great)}
	p := d.note("with files", forFriends, naming(t, files...))
	pull := func(opt home.PullOptions) (last home.Pulled) {
		opt.Jobs = 1
		d.check(d.reader.Pull(t.Context(), nil, opt, func(e home.Event) {
			if e.Pulled != nil {
				last = *e.Pulled
			}
		}))
		return last
	}
	if got := pull(home.PullOptions{NoMedia: true}); got.Err != nil || got.Files != 0 || got.New != 1 || got.Requests != 1 {
		t.Errorf("no media: %+v", got)
	}
	d.hasFile(files[0], nil)
	if got := pull(home.PullOptions{MaxBytes: 999}); got.Files != 1 || got.Waiting != 1 {
		t.Errorf("at most 999 bytes: %+v", got)
	}
	d.hasFile(files[0], small)
	d.hasFile(files[1], nil)
	if waiting, err := d.reader.FetchFiles(t.Context(), p, 0); err != nil || waiting != 0 {
		t.Errorf("fetched: %d, %v", waiting, err)
	}
	d.hasFile(files[1], great)
	// One that is gone here comes back; one that is gone there waits.
	d.check(os.Remove(d.fileOf(files[0])))
	d.check(os.RemoveAll(filepath.Join(d.readerDir, "cache")))
	d.check(os.Remove(d.owner.FilePath(files[0])))
	if got := d.pull(); got.Err != nil || got.Files != 0 || got.Waiting != 1 {
		t.Errorf("gone there: %+v", got)
	}
	attach(t, d.owner, small)
	if got := d.pull(); got.Files != 1 || got.Waiting != 0 {
		t.Errorf("there again: %+v", got)
	}
}

// The bytes of a file are on the disk before it has its name, and its name is
// before the post that tells of it.
func TestFileBeforePost(t *testing.T) {
	d := newDuo(t)
	var ops []string
	d.hook.set(func(op disk.Op, name string) error {
		if strings.HasPrefix(name, "attachments") || strings.HasPrefix(name, "feed/") {
			if op == disk.OpSync || op == disk.OpRename || op == disk.OpSyncDir {
				top, _, _ := strings.Cut(name, "/")
				ops = append(ops, string(op)+" "+top)
			}
		}
		return nil
	})
	f := attach(t, d.owner, noise(100, 3))
	d.note("with a file", forFriends, naming(t, f))
	want := []string{"sync attachments", "syncdir attachments", "rename attachments", "syncdir attachments", "syncdir feed", "syncdir feed", "sync feed", "rename feed", "syncdir feed"}
	ops = slices.DeleteFunc(ops, func(op string) bool { return op == "syncdir feed" })
	want = slices.DeleteFunc(want, func(op string) bool { return op == "syncdir feed" })
	if !slices.Equal(ops, want) {
		t.Errorf("%q\nwant %q", ops, want)
	}
}

// Who may not see the post gets the file by no road: not with the id, not with the
// hash, not with both; a file that no post of mine names, not even from a friend;
// and nothing tells whether there is such a file.
//
// spec: M39, M42, P58
func TestFilesAreForReadersOfThePost(t *testing.T) {
	d := newDuo(t)
	private, public, nobodys := attach(t, d.owner, noise(5000, 1)), attach(t, d.owner, noise(5000, 2)), attach(t, d.owner, noise(5000, 3))
	secret := d.note("for one", post.Audience{Readers: []pgp.Fingerprint{d.cert(d.reader).Fingerprint()}}, naming(t, private))
	open := d.note("for all", forAll, naming(t, public))
	gone := d.note("not any more", forAll, naming(t, nobodys))
	_, err := d.owner.Delete(t.Context(), gone.ID())
	d.check(err)
	// A post that is passed on names files that its author gives, not I.
	other, otherKey := d.home(t.TempDir(), &d.ownerClock, "Other")
	draft := post.NewDraft("Note")
	draft.Set("content", "look")
	naming(t, private, nobodys)(draft)
	named, err := other.Post(t.Context(), draft, forAll)
	d.check(err)
	_ = otherKey
	repost := post.NewDraft("Announce")
	repost.SetValue("object", named.Wire())
	again, err := d.owner.Post(t.Context(), repost, forAll)
	d.check(err)

	stranger, blocked := newAsker(t, "Stranger"), newAsker(t, "Blocked")
	friend := &asker{t: t, secret: d.readerKey, at: d.ownerClock}
	for _, a := range []*asker{stranger, blocked} {
		a.at = d.ownerClock
	}
	_, _, err = d.owner.People().AddFriend(blocked.secret.Certificate(), keyring.AddOptions{Name: "blocked", History: "all"})
	d.check(err)
	d.check(d.owner.People().Block(blocked.secret.Certificate().Fingerprint(), blocked.secret.Certificate()))
	unknown := strings.Repeat("0", 64)
	sizes := map[int]bool{}
	for _, c := range []struct {
		what string
		id   post.ID
		sha  string
		sees string
	}{
		{"the private one", secret.ID(), private.SHA256, "friend"}, {"the public one", open.ID(), public.SHA256, "friend stranger blocked"},
		{"a private hash of a public post", open.ID(), private.SHA256, ""}, {"a public hash of a private post", secret.ID(), public.SHA256, ""},
		{"of a deleted post", gone.ID(), nobodys.SHA256, ""}, {"a hash that is nowhere", open.ID(), unknown, ""}, {"of a post passed on", again.ID(), private.SHA256, ""},
		{"of somebody else's post", named.ID(), private.SHA256, ""}, {"of no post", post.ID{Author: secret.ID().Author, Position: again.ID().Position[:31] + "7"}, private.SHA256, ""},
	} {
		for name, a := range map[string]*asker{"friend": friend, "stranger": stranger, "blocked": blocked} {
			answer, size := a.askFile(d.owner, wire.FileQuestion{ID: c.id, SHA256: c.sha, GCM: true})
			sees := slices.Contains(strings.Fields(c.sees), name)
			if sees != (answer.Part != nil) || !sees && (answer.Kind != wire.KindError || answer.Code != wire.CodeNotFound) {
				t.Errorf("%s, %s: %s %s, %v", c.what, name, answer.Kind, answer.Code, answer.Part != nil)
			}
			if !sees {
				sizes[size] = true
			}
		}
	}
	if len(sizes) != 1 || !sizes[wire.MinSize] {
		t.Errorf("the refusals have the sizes %v", sizes)
	}
	// By the public pages as everybody.
	var refusals []string
	for sha, want := range map[string]int{public.SHA256: 200, private.SHA256: 404, nobodys.SHA256: 404, unknown: 404} {
		status, header, body := get(t, d.url+"/p2ps/v1/attachments/"+sha)
		if status != want {
			t.Errorf("%s: %d, want %d", sha, status, want)
		}
		if header.Del("Date"); want == 404 {
			refusals = append(refusals, fmt.Sprint(header, body))
		}
	}
	if slices.Sort(refusals); len(slices.Compact(refusals)) != 1 {
		t.Errorf("the refusals differ: %q", refusals)
	}
	// What becomes private is public no more.
	_, err = d.owner.Delete(t.Context(), open.ID())
	d.check(err)
	if status, _, _ := get(t, d.url+"/p2ps/v1/attachments/"+public.SHA256); status != 404 {
		t.Errorf("after the post was deleted: %d", status)
	}
}

// Files are in no figure: a post counts by its own bytes.
func TestFilesAreNotCounted(t *testing.T) {
	d := newDuo(t)
	f := attach(t, d.owner, noise(100, 1))
	d.note("with a file", forFriends, naming(t, f))
	before := d.ask(d.cert(d.reader), wire.Question{Kind: wire.KindPosts})
	d.check(os.Remove(d.owner.FilePath(f)))
	after := d.ask(d.cert(d.reader), wire.Question{Kind: wire.KindPosts})
	if before.Digest != after.Digest || *before.Count != 1 || *after.Count != 1 {
		t.Errorf("%v and %v", before, after)
	}
}

// askFile asks for a part of a file.
func (a *asker) askFile(h *home.Home, q wire.FileQuestion) (wire.Answer, int) {
	a.t.Helper()
	cert, err := h.Me()
	if err != nil {
		a.t.Fatal(err)
	}
	party := wire.Party{Me: a.secret, Other: cert}
	var nonce [16]byte
	copy(nonce[:], noise(16, uint64(time.Now().UnixNano())))
	sent, err := a.sealer.SealRequest(party, wire.Question{Kind: wire.KindAttachment, File: &q}, a.at, nonce)
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := h.AnswerSealed(a.t.Context(), sent.Body, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	answer, err := sent.OpenPart(body, party, a.at)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer, len(body)
}
