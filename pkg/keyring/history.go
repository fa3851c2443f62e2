package keyring

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// fresh is the history of who sees nothing written until now: a millisecond
// after the later of the clock and my newest post, since a clock that was put
// back must not show old posts.
func (k *Keyring) fresh() (string, error) {
	newest, err := k.newest()
	if err != nil {
		return "", fmt.Errorf("newest post: %w", err)
	}
	at := k.now()
	if t := newest.Time(); t.After(at) {
		at = t
	}
	at = at.UTC().Add(time.Millisecond)
	if at.Year() < 1900 || at.Year() > 2199 {
		return lastStamp, nil // a clock beyond all positions
	}
	return string(post.PositionAt(at)), nil
}

// lastStamp is above every position that is ever given.
const lastStamp = "21991231-235959999"

// orphanAge is how long a JSON may wait for its key: a folder sync brings
// files in any order.
const orphanAge = time.Minute

// forgetOrphans takes the history out of each JSON whose key is gone. The next
// cp of that key is a new beginning, and must not show what was before; name,
// trust and addresses may stay.
func (k *Keyring) forgetOrphans(dir string, f *folder, entries []disk.Entry) {
	if dir == blockedDir || dir == followsDir {
		return
	}
	for _, entry := range entries {
		stem, isRecord := strings.CutSuffix(entry.Name, recordSuffix)
		fpr, err := pgp.ParseFingerprint(stem)
		if !isRecord || err != nil || f.named[fpr] {
			continue
		}
		if k.now().UnixNano()-entry.Stat.Ctime < int64(orphanAge) {
			f.restless = true
			continue
		}
		r, _, err := k.readRecord(dir, fpr)
		if err != nil || r.History == "" {
			continue // a broken one gives nothing
		}
		r.History = ""
		if err := k.writeRecord(dir, fpr, r); err != nil {
			f.problem(k, dir, entry.Name, err)
			continue
		}
		f.restless = true // writing moved the directory's times
		k.log.Info("took the history out of a record without key", "path", k.root.Path(dir+"/"+entry.Name))
	}
}

// unique returns a few letters that no other file name has.
func unique() string {
	return strings.ToLower(rand.Text()[:8])
}
