//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkSync is how long whole commands take to follow the files of a feed of
// 100,000 posts over seven years: nothing changed, one file renamed in, one
// edited in place and found by a look at every file, the index made anew, and
// all of it checked. The targets stand in CONTRIBUTING.md. P2PS_BENCH_POSTS=1000000
// makes it a million.
//
//	go test -bench Sync -benchtime 5x -run '^$' -timeout 1h ./cmd/p2ps
func BenchmarkSync(b *testing.B) {
	n := benchPosts(b)
	dir := b.TempDir()
	alice := benchHome(b, dir, "alice")
	alice("keygen", "--name", "Alice", "--no-passphrase")
	names := spreadFeed(b, filepath.Join(dir, "alice"), n, 7*365*24*time.Hour)
	one := names[n/2]
	text, err := os.ReadFile(one)
	if err != nil {
		b.Fatal(err)
	}
	shown, err := post.Claim(text)
	if err != nil {
		b.Fatal(err)
	}
	show := []string{"show", shown.ID.String()}
	alice(show...)
	time.Sleep(2500 * time.Millisecond) // what was written within two seconds is looked at again
	alice("status")
	for _, c := range []struct {
		name    string
		prepare func() error
		args    []string
	}{
		{"unchanged", func() error { return nil }, show},
		{"renamed", func() error {
			if err := os.WriteFile(one+".tmp", text, 0o600); err != nil {
				return err
			}
			return os.Rename(one+".tmp", one)
		}, show},
		{"edited", func() error { return os.WriteFile(one, bytes.Replace(text, []byte("walk"), []byte("talk"), 1), 0o600) }, []string{"status"}},
		{"rebuilt", func() error { return os.RemoveAll(filepath.Join(dir, "alice", "cache")) }, show},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkCommand(b, dir, "alice", c.prepare, c.args...) })
		if err := os.WriteFile(one, text, 0o600); err != nil {
			b.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		alice("status")
	}
}

// benchPosts is how many posts the largest feed has.
func benchPosts(b *testing.B) int {
	s, set := os.LookupEnv("P2PS_BENCH_POSTS")
	if !set {
		return 100_000
	}
	n, err := strconv.Atoi(s)
	must(b, err)
	return n
}

// benchmarkCommand runs a command, each time after something was done.
func benchmarkCommand(b *testing.B, dir, who string, prepare func() error, args ...string) {
	var took cost
	for b.Loop() {
		b.StopTimer()
		if err := prepare(); err != nil {
			b.Fatal(err)
		}
		cmd := benchCommand(dir, who, append([]string{"-q"}, args...)...)
		b.StartTimer()
		took = took.add(start(b, cmd).wait(b))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms")
	b.ReportMetric(took.milliseconds(b.N), "cpu-ms")
	b.ReportMetric(took.mebibytes(), "MiB")
	b.ReportMetric(0, "ns/op")
}

// spreadFeed writes n signed posts for friends, evenly over a time up to now, as
// they lie after years: on the disk, and not one a second.
func spreadFeed(b *testing.B, home string, n int, over time.Duration, readers ...string) []string {
	b.Helper()
	raw, err := os.ReadFile(filepath.Join(home, "key", "daily.asc"))
	if err != nil {
		b.Fatal(err)
	}
	me, err := pgp.ParseSecret(raw, nil)
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now().Add(-over)
	names := make([]string, n)
	var failed sync.Map
	var all sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		all.Go(func() {
			for i := core; i < n; i += cores {
				name, err := spreadPost(home, me, begin.Add(time.Duration(i)*(over/time.Duration(n))), i, readers)
				if names[i] = name; err != nil {
					failed.Store(i, err)
					return
				}
			}
		})
	}
	all.Wait()
	failed.Range(func(_, err any) bool { b.Fatal(err); return false })
	syscall.Sync()
	return names
}

func spreadPost(home string, me *pgp.Secret, at time.Time, i int, readers []string) (string, error) {
	position, err := post.NewPosition(at, zero{byte(i), byte(i >> 8)})
	if err != nil {
		return "", err
	}
	d := post.NewDraft("Note")
	d.Set("content", fmt.Sprintf("Post %d. %s", i, strings.Repeat("All work and no play makes a long walk. ", 7)))
	p, err := post.Sign(d, post.Particulars{ID: post.ID{Author: me.Certificate().Fingerprint(), Position: position}, Published: at, Revision: 1,
		Audience: post.Audience{Friends: true}, At: time.Now()}, me)
	if err != nil {
		return "", err
	}
	name := filepath.Join(home, filepath.FromSlash(feed.Mine.Path(position)))
	if err := spreadFile(name, p); err != nil || len(readers) == 0 {
		return name, err
	}
	copied, err := post.Reopen(p.Wire(), p.Version())
	for _, reader := range readers {
		if err == nil {
			err = spreadFile(filepath.Join(reader, filepath.FromSlash(feed.Of(p.ID().Author).Path(position))), copied)
		}
	}
	return name, err
}

func spreadFile(name string, p *post.Post) error {
	data, err := p.File()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o700)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o600)
}
