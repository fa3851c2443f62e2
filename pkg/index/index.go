// Package index holds what the files say, in an embedded database: who may see
// which post, in which order, with which lines and digests. The files are the
// truth; the index may be deleted at any time, under any running program, and
// is made again from them.
//
// Each making is a generation with a file of its own, cache/<generation>.db;
// cache/CURRENT names the one in use. A database renamed over a live one would
// corrupt it (the old write-ahead log is applied to the new file), and a
// deleted one would be written to unseen: hence new names, and Current.
package index

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // the engine, without cgo
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/pgp"
)

//go:embed schema.sql
var schema string

// version is the schema's; another one in a file means: make it again.
const version = 10

const (
	dir     = "cache"
	current = dir + "/CURRENT"
)

// leftOver is the age at which a generation that is not in use is one that
// nobody fills any more.
const leftOver = 24 * time.Hour

// ErrDamaged: the database cannot be read; Discard it and make it again.
var ErrDamaged = errors.New("the index is damaged")

// ErrUnwritable: the disk is full, or may not be written; use InMemory instead.
var ErrUnwritable = errors.New("the index cannot be written")

// An Index is one open generation. It is safe for concurrent use, also by any
// number of processes.
type Index struct {
	root       *disk.Root
	generation string // "" in memory
	id         string // of this making, also in memory
	read       *sql.DB
	write      *sql.DB

	readers chan *reader
	closed  atomic.Bool
	watcher watcher

	mu      sync.Mutex
	authors map[pgp.Fingerprint]int64
}

// Open opens the generation in use. fresh means that there was none, or none
// that can be read: this one is empty, and nobody else sees it before Publish.
func Open(ctx context.Context, root *disk.Root) (x *Index, fresh bool, err error) {
	if x, err = opened(ctx, root); err == nil {
		return x, false, nil
	}
	if errors.Is(err, context.Canceled) {
		return nil, false, err
	}
	x, err = Create(ctx, root)
	return x, true, err
}

// Opened opens the generation in use, if there is one that can be read; else
// nil: a single post does not wait for a new one to be filled.
func Opened(ctx context.Context, root *disk.Root) *Index {
	x, err := opened(ctx, root)
	if err != nil {
		return nil
	}
	return x
}

func opened(ctx context.Context, root *disk.Root) (*Index, error) {
	name, _, err := root.ReadFile(current, 256)
	if err != nil {
		return nil, err
	}
	return open(ctx, root, strings.TrimSpace(string(name)), "rw")
}

// Create begins a new generation, whatever there is; nobody else sees it before
// Publish. Where nothing can be written, in a home on a full or read-only disk,
// it lives in memory for as long as the program.
func Create(ctx context.Context, root *disk.Root) (*Index, error) {
	generation := strings.ToLower(rand.Text())
	err := root.Mkdir(dir)
	if err == nil {
		var x *Index
		if x, err = open(ctx, root, generation, "rwc"); err == nil {
			return x, nil
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return InMemory(ctx, root)
}

// InMemory begins a generation that lives as long as the program, and that
// nobody else sees.
func InMemory(ctx context.Context, root *disk.Root) (*Index, error) {
	return open(ctx, root, "", "memory")
}

// IsShared tells whether other processes use this index too.
func (x *Index) IsShared() bool { return x.generation != "" }

func open(ctx context.Context, root *disk.Root, generation, mode string) (*Index, error) {
	x := &Index{root: root, generation: generation, id: generation, authors: map[pgp.Fingerprint]int64{}, readers: make(chan *reader, mostReaders)}
	for range mostReaders {
		x.readers <- &reader{}
	}
	const settings = "&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-8000)"
	file := "file:" + root.Path(x.file())
	if generation == "" {
		x.id = rand.Text()
		file, mode = "file:p2ps-"+x.id, "memory&cache=shared"
	} else if !validGeneration(generation) {
		return nil, fmt.Errorf("%w: CURRENT names %.40q", ErrDamaged, generation)
	}
	var err error
	if x.write, err = sql.Open("sqlite", file+"?mode="+mode+settings+"&_txlock=immediate"); err != nil {
		return nil, err
	}
	x.write.SetMaxOpenConns(1)
	// Its readers come later, and must not make an empty one of its name if it
	// was removed.
	if x.read, err = sql.Open("sqlite", file+"?mode=rw"+settings); err != nil {
		return nil, errors.Join(err, x.write.Close())
	}
	x.read.SetMaxOpenConns(mostReaders + 1) // and the watcher
	if generation == "" {                   // readers of a shared memory database would lock each other out
		x.read.SetMaxOpenConns(1)
		_ = x.read.Close()
		x.read = x.write
	}
	if err := x.prepare(ctx, mode); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) prepare(ctx context.Context, mode string) error {
	if mode != "rw" {
		if _, err := x.write.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", schema, version)); err != nil {
			return damaged(err)
		}
		return nil
	}
	var v int
	if err := x.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return damaged(err)
	}
	if v != version {
		return fmt.Errorf("%w: %w: %d, not %d", ErrDamaged, errVersion, v, version)
	}
	return nil
}

