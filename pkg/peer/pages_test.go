package peer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func pageOf(body string) *page {
	return newPage(http.StatusOK, typePage, time.Time{}, []byte(body))
}

// A maker makes pages that count how many there were.
func maker(made *int) func(context.Context) (*page, error) {
	return func(context.Context) (*page, error) {
		*made++
		return pageOf(fmt.Sprint(*made)), nil
	}
}

// occupied gives pages whose one maker is busy with another page while use runs.
func occupied(t *testing.T, p *pages, use func()) {
	t.Helper()
	p.makers <- struct{}{}
	use()
	<-p.makers
}

// While its makers are busy, a page is given again for a second, each page for
// itself; whoever has no page to be given again waits.
//
// spec: S13
func TestPagesAreKeptForTheBusy(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPages(1)
	p.now = func() time.Time { return now }
	made := 0
	for _, key := range []string{"a", "b"} {
		if _, err := p.get(t.Context(), key, maker(&made)); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i, c := range []struct {
		key   string
		after time.Duration
		want  string // "" if it would have to be made
	}{
		{"a", 0, "1"}, {"a", 0, "1"}, {"b", 0, "2"}, {"c", 0, ""}, {"a", pageAge - 1, "1"}, {"b", 1, ""}, {"a", 0, ""},
	} {
		now = now.Add(c.after)
		occupied(t, p, func() {
			got, err := p.get(ended, c.key, maker(&made))
			if c.want == "" && !errors.Is(err, context.Canceled) || c.want != "" && (err != nil || string(got.body) != c.want) {
				t.Errorf("step %d: %+v, %v, want %s", i, got, err, c.want)
			}
		})
	}
	if made != 2 {
		t.Errorf("made %d pages", made)
	}
	if pageAge != time.Second {
		t.Errorf("kept for %s", pageAge)
	}
}

// While a maker is free, every page is as of now: what was withdrawn is gone,
// and does not come back when the makers are busy.
//
// spec: S13
func TestPagesAreFreshForTheIdle(t *testing.T) {
	p := newPages(1)
	made := 0
	for want := range 3 {
		got, err := p.get(t.Context(), "a", maker(&made))
		if err != nil || string(got.body) != fmt.Sprint(want+1) || len(p.order) != 1 || len(p.kept) != 1 {
			t.Fatalf("%+v, %v, want %d; kept %v", got, err, want+1, p.order)
		}
	}
	if _, err := p.get(t.Context(), "a", func(context.Context) (*page, error) { return nil, ErrNotFound }); !errors.Is(err, ErrNotFound) {
		t.Errorf("withdrawn: got %v", err)
	}
	if len(p.kept) != 0 || len(p.order) != 0 || p.bytes != 0 {
		t.Errorf("withdrawn, and kept: %v, %d bytes", p.order, p.bytes)
	}
}

// What failed is tried again: a 404 says nothing of the next moment.
func TestFailuresAreNotKept(t *testing.T) {
	p := newPages(1)
	for _, want := range []error{ErrNotFound, errors.New("disk")} {
		_, err := p.get(t.Context(), "a", func(context.Context) (*page, error) { return pageOf("not one"), want })
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	made := 0
	if got, err := p.get(t.Context(), "a", maker(&made)); err != nil || string(got.body) != "1" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The memory of pages that are kept is bounded; the oldest go first.
func TestKeptPagesAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPages(1)
	p.now = func() time.Time { return now }
	body := make([]byte, pageBytes/4)
	for i := range 10 {
		_, _ = p.get(t.Context(), fmt.Sprint(i), func(context.Context) (*page, error) { return &page{body: body}, nil })
		if p.bytes > pageBytes || len(p.kept) != len(p.order) {
			t.Fatalf("%d bytes, %d pages, %d in order", p.bytes, len(p.kept), len(p.order))
		}
	}
	if p.kept["9"] == nil || p.kept["8"] == nil || p.kept["7"] == nil || len(p.kept) != 3 {
		t.Errorf("kept %v", p.order)
	}
	_, _ = p.get(t.Context(), "greater than all", func(context.Context) (*page, error) { return &page{body: make([]byte, pageBytes)}, nil })
	if p.kept["9"] == nil || len(p.kept) != 3 {
		t.Errorf("what has no room drove out %v", p.order)
	}
	now = now.Add(time.Minute)
	made := 0
	_, _ = p.get(t.Context(), "a", maker(&made))
	if made != 1 || len(p.kept) != 1 || len(p.order) != 1 || p.bytes > 1024 {
		t.Errorf("left: %d bytes, %v", p.bytes, p.order)
	}
}

// Who asks while a page is being made gets that one.
func TestPagesAreMadeOnce(t *testing.T) { synctest.Test(t, pagesAreMadeOnce) }

func pagesAreMadeOnce(t *testing.T) {
	p := newPages(1)
	entered, leave := make(chan bool), make(chan bool)
	got := make(chan *page, 3)
	get := func(create func(context.Context) (*page, error)) {
		one, err := p.get(t.Context(), "a", create)
		if err != nil {
			t.Error(err)
		}
		got <- one
	}
	go get(func(context.Context) (*page, error) { entered <- true; <-leave; return pageOf("the one"), nil })
	<-entered
	for range 2 {
		go get(func(context.Context) (*page, error) { t.Error("made twice"); return pageOf("another"), nil })
	}
	synctest.Wait() // until the others wait
	close(leave)
	for range 3 {
		if one := <-got; string(one.body) != "the one" {
			t.Errorf("got %q", one.body)
		}
	}
}

// Who began a page and went away takes it from nobody else.
func TestPageOfWhoWentAway(t *testing.T) { synctest.Test(t, pageOfWhoWentAway) }

func pageOfWhoWentAway(t *testing.T) {
	p := newPages(1)
	ctx, cancel := context.WithCancel(t.Context())
	entered, first := make(chan bool), make(chan error, 1)
	go func() {
		_, err := p.get(ctx, "a", func(ctx context.Context) (*page, error) { entered <- true; <-ctx.Done(); return nil, ctx.Err() })
		first <- err
	}()
	<-entered
	second := make(chan error, 1)
	made := 0
	go func() {
		_, err := p.get(t.Context(), "a", maker(&made))
		second <- err
	}()
	synctest.Wait() // until the other waits
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away: %v", err)
	}
	if err := <-second; err != nil || made != 1 {
		t.Errorf("the other: %v, made %d", err, made)
	}
}

// Few pages are made at once, and few wait; the rest is told to come again.
//
// spec: S5, S8
func TestPagesQueue(t *testing.T) { synctest.Test(t, pagesQueue) }

func pagesQueue(t *testing.T) {
	p := newPages(1)
	entered, leave := make(chan bool), make(chan bool)
	done := make(chan error)
	get := func(key string) {
		_, err := p.get(t.Context(), key, func(context.Context) (*page, error) { entered <- true; <-leave; return pageOf(key), nil })
		done <- err
	}
	for i := range 1 + pageQueue {
		go get(fmt.Sprint(i))
	}
	<-entered
	synctest.Wait()
	if len(p.makers) != 1 {
		t.Errorf("%d are made at once", len(p.makers))
	}
	h := handlerOf(t, &house{}, Limits{})
	h.pages = p
	if w := answered(h, httptest.NewRequest(http.MethodGet, "/p2ps/v1/posts", nil)); !refusedForNow(w) {
		t.Errorf("one too many: got %d, %v", w.Code, w.Header())
	}
	if w := answered(h, httptest.NewRequest(http.MethodGet, "/p2ps/v1", nil)); w.Code != http.StatusOK {
		t.Errorf("what needs no making: got %d", w.Code)
	}
	if w := answered(h, posted("192.0.2.1", "x")); w.Code != http.StatusOK {
		t.Errorf("a friend: got %d", w.Code)
	}
	close(leave)
	for i := range 1 + pageQueue {
		if i > 0 {
			<-entered
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Two questions are two pages; one question is one, in whatever spelling.
func TestPagesOfQuestions(t *testing.T) {
	people := &house{}
	h := handlerOf(t, people, Limits{})
	h.pages = newPages(1)
	for i, c := range []struct {
		target string
		kept   int
	}{
		{"/posts", 1}, {"/posts", 1}, {"/posts?x=y", 1}, {"/posts?after=" + public, 2}, {"/manifest", 3}, {"/manifest?months=202611", 4},
		{"/manifest?months=202611,202610", 5}, {"/manifest?months=202611%2C202610", 5}, {"/posts/" + public, 6}, {"/posts/" + public + "?x", 6}, {"/posts/" + tombstone, 7},
		{"/key", 8}, {"/key/" + fingerprint, 9}, {"/posts/" + private, 9}, {"/key/" + fingerprint[1:], 9},
	} {
		answered(h, httptest.NewRequest(http.MethodGet, "/p2ps/v1"+c.target, nil))
		if len(h.pages.kept) != c.kept {
			t.Errorf("step %d, %s: %d are kept, want %d", i, c.target, len(h.pages.kept), c.kept)
		}
	}
}
