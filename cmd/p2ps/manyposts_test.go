//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkReading is what reading costs, whole processes, in a home of 100,000
// posts by 100 people, of which a fifth are my own, over three years. With
// P2PS_BENCH_HOME it is kept there, to be looked at with other tools; it is made
// if there is none.
//
//	go test -bench Reading -benchtime 20x -run '^$' ./cmd/p2ps
func BenchmarkReading(b *testing.B) {
	dir := os.Getenv("P2PS_BENCH_HOME")
	if dir == "" {
		dir = filepath.Join(b.TempDir(), "me")
	}
	if _, err := os.Stat(dir); err != nil {
		manyPosts(b, dir, 100_000, 100)
	}
	at, who := filepath.Dir(dir), filepath.Base(dir)
	benchHome(b, at, who)("status") // makes the index
	for _, line := range []string{
		"version",
		"timeline -n 50",
		"timeline -n 50 --json",
		"timeline --unread -n 50",
		"timeline --threads -n 50",
		"search -n 50 " + word(1),
		"search -n 50 " + word(20) + " " + word(30),
		"search 山水",
		"search nothing-of-the-kind",
		"timeline",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			var took cost
			for b.Loop() {
				took = took.add(start(b, benchCommand(at, who, strings.Fields(line)...)).wait(b))
			}
			b.ReportMetric(took.mebibytes(), "MiB")
		})
	}
}

// manyPosts makes a home of n posts, one in five of them mine, the others by so
// many friends, of whom some write much more than others.
func manyPosts(b *testing.B, dir string, n, friends int) {
	at, who := filepath.Dir(dir), filepath.Base(dir)
	benchHome(b, at, who)("keygen", "--name", "Walker", "--no-passphrase")
	raw, err := os.ReadFile(filepath.Join(dir, "key", "daily.asc"))
	must(b, err)
	me, err := pgp.ParseSecret(raw, nil)
	must(b, err)
	root, err := disk.Open(dir, nil)
	must(b, err)
	defer func() { _ = root.Close() }()
	people := keyring.New(root, time.Now, nil, nil)
	keys := []*pgp.Secret{me}
	for i := range friends {
		key, err := pgp.Generate(fmt.Sprintf("Friend %d", i), "", time.Now())
		must(b, err)
		_, _, err = people.AddFriend(key.Certificate(), keyring.AddOptions{Name: fmt.Sprintf("friend%d", i), History: "all"})
		must(b, err)
		keys = append(keys, key)
	}
	r := rand.New(rand.NewPCG(1, 2))
	whose := rand.NewZipf(r, 1.2, 4, uint64(friends-1))
	now := time.Now()
	var earlier []post.ID
	for i := range n {
		key := me
		if r.IntN(5) > 0 {
			key = keys[1+whose.Uint64()]
		}
		id := writeOne(b, dir, key, key == me, now.Add(-time.Duration(n-i)*3*365*24*time.Hour/time.Duration(n)), earlier, r)
		earlier = append(earlier, id)
	}
}

// writeOne writes one post of one person: a text, an answer or a like.
func writeOne(b *testing.B, dir string, key *pgp.Secret, mine bool, at time.Time, earlier []post.ID, r *rand.Rand) post.ID {
	position, err := post.NewPosition(at, zero{byte(r.Uint32()), byte(r.Uint32())})
	must(b, err)
	id := post.ID{Author: key.Certificate().Fingerprint(), Position: position}
	d := post.NewDraft("Note")
	about := ""
	if len(earlier) > 0 {
		about = earlier[max(0, len(earlier)-1-r.IntN(500))].String()
	}
	switch kind := r.IntN(10); {
	case kind < 2 && about != "":
		d = post.NewDraft("Like")
		d.Set("object", about)
		d.Set("content", "👍")
	case kind < 4 && about != "":
		d.Set("inReplyTo", about)
		fallthrough
	default:
		d.Set("content", sentence(r))
		d.Set("mediaType", "text/plain")
	}
	tree, audience := feed.Of(id.Author), post.Audience{}
	if mine {
		tree, audience = feed.Mine, post.Audience{Friends: true}
	}
	p, err := post.Sign(d, post.Particulars{ID: id, Published: at, Revision: 1, Audience: audience, At: time.Now()}, key)
	must(b, err)
	data, err := p.File()
	must(b, err)
	name := filepath.Join(dir, tree.Path(position))
	must(b, os.MkdirAll(filepath.Dir(name), 0o700))
	must(b, os.WriteFile(name, data, 0o600))
	return id
}

// word is the nth commonest of a language that nobody speaks.
func word(n int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var s []byte
	for i := n + 70; i > 0; i /= len(consonants) * len(vowels) {
		s = append(s, consonants[i%len(consonants)], vowels[i/len(consonants)%len(vowels)])
	}
	return string(s)
}

// sentence is about 300 bytes of text: one in twenty Chinese, one in twenty
// Arabic.
func sentence(r *rand.Rand) string {
	zipf := rand.NewZipf(r, 1.1, 8, 20_000)
	var s strings.Builder
	switch r.IntN(20) {
	case 0:
		for s.Len() < 300 {
			if r.IntN(20) == 0 {
				s.WriteString("山水，")
			}
			s.WriteRune(rune('一' + zipf.Uint64()))
		}
	case 1:
		for s.Len() < 300 {
			for range 2 + r.IntN(6) {
				s.WriteRune(rune('ا' + r.IntN(36)))
			}
			s.WriteString(" ")
		}
	default:
		for s.Len() < 300 {
			s.WriteString(word(int(zipf.Uint64())) + " ")
		}
		if r.IntN(5) == 0 {
			s.WriteString("🎉")
		}
	}
	return s.String()
}
