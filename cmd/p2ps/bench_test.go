//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkFirstPull is a first pull of 1,000 and 10,000 posts of about 300
// bytes of text, whole processes on both sides, over loopback, into an empty
// home: verified, one durable file each, indexed. It tells posts a second,
// bytes on the wire a post, the processor time a post and the peak memory of both
// processes.
//
//	go test -bench FirstPull -benchtime 5x -run '^$' ./cmd/p2ps
func BenchmarkFirstPull(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkPull(b, n) })
	}
}

func benchmarkPull(b *testing.B, n int) {
	dir := b.TempDir()
	alice, bob := benchHome(b, dir, "alice"), benchHome(b, dir, "bob")
	alice("keygen", "--name", "Alice", "--no-passphrase")
	bob("keygen", "--name", "Bob", "--no-passphrase")
	alice("key", "export", "-o", filepath.Join(dir, "alice.asc"))
	bob("key", "export", "-o", filepath.Join(dir, "bob.asc"))
	alice("friend", "add", filepath.Join(dir, "bob.asc"))
	fillFeed(b, filepath.Join(dir, "alice"), n)
	alice("status")

	server := benchCommand(dir, "alice", "serve", "--listen", "127.0.0.1:0", "--ready-file", filepath.Join(dir, "url"))
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = server.Process.Kill() }()
	url := readyURL(b, filepath.Join(dir, "url"))

	var wire, peak int64
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		reader := fmt.Sprintf("reader%d", b.N)
		if err := os.RemoveAll(filepath.Join(dir, reader)); err != nil {
			b.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(dir, reader), os.DirFS(filepath.Join(dir, "bob"))); err != nil {
			b.Fatal(err)
		}
		private(b, filepath.Join(dir, reader))
		benchHome(b, dir, reader)("friend", "add", filepath.Join(dir, "alice.asc"), "--address", url)
		pull := benchCommand(dir, reader, "pull", "--json")
		var out bytes.Buffer
		pull.Stdout = &out
		b.StartTimer()
		if err := pull.Run(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		wire = checkPull(b, out.Bytes(), n)
		peak = max(peak, maxRSS(pull.ProcessState))
		cpu += pull.ProcessState.UserTime() + pull.ProcessState.SystemTime()
		b.StartTimer()
	}
	b.StopTimer()
	_ = server.Process.Signal(syscall.SIGTERM)
	_ = server.Wait()
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	b.ReportMetric(float64(wire)/float64(n), "wire-B/post")
	b.ReportMetric(float64(cpu.Microseconds())/float64(n*b.N), "pull-µs/post")
	b.ReportMetric(float64((server.ProcessState.UserTime()+server.ProcessState.SystemTime()).Microseconds())/float64(n*b.N), "serve-µs/post")
	b.ReportMetric(float64(peak)/(1<<20), "pull-MiB")
	b.ReportMetric(float64(maxRSS(server.ProcessState))/(1<<20), "serve-MiB")
}

func benchCommand(dir, who string, args ...string) *exec.Cmd {
	self, _ := os.Executable()
	c := exec.Command(self, args...)
	c.Args[0] = "p2ps"
	c.Env = append(os.Environ(), "P2PS_HOME="+filepath.Join(dir, who))
	c.Stderr = os.Stderr
	return c
}

func benchHome(b *testing.B, dir, who string) func(args ...string) {
	return func(args ...string) {
		b.Helper()
		if err := benchCommand(dir, who, append([]string{"-q"}, args...)...).Run(); err != nil {
			b.Fatalf("p2ps %s: %v", strings.Join(args, " "), err)
		}
	}
}

// private gives the copy of a home the modes that the original had.
func private(b *testing.B, dir string) {
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// fillFeed writes n signed posts for friends, a minute apart.
func fillFeed(b *testing.B, home string, n int) {
	raw, err := os.ReadFile(filepath.Join(home, "key", "daily.asc"))
	if err != nil {
		b.Fatal(err)
	}
	me, err := pgp.ParseSecret(raw, nil)
	if err != nil {
		b.Fatal(err)
	}
	root, err := disk.Open(home, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	now := time.Now().Add(-time.Duration(n) * time.Minute)
	for done := 0; done < n; {
		batch := root.NewBatch()
		for range min(1000, n-done) {
			now = now.Add(time.Minute)
			done++
			position, err := post.NewPosition(now, zero{byte(done), byte(done >> 8)})
			if err != nil {
				b.Fatal(err)
			}
			d := post.NewDraft("Note")
			d.Set("content", fmt.Sprintf("Post %d. %s", done, strings.Repeat("All work and no play makes a long walk. ", 7)))
			d.Set("mediaType", "text/plain")
			p, err := post.Sign(d, post.Particulars{ID: post.ID{Author: me.Certificate().Fingerprint(), Position: position},
				Published: now, Revision: 1, Audience: post.Audience{Friends: true}, At: time.Now()}, me)
			if err != nil {
				b.Fatal(err)
			}
			data, err := p.File()
			if err != nil {
				b.Fatal(err)
			}
			batch.Add(feed.Mine.Path(position), data, 0o600)
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// zero is a poor source of randomness, and the same at every run.
type zero [2]byte

func (z zero) Read(p []byte) (int, error) { return copy(p, append(z[:], make([]byte, len(p))...)), nil }

func readyURL(b *testing.B, name string) string {
	for range 500 {
		if url, err := os.ReadFile(name); err == nil {
			return strings.TrimSpace(string(url))
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("the server is not ready after 10 s")
	return ""
}

func checkPull(b *testing.B, out []byte, n int) int64 {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var last struct {
		New      int   `json:"new"`
		Complete bool  `json:"complete"`
		Bytes    int64 `json:"bytes"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil || last.New != n || !last.Complete {
		b.Fatalf("the pull ended with %s, %v", lines[len(lines)-1], err)
	}
	return last.Bytes
}

func maxRSS(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int64(u.Maxrss) << 10
	}
	return 0
}
