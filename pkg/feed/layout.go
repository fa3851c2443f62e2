// Package feed knows where posts lie as files, and what their folders hold:
//
//	feed/2026/11/<position>.json                my posts
//	feeds/<FPR>/2026/11/<position>.json         copies of somebody else's
//	history/<FPR>/<position>.<revision>.json    signed texts that an edit replaced
//	trash/<FPR>/<position>.<revision>.json      withdrawn and deleted texts
//
// Every name here is made from a checked position or fingerprint, never from a
// stranger's text (spec F3).
package feed

import (
	"fmt"
	"path"
	"strings"

	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// A Tree is the folder of one author's posts.
type Tree string

// Mine is the tree of my own posts.
const Mine Tree = "feed"

// Copies is the folder of everybody else's trees.
const Copies = "feeds"

// Of is the tree of somebody else's posts.
func Of(author pgp.Fingerprint) Tree { return Tree(Copies + "/" + string(author)) }

// Dir is the folder of a month.
func (t Tree) Dir(p post.Position) string { return path.Join(string(t), string(p[:4]), string(p[4:6])) }

// Path is the file of a post.
func (t Tree) Path(p post.Position) string { return t.Dir(p) + "/" + string(p) + ".json" }

// History is where the text of a version is kept when another replaces it.
func History(v post.Version) string { return aside("history", v) }

// Trash is where the text of a version goes when it is taken back.
func Trash(v post.Version) string { return aside("trash", v) }

func aside(top string, v post.Version) string {
	return fmt.Sprintf("%s/%s/%s.%d.json", top, v.ID.Author, v.ID.Position, v.Revision)
}

// Aside is the folder of an author in history or trash.
func Aside(top string, author pgp.Fingerprint) string { return top + "/" + string(author) }

// ParseAside reads the name of a file in history or trash.
func ParseAside(name string) (p post.Position, revision string, ok bool) {
	stem, isJSON := strings.CutSuffix(name, ".json")
	position, revision, cut := strings.Cut(stem, ".")
	p, err := post.ParsePosition(position)
	return p, revision, isJSON && cut && err == nil
}

// A Kind is what the name of a file says it may be.
type Kind int

const (
	Other    Kind = iota // nothing of ours: a temporary file, another program's
	JSON                 // something.json: a draft, or a file at the wrong place
	Post                 // <position>.json in the folder of its month
	Conflict             // left by a folder sync because two machines changed a file
)

// Classify looks at a name in a folder of a tree.
func (t Tree) Classify(dir, name string) (Kind, post.Position) {
	stem := strings.TrimSuffix(name, ".json")
	switch {
	case !isOurs(name):
		return Other, ""
	case strings.Contains(name, ".sync-conflict-"), strings.Contains(name, "conflicted copy"):
		return Conflict, ""
	}
	p, err := post.ParsePosition(stem)
	if err != nil || t.Dir(p) != dir {
		return JSON, ""
	}
	return Post, p
}

// isOurs tells whether a file may be a post, or become one.
func isOurs(name string) bool { return strings.HasSuffix(name, ".json") && name[0] != '.' }
