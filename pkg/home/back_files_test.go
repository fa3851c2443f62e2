package home_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// readerShares has the reader write a post that names files.
func (d *duo) readerShares(text string, a post.Audience, datas ...[]byte) (*post.Post, []post.File) {
	d.t.Helper()
	var files []post.File
	for _, data := range datas {
		files = append(files, attach(d.t, d.reader, data))
	}
	d.tick(time.Second)
	draft := post.NewDraft("Note")
	draft.Set("content", text)
	naming(d.t, files...)(draft)
	p, err := d.reader.Post(d.t.Context(), draft, a)
	d.check(err)
	return p, files
}

// arriving is where a file of the reader lies at the owner's while it comes.
func (d *duo) arriving(f post.File) string {
	return filepath.Join(d.ownerDir, "attachments", f.SHA256[:2], "."+f.SHA256+"."+string(d.readerKey.Certificate().Fingerprint())+".part")
}

// ownerHolds tells whether the owner has a file of the reader's, with these bytes.
func (d *duo) ownerHolds(f post.File, want []byte) {
	d.t.Helper()
	got, err := os.ReadFile(filepath.Join(d.ownerDir, "attachments", f.SHA256[:2], f.SHA256))
	if want == nil && errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil || want == nil || !bytes.Equal(got, want) {
		d.t.Errorf("of the file of %d bytes the owner has %d: %v", f.Size, len(got), err)
	}
}

// The reader has no server: what his posts name comes to the owner by asking back,
// whatever its size, and is asked for once.
//
// spec: A9, A10, A11
func TestFilesComeBack(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	var datas [][]byte
	for i, n := range []int{0, 1, wire.MaxPartBack - 1, wire.MaxPartBack, wire.MaxPartBack + 1, 3*wire.MaxPartBack - 5} {
		datas = append(datas, noise(n, uint64(i)))
	}
	_, files := d.readerShares("with files", forFriends, datas...)
	if got := d.pulls(1); got.Given != (home.Given{Posts: 1, Files: 5}) { // nobody asks for the empty one
		t.Errorf("given: %+v", got.Given)
	}
	for i, f := range files {
		d.ownerHolds(f, datas[i])
	}
	if n := len(*visits); n != 1+1+1+1+1+2+3 { // the pull, the post, and the parts
		t.Errorf("%d visits", n)
	}
	*visits = nil
	if got := d.pulls(1); got.Given != (home.Given{}) || len(*visits) != 2 {
		t.Errorf("the second pull: %+v, %d visits", got.Given, len(*visits))
	}
	s, err := d.owner.Status(t.Context())
	d.check(err)
	if p := s.People[0]; p.Message != "" || p.Unequal != 0 || p.Count != 1 {
		t.Errorf("it is not noted as complete: %+v", p)
	}
}

// What is not wanted is not asked for, and waits.
//
// spec: A8
func TestFilesNotWantedBack(t *testing.T) {
	d := newDuo(t)
	small, great := noise(10, 1), noise(100, 2)
	_, files := d.readerShares("with files", forFriends, great, small)
	d.owner.AskBack(home.PullOptions{NoMedia: true})
	if got := d.pulls(1); got.Given != (home.Given{Posts: 1}) {
		t.Errorf("none is wanted: %+v", got.Given)
	}
	d.owner.AskBack(home.PullOptions{MaxBytes: 99})
	if got := d.pulls(1); got.Given != (home.Given{Files: 1}) {
		t.Errorf("none over 99 bytes: %+v", got.Given)
	}
	d.ownerHolds(files[0], nil)
	d.ownerHolds(files[1], small)
	d.owner.AskBack(home.PullOptions{})
	d.pulls(1)
	d.ownerHolds(files[0], great)
}

// What does not fit into one pull goes on in the next one, at the byte where it
// ended; and so does a download that began by the other road, and one that was
// broken off by either side.
//
// spec: A11
func TestFilesBackResume(t *testing.T) {
	const parts = 5
	data := noise(parts*wire.MaxPartBack, 3)
	for name, c := range map[string]struct {
		first func(d *duo, f post.File)
		there int // parts, after it
	}{
		"the giver ends": {func(d *duo, _ post.File) {
			d.back = 1 + 2 // the post, and two parts
			d.again()
			d.pulls(1)
			d.back = 0
			d.again()
		}, 2},
		"the owner ends": {func(d *duo, _ post.File) {
			d.slow, d.requests = 20*time.Minute, 0 // half an hour is over after the second answer
			d.pulls(1)
			d.slow, d.readerClock = 0, d.ownerClock
		}, 1},
		"the owner's disk fails": {func(d *duo, f post.File) {
			n := 0
			d.hook.set(func(op disk.Op, name string) error {
				if op == disk.OpWrite && filepath.Base(name) == filepath.Base(d.arriving(f)) {
					if n++; n == 4 {
						return os.ErrPermission
					}
				}
				return nil
			})
			d.pulls(1)
			d.hook.set(nil)
		}, 3},
		"by the other road": {func(d *duo, f post.File) {
			d.check(os.MkdirAll(filepath.Dir(d.arriving(f)), 0o700))
			d.check(os.WriteFile(d.arriving(f), data[:wire.MaxPartBack], 0o600))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDuo(t)
			visits := d.asksBack()
			_, files := d.readerShares("with a file", forFriends, data)
			c.first(d, files[0])
			d.ownerHolds(files[0], nil)
			if there, err := os.ReadFile(d.arriving(files[0])); err != nil || len(there) != c.there*wire.MaxPartBack || !bytes.HasPrefix(data, there) {
				t.Fatalf("of the file there are %d bytes: %v", len(there), err)
			}
			*visits = nil
			got := d.pulls(1)
			d.ownerHolds(files[0], data)
			if n := len(*visits) - 2; n != parts-c.there || got.Given.Files != 1 {
				t.Errorf("%d parts for the rest: %+v", n, got.Given)
			}
			if _, err := os.Stat(d.arriving(files[0])); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the part is left: %v", err)
			}
		})
	}
}

// What is there from before may be spoiled: it is fetched anew, once.
//
// spec: A11
func TestSpoiledBeginningBack(t *testing.T) {
	data := noise(2*wire.MaxPartBack, 4)
	for _, spoiled := range [][]byte{make([]byte, 5000), make([]byte, len(data)), append(bytes.Clone(data), 'x'), data[:77]} {
		d := newDuo(t)
		d.asksBack()
		_, files := d.readerShares("with a file", forFriends, data)
		d.check(os.MkdirAll(filepath.Dir(d.arriving(files[0])), 0o700))
		d.check(os.WriteFile(d.arriving(files[0]), spoiled, 0o600))
		d.pulls(1)
		d.ownerHolds(files[0], data)
	}
}