func validGeneration(s string) bool {
	return len(s) >= 8 && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

func (x *Index) file() string { return dir + "/" + x.generation + ".db" }

// Publish makes this generation the one in use, and removes the one that was,
// and what was left over by programs that ended while they filled theirs. The
// caller holds the lock of the home, and has seen that no other is in use that
// would do.
func (x *Index) Publish() error {
	if x.generation == "" {
		return nil
	}
	before := inUse(x.root)
	if err := x.root.WriteFile(current, []byte(x.generation+"\n"), 0o600); err != nil {
		return err
	}
	entries, err := x.root.ReadDir(dir)
	var now int64 // as the file system has it
	for _, e := range entries {
		now = max(now, e.Stat.Mtime)
	}
	for _, e := range entries {
		generation, _, ok := strings.Cut(e.Name, ".db")
		if ok && generation != x.generation && (generation == before || now-e.Stat.Mtime > int64(leftOver)) {
			_ = x.root.Remove(dir + "/" + e.Name) // another process may have been quicker
		}
	}
	return err
}

// inUse is the generation that CURRENT names; "" if it names none.
func inUse(root *disk.Root) string {
	name, _, err := root.ReadFile(current, 256)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// Current tells whether this is still the generation in use: it may have been
// deleted, or replaced, under a running program.
func (x *Index) Current() bool {
	if x.generation == "" {
		return true
	}
	if inUse(x.root) != x.generation {
		return false
	}
	_, err := x.root.Lstat(x.file())
	return err == nil
}

// Discard takes this generation out of use and removes it, so that the next
// Open makes another, unless another is in use by now.
func (x *Index) Discard() error {
	err := x.Close()
	if x.generation == "" {
		return err
	}
	names := []string{x.file() + "-wal", x.file() + "-shm", x.file()}
	if inUse(x.root) == x.generation {
		names = append([]string{current}, names...)
	}
	for _, name := range names {
		if rm := x.root.Remove(name); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			return rm
		}
	}
	return nil
}

// Close ends the use of the index.
func (x *Index) Close() error {
	x.closed.Store(true)
	x.watcher.close()
	for range mostReaders {
		select {
		case r := <-x.readers:
			_ = r.close()
			x.readers <- r
		default: // it is lent, and closed when it comes back
		}
	}
	if x.read == x.write {
		return x.write.Close()
	}
	return errors.Join(x.read.Close(), x.write.Close())
}

// damaged tells a broken database, and one that was deleted or replaced, from
// other failures.
func damaged(err error) error {
	var e *sqlite.Error
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrUnwritable) || !errors.As(err, &e) {
		return err // known as such, or something else
	}
	switch e.Code() {
	case sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_IOERR_DELETE_NOENT: // it was removed
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch e.Code() & 0xFF {
	case 8, 10, 13: // READONLY, IOERR, FULL
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	case 1, 11, 14, 26: // ERROR (no such table), CORRUPT, CANTOPEN, NOTADB
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// author is the number of a person in this generation.
func (x *Index) author(ctx context.Context, q querier, fpr pgp.Fingerprint, add bool) (int64, error) {
	x.mu.Lock()
	n, ok := x.authors[fpr]
	x.mu.Unlock()
	if ok {
		return n, nil
	}
	err := q.one(ctx, "SELECT n FROM author WHERE fpr = ?", []any{string(fpr)}, &n)
	if errors.Is(err, sql.ErrNoRows) && add {
		err = q.one(ctx, "INSERT INTO author (fpr) VALUES (?) RETURNING n", []any{string(fpr)}, &n)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return -1, nil
	}
	if err != nil {
		return 0, damaged(err)
	}
	if !add { // one that was just added may yet be rolled back
		x.mu.Lock()
		x.authors[fpr] = n
		x.mu.Unlock()
	}
	return n, nil
}
