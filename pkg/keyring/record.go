package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// all is the history of who sees everything ever written for him; none, in
// what callers say, that of who sees nothing written until now.
const (
	all  = "all"
	none = "none"
)

// A record is the JSON beside a key. In a group only the last three count.
type record struct {
	Name      string      `json:"name"`
	Addresses []string    `json:"addresses"`
	Trust     Trust       `json:"trust"`
	Muted     bool        `json:"muted"`
	Alarm     string      `json:"alarm,omitzero"` // another key that answered where he lived
	Since     string      `json:"since"`
	History   string      `json:"history,omitzero"`
	Extra     ijson.Value `json:",embed"` //nolint:staticcheck // json v2: what we do not know, kept
}

type memberRecord struct {
	Since   string      `json:"since"`
	History string      `json:"history,omitzero"`
	Extra   ijson.Value `json:",embed"` //nolint:staticcheck // json v2
}

// since is when the key was noticed, or the zero time if the file does not say.
func (r record) since() time.Time {
	t, _ := post.ParseTime(r.Since)
	return t
}

func (r record) encode(dir string) ([]byte, error) {
	if isGroup(dir) {
		return ijson.MarshalIndent(memberRecord{r.Since, r.History, r.Extra})
	}
	if r.Addresses == nil {
		r.Addresses = []string{}
	}
	return ijson.MarshalIndent(r)
}

func isGroup(dir string) bool {
	return strings.HasPrefix(dir, groupsDir+"/")
}

// errNoRecord: the JSON was read, and is not what it should be.
var errNoRecord = errors.New("not a usable record")

// A recordFile is what was read of a path, good as long as the Stat is the same.
type recordFile struct {
	stat   disk.Stat
	record record
	err    error
}

// readRecord reads the JSON beside a key. The error is fs.ErrNotExist,
// errNoRecord (then what could be made out of it comes along) or that of a disk
// that cannot be read.
func (k *Keyring) readRecord(dir string, fpr pgp.Fingerprint) (record, disk.Stat, error) {
	path := recordPath(dir, fpr)
	info, err := k.root.Lstat(path)
	if err != nil {
		delete(k.records, path)
		return record{}, disk.Stat{}, err
	}
	stat := disk.StatOf(info)
	if known, ok := k.records[path]; ok && known.stat == stat && !k.isRacy(stat) {
		return known.record, stat, known.err
	}
	data, stat, err := k.root.ReadFile(path, maxRecord)
	if errors.Is(err, disk.ErrTooLarge) {
		return record{}, disk.StatOf(info), fmt.Errorf("%w: %w", errNoRecord, err)
	}
	if err != nil {
		return record{}, stat, err
	}
	r, err := parseRecord(dir, data)
	k.records[path] = recordFile{stat, r, err}
	return r, stat, err
}

func parseRecord(dir string, data []byte) (r record, err error) {
	if isGroup(dir) {
		var m memberRecord
		err = ijson.Unmarshal(data, &m)
		r.Since, r.History, r.Extra = m.Since, m.History, m.Extra
	} else {
		err = ijson.Unmarshal(data, &r)
	}
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", errNoRecord, err)
	}
	if r.History != "" && r.History != all {
		if _, err := post.ParseStamp(r.History); err != nil {
			r.History = ""
			return r, fmt.Errorf("%w: %w", errNoRecord, err)
		}
	}
	return r, nil
}

// record returns the JSON beside a key that counts, made or mended first where
// it is missing, broken or lacks a history. With an error, the record is good
// enough to show a person by, but gives no rights.
func (k *Keyring) record(dir string, fpr pgp.Fingerprint) (record, error) {
	r, stat, err := k.readRecord(dir, fpr)
	complete := r.History != "" || dir == followsDir
	switch {
	case err == nil && complete:
		return k.named(dir, fpr, r), nil
	case err == nil:
		if r.History, err = k.fresh(); err == nil {
			err = k.writeRecord(dir, fpr, r)
		}
		return k.named(dir, fpr, r), err
	case errors.Is(err, fs.ErrNotExist):
		return k.makeRecord(dir, fpr, r)
	case errors.Is(err, errNoRecord):
		// An editor may be half way through: leave it a second.
		if age := k.now().UnixNano() - stat.Mtime; age >= 0 && age < int64(time.Second) {
			return k.named(dir, fpr, r), err
		}
		aside := fmt.Sprintf("%s/.broken-%s-%s%s", dir, unique(), fpr, recordSuffix)
		k.log.Warn("set a broken file aside", "path", k.root.Path(recordPath(dir, fpr)), "to", k.root.Path(aside), "error", err)
		if err := k.root.Rename(recordPath(dir, fpr), aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return k.named(dir, fpr, r), err
		}
		return k.makeRecord(dir, fpr, r)
	}
	return k.named(dir, fpr, r), err
}

// makeRecord writes the JSON of a key that was put there by hand, with the
// key's mtime, so that a folder sync prefers the one made on another machine.
func (k *Keyring) makeRecord(dir string, fpr pgp.Fingerprint, r record) (record, error) {
	r = k.named(dir, fpr, r)
	r.Since = post.FormatTime(k.now())
	if dir != followsDir {
		history, err := k.fresh()
		if err != nil {
			return r, err
		}
		r.History = history
	}
	data, err := r.encode(dir)
	if err != nil {
		return r, err
	}
	err = k.root.WriteNew(recordPath(dir, fpr), data, filePerm)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		r, _, err = k.readRecord(dir, fpr)
		return k.named(dir, fpr, r), err
	}
	if err != nil {
		return r, err
	}
	if info, err := k.root.Lstat(keyPath(dir, fpr)); err == nil {
		_ = k.root.Chtimes(recordPath(dir, fpr), info.ModTime()) // only a preference
	}
	return r, nil
}

func (k *Keyring) writeRecord(dir string, fpr pgp.Fingerprint, r record) error {
	data, err := r.encode(dir)
	if err != nil {
		return err
	}
	return k.root.WriteFile(recordPath(dir, fpr), data, filePerm)
}
