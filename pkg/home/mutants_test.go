package home_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A mutant is one rule broken on purpose. The model must find every one: a
// model that does not is not worth its time.
type mutant struct {
	rule     string // that is broken, and how
	file     string // under pkg/
	old, new string // old stands in the file exactly once
}

var mutants = []mutant{
	{"gone is believed of ids that were not asked about", "pull/walk.go",
		"func(id post.ID) bool { return !slices.Contains(w.asked.Have, id) })\n\tif len(gone)", "func(post.ID) bool { return false })\n\tif len(gone)"},
	{"absence withdraws", "pull/heal.go", "w.keeper.Unoffered(ctx, silent)", "w.keeper.Withdraw(ctx, silent)"},
	{"what is not offered is never asked about", "pull/heal.go", "w.have = append(w.have, l.ID)", "_ = left"},
	{"marked posts are never named in have", "pull/walk.go", "max(1, min(w.opt.Room, w.opt.IDs))", "0"},
	{"marked posts are not asked about in turn", "home/keeper.go", "o.Asked = latest + 1", "o.Asked = 0"},
	{"marked posts count", "home/held.go", "l.Counted = l.Counted && !o.Marked", ""},
	{"what is offered again stays marked", "home/keeper.go", "if ok && row.Version != v { // beaten", "if was, _ := tx.Offer(v.ID); was.Marked {\n\t\t\t\tcontinue\n\t\t\t}\n\t\t\tif ok && row.Version != v { // beaten"},
	{"a line is counted before its text is kept", "pull/heal.go", "w.want = append(w.want, v.ID)", "w.want = append(w.want, v.ID)\n\t\t\tnote = append(note, v)"},
	{"a beaten line is not noted when its text comes", "home/kept.go",
		"out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash}})", ""},
	{"a beaten line is not noted when only the line comes", "home/keeper.go", "if ok && row.Version != v { // beaten", "if ok && row.Revision < 0 {"},
	{"a noted line counts whatever is held", "home/held.go", "o.Revision > 0 && bytes.Equal(o.Held, hash) &&", "o.Revision > 0 && len(hash) >= 0 &&"},
	{"an older text replaces a newer one", "home/kept.go", "case has && row.Standing().Beats(t.post.Standing()):", "case false:"},
	{"a replaced text is not kept as history", "home/kept.go", "d.batch.Add(feed.History(was.Version()), data, 0o600)", "_, _ = data, feed.History"},
	{"what is withdrawn is removed", "home/keeper.go", "k.h.root.Rename(k.tree.Path(id.Position), feed.Trash(row.Version))", "k.h.root.Remove(k.tree.Path(id.Position))\n\t\t\t\t_, _ = feed.Trash, row"},
	{"refused posts are not remembered", "home/kept.go",
		"out.offers = append(out.offers, keptOffer{v.ID, index.Offer{Revision: v.Revision, Hash: v.Hash, Held: hash, Refused: d.tree.certificate()}})", ""},
	{"refused posts are no place in the walk", "home/keeper.go", "if len(o.Refused) > 0 && p > newest {", "if len(o.Refused) > 1000 && p > newest {"},
	{"unverified posts are kept", "post/open.go", "if err := p.verify(cert); err != nil {\n\t\treturn nil, err\n\t}\n\treturn p, nil\n}\n\n// OpenMine", "return p, nil\n}\n\n// OpenMine"},
	{"the reader's clock decides what has expired", "home/held.go", "in.line(k.author(), p, cert, at); l.Counted", "in.line(k.author(), p, cert, k.h.opt.Now()); l.Counted"},
	{"the figures of an answer are compared as of now", "pull/walk.go", "w.keeper.Months(ctx, a.Time)", "w.keeper.Months(ctx, time.Now())"},
	{"a position years ahead is taken as the newest", "home/keeper.go", "limit := pull.Horizon(k.h.opt.Now())", "limit := last"},
	{"every position ahead is fetched again", "home/keeper.go", "limit := pull.Horizon(k.h.opt.Now())", "limit := post.PositionAt(k.h.opt.Now())"},
	{"copies edited in place are not noticed", "home/pull.go", "look.Turn = turn", "_ = turn"},
	{"copies whose folder went are not missed", "home/kept.go", ", tx.TouchDir(dir))", ", tx.DropDir(dir))"},
	{"the order of a page is not checked", "pull/walk.go", "if id.Position <= after {", "if false {"},
	{"an empty page that promises more is asked for again", "pull/walk.go", "case a.More && newest == \"\":\n\t\treturn nil,", "case a.More && newest == \"\":\n\t\treturn nil, nil\n\t\treturn nil,"},

	{"a page begins at the beginning", "home/answer.go", "v.Page(me.cert.Fingerprint(), g, after, most+1, a.Time)", "v.Page(me.cert.Fingerprint(), g, after[:0], most+1, a.Time)"},
	{"gone may fill a page", "home/answer.go", "a.Gone = a.Gone[:min(len(a.Gone), max(1, h.opt.Items-1))]\n\tmost := max(1, h.opt.Items-len(a.Gone))", "most := h.opt.Items - len(a.Gone)"},
	{"more tells of posts that he may not see", "home/answer.go", "err := h.texts(a, me, rows, most, q.Limit); err != nil || a.More {\n\t\treturn err\n\t}",
		"err := h.texts(a, me, rows, most, q.Limit); err != nil || a.More {\n\t\treturn err\n\t}\n\tif all, _ := v.Range(me.cert.Fingerprint(), after+\"~\", last); len(a.Items) > 0 && len(all) > len(a.Items) {\n\t\ta.More = true\n\t\treturn nil\n\t}"},
	{"gone of a missing file", "home/gone.go", "if !ok || row.State > index.Tombstone ||", "if ok && g.Friend && row.State == index.Removed {\n\t\t\tgone = append(gone, id)\n\t\t}\n\t\tif !ok || row.State > index.Tombstone ||"},
	{"gone of a draft", "home/gone.go", "if !ok || row.State > index.Tombstone ||", "if ok && g.Friend && row.State == index.Edited {\n\t\t\tgone = append(gone, id)\n\t\t}\n\t\tif !ok || row.State > index.Tombstone ||"},
	{"gone of a text that was put back", "home/gone.go", "if !ok || row.State > index.Tombstone ||", "if ok && g.Friend && row.State == index.Older {\n\t\t\tgone = append(gone, id)\n\t\t}\n\t\tif !ok || row.State > index.Tombstone ||"},
	{"gone of a misspelt audience", "home/gone.go", "row.Why != \"\" || !g.Friend", "!g.Friend"},
	{"gone of what has expired", "home/gone.go", "offered(r, g, at) || !r.Expires.IsZero() && !r.Expires.After(at) || r.Audience.Public", "offered(r, g, at) || r.Audience.Public"},
	{"gone of a group that is not there", "home/gone.go", "if err != nil || !known || maybe {", "if err != nil || known && maybe {"},
	{"gone of what a group's history hides", "home/gone.go", "if err != nil || !known || maybe {", "if err != nil || !known || maybe && false {"},
	{"gone of what the friends' history hides", "home/gone.go", "r.Audience.Public || r.Audience.Friends {", "r.Audience.Public {"},
	{"gone is never told", "home/gone.go", "gone = append(gone, id)", "_ = id"},
	{"strangers are told of private deletions", "home/gone.go", "!g.Friend && (row.State != index.Tombstone || !row.Public)", "!g.Friend && row.State != index.Tombstone"},
	{"the figures are another reader's", "home/answer.go", "changes, err := v.Changes(g)", "changes, err := v.Changes(post.Grants{Friend: g.Friend, Since: g.Since})"},
	{"the figures are an earlier moment's", "home/serving.go", "return !at.Before(m.from) && (m.until.IsZero() || at.Before(m.until))", "return true"},
	{"a month in which something expires is not summed up anew", "home/answer.go", "slices.Contains(expiring, month) {", "slices.Contains(expiring, month) && false {"},
	{"a reader's month is kept although something in it expires or is noted", "home/held.go", "if !plain {\n\t\treturn m, nil\n\t}\n", ""},
	{"a change leaves the owner's month as it was", "index/tx.go", "ON CONFLICT DO UPDATE SET changes = changes + 1", "ON CONFLICT DO NOTHING"},
	{"a note leaves the reader's month as it was", "index/tx.go", "t.touched[touched{author: author, month: id.Position.Month()}] = true", ""},
	{"nobody is answered after a clock was put back", "home/serving.go", "if now.Before(s.started) {", "if false {"},

	{"the friends' history is ignored", "post/audience.go", "widen(g.Since)", "widen(\"\")"},
	{"a group's history is ignored", "post/audience.go", "widen(from)", "widen(from[:0])"},
	{"strangers see what is for friends", "post/audience.go", "if !g.Friend {\n\t\treturn \"\", false\n\t}", ""},
	{"who is blocked is still a friend", "keyring/grants.go", "blocked, err := k.isBlocked(reader)\n\tif err != nil || blocked {", "_, err := k.isBlocked(reader)\n\tif err != nil {"},
	{"history none begins at the clock", "keyring/history.go", "t.After(at)", "false"},

	{"what has expired is given", "index/view.go", "AND (p.expires = 0 OR p.expires > ?) ORDER BY p.position LIMIT ?", "AND (p.expires = 0 OR ?) ORDER BY p.position LIMIT ?"},
	{"what has expired counts", "index/view.go", "AND position >= ? AND position < ? AND (expires = 0 OR expires > ?)`)", "AND position >= ? AND position < ? AND (expires = 0 OR ?)`)"},
	{"Tombstones are walked", "index/row.go", "r.State = Tombstone", ""},
	{"a text that was put back counts", "home/examine.go", "known.Version == p.Version() || p.Standing().Beats(known.Standing()))", "true)"},
	{"a revision is given twice", "home/change.go", "if row, ok := h.row(ctx, p.ID()); ok && row.Revision > p.Revision() {", "if row, ok := h.row(ctx, p.ID()); ok && false {"},
	{"a deleted text is not kept", "home/change.go", "if err = h.keepAside(feed.Trash(c.Was.Version()), c.Was); err != nil {", "if false {"},
}

