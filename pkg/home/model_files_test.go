package home_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2ps/p2ps/pkg/feed"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/media"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/pgp"
	"github.com/p2ps/p2ps/pkg/post"
	"github.com/p2ps/p2ps/pkg/wire"
)

// TestModelFiles: the histories of TestModel, in which posts name files. A file is
// given by the rights of the posts that name it and by nothing else, comes whole,
// also after a cut, to whoever gets the post, and stays as long as a text names it.
func TestModelFiles(t *testing.T) {
	checks(t, "40", "30")
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.SampledFrom([]time.Time{behind, ahead}).Draw(t, "begin"))
		defer w.close()
		w.files = map[string][]byte{}
		for range rapid.IntRange(1, 8).Draw(t, "posts to begin with") {
			w.people[0].post(w.audience(w.people[0]))
		}
		some := w.focused(w.actions())
		some["files asked for"] = func(*rapid.T) { w.person().filesAsked() }
		some["gc"] = func(*rapid.T) { w.person().gc() }
		some["files badly"] = func(*rapid.T) { o, r := w.two(); r.pullFilesBadly(o) }
		some["files moved"] = func(*rapid.T) { w.people[0].moveFiles() }
		t.Repeat(some)
		for _, p := range w.people {
			p.filesAsked()
		}
		w.settle()
	})
}

// newFiles attaches files for a post, some of which others name as well.
func (p *actor) newFiles() (files []post.File) {
	w := p.w
	if w.files == nil || !w.chance(70, "with files") {
		return nil
	}
	for range rapid.IntRange(1, 2).Draw(w.T, "files") {
		data := []byte(fmt.Sprintf("attachment-%d-", len(w.files)))
		data = append(data, noise(rapid.SampledFrom([]int{0, 1, 40, modelPart, 5 * modelPart, 6*modelPart + 7}).Draw(w.T, "size"), uint64(len(w.files)))...)
		if known := slices.Sorted(maps.Keys(w.files)); len(known) > 0 && w.chance(30, "one that is known") {
			data = w.files[pick(w, known, "file")]
		}
		plan, err := media.Look(bytes.NewReader(data), int64(len(data)), true)
		w.ok(err, "looking at a file")
		sha, err := p.h.Attach(plan, bytes.NewReader(data))
		w.ok(err, "attaching a file")
		w.files[sha], p.attached[sha] = data, true
		files = append(files, post.File{Kind: "Document", MediaType: plan.MediaType, SHA256: sha, Size: int64(len(data))})
	}
	return files
}

// pullFilesBadly pulls while a part of a file does not come as it should. What
// comes of it is never called the file, and the rest comes with the next pull.
func (r *actor) pullFilesBadly(o *actor) {
	if !o.readBy(r) {
		r.w.Skip("he does not read that feed")
	}
	o.post(r.w.audience(o))
	f := fault{at: -1, kind: rapid.SampledFrom([]string{"file cut", "file cut", "file forged"}).Draw(r.w.T, "fault"), item: rapid.IntRange(0, 5).Draw(r.w.T, "part")}
	r.w.did("%+v:", f)
	r.badly(o, func() { o.fault = f })
	r.hasNothingElse()
}

// moveFiles takes all files away, or brings them back. What a reader has once had
// is fetched again by save alone.
func (p *actor) moveFiles() {
	const away = "attachments.away"
	p.w.did("%s moves the files", p.name)
	p.moved = true
	p.pause()
	if _, err := os.Stat(p.path(away)); err == nil {
		p.w.ok(copyTree(p.path(away), p.path(feed.Attachments)), "bringing back the files")
		p.remove(away)
	} else if _, err := os.Stat(p.path(feed.Attachments)); err == nil {
		p.w.ok(os.Rename(p.path(feed.Attachments), p.path(away)), "moving the files")
	}
}

// has tells whether a file is here, whole. A wrong one under its name is a fault,
// whatever was done.
func (p *actor) has(sha string) bool {
	data, err := os.ReadFile(p.path(feed.Attachment(sha)))
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	p.w.ok(err, "reading a file")
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != sha {
		p.w.Fatalf("F1: %s has other bytes under the name %s", p.name, sha)
	}
	return true
}

