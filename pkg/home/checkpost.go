package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// checked is one folder, on its way through a check.
type checked struct {
	c      *checker
	t      tree
	l      feed.Listing
	rows   map[post.Position]*index.Row
	strays map[string]index.Stray
	exact  bool // the index says that it has seen the folder and each file as they are now
	seen   bool // the index knows the folder
	out    []Damage
}

// compare looks at every file of a folder, and at what the index says of it.
func (c *checker) compare(ctx context.Context, t tree, l feed.Listing, first bool) ([]Damage, error) {
	k := &checked{c: c, t: t, l: l, rows: map[post.Position]*index.Row{}, strays: map[string]index.Stray{}}
	if err := k.ask(ctx); err != nil {
		return nil, err
	}
	here := map[string]bool{}
	for _, f := range l.Files(t.Tree) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if first {
			c.step()
			c.mu.Lock()
			c.Posts++
			c.mu.Unlock()
		}
		here[f.Name] = true
		k.file(f)
	}
	k.missing(here)
	return k.out, nil
}

// ask asks the index. A database that cannot be read is told of once, by
// indexItself.
func (k *checked) ask(ctx context.Context) error {
	if k.c.x == nil || k.t.cert == nil {
		return nil
	}
	err := k.c.x.View(ctx, func(v *index.View) error {
		if month := monthOf(k.t, k.l.Dir); month != "" {
			rows, err := v.Range(k.t.author(), post.Position(month), post.Position(month+"~"))
			if err != nil {
				return err
			}
			for i := range rows {
				k.rows[rows[i].ID.Position] = &rows[i]
			}
		}
		strays, err := v.StraysIn(k.l.Dir)
		if err != nil {
			return err
		}
		for _, s := range strays {
			k.strays[s.Name] = s
		}
		dirs, err := v.Dirs(k.l.Dir)
		if d, ok := dirs[k.l.Dir]; ok {
			k.seen = true
			k.exact = d.Stat != (disk.Stat{}) && d.Sum != 0 && feed.Folder(d) == k.l.Folder
		}
		return err
	})
	if errors.Is(err, index.ErrDamaged) {
		k.rows, k.strays, k.exact, k.seen = nil, nil, false, false
		return nil
	}
	return err
}

// monthOf is the month of a folder of a tree, as in 202611; "" if it is none.
func monthOf(t tree, dir string) string {
	if month := strings.ReplaceAll(strings.TrimPrefix(dir, string(t.Tree)), "/", ""); len(month) == 6 {
		return month
	}
	return ""
}

func (k *checked) damage(name string, id post.ID, err error, do string, untrusted bool) {
	k.out = append(k.out, Damage{Path: k.c.h.root.Path(name), Why: reason(err), Do: do, ID: id, Untrusted: untrusted})
}

// wrong is a damage of the index.
func (k *checked) wrong(name string, id post.ID, format string, args ...any) {
	k.out = append(k.out, Damage{Path: k.c.h.root.Path(name), Why: "the index is wrong: " + fmt.Sprintf(format, args...), Do: indexDo, ID: id, Index: true})
}

// file looks at one file.
func (k *checked) file(f feed.File) {
	h, name := k.c.h, k.l.Dir+"/"+f.Name
	raw, stat, err := []byte(nil), f.Stat, error(disk.ErrNotRegular)
	if f.Regular {
		raw, stat, err = h.root.ReadFile(name, post.MaxFile)
	}
	if err == nil {
		k.c.names(raw)
	}
	sum := sha256.Sum256(raw)
	known := k.rows[f.Position]
	if f.Kind != feed.Post {
		known = nil
	}
	switch {
	case k.t.mine:
		row, stray := (*index.Row)(nil), (*index.Stray)(nil)
		if f.Kind == feed.Post {
			row, stray = h.ownPost(k.t, k.l.Dir, f, raw, err, known, stat, sum)
		} else {
			stray = h.stray(k.t, k.l.Dir, f, raw, err, stat)
		}
		if row != nil && row.State <= index.Tombstone {
			k.c.wants(raw, name)
		}
		k.own(name, raw, row, stray)
		k.row(name, f, known, row, stat, sum)
		k.stray(name, f, stray, stat)
	case k.t.cert == nil:
		k.stranger(name, f, raw, err)
	default:
		k.copy(name, f, raw, err, known, stat, sum)
	}
}