// walkMutants break the walk itself. The digest mends, and so hides, what they
// do: P7 must find them.
var walkMutants = []mutant{
	{"new ids do not ascend", "home/post.go", "newest != \"\" && newest.Stamp() >= post.PositionAt(now)", "false"},
	{"a page's first post is lost", "pull/walk.go", "w.keeper.Keep(ctx, items, nil)", "w.keeper.Keep(ctx, items[min(1, len(items)):], nil)"},
	{"the next page begins with the last post", "pull/walk.go", "After: string(newest)}, w.page)", "After: string(newest[:18]) + \"-aaaaaaaaaaaaa\"}, w.page)"},
	{"a walk always begins at the beginning", "pull/walk.go", "if !w.opt.Full {", "if false {"},
}

// TestMutants tries every mutant, by the stories first, and then by histories at
// random. It takes an hour:
//
//	P2PS_MUTANTS=1 go test ./pkg/home -v -run TestMutants -timeout 3h
//
// P2PS_MUTANTS=word tries those whose rule holds the word.
func TestMutants(t *testing.T) {
	all := append(slices.Clone(mutants), walkMutants...)
	for _, m := range all {
		path := filepath.Join("..", filepath.FromSlash(m.file))
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(src), m.old); n != 1 {
			t.Errorf("%s: what it changes stands %d times in %s, not once: %s", m.rule, n, m.file, m.old)
		}
	}
	only := os.Getenv("P2PS_MUTANTS")
	if only == "" || t.Failed() {
		t.Skip("set P2PS_MUTANTS=1 to try them")
	}
	for i, m := range all {
		if only != "1" && !strings.Contains(m.rule, only) {
			continue
		}
		test := "^TestModel$"
		if i >= len(mutants) {
			test = "^TestModelWalkAlone$"
		}
		t.Run(m.rule, func(t *testing.T) { m.try(t, test) })
	}
}

