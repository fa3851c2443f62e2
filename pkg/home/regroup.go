package home

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/post"
)

// rewrite changes the groups in the files of posts, durably, and returns the
// rows that say so.
func (r *renaming) rewrite(rows []index.Row, change func([]string) []string) ([]index.Row, error) {
	files := r.h.root.NewBatch()
	var out []index.Row
	var written []*disk.BatchFile
	for _, row := range rows {
		name := r.me.Path(row.ID.Position)
		raw, _, err := r.h.root.ReadFile(name, post.MaxFile)
		if err != nil {
			return nil, err
		}
		p, data, err := r.regroup(raw, change)
		if err != nil || p.Version() != row.Version {
			return nil, fmt.Errorf("%w: %s: run it again", errMoved, r.h.root.Path(name))
		}
		written = append(written, files.Add(name, data, 0o600))
		next := index.RowOf(p, row.Stat, sha256.Sum256(data))
		next.Grown = r.grown(row.Grown, next.Audience.Groups)
		out = append(out, next)
	}
	if err := files.Commit(); err != nil {
		return nil, err
	}
	for i, row := range out {
		out[i].Stat = written[i].Stat
		out[i].Stat.Ctime = 0 // too young to be trusted
		out[i].Received = rows[i].Received
		if row.State == index.Live && !slices.Contains(row.Audience.Groups, r.from) {
			r.posts++
		}
	}
	return out, nil
}

// grown is what was added to an audience by hand, after the renaming: that the
// group was among it stays, that the new name was put there by us is forgotten.
func (r *renaming) grown(before string, groups []string) string {
	members := strings.Fields(before)
	byHand := slices.Contains(members, r.from)
	members = slices.DeleteFunc(members, func(m string) bool { return m == r.from || m == r.to })
	for _, name := range []string{r.from, r.to} {
		if byHand && slices.Contains(groups, name) {
			members = append(members, name)
		}
	}
	return strings.Join(members, " ")
}

// regroup changes the groups in one file of mine. The signature does not cover
// them, and all else stays as it is written.
func (r *renaming) regroup(raw []byte, change func([]string) []string) (*post.Post, []byte, error) {
	was, err := post.OpenMine(raw, r.me.cert)
	if err != nil {
		return nil, nil, err
	}
	a, err := was.Audience()
	if err != nil {
		return nil, nil, err
	}
	a.Groups = change(a.Groups)
	private := a
	private.Public = false // stands in to
	bto, err := ijson.Encode(private.Members())
	if err != nil {
		return nil, nil, err
	}
	members, err := ijson.Members(raw)
	if err != nil {
		return nil, nil, err
	}
	for i := range members {
		if members[i].Name == "bto" {
			members[i].Value = bto
		}
	}
	data, err := ijson.IndentMembers(members)
	if err != nil {
		return nil, nil, err
	}
	now, err := post.OpenMine(data, r.me.cert)
	if err != nil {
		return nil, nil, err
	}
	if got, err := now.Audience(); err != nil || now.Version() != was.Version() || !sameAudience(got, a) {
		return nil, nil, fmt.Errorf("%w: the audience of %s cannot be changed", post.ErrAudience, was.ID())
	}
	return now, data, nil
}

func (r *renaming) renameAside(name string) error {
	if _, _, ok := feed.ParseAside(name[strings.LastIndexByte(name, '/')+1:]); !ok {
		return nil
	}
	raw, _, err := r.h.root.ReadFile(name, post.MaxFile)
	if err != nil {
		return err
	}
	if !bytes.Contains(raw, []byte(r.from)) {
		return nil // spares the look at a signature
	}
	p, data, err := r.regroup(raw, r.replace)
	if err != nil { // not a text of mine that could be restored
		return nil //nolint:nilerr // what is in the trash stops nothing
	}
	if was, err := post.OpenMine(raw, r.me.cert); err != nil || was.SameFile(p) {
		return nil //nolint:nilerr // as above
	}
	return r.h.root.WriteFile(name, data, 0o600)
}
