package home_test

import (
	"os"
	"testing"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkFile is one file of 64 MiB from one home to another, both in this
// process.
func BenchmarkFile(b *testing.B) {
	alice, bob := newHome(b, "Alice"), newHome(b, "Bob")
	url := served(b, alice)
	befriend(b, alice, bob, "")
	befriend(b, bob, alice, url)
	data := noise(64<<20, 1)
	f := attach(b, alice, data)
	d := post.NewDraft("Note")
	naming(b, f)(d)
	if _, err := alice.Post(b.Context(), d, post.Audience{Friends: true}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		b.StopTimer()
		for _, dir := range []string{"attachments", "cache"} {
			if err := os.RemoveAll(bob.Path(dir)); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		err := bob.Pull(b.Context(), nil, home.PullOptions{}, func(e home.Event) {
			if p := e.Pulled; p != nil && (p.Err != nil || p.Files != 1) {
				b.Fatalf("the pull ended with %+v", *p)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
