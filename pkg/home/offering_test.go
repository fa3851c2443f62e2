package home_test

import (
	"os"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/index"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// A friend who was asked back before says what he offers, and is asked again only
// if the owner has something else.
//
// spec: A13, M44
func TestOfferSparesAsking(t *testing.T) {
	d := newDuo(t)
	visits := d.asksBack()
	asked := func(what string, want bool) {
		t.Helper()
		*visits = nil
		d.pulls(1)
		if got := (*visits)[0].Asking; got != want || got != (len(*visits) > 1) {
			t.Errorf("%s: %+v", what, *visits)
		}
	}
	asked("with nothing", true) // nobody was asked before
	asked("with nothing, again", false)
	first := d.readerWrites("first", forFriends)
	asked("with a post", true)
	d.wants("the owner has", d.ownerHas(), "first")
	asked("with nothing new", false)
	d.readerWrites("for nobody", post.Audience{})
	d.readerWrites("for another", post.Audience{Readers: []pgp.Fingerprint{d.readerKey.Certificate().Fingerprint()}})
	asked("with nothing new for him", false)
	position := string(first.ID().Position)
	d.check(os.Remove(d.owner.Path("feeds/" + string(first.ID().Author) + "/" + position[:4] + "/" + position[4:6] + "/" + position + ".json")))
	asked("after the copy was lost", true)
	d.wants("the owner has again", d.ownerHas(), "first")
	d.tick(time.Second)
	_, err := d.reader.Edit(t.Context(), first.ID(), func(p *post.Draft) error { p.Set("content", "edited"); return nil })
	d.check(err)
	asked("after an edit", true)
	_, err = d.reader.People().RemoveFriend(d.key.Certificate().Fingerprint())
	d.check(err)
	_, _, err = d.reader.People().AddFollow(d.key.Certificate(), keyring.AddOptions{Name: "owner", Addresses: []string{d.url}})
	d.check(err)
	*visits = nil
	if got := d.pull(); got.Err != nil || len(*visits) != 0 {
		t.Errorf("who only follows: %+v, %+v", got, *visits)
	}
}

// What was worked out for one reader is told to another only if he may see the
// same, in this program and in the next.
func TestOfferedMonthsAreOfWhatOneMaySee(t *testing.T) {
	d := newDuo(t)
	people := d.owner.People()
	late, _ := d.home(t.TempDir(), &d.ownerClock, "Late")
	other, _ := d.home(t.TempDir(), &d.ownerClock, "Other")
	for _, h := range []*home.Home{late, other} {
		_, _, err := people.AddFriend(d.cert(h), keyring.AddOptions{History: "all"})
		d.check(err)
	}
	d.check(people.CreateGroup("club"))
	club := post.Audience{Groups: []string{"club"}}
	_, err := people.AddMember("club", d.cert(d.reader).Fingerprint(), "all")
	d.check(err)
	d.note("before", club)
	d.note("for friends", forFriends)
	d.tick(time.Second)
	_, err = people.AddMember("club", d.cert(late).Fingerprint(), "none")
	d.check(err)
	d.tick(time.Second)
	d.note("after", club)
	look := func() {
		t.Helper()
		for h, want := range map[*home.Home]string{d.reader: "before, for friends, after", late: "for friends, after", other: "for friends"} {
			d.wants("sees", d.sees(d.cert(h)), want)
			a := d.ask(d.cert(h), wire.Question{Kind: wire.KindPosts})
			months := wire.SumMonths(func(yield func(post.Version) bool) {
				for _, item := range a.Items {
					p, err := post.Open(item, d.key.Certificate())
					d.check(err)
					if !yield(p.Version()) {
						return
					}
				}
			})
			if _, digest := months.Digest(); digest != a.Digest {
				t.Errorf("the digest is not that of what %q sees", want)
			}
		}
	}
	look()
	d.check(d.owner.Pull(t.Context(), nil, home.PullOptions{}, func(home.Event) {})) // keeps them
	g, err := people.Grants(d.cert(late).Fingerprint())
	d.check(err)
	d.check(d.owner.Close())
	d.owner, _ = d.home(d.ownerDir, &d.ownerClock, "")
	x, err := d.owner.Index(t.Context())
	d.check(err)
	d.check(x.View(t.Context(), func(v *index.View) error {
		keys, _, err := v.MonthChanges(d.key.Certificate().Fingerprint(), g)
		for month, key := range keys {
			if l, ok, err := v.OfferedMonth(month, key); err != nil || !ok || l.Count != 2 {
				t.Errorf("of %s is kept %+v, %v, %v", month, l, ok, err)
			}
		}
		return err
	}))
	look()
	d.note("newest", club)
	d.wants("after another", d.sees(d.cert(late)), "for friends, after, newest")
}
