//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// The workloads of whole processes, over loopback, on both sides; one line each:
//
//	go test -bench . -benchtime 5x -run '^$' ./cmd/p2ps

// BenchmarkFirstPull is a first pull of posts of about 300 bytes of text into an
// empty home: verified, one durable file each, indexed. It tells posts a second,
// bytes on the wire a post, the processor time a post and the peak memory of both
// processes.
func BenchmarkFirstPull(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { firstPull(b, n) })
	}
}

func firstPull(b *testing.B, n int) {
	f := newBenchFeed(b, b.TempDir(), n)
	var wire int64
	var took cost
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		// Each reader is another: ext4 is slow to make files where some were just removed.
		f.befriendedBy(b, fmt.Sprintf("reader%d", i))
		b.StartTimer()
		got := f.pull(b, fmt.Sprintf("reader%d", i), n)
		wire, took = got.bytes, took.add(got.took)
	}
	server := f.stop(b)
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	b.ReportMetric(float64(wire)/float64(n), "wire-B/post")
	b.ReportMetric(took.microseconds(n*b.N), "pull-µs/post")
	b.ReportMetric(server.microseconds(n*b.N), "serve-µs/post")
	b.ReportMetric(took.mebibytes(), "pull-MiB")
	b.ReportMetric(server.mebibytes(), "serve-MiB")
}

// BenchmarkTenNew is a pull of ten new posts on top of many.
func BenchmarkTenNew(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { tenNew(b, n) })
	}
}

func tenNew(b *testing.B, n int) {
	f := newBenchFeed(b, b.TempDir(), n)
	f.befriendedBy(b, "reader")
	f.pull(b, "reader", n)
	time.Sleep(2500 * time.Millisecond) // what was written within two seconds is looked at again
	f.pull(b, "reader", 0)
	var wire int64
	var took cost
	for b.Loop() {
		b.StopTimer()
		f.write(b, 10, f.newest.Time())
		b.StartTimer()
		got := f.pull(b, "reader", 10)
		wire, took = got.bytes, took.add(got.took)
	}
	b.ReportMetric(took.milliseconds(b.N), "cpu-ms")
	b.ReportMetric(float64(wire)/1024, "wire-KiB")
}

// BenchmarkIdlePoll is one pull from 100 friends on 100 servers, none of whom
// has anything new.
func BenchmarkIdlePoll(b *testing.B) {
	const friends = 100
	dir := b.TempDir()
	reader := newBenchHome(b, dir, "reader")
	for i := range friends {
		f := newBenchFeed(b, filepath.Join(dir, fmt.Sprint(i)), 20)
		f.run("friend", "add", reader.key)
		reader.run("friend", "add", f.key, "--name", fmt.Sprint("friend", i), "--address", f.url)
	}
	reader.run("pull")
	var wire int64
	var took cost
	for b.Loop() {
		lines, used := reader.output(b, "pull", "--json")
		wire, took = 0, took.add(used)
		for _, l := range lines {
			if l.Kind != "pull" || !l.OK || l.Requests != 1 || !l.Complete {
				b.Fatalf("%+v", l)
			}
			wire += l.Bytes
		}
	}
	b.ReportMetric(took.milliseconds(b.N), "cpu-ms")
	b.ReportMetric(float64(wire)/1024/friends, "wire-KiB/friend")
}

// BenchmarkPost is one post from the shell.
func BenchmarkPost(b *testing.B) {
	f := newBenchFeed(b, b.TempDir(), 10_000)
	for b.Loop() {
		f.run("post", "-m", "All work and no play", "--to", "friends")
	}
}

// BenchmarkSealedRequests are clients who ask one server what is new since the
// beginning of all but the newest posts, each as fast as it can. They share the
// processors with it.
func BenchmarkSealedRequests(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		f := newBenchFeed(b, b.TempDir(), n)
		for _, clients := range []int{1, 4, 16, 64} {
			b.Run(fmt.Sprint(n, "/", clients), func(b *testing.B) { sealedRequests(b, f, clients) })
		}
		f.stop(b)
	}
}

