package home

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/text"
	"github.com/p2ps/p2ps/pkg/wire"
)

// attachmentsDir holds the attachments of all posts, each under its hash:
// attachments/ab/<sha256>.
const attachmentsDir = "attachments"

// href is how a post names an attachment. Inside a text the quotes would be
// escaped.
var href = text.NewPattern(`"href"\s*:\s*"sha256:([0-9a-f]{64})"`)

// names notes which attachments a text names.
func (c *checker) names(raw []byte) {
	for _, m := range href().FindAllSubmatch(raw, -1) {
		c.mu.Lock()
		c.named[string(m[1])] = true
		c.mu.Unlock()
	}
}

// wants notes which attachments a post of mine must have.
func (c *checker) wants(raw []byte, name string) {
	for _, m := range href().FindAllSubmatch(raw, -1) {
		c.mu.Lock()
		c.wanted[string(m[1])] = name
		c.mu.Unlock()
	}
}

// attachments lists those that are there, in their places.
func (c *checker) attachments() (hashes []string) {
	odd := func(name, why string) {
		c.found(Damage{Path: c.h.root.Path(name), Why: why, Do: "remove it"})
	}
	dirs, err := c.h.root.ReadDir(attachmentsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		odd(attachmentsDir, reason(err))
	}
	for _, d := range dirs {
		dir := attachmentsDir + "/" + d.Name
		if d.Name[0] == '.' {
			continue
		}
		if !d.Dir || len(d.Name) != 2 || strings.Trim(d.Name, "0123456789abcdef") != "" {
			odd(dir, "no folder with the first two digits of a hash as its name")
			continue
		}
		files, err := c.h.root.ReadDir(dir)
		if err != nil {
			odd(dir, reason(err))
		}
		for _, f := range files {
			name := dir + "/" + f.Name
			switch {
			case f.Name[0] == '.':
			case len(f.Name) != 64 || strings.Trim(f.Name, "0123456789abcdef") != "":
				odd(name, "its name is no SHA-256 in lower case")
			case f.Name[:2] != d.Name:
				odd(name, "it lies in another folder than its hash says")
			case !f.Regular:
				odd(name, "no regular file")
			default:
				hashes = append(hashes, f.Name)
			}
		}
	}
	return hashes
}

func attachmentPath(hash string) string { return path.Join(attachmentsDir, hash[:2], hash) }