// givesFile: the reader may have a file, by a post or, without one, by any.
func (p *actor) givesFile(r pgp.Fingerprint, by post.Position, sha string) bool {
	return slices.ContainsFunc(p.sorted(nil), func(e *entry) bool {
		return (by == "" || e.pos == by) && p.sees(r, e, p.clock.Truncate(time.Second)) && names(e.file.text, sha)
	})
}

func names(t *text, sha string) bool {
	return slices.ContainsFunc(t.files, func(f post.File) bool { return f.SHA256 == sha })
}

// part looks at an answer to a question for a file: F2. A fault cuts the line, or
// makes other bytes of it.
func (x *proxy) part(reader *actor, q *wire.FileQuestion, answer, literal []byte) []byte {
	p := x.p
	head, data, is := bytes.Cut(literal, []byte{'\n'})
	if !is || !bytes.Contains(head, []byte(`"kind":"attachment"`)) {
		return answer
	}
	if !p.givesFile(reader.fpr, q.ID.Position, q.SHA256) {
		p.fail("%s gets the file %s by %s, which he may not see or does not name it", reader.name, q.SHA256, q.ID.Position)
	}
	whole := p.w.files[q.SHA256]
	rest := whole[min(int(q.Offset), len(whole)):]
	if n := min(len(rest), modelPart); len(data) < n || !bytes.Equal(data[:n], rest[:n]) {
		p.fail("%s gets other bytes of the file %s", reader.name, q.SHA256)
	}
	switch {
	case p.fault.kind != "file cut" && p.fault.kind != "file forged" || p.fault.done || len(data) == 0:
		return answer
	case p.fault.item > 0:
		p.fault.item--
		return answer
	}
	if p.fault.done = true; p.fault.kind == "file cut" {
		return nil
	}
	spoiled := bytes.Clone(literal)
	spoiled[len(head)+1] ^= 1
	var a struct{ Time string }
	_ = json.Unmarshal(head, &a)
	at, _ := post.ParseTime(a.Time)
	message, err := pgp.Seal(spoiled, pgp.ContextAnswer, p.secret, reader.cert, at, pgp.SealOptions{})
	if err != nil {
		p.fail("sealing: %v", err)
	}
	return message
}

// hasFiles: F3: after a pull the files of all that he holds of what is offered are
// here, as far as they are there.
func (r *actor) hasFiles(o *actor, after map[post.Position]held, at time.Time) {
	for pos, t := range o.entitled(r.as(o), at) {
		h := after[pos]
		if r.refused[o.fpr][pos] || h.text == nil || h.text.hash != t.hash || t.expired(r.clock) {
			continue
		}
		for _, f := range t.files {
			if o.has(f.SHA256) && !r.has(f.SHA256) && !r.moved {
				r.w.Fatalf("F3: %s pulled %s from %s, and has not the file %s of %d bytes", r.name, pos, o.name, f.SHA256, f.Size)
			}
		}
	}
	r.hasNothingElse()
}

// hasNothingElse: F4: nobody ever has a file that no post names which he was given,
// or wrote.
func (r *actor) hasNothingElse() {
	for sha := range r.w.files {
		if r.has(sha) && !r.mayHave(sha) {
			r.w.Fatalf("F4: %s has the file %s, and was never given a post that names it", r.name, sha)
		}
	}
}

// mayHave: some text names it that he wrote, or that he was ever given.
func (r *actor) mayHave(sha string) bool {
	for _, t := range r.w.texts {
		for _, p := range r.w.people {
			wrote := p.posts[t.pos] != nil
			if names(t, sha) && (wrote && p == r || p.given[r.fpr][t.pos] || p.given[""][t.pos]) {
				return true
			}
		}
	}
	return r.attached[sha]
}

