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

// A page is made once a second, each page for itself.
func TestPagesAreKept(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPages(1)
	p.now = func() time.Time { return now }
	made := 0
	for i, c := range []struct {
		key   string
		after time.Duration
		want  string
	}{
		{"a", 0, "1"}, {"a", 0, "1"}, {"b", 0, "2"}, {"a", pageAge - 1, "1"}, {"a", 1, "3"}, {"b", 0, "4"}, {"a", 0, "3"},
	} {
		now = now.Add(c.after)
		got, err := p.get(t.Context(), c.key, maker(&made))
		if err != nil || string(got.body) != c.want {
			t.Fatalf("step %d: %+v, %v, want %s", i, got, err, c.want)
		}
	}
	if pageAge != time.Second {
		t.Errorf("kept for %s", pageAge)
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
	if len(p.kept) != 1 || len(p.order) != 1 || p.bytes > 1024 {
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

// Two questions are two pages, in whatever spelling; one question is one.
func TestPagesOfQuestions(t *testing.T) {
	people := &house{}
	s := served(t, people, Limits{})
	handler, ok := s.Config.Handler.(*handler)
	if !ok {
		t.Fatal("not the handler")
	}
	handler.pages.now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	for i, c := range []struct {
		target string
		asked  int
	}{
		{"/posts", 1}, {"/posts", 1}, {"/posts?x=y", 1}, {"/posts?after=" + public, 2}, {"/manifest", 3}, {"/manifest?months=202611", 4},
		{"/manifest?months=202611,202610", 5}, {"/manifest?months=202611%2C202610", 5},
	} {
		if got := raw(t, s, ask("GET", "/p2ps/v1"+c.target)); status(got) != "200" || len(people.asked) != c.asked {
			t.Errorf("step %d, %s: asked %d times, want %d: %s", i, c.target, len(people.asked), c.asked, got)
		}
	}
}