// own judges a file of mine by what a look would make of it.
func (k *checked) own(name string, raw []byte, row *index.Row, stray *index.Stray) {
	const edited = "p2ps sign signs it as it is now, if you changed it; else put it back from a backup"
	if row != nil {
		switch row.State {
		case index.Edited:
			_, err := post.OpenMine(raw, k.t.cert)
			k.damage(name, row.ID, fmt.Errorf("it is not the text that was signed: %w", err), edited, false)
		case index.Older:
			k.damage(name, row.ID, fmt.Errorf("it is an earlier text than the last one signed, revision %d", row.Revision), edited, false)
		case index.Broken:
			k.damage(name, row.ID, errors.New(row.Why), "put it back from a backup, or mend it and run p2ps sign", false)
		default:
			if row.Why != "" {
				k.damage(name, row.ID, fmt.Errorf("only you can see it: %s", row.Why), "put bto right, or p2ps audience", false)
			}
		}
	}
	if stray == nil {
		return
	}
	switch {
	case stray.Kind == index.Conflict:
		k.damage(name, post.ID{}, errors.New("a conflict copy: two machines changed one post"), "compare it with the post, and remove it", false)
	case stray.Kind == index.Moved:
		k.damage(name, post.ID{}, fmt.Errorf("it holds the post %s, whose name is another", stray.Why), "p2ps sign puts it in its place; a copy can be removed", false)
	case stray.Kind == index.Unread:
		k.damage(name, post.ID{}, errors.New(stray.Why), "put it back from a backup, or mend it and run p2ps sign", false)
	case bytes.Contains(raw, []byte(`"signature"`)): // else it is a draft
		_, err := post.OpenMine(raw, k.t.cert)
		k.damage(name, post.ID{}, fmt.Errorf("it was signed once, and is not what was signed: %w", err), edited, errors.Is(err, post.ErrAuthor))
	}
}

// copy judges a copy of somebody else's post.
func (k *checked) copy(name string, f feed.File, raw []byte, err error, known *index.Row, stat disk.Stat, sum [32]byte) {
	const again = "remove it: the next p2ps pull brings it again"
	id := post.ID{Author: k.t.author(), Position: f.Position}
	var row *index.Row
	switch f.Kind {
	case feed.Conflict:
		k.damage(name, post.ID{}, errors.New("a conflict copy of a sync tool"), "remove it", false)
	case feed.Post:
		p, err := openCopy(raw, err, id, k.t)
		if err != nil {
			k.damage(name, id, err, again, isUntrusted(err))
			break
		}
		r := index.RowOf(p, stat, sum)
		row = &r
	default:
		k.damage(name, post.ID{}, errors.New("it lies under a name or in a folder that is not its own"), again, false)
	}
	k.row(name, f, known, row, stat, sum)
}

// stranger judges a post by somebody whose key is not known.
func (k *checked) stranger(name string, f feed.File, raw []byte, err error) {
	author := strings.TrimPrefix(string(k.t.Tree), feed.Copies+"/")
	var v post.Version
	if err == nil {
		v, err = post.Claim(raw)
	}
	if err == nil && (f.Kind != feed.Post || string(v.ID.Author) != author || v.ID.Position != f.Position) {
		err = fmt.Errorf("%w: it holds %s", post.ErrID, v.ID)
	}
	if err != nil {
		k.damage(name, post.ID{}, err, "remove it", isUntrusted(err))
	}
}

