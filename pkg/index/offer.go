package index

import (
	"database/sql"
	"errors"
	"time"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// An Offer is what a reader knows of a post of somebody else beside the text he
// holds (spec W24): the line last offered, if that is another than the text's
// own, and whether the post is offered no more.
type Offer struct {
	Revision int64 // of the line; 0: none is noted
	Hash     [32]byte
	Held     []byte // hash of the text held when the line was noted; empty: none
	Refused  []byte // the certificate by which the text was refused; empty: what is held beats it
	Marked   bool   // no longer offered
	Asked    int64  // grows with every question that named it
}

// Offers lists what is known of the posts of one author, by position.
func (v *View) Offers(author pgp.Fingerprint, from, to post.Position) (map[post.Position]Offer, error) {
	n, err := v.author(author)
	if err != nil {
		return nil, err
	}
	offers := map[post.Position]Offer{}
	err = v.each(`SELECT position, revision, hash, held, refused, marked, asked FROM offer
		WHERE author = ? AND position >= ? AND position < ?`, []any{n, string(from), string(to)}, func(rows *sql.Rows) error {
		var (
			o        Offer
			position string
			hash     []byte
		)
		if err := rows.Scan(&position, &o.Revision, &hash, &o.Held, &o.Refused, &o.Marked, &o.Asked); err != nil {
			return err
		}
		copy(o.Hash[:], hash)
		offers[post.Position(position)] = o
		return nil
	})
	return offers, err
}

// Offer is what is known of one post; the zero Offer if nothing.
func (v *View) Offer(id post.ID) (Offer, error) {
	offers, err := v.Offers(id.Author, id.Position, id.Position+"~")
	return offers[id.Position], err
}

// Refused counts the posts of an author that are remembered as refused.
func (v *View) Refused(author pgp.Fingerprint) (count int, err error) {
	n, err := v.author(author)
	if err != nil {
		return 0, err
	}
	err = v.q.one(v.ctx, "SELECT count(*) FROM offer WHERE author = ? AND length(refused) > 0", []any{n}, &count)
	return count, damaged(err)
}

// A Peer is how pulls from a person went.
type Peer struct {
	Tried, Reached time.Time
	Message        string // of the last failure; empty: there was none
	Unequal        int    // pulls in a row that did not come to agree
	Count          int    // posts that he offers, when it was last asked
	Looked         string // the folder of the copies whose files were last looked at in turn
	Ahead          int    // how many more of them than it was their turn
	Backed         bool   // he has asked back
}

// Peer reads it; the zero Peer if nothing is known.
func (v *View) Peer(fpr pgp.Fingerprint) (Peer, error) {
	n, err := v.author(fpr)
	if err != nil {
		return Peer{}, err
	}
	var (
		p              Peer
		tried, reached int64
	)
	err = v.q.one(v.ctx, "SELECT tried, reached, message, unequal, count, looked, ahead, backed FROM peer WHERE author = ?", []any{n}, &tried, &reached, &p.Message, &p.Unequal, &p.Count, &p.Looked, &p.Ahead, &p.Backed)
	if errors.Is(err, sql.ErrNoRows) {
		return Peer{}, nil
	}
	p.Tried, p.Reached = moment(tried), moment(reached)
	return p, damaged(err)
}