// hashes reads every attachment.
func (c *checker) hashes(ctx context.Context, hashes []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	there := map[string]bool{}
	for _, hash := range hashes {
		there[hash] = true
		c.Attachments++
		g.Go(func() error {
			c.step()
			name := attachmentPath(hash)
			is, err := c.hash(ctx, name)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				c.found(Damage{Path: c.h.root.Path(name), Why: reason(err), Do: "put it back from a backup"})
			case is != hash:
				c.found(Damage{Path: c.h.root.Path(name), Why: "its content has the hash " + is, Do: "put it back from a backup, or remove it: it is not what was posted", Untrusted: true})
			case !c.named[hash]:
				c.found(Damage{Path: c.h.root.Path(name), Why: "no post names it", Do: "p2ps gc removes it once it has lain there for a month"})
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for hash, name := range c.wanted {
		if !there[hash] {
			c.found(Damage{Path: c.h.root.Path(attachmentPath(hash)), Why: "an attachment that is not there; it is named by " + c.h.root.Path(name), Do: "put it back from a backup"})
		}
	}
	return nil
}

func (c *checker) hash(ctx context.Context, name string) (string, error) {
	file, _, err := c.h.root.OpenFile(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum, buffer := sha256.New(), make([]byte, 256<<10)
	for ctx.Err() == nil {
		n, err := file.Read(buffer)
		_, _ = sum.Write(buffer[:n]) // a hash takes all
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// indexItself looks at what the index holds beside the files of the trees, and at
// the database.
func (c *checker) indexItself(ctx context.Context) error {
	if c.x == nil {
		return nil
	}
	file := c.h.root.Path(c.x.File())
	wrong := func(format string, args ...any) {
		c.found(Damage{Path: file, Why: "the index is wrong: " + fmt.Sprintf(format, args...), Do: indexDo, Index: true})
	}
	err := c.x.View(ctx, func(v *index.View) error {
		flaws, err := v.Flaws()
		for _, f := range flaws {
			wrong("%s", f)
		}
		if err != nil || len(flaws) > 0 {
			return err
		}
		odd, err := v.Oddities()
		for _, o := range odd {
			wrong("%s", o)
		}
		if err != nil {
			return err
		}
		for _, t := range c.all {
			if t.cert == nil || !t.mine && t.Tree != feed.Of(t.author()) {
				continue
			}
			if err := c.author(v, t, wrong); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, index.ErrDamaged) {
		wrong("%v", err)
		err = nil
	}
	return err
}

// author looks at what the index knows of posts in folders that are not there.
func (c *checker) author(v *index.View, t tree, wrong func(string, ...any)) error {
	misplaced, err := v.Misplaced(t.author())
	for _, p := range misplaced {
		wrong("it shows %s at another place in the timeline than its own", p)
	}
	if err != nil {
		return err
	}
	months, err := v.MonthsOf(t.author())
	if err != nil {
		return err
	}
	if err := digests(v, t, months, wrong); err != nil {
		return err
	}
	dirs, err := v.Dirs(string(t.Tree))
	if err != nil {
		return err
	}
	lost, away := []Damage{}, t.mine && c.h.isAway()
	for _, month := range months {
		dir := t.Dir(post.Position(month))
		if len(month) != 6 || strings.Trim(month, "0123456789") != "" {
			wrong("it knows a post at %q", month)
			continue
		}
		if c.visited[dir] {
			continue
		}
		rows, err := v.Range(t.author(), post.Position(month), post.Position(month+"~"))
		if err != nil {
			return err
		}
		k := &checked{c: c, t: t}
		_, seen := dirs[dir]
		for _, r := range rows {
			if r.State == index.Removed || seen {
				k.lost(t.Path(r.ID.Position), &r)
			} else {
				k.wrong(t.Path(r.ID.Position), r.ID, "there is no such post, nor did it ever look at the folder")
			}
		}
		lost = append(lost, k.out...)
	}
	if away && len(lost) > 0 { // one line, and not one for each
		lost = []Damage{{Path: c.h.root.Path(string(feed.Mine)), Why: fmt.Sprintf("none of your %d posts is there", len(lost)), Do: awayDo}}
	}
	c.found(lost...)
	return nil
}

// digests compares the month lines that the index keeps with its own rows.
func digests(v *index.View, t tree, months []string, wrong func(string, ...any)) error {
	kept, err := v.MonthLines(t.author())
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, k := range kept {
		there[k.Month] = true
		if k.Count < 0 { // to be worked out when it is asked for
			continue
		}
		lines, plain, err := v.Held(t.author(), post.Position(k.Month), post.Position(k.Month+"~"))
		if err != nil {
			return err
		}
		if !plain || wire.SumMonth(k.Month, slices.Values(lines)) != wire.Month(k) {
			wrong("its digest of %s is not that of its posts", k.Month)
		}
	}
	for _, month := range months {
		if !there[month] {
			wrong("its digests leave out %s", month)
		}
	}
	return nil
}

// awayDo is what to do about a feed that is not there as a whole.
const awayDo = "see that the disk it lies on is mounted; nobody is told that the posts are gone"

// isAway tells that the whole feed is not there: no folder of a year is in it, as
// when the disk it lies on is not mounted. It is asked when posts are known.
func (h *Home) isAway() bool {
	entries, err := h.root.ReadDir(string(feed.Mine))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	for _, e := range entries {
		if e.Dir && len(e.Name) == 4 && strings.Trim(e.Name, "0123456789") == "" {
			return false
		}
	}
	return true
}
