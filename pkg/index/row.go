package index

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A State says how a post's file stands to the text that was last found signed.
type State int

const (
	Live      State = iota // the file is that text
	Tombstone              // the same, and it tells of a deletion
	Edited                 // the file was changed by hand and not signed
	Older                  // the file was put back to an older text
	Removed                // the file is not there
	Broken                 // the file cannot be read as a post
)

// A Row is what the index knows of one post: the text last found signed, and
// the file as it was last seen.
type Row struct {
	post.Version
	Updated  string
	Type     string
	Audience post.Audience
	Public   bool
	Expires  time.Time     // zero is never
	Reply    string        // the id it answers, likes or repeats
	Received time.Time     // when its file was written, to the second
	Place    post.Position // in the timeline: its position, but never later than Received; set by the index
	State    State
	Why      string // of Broken; or what is wrong with the audience
	Grown    string // what was added to its audience by hand
	Stat     disk.Stat
	Sum      [32]byte // SHA-256 of the file
	files    []string // SHA-256 of those that it names; nil: as before, they are not read back

	text *string // what it says; nil: as before
}

// Standing of the text last found signed.
func (r *Row) Standing() post.Standing {
	return post.Standing{Revision: r.Revision, Updated: r.Updated, Hash: r.Hash}
}

// RowOf is the row of a verified post, in state Live or Tombstone.
func RowOf(p *post.Post, stat disk.Stat, sum [32]byte) Row {
	r := Row{Version: p.Version(), Updated: p.Updated(), Type: p.Type(), Public: p.Public(), Reply: p.About(),
		Received: ReceivedAt(stat), Stat: stat, Sum: sum}
	text := p.Text()
	r.text = &text
	if p.Tombstone() {
		r.State = Tombstone
	}
	if t, ok := p.Expires(); ok {
		r.Expires = t
	}
	r.files = []string{}
	for _, f := range p.Files() {
		r.files = append(r.files, f.SHA256)
	}
	var err error
	if r.Audience, err = p.Audience(); err != nil {
		r.Why = err.Error()
	}
	return r
}

// ReceivedAt is when a file was written, to the second.
func ReceivedAt(s disk.Stat) time.Time { return time.Unix(0, s.Mtime).UTC().Truncate(time.Second) }

// A Stray is a file in a feed's folders that is no post at its place: a draft
// made by hand, a copy, a conflict of two machines, something broken.
type Stray struct {
	Dir, Name string
	Kind      StrayKind
	Why       string
	Stat      disk.Stat
}

// A StrayKind says what a stray file is.
type StrayKind string

const (
	Made     StrayKind = "made"     // an object without signature: to be signed
	Moved    StrayKind = "moved"    // a signed post of mine at another place than its own
	Conflict StrayKind = "conflict" // left by a folder sync
	Unread   StrayKind = "broken"   // not to be read as a post
)

const columns = `p.position, p.revision, p.hash, p.updated, p.type, a.members, p.public, p.expires, p.reply, p.received, p.state, p.why, p.grown,
	p.size, p.mtime, p.ctime, p.ino, p.sum, p.place`

const from = ` FROM post p JOIN audience a ON a.n = p.audience `

// indexed is from by an index that holds few of many rows.
func indexed(name string) string {
	return " FROM post p INDEXED BY " + name + " JOIN audience a ON a.n = p.audience "
}

func scanRow(rows *sql.Rows, author pgp.Fingerprint, more ...any) (Row, error) {
	var (
		r                        Row
		hash, sum                []byte
		members, position, place string
		expires, received        int64
		ino                      int64
	)
	err := rows.Scan(append([]any{&position, &r.Revision, &hash, &r.Updated, &r.Type, &members, &r.Public, &expires, &r.Reply, &received,
		&r.State, &r.Why, &r.Grown, &r.Stat.Size, &r.Stat.Mtime, &r.Stat.Ctime, &ino, &sum, &place}, more...)...)
	if err != nil {
		return r, damaged(err)
	}
	r.ID = post.ID{Author: author, Position: post.Position(position)}
	r.Place = post.Position(place)
	r.Stat.Ino = uint64(ino) //nolint:gosec // the same bits, there and back
	copy(r.Hash[:], hash)
	copy(r.Sum[:], sum)
	if expires != 0 {
		r.Expires = time.Unix(expires, 0).UTC()
	}
	r.Received = time.Unix(received, 0).UTC()
	if r.Audience, err = post.AudienceOf(strings.Fields(members)); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r, nil
}

// named is from by a table that names few of many posts. CROSS JOIN has it go from
// them to their posts, and not through all posts of the author.
func named(table string) string {
	return " FROM " + table + ` n CROSS JOIN post p ON p.author = n.author AND p.position = n.position JOIN audience a ON a.n = p.audience `
}
