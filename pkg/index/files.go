package index

import (
	"errors"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// putFiles notes the files that a post names, if they were read with it, in place
// of those it named before.
func (t *Tx) putFiles(author int64, r Row, known bool) error {
	if r.files == nil {
		return nil
	}
	if known {
		if err := t.dropFiles(author, r.ID.Position); err != nil {
			return err
		}
	}
	if len(r.files) == 0 {
		return nil
	}
	if r.Public && r.State == Live {
		for _, sha256 := range r.files {
			if err := t.exec("INSERT OR IGNORE INTO public_file VALUES (?,?,?)", sha256, author, string(r.ID.Position)); err != nil {
				return err
			}
		}
	}
	return t.exec("INSERT OR IGNORE INTO wanting VALUES (?,?)", author, string(r.ID.Position))
}

func (t *Tx) dropFiles(author int64, position post.Position) error {
	return errors.Join(t.exec("DELETE FROM public_file WHERE author = ? AND position = ?", author, string(position)),
		t.exec("DELETE FROM wanting WHERE author = ? AND position = ?", author, string(position)))
}

// Wanting lists the posts of an author that name files of which not all are
// known to be here, in order.
func (v *View) Wanting(author pgp.Fingerprint) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	return v.rows(author, "SELECT "+columns+named("wanting")+`WHERE n.author = ? AND p.state = 0 ORDER BY n.position`, n)
}

// Whole notes that all files that a post names are here.
func (t *Tx) Whole(id post.ID) error {
	author, err := t.author(id.Author)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM wanting WHERE author = ? AND position = ?", author, string(id.Position))
}

// Naming lists the public posts of an author that name a file, in order. It looks
// at no other post.
func (v *View) Naming(author pgp.Fingerprint, sha256 string) ([]Row, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	return v.rows(author, "SELECT "+columns+named("public_file")+`WHERE n.sha256 = ? AND n.author = ? AND p.public = 1 ORDER BY n.position`, sha256, n)
}
