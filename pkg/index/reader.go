package index

import (
	"context"
	"database/sql"
	"errors"
)

// Readers of one process at a time, and what each keeps prepared.
const (
	mostReaders = 4
	mostKept    = 64
)

// A reader is a connection that reads, and keeps the queries it has prepared: to
// prepare one takes longer than to ask it.
type reader struct {
	conn *sql.Conn
	kept map[string]*sql.Stmt
}

// A querier asks the index within one transaction.
type querier interface {
	// each calls row for each row of a query.
	each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error
	// one scans the only row of a query; sql.ErrNoRows if there is none.
	one(ctx context.Context, query string, args []any, into ...any) error
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// reading lends a reader to look, in a transaction of its own.
func (x *Index) reading(ctx context.Context, look func(*reader) error) error {
	var r *reader
	select {
	case r = <-x.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { x.readers <- r }()
	if err := r.begin(ctx, x.read); err != nil {
		return errors.Join(err, r.close())
	}
	// It ends whatever has become of the caller. A connection that cannot end it
	// is given up, and so is one of an index that was closed meanwhile.
	defer func() {
		if r.end() != nil || x.closed.Load() || !x.IsShared() {
			_ = r.close()
		}
	}()
	return look(r)
}

func (r *reader) begin(ctx context.Context, db *sql.DB) error {
	if err := r.open(ctx, db); err != nil {
		return err
	}
	return damaged(r.exec(ctx, "BEGIN"))
}

func (r *reader) open(ctx context.Context, db *sql.DB) (err error) {
	if r.conn != nil {
		return nil
	}
	if r.conn, err = db.Conn(ctx); err != nil {
		return damaged(err)
	}
	r.kept = map[string]*sql.Stmt{}
	return nil
}

func (r *reader) end() error { return r.exec(context.Background(), "ROLLBACK") } // nothing was changed

func (r *reader) exec(ctx context.Context, query string) error {
	return r.prepared(ctx, query, func(s *sql.Stmt) error {
		_, err := s.ExecContext(ctx)
		return err
	})
}

// prepared lends a prepared query, to one at a time.
func (r *reader) prepared(ctx context.Context, query string, use func(*sql.Stmt) error) error {
	s, err := r.kept[query], error(nil)
	if s == nil {
		if s, err = r.conn.PrepareContext(ctx, query); err != nil {
			return err
		}
	}
	delete(r.kept, query)
	err = use(s)
	if r.kept[query] != nil || len(r.kept) >= mostKept {
		return errors.Join(err, s.Close())
	}
	r.kept[query] = s
	return err
}

func (r *reader) close() error {
	conn := r.conn
	if conn == nil {
		return nil
	}
	for _, s := range r.kept {
		_ = s.Close()
	}
	r.conn, r.kept = nil, nil
	return conn.Close()
}

func (r *reader) each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error {
	return r.prepared(ctx, query, func(s *sql.Stmt) error {
		rows, err := s.QueryContext(ctx, args...)
		return eachOf(rows, err, row)
	})
}

func (r *reader) one(ctx context.Context, query string, args []any, into ...any) error {
	return r.prepared(ctx, query, func(s *sql.Stmt) error { return s.QueryRowContext(ctx, args...).Scan(into...) })
}

// QueryContext is for queries that are seldom the same.
func (r *reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.conn.QueryContext(ctx, query, args...)
}

// A writer is the transaction of an Update, which may read too.
type writer struct{ *sql.Tx }

func (w writer) each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := w.QueryContext(ctx, query, args...)
	return eachOf(rows, err, row)
}

func (w writer) one(ctx context.Context, query string, args []any, into ...any) error {
	return w.QueryRowContext(ctx, query, args...).Scan(into...)
}

func eachOf(rows *sql.Rows, err error, row func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