// filesAsked asks for every file by every post, as everybody: F2 without a reader
// who is honest.
func (p *actor) filesAsked() {
	w := p.w
	if w.files == nil {
		return
	}
	p.look()
	at := p.clock.UTC().Truncate(time.Second)
	for _, sha := range slices.Sorted(maps.Keys(w.files)) {
		for _, r := range w.people {
			for _, e := range p.sorted(func(*entry) bool { return r != p }) {
				q := wire.Question{Kind: wire.KindAttachment, File: &wire.FileQuestion{ID: p.id(e), SHA256: sha}}
				a, err := p.h.Answer(context.Background(), r.fpr, q, at)
				w.ok(err, "answering")
				if a.Part != nil {
					_ = a.Part.File.Close()
				}
				if may := p.givesFile(r.fpr, e.pos, sha) && p.has(sha); may != (a.Part != nil) {
					w.Fatalf("F2: %s asks %s for the file %s by %s: given %v, entitled %v", r.name, p.name, sha, e.pos, a.Part != nil, may)
				}
			}
		}
		file, err := p.h.PublicFile(context.Background(), sha)
		if err == nil {
			_ = file.Content.Close()
		}
		if may := p.givesFile("", "", sha) && p.has(sha); err != nil && !errors.Is(err, peer.ErrNotFound) || may != (err == nil) {
			w.Fatalf("F2: everybody asks %s for the file %s: entitled %v, %v", p.name, sha, may, err)
		}
	}
}

var namedFile = regexp.MustCompile(`sha256:([0-9a-f]{64})`)

// gc empties the trash, and removes what no text names: F5.
func (p *actor) gc() {
	if p.w.files == nil {
		return
	}
	w, far := p.w, p.clock.AddDate(100, 0, 0)
	w.did("%s empties the trash", p.name)
	p.look()
	w.ok(p.h.EmptyTrash(context.Background(), far, false, func(t home.Trashed) error {
		if e := p.posts[t.ID.Position]; t.ID.Author == p.fpr && e != nil {
			delete(e.trash, t.Revision)
		}
		return nil
	}), "emptying the trash")
	named, before := p.namedFiles(), p.filesHere()
	lost, err := p.h.RemoveUnnamed(context.Background(), far, false, func(home.Unnamed) error { return nil })
	w.ok(err, "removing files")
	missing := slices.ContainsFunc(p.sorted(nil), func(e *entry) bool { return e.file.kind == none && e.known != nil })
	if missing && lost == 0 {
		w.Fatalf("F5: %s lacks posts that nobody took back, and files are removed", p.name)
	}
	old := p.clock.After(time.Now())
	for sha := range before {
		here := p.has(sha)
		if named[sha] && !here {
			w.Fatalf("F5: %s has no file %s any more, which a text names", p.name, sha)
		}
		if !named[sha] && here && lost == 0 && old {
			w.Fatalf("F5: %s has the file %s yet, which no text names", p.name, sha)
		}
	}
}

// namedFiles are those that any text here names.
func (p *actor) namedFiles() map[string]bool {
	named := map[string]bool{}
	for _, top := range []string{"feed", "feeds", "history", "trash"} {
		err := filepath.WalkDir(p.path(top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			for _, m := range namedFile.FindAllSubmatch(data, -1) {
				named[string(m[1])] = true
			}
			return err
		})
		if !errors.Is(err, fs.ErrNotExist) {
			p.w.ok(err, "reading the texts")
		}
	}
	return named
}

func (p *actor) filesHere() map[string]bool {
	here := map[string]bool{}
	for sha := range p.w.files {
		here[sha] = p.has(sha)
	}
	maps.DeleteFunc(here, func(_ string, is bool) bool { return !is })
	return here
}

// takeFiles copies what another machine of mine has beside the posts.
func (p *actor) takeFiles(q *actor) {
	for sha := range p.w.files {
		if q.has(sha) && !p.has(sha) {
			p.write(feed.Attachment(sha), q.read(feed.Attachment(sha)))
		}
	}
	for name := range q.attached {
		p.attached[name] = true
	}
}
