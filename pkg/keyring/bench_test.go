package keyring

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/post"
)

// BenchmarkGrants is what every request costs beside its cryptography: a friend
// who is in ten groups.
func BenchmarkGrants(b *testing.B) {
	root, err := disk.Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	later := func() time.Time { return time.Now().Add(time.Hour) } // nothing is racy
	k := New(root, later, func() (post.Position, error) { return "", nil }, nil)
	if _, _, err := k.AddFriend(cert("Alice"), AddOptions{}); err != nil {
		b.Fatal(err)
	}
	for i := range 10 {
		group := fmt.Sprintf("group-%d", i)
		if err := k.CreateGroup(group); err != nil {
			b.Fatal(err)
		}
		if _, err := k.AddMember(group, fpr("Alice"), "all"); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if g, err := k.Grants(fpr("Alice")); err != nil || len(g.Groups) != 10 {
			b.Fatal(g, err)
		}
	}
}
