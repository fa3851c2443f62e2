package keyring

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

// provedFile remembers which key files were read and found to be what their
// names say, good as long as the Stat is the same: to verify the signatures of
// a hundred certificates takes longer than all else that a timeline does, and
// it needs none of them. It may be deleted at any time.
//
// Its first line is its version and the SHA-256 of the others; each of these is
// a path, size, mtime, ctime and inode, with spaces between.
const (
	provedFile    = "cache/keys"
	provedVersion = "p2ps-keys/1"
	maxProved     = 8 << 20
)

// checkKey says whether dir holds the key of a fingerprint, name and content
// agreeing; the error is as keyAt's.
func (k *Keyring) checkKey(dir string, fpr pgp.Fingerprint) error {
	path := keyPath(dir, fpr)
	if _, known := k.files[path]; !known {
		if info, err := k.root.Lstat(path); err == nil {
			stat := disk.StatOf(info)
			if was, ok := k.provedBefore()[path]; ok && was == stat && !k.isRacy(stat) {
				return nil
			}
		}
	}
	_, err := k.keyOf(dir, fpr)
	proved := k.provedBefore()
	was, ok := proved[path]
	file, read := k.files[path]
	switch {
	case err == nil && read && !k.isRacy(file.stat):
		if !ok || was != file.stat {
			proved[path] = file.stat
			k.provedMore = true
		}
	case ok:
		delete(proved, path)
		k.provedMore = true
	}
	return err
}

// provedBefore is what the file says, read once.
func (k *Keyring) provedBefore() map[string]disk.Stat {
	if k.proved != nil {
		return k.proved
	}
	k.proved = map[string]disk.Stat{}
	data, _, err := k.root.ReadFile(provedFile, maxProved)
	if err != nil {
		return k.proved
	}
	head, lines, _ := bytes.Cut(data, []byte("\n"))
	if string(head) != provedHead(lines) {
		return k.proved
	}
	for line := range strings.Lines(string(lines)) {
		path, stat, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if s, ok := parseStat(stat); ok {
			k.proved[path] = s
		}
	}
	return k.proved
}

func provedHead(lines []byte) string {
	return fmt.Sprintf("%s %x", provedVersion, sha256.Sum256(lines))
}

func parseStat(s string) (stat disk.Stat, ok bool) {
	f := strings.Fields(s)
	if len(f) != 4 {
		return stat, false
	}
	var err [4]error
	stat.Size, err[0] = strconv.ParseInt(f[0], 10, 64)
	stat.Mtime, err[1] = strconv.ParseInt(f[1], 10, 64)
	stat.Ctime, err[2] = strconv.ParseInt(f[2], 10, 64)
	stat.Ino, err[3] = strconv.ParseUint(f[3], 10, 64)
	return stat, err == [4]error{}
}

// saveProved writes what was found since, as well as it can.
func (k *Keyring) saveProved() {
	if !k.provedMore {
		return
	}
	k.provedMore = false
	var lines bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(k.proved)) {
		s := k.proved[path]
		fmt.Fprintf(&lines, "%s %d %d %d %d\n", path, s.Size, s.Mtime, s.Ctime, s.Ino)
	}
	err := k.root.WriteFile(provedFile, append([]byte(provedHead(lines.Bytes())+"\n"), lines.Bytes()...), filePerm)
	if err != nil {
		k.log.Debug("which keys were read is not remembered", "error", err)
	}
}
