package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Another key at the address of a friend is a hard stop, before anything is
// said; and what can be seen to be wrong in a link is refused as well.
//
// spec: I7
func TestInvitesThatAreRefused(t *testing.T) {
	s := newScene(t)
	for _, who := range []string{"alice", "mallory", "bob"} {
		s.play(who, 0, "keygen", "--name", who, "--no-passphrase")
	}
	s.play("alice", 0, "key", "export", "-o", filepath.Join(s.dir, "alice.asc"))
	s.play("bob", 0, "friend", "add", filepath.Join(s.dir, "alice.asc"), "--address", "http://127.0.0.1:1")
	s.play("mallory", 0, "invite", "--no-serve", "--address", "http://127.0.0.1:1")
	link := s.one("invite", "link")
	s.play("bob", 7, "friend", "add", link)
	if !strings.Contains(s.said, "is the address of alice") {
		t.Errorf("it says %s", s.said)
	}
	s.play("mallory", 2, "friend", "add", link)
	s.play("bob", 5, "friend", "add", strings.Replace(link, "127.0.0.1:1", "127.0.0.1:2", 1))
	mallory := strings.Split(link, "/")[1]
	s.play("bob", 0, "block", "add", mallory)
	s.play("bob", 1, "friend", "add", link)
	s.play("bob", 0, "block", "remove", mallory)
	s.play("bob", 2, "friend", "add", "P2PS:1/"+mallory+"//")
	s.play("bob", 9, "friend", "add", strings.Replace(link, "127.0.0.1:1", "127.0.0.1:2", 1), "--name", "alice")
	if _, err := os.Stat(filepath.Join(s.dir, "bob", "friends", mallory+".asc")); err == nil {
		t.Error("mallory is a friend")
	}
}
