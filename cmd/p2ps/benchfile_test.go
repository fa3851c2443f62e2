//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkFile is one file of P2PS_BENCH_MIB MiB (64; 1024 is what the figures
// are told of) from one process to another over loopback: sealed, each part
// verified, hashed and durable in the end. It tells MB/s, the processor time of
// both, and the peak memory of both. Beside it stands what people would use
// instead: gpg that signs and encrypts, curl that fetches, gpg that decrypts.
//
//	P2PS_BENCH_MIB=1024 go test -bench File -benchtime 1x -run '^$' ./cmd/p2ps
func BenchmarkFile(b *testing.B) {
	size := 64 << 20
	if s := os.Getenv("P2PS_BENCH_MIB"); s != "" {
		if _, err := fmt.Sscan(s, &size); err != nil {
			b.Fatal(err)
		}
		size <<= 20
	}
	dir := b.TempDir()
	name := filepath.Join(dir, "film.bin")
	sum := noiseFile(b, name, size)
	b.Run("p2ps", func(b *testing.B) { benchmarkFile(b, dir, name, sum, size) })
	b.Run("gpg+curl", func(b *testing.B) { benchmarkGPG(b, dir, name, size) })
}

// noiseFile writes a file that cannot be made smaller.
func noiseFile(b *testing.B, name string, size int) string {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	h := sha256.New()
	block := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for left := size; left > 0; left -= len(block) {
		block[left%len(block)/2]++
		block = block[:min(len(block), left)]
		if _, err := io.MultiWriter(f, h).Write(block); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func benchmarkFile(b *testing.B, dir, name, sum string, size int) {
	alice, bob := benchHome(b, dir, "alice"), benchHome(b, dir, "bob")
	alice("keygen", "--name", "Alice", "--no-passphrase")
	bob("keygen", "--name", "Bob", "--no-passphrase")
	alice("key", "export", "-o", filepath.Join(dir, "alice.asc"))
	bob("key", "export", "-o", filepath.Join(dir, "bob.asc"))
	alice("friend", "add", filepath.Join(dir, "bob.asc"))
	alice("post", "--attach", name, "--to", "friends")
	server := start(b, benchCommand(dir, "alice", "serve", "--listen", "127.0.0.1:0", "--ready-file", filepath.Join(dir, "url")))
	defer func() { _ = server.Process.Kill() }()
	url := readyURL(b, filepath.Join(dir, "url"))
	bob("friend", "add", filepath.Join(dir, "alice.asc"), "--address", url)
	bob("pull", "--no-media")
	var took cost
	for b.Loop() {
		b.StopTimer()
		if err := os.RemoveAll(filepath.Join(dir, "bob", "attachments")); err != nil {
			b.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "bob", "cache")); err != nil {
			b.Fatal(err)
		}
		pull := benchCommand(dir, "bob", "pull", "--json")
		var out bytes.Buffer
		pull.Stdout = &out
		b.StartTimer()
		took = took.add(start(b, pull).wait(b))
		b.StopTimer()
		lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
		var last struct {
			Files int `json:"files"`
		}
		if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil || last.Files != 1 {
			b.Fatalf("the pull ended with %s, %v", lines[len(lines)-1], err)
		}
		if info, err := os.Stat(filepath.Join(dir, "bob", "attachments", sum[:2], sum)); err != nil || info.Size() != int64(size) {
			b.Fatalf("the file is not there: %v", err)
		}
		b.StartTimer()
	}
	b.StopTimer()
	must(b, server.Process.Signal(syscall.SIGTERM))
	served := server.wait(b)
	mb := float64(size) / 1e6 * float64(b.N)
	b.ReportMetric(mb/b.Elapsed().Seconds(), "MB/s")
	b.ReportMetric(took.cpu.Seconds()*1000/mb, "pull-ms/MB")
	b.ReportMetric(served.cpu.Seconds()*1000/mb, "serve-ms/MB")
	b.ReportMetric(took.mebibytes(), "pull-MiB")
	b.ReportMetric(served.mebibytes(), "serve-MiB")
}

// benchmarkGPG is the same with what everybody has: a file sealed by gpg, given by
// a web server, fetched by curl, opened and verified by gpg, synced.
func benchmarkGPG(b *testing.B, dir, name string, size int) {
	for _, tool := range []string{"gpg", "curl", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Skip(err)
		}
	}
	home := filepath.Join(dir, "gnupg")
	if err := os.Mkdir(home, 0o700); err != nil {
		b.Fatal(err)
	}
	sh := func(script string) {
		b.Helper()
		c := exec.Command("sh", "-ec", script)
		c.Dir, c.Env = dir, append(os.Environ(), "GNUPGHOME="+home)
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	sh("gpg -q --batch --passphrase '' --quick-generate-key bench@example.org future-default default never")
	server := exec.Command("python3", "-m", "http.server", "--bind", "127.0.0.1", "0")
	server.Dir = dir
	read, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	server.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		sh("gpgconf --kill gpg-agent")
	}()
	first := make([]byte, 200)
	n, _ := read.Read(first)
	port := strings.Fields(strings.SplitAfter(string(first[:n]), "port ")[1])[0]
	for b.Loop() {
		sh("rm -f film.gpg film.out; gpg -q --batch --trust-model always -z 0 -u bench@example.org -r bench@example.org -o film.gpg --sign --encrypt " + name +
			"; curl -fsS http://127.0.0.1:" + port + "/film.gpg | gpg -q --batch -o film.out --decrypt 2>/dev/null; sync film.out")
	}
	b.ReportMetric(float64(size)/1e6*float64(b.N)/b.Elapsed().Seconds(), "MB/s")
}
