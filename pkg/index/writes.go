package index

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// A watcher is a connection that only ever asks whether anybody wrote: what the
// engine says of that, it says to one that never writes, and as long as it lives.
type watcher struct {
	mu      sync.Mutex
	reader  reader
	lost    int64        // connections, before this one
	updates atomic.Int64 // of an index in memory, which has only one connection
}

// Writes is another number after each change of the index, by whichever process.
// What was read of it after the number was asked for holds until then.
func (x *Index) Writes(ctx context.Context) (n int64, err error) {
	w := &x.watcher
	if !x.IsShared() {
		return w.updates.Load(), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if x.closed.Load() {
		return 0, sql.ErrConnDone
	}
	// The engine starts a goroutine for each query that could be broken off.
	ctx = context.WithoutCancel(ctx)
	if err = w.reader.open(ctx, x.read); err == nil {
		err = w.reader.one(ctx, "PRAGMA data_version", nil, &n)
	}
	if err != nil {
		w.lost++
		return 0, errors.Join(damaged(err), w.reader.close())
	}
	return w.lost<<32 + n, nil // no connection counts as far
}

func (w *watcher) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.reader.close()
}