// row compares what the index says of a post with what its file says.
func (k *checked) row(name string, f feed.File, known, fresh *index.Row, stat disk.Stat, sum [32]byte) {
	if k.c.x == nil || f.Kind != feed.Post {
		return
	}
	if known == nil {
		if fresh != nil && k.exact {
			k.wrong(name, fresh.ID, "it lacks this post")
		}
		return
	}
	same := known.Stat == stat
	switch {
	case known.State == index.Removed:
		if k.exact {
			k.wrong(name, known.ID, "it says that the file is not there")
		}
	case known.Sum != sum:
		if same && stat.Ctime != 0 {
			k.wrong(name, known.ID, "it knows another content of the file")
		}
	case fresh == nil:
		if same || k.exact {
			k.wrong(name, known.ID, "it knows a post, where there is none")
		}
	default:
		if d := differs(*known, *fresh); d != "" {
			k.wrong(name, known.ID, "%s", d)
		}
	}
}

// differs names the first thing in which a row is not what its file says. What
// is not of the text alone is remembered, and cannot be compared.
func differs(known, fresh index.Row) string {
	if known.State != fresh.State {
		return fmt.Sprintf("its state is %d, not %d", known.State, fresh.State)
	}
	if known.State <= index.Tombstone && !known.Received.Equal(index.ReceivedAt(known.Stat)) {
		return "received is not the time of the file"
	}
	for _, m := range strings.Fields(known.Grown) {
		if !strings.Contains(" "+strings.Join(known.Audience.Members(), " ")+" ", " "+m+" ") {
			return "it names somebody added who is not in the audience"
		}
	}
	fresh.Received, fresh.Stat, fresh.Grown, fresh.Place = known.Received, known.Stat, known.Grown, known.Place
	a, b := reflect.ValueOf(known), reflect.ValueOf(fresh)
	for i := range a.NumField() {
		if f := a.Type().Field(i); f.IsExported() && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) && fmt.Sprint(a.Field(i)) != fmt.Sprint(b.Field(i)) {
			return strings.ToLower(f.Name) + " is another"
		}
	}
	return ""
}

// stray compares what the index says of a file that is no post at its place.
func (k *checked) stray(name string, f feed.File, fresh *index.Stray, stat disk.Stat) {
	known, ok := k.strays[f.Name]
	switch {
	case k.c.x == nil:
	case fresh != nil && !ok && k.exact:
		k.wrong(name, post.ID{}, "it lacks this file")
	case ok && fresh == nil && k.exact:
		k.wrong(name, post.ID{}, "it has this post for a stray file")
	case ok && fresh != nil && known.Stat == stat && (known.Kind != fresh.Kind || known.Why != fresh.Why):
		k.wrong(name, post.ID{}, "it has this file for %s", known.Kind)
	}
}

// missing looks at what the index knows and the folder does not hold.
func (k *checked) missing(here map[string]bool) {
	for p, r := range k.rows {
		name := k.t.Path(p)
		switch {
		case here[string(p)+".json"]:
		case r.State == index.Removed:
			k.lost(name, r)
		case k.exact:
			k.wrong(name, r.ID, "there is no such post")
		case k.seen:
			k.lost(name, r)
		default: // no look would ever find it out
			k.wrong(name, r.ID, "there is no such post, nor did it ever look at the folder")
		}
	}
	for name := range k.strays {
		if !here[name] && k.exact {
			k.wrong(k.l.Dir+"/"+name, post.ID{}, "there is no such file")
		}
	}
}

func (k *checked) lost(name string, r *index.Row) {
	if k.t.mine {
		k.damage(name, r.ID, fmt.Errorf("the file is not there: revision %d was signed", r.Revision), "put it back from a backup; p2ps sign --removed takes it back from its readers", false)
		return
	}
	k.damage(name, r.ID, errors.New("the copy is not there"), "the next p2ps pull brings it again", false)
}