func sealedRequests(b *testing.B, f *benchFeed, clients int) {
	reader, _, err := keyOf(f.dir, "bob")
	must(b, err)
	_, owner, err := keyOf(f.dir, "alice")
	must(b, err)
	var sealer wire.Sealer
	party := wire.Party{Me: reader, Other: owner}
	question := wire.Question{Kind: wire.KindPosts, After: string(f.newest)}
	b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
	took := &timings{}
	var host atomic.Uint32
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		// Each is a machine of its own: of one the server takes eight at a time.
		client := from(netip.AddrFrom4([4]byte{127, 0, 1, byte(host.Add(1))}))
		defer client.CloseIdleConnections()
		for pb.Next() {
			var nonce [16]byte
			_, _ = rand.Read(nonce[:])
			began := time.Now()
			sent, err := sealer.SealRequest(party, question, began, nonce)
			if err == nil {
				err = answered(client, f.url, sent, party)
			}
			if err != nil {
				b.Error(err)
				return
			}
			took.add(time.Since(began))
		}
	})
	took.report(b)
}

// from is an HTTP client with an address of the loopback network.
func from(ip netip.Addr) *http.Client {
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}}
}

// answered posts a sealed request, and demands an answer that is no error.
func answered(client *http.Client, url string, sent *wire.Sent, party wire.Party) error {
	r, err := client.Post(url+"/p2ps/v1/sealed", "application/pgp-encrypted", bytes.NewReader(sent.Body))
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return errors.New(r.Status)
	}
	a, err := sent.OpenAnswer(body, party, time.Now())
	if err == nil && a.Kind == wire.KindError {
		err = errors.New(a.Code)
	}
	return err
}

// BenchmarkPublicPage are 16 clients who read the newest public posts.
func BenchmarkPublicPage(b *testing.B) {
	f := newBenchFeed(b, b.TempDir(), 1_000)
	f.run("post", "-m", "for all", "--to", "public")
	b.SetParallelism(8)
	took := &timings{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			began := time.Now()
			answer, err := client.Get(f.url + "/p2ps/v1/posts")
			if err == nil {
				_, err = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
			if err != nil || answer.StatusCode != http.StatusOK {
				b.Error(err, answer)
				return
			}
			took.add(time.Since(began))
		}
	})
	took.report(b)
}

// timings are how long requests took.
type timings struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *timings) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

