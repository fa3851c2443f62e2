package home

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
	"github.com/p2ps/p2ps/testdata/vectors"
)

// The pages of a real feed.
func TestVectorsPage(t *testing.T) {
	secret, err := pgp.Generate("Owner", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	vectors.Run(t, "page", func(t *testing.T, c vectors.Case) string {
		var in struct {
			After    string          `json:"after"`
			Limit    int             `json:"limit"`
			Entitled []post.Position `json:"entitled"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		h, err := Create(t.TempDir(), Options{Items: in.Limit, Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		if err := h.people.SaveIdentity(secret, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, p := range in.Entitled {
			draft := post.NewDraft("Note")
			draft.Set("content", "x")
			by := post.Particulars{ID: post.ID{Author: secret.Certificate().Fingerprint(), Position: p}, Published: time.Now(), Revision: 1, Audience: post.Audience{Public: true}, At: time.Now()}
			signed, err := post.Sign(draft, by, secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.put(t.Context(), signed); err != nil {
				t.Fatal(err)
			}
		}
		if len(in.After) == len("20261101-000000000") { // what a time stands for
			in.After = post.FormatTime(post.Position(in.After).Time())
		}
		a, err := h.Public(t.Context(), wire.Question{Kind: wire.KindPosts, After: in.After})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, item := range a.Items {
			v, err := post.Claim(item)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(v.ID.Position))
		}
		if a.More {
			return strings.Join(append(out, "more true"), " ")
		}
		return strings.Join(append(out, "more false"), " ")
	})
}

// What the memory of a server decides of a request that is in order.
func TestVectorsReplay(t *testing.T) {
	for _, c := range vectors.Read(t, "request") {
		if c.Expect() != "accepted" && c.Expect() != "error replay" {
			continue
		}
		var in struct {
			From  pgp.Fingerprint `json:"from"`
			Time  string          `json:"time"`
			Nonce string          `json:"nonce"`
		}
		if err := ijson.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		now, err := post.ParseTime(c.Get("now"))
		if err != nil {
			t.Fatal(err)
		}
		started, err := post.ParseTime(c.Get("started"))
		if err != nil {
			t.Fatal(err)
		}
		at, err := post.ParseTime(in.Time)
		if err != nil {
			t.Fatal(err)
		}
		var s served
		s.start(started.Add(999*time.Millisecond), 50)
		if fresh := s.fresh(in.From, in.Nonce, at, now); fresh != (c.Expect() == "accepted") {
			t.Errorf("%s: fresh is %v", c.Name, fresh)
		}
	}
}

// A nonce is remembered for twenty minutes, of each key by itself.
//
// spec: M20, M22
func TestNonces(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var s served
	s.start(now, 50)
	for i, step := range []struct {
		from  pgp.Fingerprint
		nonce string
		after time.Duration
		want  bool
	}{
		{"A", "1", 0, true}, {"A", "1", 0, false}, {"A", "2", 0, true}, {"B", "1", 0, true}, {"A", "1", 20 * time.Minute, false}, {"A", "1", 22 * time.Minute, true},
	} {
		if got := s.fresh(step.from, step.nonce, now, now.Add(step.after)); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// A key has its rate and its burst, and no other shares them.
//
// spec: S8
func TestKeyRate(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var s served
	s.start(now, 50)
	count := func(from pgp.Fingerprint, at time.Time) (n int) {
		for s.allow(from, at) && n < 1000 {
			n++
		}
		return n
	}
	if a, again, b, later := count("A", now), count("A", now), count("B", now), count("A", now.Add(time.Second)); a != 200 || again != 0 || b != 200 || later != 50 {
		t.Errorf("%d, %d, %d, %d; want 200, 0, 200, 50", a, again, b, later)
	}
}

// A run ends after 256 MiB, and never takes more than is left.
//
// spec: W32
func TestRunEnds(t *testing.T) {
	for _, c := range []struct{ taken, want int64 }{{0, 2 << 20}, {256<<20 - 1, 1}, {256 << 20, 0}, {256<<20 + 5, 0}} {
		got, err := (&place{bytes: c.taken}).limit(wire.MaxAnswer)
		if got != c.want || (c.want == 0) != errors.Is(err, peer.ErrAnswer) {
			t.Errorf("after %d bytes: %d, %v", c.taken, got, err)
		}
	}
}
