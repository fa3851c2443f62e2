package home

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2ps/p2ps/pkg/index"
)

// Who comes while a sync runs is served by none that began before he came; of
// those who wait, one runs it for all.
func TestLastSync(t *testing.T) {
	var l lastSync
	x := &index.Index{}
	began, end := make(chan bool), make(chan bool)
	var wait sync.WaitGroup
	wait.Go(func() {
		_ = l.share(x, func() error {
			close(began)
			<-end
			return nil
		})
	})
	<-began
	var runs atomic.Int64
	for range 8 {
		wait.Go(func() {
			before := runs.Load()
			if err := l.share(x, func() error { runs.Add(1); return nil }); err != nil || runs.Load() == before && before == 0 {
				t.Errorf("served by one from before he came: %v", err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond) // for them to come; if they come later, each is right as well
	close(end)
	wait.Wait()
	if n := runs.Load(); n < 1 || n > 8 {
		t.Errorf("%d runs", n)
	}
}

// What failed, or was of another index, serves nobody else.
func TestLastSyncServesNobody(t *testing.T) {
	for name, first := range map[string]struct {
		of  *index.Index
		err error
	}{"failed": {nil, errors.New("the disk is broken, says the test")}, "another index": {&index.Index{}, nil}} {
		var l lastSync
		came := make(chan bool)
		var wait sync.WaitGroup
		ran := false
		l.mu.Lock()
		wait.Go(func() {
			close(came)
			_ = l.share(nil, func() error { ran = true; return nil })
		})
		<-came
		time.Sleep(10 * time.Millisecond) // for him to wait
		l.begun.Add(1)                    // as one that began since
		l.of, l.err = first.of, first.err
		l.mu.Unlock()
		wait.Wait()
		if !ran {
			t.Errorf("%s: it served him who waited", name)
		}
	}
}