func (t *timings) report(b *testing.B) {
	slices.Sort(t.all)
	if len(t.all) == 0 {
		return
	}
	b.ReportMetric(float64(len(t.all))/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(t.all[len(t.all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(t.all[len(t.all)*99/100].Microseconds())/1000, "p99-ms")
}

// A benchPerson has a home, and a file with his key.
type benchPerson struct {
	dir, who, key string
	run           func(args ...string)
}

func newBenchHome(b *testing.B, dir, who string) benchPerson {
	must(b, os.MkdirAll(dir, 0o700))
	p := benchPerson{dir, who, filepath.Join(dir, who+".asc"), benchHome(b, dir, who)}
	p.run("keygen", "--name", who, "--no-passphrase")
	p.run("key", "export", "-o", p.key)
	return p
}

// A pulledLine is what a pull says of one friend in the end.
type pulledLine struct {
	Kind         string
	New          int
	OK, Complete bool
	Requests     int
	Bytes        int64
}

// output runs a command and reads what its lines of JSON say of friends; those of
// posts go by.
func (p benchPerson) output(b *testing.B, args ...string) (lines []pulledLine, took cost) {
	c := benchCommand(p.dir, p.who, args...)
	out, err := c.StdoutPipe()
	must(b, err)
	running := start(b, c)
	for in := bufio.NewReaderSize(out, 1<<20); ; {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return lines, running.wait(b)
		}
		must(b, err)
		if bytes.HasPrefix(line, []byte(`{"kind":"post"`)) {
			continue
		}
		var l pulledLine
		must(b, json.Unmarshal(line, &l))
		lines = append(lines, l)
	}
}

// A benchFeed is Alice with posts for her friends, of whom Bob is one, and her
// server.
type benchFeed struct {
	benchPerson
	bob    benchPerson
	server process
	url    string
	newest post.Position
	apart  time.Duration // of two posts that are written
}

func newBenchFeed(b *testing.B, dir string, n int) *benchFeed {
	const apart = 30 * time.Minute // of a busy feed, since a month is a folder
	f := &benchFeed{benchPerson: newBenchHome(b, dir, "alice"), bob: newBenchHome(b, dir, "bob"), apart: apart}
	f.run("friend", "add", f.bob.key)
	f.write(b, n, time.Now().Add(-time.Duration(n+1000)*apart)) // there is room for more
	f.run("status")                                             // makes the index
	f.serve(b)
	return f
}

func (f *benchFeed) serve(b *testing.B) {
	ready := filepath.Join(f.dir, "url")
	_ = os.Remove(ready)
	c := benchCommand(f.dir, "alice", "serve", "--listen", "127.0.0.1:0", "--ready-file", ready)
	c.Env = append(c.Env, "P2PS_RATE_PER_KEY=1000000", "P2PS_RATE_PER_ADDRESS=1000000")
	c.Stderr = nil
	f.server = start(b, c)
	b.Cleanup(func() { f.stop(b) })
	f.url = readyURL(b, ready)
}

// stop ends the server, once.
func (f *benchFeed) stop(b *testing.B) (took cost) {
	if f.server.ProcessState == nil {
		b.StopTimer()
		defer b.StartTimer()
		must(b, f.server.Process.Signal(syscall.SIGTERM))
		took = f.server.wait(b)
	}
	return took
}

// befriendedBy makes a reader: a copy of Bob, who has not pulled.
func (f *benchFeed) befriendedBy(b *testing.B, who string) {
	home := filepath.Join(f.dir, who)
	must(b, os.CopyFS(home, os.DirFS(filepath.Join(f.dir, "bob"))))
	private(b, home)
	benchHome(b, f.dir, who)("friend", "add", f.key, "--address", f.url)
}

// pulled is how a pull went.
type pulled struct {
	bytes int64
	took  cost
}

// pull demands that so many posts come, and that the reader has all.
func (f *benchFeed) pull(b *testing.B, who string, fresh int) pulled {
	lines, took := benchPerson{dir: f.dir, who: who}.output(b, "pull", "--json")
	last := lines[len(lines)-1]
	if last.New != fresh || !last.Complete {
		b.Fatalf("the pull ended with %+v", last)
	}
	return pulled{last.Bytes, took}
}

func keyOf(dir, who string) (*pgp.Secret, *pgp.Certificate, error) {
	raw, err := os.ReadFile(filepath.Join(dir, who, "key", "daily.asc"))
	if err != nil {
		return nil, nil, err
	}
	s, err := pgp.ParseSecret(raw, nil)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Certificate(), nil
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// built is p2ps as people have it: the program with the tests in it takes twice as
// long to start.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "p2ps-bench-")
	if err != nil {
		return "", err
	}
	madeOnce = append(madeOnce, dir)
	program := filepath.Join(dir, "p2ps")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w: %s", err, out)
	}
	return program, err
})

func benchCommand(dir, who string, args ...string) *exec.Cmd {
	program, err := built()
	if err != nil {
		panic(err)
	}
	c := exec.Command(program, args...)
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

// write writes n signed posts for friends from a moment on.
func (f *benchFeed) write(b *testing.B, n int, from time.Time) {
	me, cert, err := keyOf(f.dir, f.who)
	must(b, err)
	root, err := disk.Open(filepath.Join(f.dir, f.who), nil)
	must(b, err)
	defer func() { _ = root.Close() }()
	for done := 0; done < n; {
		batch := root.NewBatch()
		for range min(1000, n-done) {
			done++
			f.newest, err = post.NewPosition(from.Add(time.Duration(done)*f.apart), zero{byte(done), byte(done >> 8)})
			must(b, err)
			d := post.NewDraft("Note")
			d.Set("content", fmt.Sprintf("Post %d. %s", done, strings.Repeat("All work and no play makes a long walk. ", 7)))
			d.Set("mediaType", "text/plain")
			p, err := post.Sign(d, post.Particulars{ID: post.ID{Author: cert.Fingerprint(), Position: f.newest},
				Published: from, Revision: 1, Audience: post.Audience{Friends: true}, At: time.Now()}, me)
			must(b, err)
			data, err := p.File()
			must(b, err)
			batch.Add(feed.Mine.Path(f.newest), data, 0o600)
		}
		must(b, batch.Commit())
	}
}

// zero is a poor source of randomness, and the same at every run.
type zero [2]byte

func (z zero) Read(p []byte) (int, error) { return copy(p, append(z[:], make([]byte, len(p))...)), nil }

func readyURL(b *testing.B, name string) string {
	for range 3000 { // all of a million files are looked at first
		if url, err := os.ReadFile(name); err == nil {
			return strings.TrimSpace(string(url))
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("the server is not ready after a minute")
	return ""
}
