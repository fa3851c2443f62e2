package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A delivery is what came with one answer, and what it turned out to be.
type delivery struct {
	items   []item
	offered map[post.ID]post.Version // the lines under which it was asked for
	tree    tree                     // with the key that verified it
	batch   *disk.Batch
}

// An item is what should be one post.
type item struct {
	raw  ijson.Value
	post *post.Post // nil if it is none
	err  error      // why it is none

	ours    bool         // has an id of the author
	version post.Version // the line under which it is kept or refused, if ours

	name string // of its file, once it is ready
	data []byte
	row  index.Row // but for the file's stat
	file *disk.BatchFile
}

func newDelivery(raw []ijson.Value, offered map[post.ID]post.Version) *delivery {
	d := &delivery{items: make([]item, len(raw)), offered: offered}
	for i := range raw {
		d.items[i].raw = raw[i]
	}
	return d
}

// open verifies a page on all cores. If a signature is wrong, the author may
// have a new key: it is asked for, once.
func (k *keeper) open(ctx context.Context, d *delivery) error {
	d.batch = k.h.root.NewBatch()
	d.tree = k.tree
	if !d.open(k.author()) || k.renew == nil {
		return nil
	}
	renew := k.renew
	k.renew = nil
	cert, err := renew(ctx)
	if err != nil || bytes.Equal(cert.Bytes(), k.tree.cert.Bytes()) {
		return ignoreUnreachable(err)
	}
	k.tree.cert = cert
	d.tree = k.tree
	d.open(k.author())
	return nil
}

// open opens what is not opened yet, and tells whether a signature was wrong.
func (d *delivery) open(author pgp.Fingerprint) (failed bool) {
	_ = d.each(func(t *item) error { // what fails is told of each item
		if t.post == nil {
			t.post, t.err = t.open(d.tree.cert)
			v, err := t.claim(d.offered)
			t.version, t.ours = v, err == nil && v.ID.Author == author
		}
		return nil
	})
	for _, t := range d.items {
		failed = failed || errors.Is(t.err, pgp.ErrSignature)
	}
	return failed
}

// each does something with all items, on all cores.
func (d *delivery) each(do func(*item) error) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const run = 16
	for i := 0; i < len(d.items); i += run {
		g.Go(func() error {
			for j := i; j < min(i+run, len(d.items)); j++ {
				if err := do(&d.items[j]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (t *item) open(cert *pgp.Certificate) (*post.Post, error) {
	p, err := post.Open(t.raw, cert)
	if err == nil && p.Tombstone() {
		return nil, post.ErrInvalid // Tombstones are not walked
	}
	return p, err
}

// ready works out what a post is on the disk and in the index.
func (t *item) ready(in tree) (err error) {
	if t.data, err = t.post.File(); err != nil {
		return err
	}
	t.name = in.Path(t.version.ID.Position)
	t.row = index.RowOf(t.post, disk.Stat{}, sha256.Sum256(t.data))
	return nil
}

// claim is the line of an item; of one that is not even a post, the line under
// which it was offered.
func (t *item) claim(offered map[post.ID]post.Version) (post.Version, error) {
	if t.post != nil {
		return t.post.Version(), nil
	}
	v, err := post.Claim(t.raw)
	if err == nil {
		if o, ok := offered[v.ID]; ok {
			return o, nil
		}
		return v, nil
	}
	var id struct {
		ID string `json:"id"`
	}
	_ = ijson.UnmarshalTrusted(t.raw, &id) // whatever it is, it has no line then
	if pid, e := post.ParseID(id.ID); e == nil {
		if o, ok := offered[pid]; ok {
			return o, nil
		}
	}
	return v, err
}

// drop takes an item out of the files that are written.
func (d *delivery) drop(t *item) {
	if t.file != nil {
		d.batch.Drop(t.file)
	}
}