// try builds the package with the mutant in it, and demands that a test of the
// model fails.
func (m mutant) try(t *testing.T, test string) {
	dir := t.TempDir()
	path, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(m.file)))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay, binary := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "model.test")
	files, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{changed: []byte(strings.Replace(string(src), m.old, m.new, 1)), overlay: files} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-ldflags=-s -w", "-c", "-o", binary, "-overlay", overlay, ".").CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not build: %v\n%s", err, out)
	}
	for _, test := range []string{"^TestModelStories$", test} {
		out, err := exec.CommandContext(t.Context(), binary, "-test.run", test, "-rapid.shrinktime", "0s", "-rapid.checks", "600", "-rapid.steps", "30").CombinedOutput()
		if err == nil {
			continue
		}
		if by := verdict(string(out)); by != "" {
			t.Log(by)
			return
		}
		t.Fatalf("the model failed otherwise:\n%s", out)
	}
	t.Fatalf("nobody noticed")
}

// verdict is what the model says of a mutant, and in which story. A failure
// that cannot be reproduced is none.
func verdict(out string) string {
	story := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: TestModelStories/"); ok {
			story = name + ": "
		}
		if strings.Contains(line, "[rapid] failed") || strings.Contains(line, "[rapid] panic") || strings.HasPrefix(line, "panic:") {
			return story + line
		}
	}
	return ""
}
