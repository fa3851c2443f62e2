package peer

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A waiting room is a house in which whoever sends "wait" is answered when the
// door opens, or the server would not have him wait.
type waitingRoom struct {
	house
	door chan struct{}
	h    *handler
	patience
}

type patience time.Duration

func (w *waitingRoom) AnswerSealed(ctx context.Context, body []byte, pause Pause) ([]byte, error) {
	if string(body) != "wait" {
		return []byte("at once"), nil
	}
	waits, cancel := context.WithTimeout(ctx, time.Duration(w.patience))
	defer cancel()
	if !pause(waits, w.door) {
		return []byte("no waiting"), nil
	}
	if waits.Err() != nil {
		return []byte("nothing"), nil
	}
	return []byte("news"), nil
}

// open serves a waiting room for as long as the test, or until the end is called.
func (w *waitingRoom) open(t *testing.T, limits Limits, readTimeout time.Duration) (url string, end func()) {
	t.Helper()
	w.door = make(chan struct{})
	h, err := Handler(w, limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.h, _ = h.(*handler)
	server := newServer(h, slog.New(slog.DiscardHandler))
	if readTimeout > 0 {
		server.ReadTimeout, server.WriteTimeout = readTimeout, readTimeout
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serveUntil(ctx, server, l) }()
	end = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return "http://" + l.Addr().String(), end
}

// full waits until so many wait.
func (w *waitingRoom) full(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w.h.waiting.mu.Lock()
		all := w.h.waiting.all
		w.h.waiting.mu.Unlock()
		if all == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d wait, and not %d", all, n)
		}
	}
}

func askSealed(t *testing.T, url, body string) <-chan string {
	t.Helper()
	out := make(chan string, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+pathSealed, strings.NewReader(body))
		if err != nil {
			out <- err.Error()
			return
		}
		r.Header.Set("Content-Type", typeSealed)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			out <- err.Error()
			return
		}
		defer func() { _ = answer.Body.Close() }()
		data, _ := io.ReadAll(answer.Body)
		out <- string(data)
	}()
	return out
}

// Any number may wait, and whoever does not is answered meanwhile: they keep
// neither a processor nor a place. Who is one too many waits not at all.
//
// spec: M43, S30
func TestWhoWaitsIsInNobodysWay(t *testing.T) {
	const room = 12
	w := &waitingRoom{patience: patience(time.Minute)}
	url, end := w.open(t, Limits{Queue: 2, SealedPer: 2, WaitingPer: room}, 0)
	defer end()
	var answers []<-chan string
	for n := range room {
		answers = append(answers, askSealed(t, url, "wait"))
		w.full(t, n+1)
	}
	if got := <-askSealed(t, url, "x"); got != "at once" {
		t.Fatalf("who does not wait: %s", got)
	}
	if got := <-askSealed(t, url, "wait"); got != "no waiting" {
		t.Errorf("one too many: %s", got)
	}
	close(w.door)
	for _, a := range answers {
		if got := <-a; got != "news" {
			t.Errorf("who waited: %s", got)
		}
	}
	if got := <-askSealed(t, url, "x"); got != "at once" {
		t.Errorf("after it: %s", got)
	}
}

// Neither the end of the time to read nor that to write ends a wait.
//
// spec: M43
func TestAWaitIsLongerThanARequest(t *testing.T) {
	const short = 50 * time.Millisecond
	w := &waitingRoom{patience: patience(6 * short)}
	url, end := w.open(t, Limits{}, short)
	defer end()
	if got := <-askSealed(t, url, "wait"); got != "nothing" {
		t.Error(got)
	}
}

// Who waits is answered when the server ends, and keeps it from nothing.
//
// spec: S12, S30
func TestTheEndOfTheServerEndsWaits(t *testing.T) {
	w := &waitingRoom{patience: patience(time.Minute)}
	url, end := w.open(t, Limits{}, 0)
	a := askSealed(t, url, "wait")
	w.full(t, 1)
	end()
	if got := <-a; got != "no waiting" {
		t.Error(got)
	}
}
