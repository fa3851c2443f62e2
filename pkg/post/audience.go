package post

import (
	"fmt"
	"slices"
	"strings"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/text"
)

// An Audience says who may see a post. The zero Audience is nobody but me.
type Audience struct {
	Public  bool              // everybody: the only audience that travels
	Friends bool              // everyone in friends/, when a request is answered
	Groups  []string          // members of these groups, when a request is answered
	Readers []pgp.Fingerprint // these people, while they are friends
}

// The words with which an audience stands in a file.
const (
	public  = "as:Public"
	friends = "friends"
)

var groupPattern = text.NewPattern(`^[a-z0-9][a-z0-9-]{0,31}$`)

// IsGroupName tells whether s may name a group: its form, and that it is none
// of the reserved words me, friends and public.
func IsGroupName(s string) bool {
	return groupPattern.MatchString(s) && s != "me" && s != friends && s != "public"
}

// Members lists an audience as it stands in to and bto, in one order: equal
// audiences have equal lists.
func (a Audience) Members() []string {
	var m []string
	if a.Public {
		m = append(m, public)
	}
	return append(m, a.private()...)
}

// private lists the members of bto.
func (a Audience) private() []string {
	var m []string
	if a.Friends {
		m = append(m, friends)
	}
	groups := slices.Clone(a.Groups)
	slices.Sort(groups)
	m = append(m, slices.Compact(groups)...)
	readers := slices.Clone(a.Readers)
	slices.Sort(readers)
	for _, r := range slices.Compact(readers) {
		m = append(m, r.URI())
	}
	return m
}

// AudienceOf reads the list that Members makes.
func AudienceOf(members []string) (Audience, error) {
	var a Audience
	for i, m := range members {
		switch {
		case slices.Contains(members[:i], m):
			return Audience{}, fmt.Errorf("%w: %.60q stands in it twice", ErrAudience, m)
		case m == public:
			a.Public = true
		case m == friends:
			a.Friends = true
		case strings.Contains(m, ":"):
			fpr, err := pgp.ParseURI(m)
			if err != nil {
				return Audience{}, fmt.Errorf("%w: %.80q is no fingerprint: %w", ErrAudience, m, err)
			}
			a.Readers = append(a.Readers, fpr)
		case IsGroupName(m):
			a.Groups = append(a.Groups, m)
		default:
			return Audience{}, fmt.Errorf("%w: %.60q is neither friends, nor a group's name, nor a fingerprint", ErrAudience, m)
		}
	}
	return a, nil
}

// parseAudience reads the two members of a file that may hold an audience. to
// is absent or exactly ["as:Public"]; bto is absent or a list of one or more.
func parseAudience(to, bto ijson.Value) (Audience, error) {
	var members []string
	if to != nil {
		if err := ijson.UnmarshalTrusted(to, &members); err != nil || len(members) != 1 || members[0] != public {
			return Audience{}, fmt.Errorf(`%w: to is not exactly ["as:Public"]`, ErrAudience)
		}
	}
	if bto != nil {
		var private []string
		if err := ijson.UnmarshalTrusted(bto, &private); err != nil || len(private) == 0 {
			return Audience{}, fmt.Errorf("%w: bto is not a list of names", ErrAudience)
		}
		if slices.Contains(private, public) {
			return Audience{}, fmt.Errorf("%w: bto names as:Public, which belongs into to", ErrAudience)
		}
		members = append(members, private...)
	}
	return AudienceOf(members)
}

// Grants are one reader's rights with one owner at one moment. The zero Grants
// are a stranger's.
type Grants struct {
	Reader pgp.Fingerprint
	Friend bool                // in friends/ and not blocked; without it only what is public
	Since  Position            // posts for friends from here on; "" is all
	Groups map[string]Position // the groups he is in: their posts from here on; "" is all
}

// Visible is the one rule of who may see what (spec P34 to P36).
func Visible(a Audience, g Grants, p Position) bool {
	from, ok := g.From(a)
	return ok && p >= from
}

// From is Visible for all positions at once: the first position from which a
// post of this audience may be seen, and whether there is one. What an index
// selects is made of it.
func (g Grants) From(a Audience) (Position, bool) {
	if a.Public {
		return "", true
	}
	if !g.Friend {
		return "", false
	}
	if slices.Contains(a.Readers, g.Reader) {
		return "", true
	}
	first, ok := Position(""), false
	widen := func(from Position) {
		if !ok || from < first {
			first, ok = from, true
		}
	}
	if a.Friends {
		widen(g.Since)
	}
	for _, group := range a.Groups {
		if from, member := g.Groups[group]; member {
			widen(from)
		}
	}
	return first, ok
}

// Readdress is a post of mine for another private audience, which is not signed:
// the same text, revision and signature. Whether it is public is signed, and
// cannot be changed so.
func (p *Post) Readdress(a Audience) (*Post, error) {
	if a.Public != p.Public() {
		return nil, fmt.Errorf("%w: whether a post is public is signed", ErrAudience)
	}
	if _, err := AudienceOf(a.Members()); err != nil {
		return nil, err
	}
	q := *p
	q.audience, q.audienceErr = a, nil
	return &q, nil
}
