package home_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/peer"
)

// A post may be lost on the way: by a proxy, a fault of the server, a page cut
// short. What both sides count tells, and mends it: at once if it is given when
// it is asked for by name, else with the next pull. Between the two the reader
// is told that he is not complete.
//
// spec: W26, W27, W30
func TestTheDigestHealsALostItem(t *testing.T) {
	for _, follow := range []bool{false, true} {
		for _, c := range []struct {
			name  string
			lost  int  // answers that lose it
			mends bool // in the same pull
		}{{"in one answer", 1, true}, {"in every answer of a pull", 1 << 20, false}} {
			name := "a friend, lost " + c.name
			if follow {
				name = "a follower, lost " + c.name
			}
			t.Run(name, func(t *testing.T) {
				alice, bob := newHome(t, "Alice"), newHome(t, "Bob")
				x := tapped(t, alice, peer.Limits{}, secretOf(t, bob))
				befriend(t, alice, bob, "")
				if follow {
					followed(t, bob, alice, x.url)
				} else {
					befriend(t, bob, alice, x.url)
				}
				for _, words := range []string{"one", "two", "three"} {
					note(t, alice, words, "public")
				}
				lose := c.lost
				x.change = func(m map[string]json.RawMessage) {
					if lose > 0 && drop(t, m, "two") {
						lose--
					}
				}
				x.hides = func(body []byte) bool { return lose > 0 && bytes.Contains(body, []byte(`"two"`)) }
				first := pullAll(t, bob)
				if lose == c.lost {
					t.Fatal("nothing was lost")
				}
				if first.Complete != c.mends || first.Count != 3 || c.mends != shows(t, bob, "two") || !shows(t, bob, "one") || !shows(t, bob, "three") {
					t.Fatalf("the pull in which it is lost: %+v", first)
				}
				lose = 0
				second := pullAll(t, bob)
				if !second.Complete || second.Count != 3 || !shows(t, bob, "two") || (second.New == 1) == c.mends {
					t.Fatalf("the pull after it: %+v", second)
				}
				if third := pullAll(t, bob); !third.Complete || third.Requests != 1 || third.New != 0 {
					t.Fatalf("and then all is well: %+v", third)
				}
			})
		}
	}
}

// drop takes an item out of an answer; all else, what is counted too, stays.
func drop(t *testing.T, m map[string]json.RawMessage, content string) (was bool) {
	t.Helper()
	var items []json.RawMessage
	if m["items"] == nil {
		return false
	}
	if err := json.Unmarshal(m["items"], &items); err != nil {
		t.Error(err)
	}
	n := len(items)
	items = slices.DeleteFunc(items, func(item json.RawMessage) bool { return bytes.Contains(item, []byte(`"`+content+`"`)) })
	m["items"], _ = json.Marshal(items)
	return len(items) < n
}

func shows(t *testing.T, h *home.Home, content string) bool {
	t.Helper()
	entries, err := h.Timeline(context.Background(), home.View{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(entries, func(e home.Entry) bool { return e.Post.Content() == content })
}

// followed makes h a reader of other's public pages.
func followed(t *testing.T, h, other *home.Home, address string) {
	t.Helper()
	cert, err := other.Me()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.People().AddFollow(cert, keyring.AddOptions{Addresses: []string{address}}); err != nil {
		t.Fatal(err)
	}
}
