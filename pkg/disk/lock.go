package disk

import (
	"context"
	"os"
	"path"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Lock takes the lock file name (0600, made if it is missing) for this process
// and goroutine alone. It waits for at most wait, then fails with ErrBusy; if
// ctx ends first, with its error. The kernel frees the lock of a process that
// dies, so there are no stale ones; the file stays.
func (r *Root) Lock(ctx context.Context, name string, wait time.Duration) (unlock func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, r.fail(OpLock, name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrBusy)
	defer cancel()

	// Goroutines queue in memory, where waiting costs nothing and is fair.
	slot := r.slot(name)
	select {
	case slot <- struct{}{}:
	default:
		select {
		case slot <- struct{}{}:
		case <-ctx.Done():
			return nil, r.fail(OpLock, name, context.Cause(ctx))
		}
	}
	lock, err := r.flock(ctx, name)
	if err != nil {
		<-slot
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = lock.Unlock()
		<-slot
	}), nil
}

func (r *Root) flock(ctx context.Context, name string) (lock *flock.Flock, err error) {
	if err := r.Mkdir(path.Dir(name)); err != nil {
		return nil, err
	}
	err = r.do(OpLock, name, func(string) error {
		lock = flock.New(r.Path(name), flock.SetFlag(os.O_CREATE|os.O_RDWR|nofollow|nonblock), flock.SetPermissions(0o600))
		for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
			taken, err := lock.TryLock()
			if taken || err != nil {
				return err
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				_ = lock.Close()
				return context.Cause(ctx)
			}
		}
	})
	return lock, err
}

// maxPause is how much later than possible a lock of another process is had.
const maxPause = 10 * time.Millisecond

func (r *Root) slot(name string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	slot := r.slots[name]
	if slot == nil {
		slot = make(chan struct{}, 1)
		r.slots[name] = slot
	}
	return slot
}
