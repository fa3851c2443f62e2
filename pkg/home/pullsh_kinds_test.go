package home_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
)

// kindsOf drafts a post of every kind that is text, about an earlier one.
func kindsOf(about post.ID, original *post.Post) map[string]*post.Draft {
	drafts := map[string]*post.Draft{}
	begin := func(kind string, members ...string) *post.Draft {
		d := post.NewDraft(kind)
		for i := 0; i < len(members); i += 2 {
			d.Set(members[i], members[i+1])
		}
		name := kind
		for drafts[name] != nil {
			name += ", again"
		}
		drafts[name] = d
		return d
	}
	garden := post.Place{Name: "Our garden", Located: true, Latitude: 52.52, Longitude: -0.0004}.Value()
	begin("Note", "content", "a text", "mediaType", "text/plain", "language", "en")
	begin("Article", "name", "Canals", "content", "# Water", "mediaType", "text/markdown")
	begin("Page", "url", "https://example.org/")
	begin("Note", "content", "a comment", "inReplyTo", about.String(), "context", about.String())
	begin("Note", "content", "a place").SetValue("location", garden)
	begin("Note", "content", "Pizza", "inReplyTo", about.String()).SetTexts("choices", []string{"Pizza"})
	begin("Like", "object", about.String(), "content", "🎉")
	begin("Announce").SetValue("object", original.Wire())
	begin("Person", "name", "Alice", "summary", "bread")
	begin("Arrive", "summary", "is there").SetValue("location", garden)
	begin("Event", "name", "lunch", "startTime", "2026-11-29T12:00:00Z", "endTime", "2026-11-29T15:00:00Z", "timezone", "Europe/Berlin").SetValue("location", garden)
	begin("Event", "name", "holiday", "startTime", "2026-12-25", "endTime", "2026-12-26")
	begin("Question", "content", "what?", "mediaType", "text/plain").SetValue("oneOf", post.OptionsValue([]string{"Pizza", "Pasta"}))
	begin("Question", "content", "what else?", "endTime", "2026-12-26T00:00:00Z").SetValue("anyOf", post.OptionsValue([]string{"bread", "wine"}))
	for _, r := range post.Responses() {
		begin(r.Type, "object", about.String(), "summary", r.Word)
	}
	for _, a := range post.Activities() {
		begin(a.Type, "content", "ten kilometres", "mediaType", "text/plain", "startTime", "2026-11-20T07:00:00Z")
	}
	begin("Travel", "summary", "to Lisbon").SetValue("target", post.Place{Name: "Lisbon"}.Value())
	begin("Juggling", "content", "five clubs")
	return drafts
}

// The reader of spec/examples/pull.sh gets every kind of post, verified and
// complete, and knows nothing of any.
func TestPullScriptKinds(t *testing.T) {
	r := newShellReader(t, "gpg-ed25519.asc")
	h := shellOwner(t, "gpg-rsa4096.asc")
	me, err := h.Me()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.People().AddFriend(r.cert, keyring.AddOptions{Name: "reader", History: "all"}); err != nil {
		t.Fatal(err)
	}
	first := note(t, h, "for all", "public")
	want := []string{string(first.ID().Position)}
	for _, name := range sortedKinds(kindsOf(first.ID(), first)) {
		want = append(want, shellPost(t, h, name, kindsOf(first.ID(), first)[name], post.Audience{Readers: []pgp.Fingerprint{r.cert.Fingerprint()}}))
	}
	said, got, all := r.pull(shellServe(t, h), me)
	if said != fmt.Sprintf("complete %d", len(want)) || !slices.Equal(got, want) {
		t.Errorf("%q, got %v, want %v", said, got, want)
	}
	for _, part := range []string{`"type":"Juggling"`, `"longitude":-0.0004`, `"choices":[`, `"timezone":"Europe/Berlin"`} {
		if !strings.Contains(strings.ReplaceAll(all, `": `, `":`), part) {
			t.Errorf("%s is missing", part)
		}
	}
}

func sortedKinds(drafts map[string]*post.Draft) (names []string) {
	for name := range drafts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func shellPost(t *testing.T, h *home.Home, name string, d *post.Draft, a post.Audience) (position string) {
	t.Helper()
	p, err := h.Post(t.Context(), d, a)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(p.ID().Position)
}
