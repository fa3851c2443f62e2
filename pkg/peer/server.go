package peer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timeouts of a server, for the slow and the silent.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 60 * time.Second
	quietTimeout  = 60 * time.Second
	drainTimeout  = 10 * time.Second
)

// Serve answers connections of l with handler until ctx ends; then it takes no
// new ones, and lets those that are being answered finish, for 10 s at most.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, limits Limits, log *slog.Logger) error {
	limits = limits.orDefault()
	return serveUntil(ctx, newServer(handler, log), &capped{l, newShares(limits.Connections, limits.ConnectionsPer)})
}

func serveUntil(ctx context.Context, server *http.Server, l net.Listener) error {
	if h, ok := server.Handler.(interface{ end() }); ok {
		server.RegisterOnShutdown(h.end)
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(ending)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		drained <- err
	})
	err := server.Serve(l)
	if stop() { // it ended by itself
		return err
	}
	return <-drained
}

// newServer makes the server: HTTP/1.1 alone, and time and room for nobody who
// takes more than a peer needs (spec S1, S2).
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       quietTimeout,
		MaxHeaderBytes:    16<<10 - 4096, // net/http adds 4,096
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// capped closes at once what is over the number of connections, in all and of
// one address.
type capped struct {
	net.Listener
	*shares
}

func (c *capped) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(hostOf(conn.RemoteAddr().String()))
		if c.take(from, 1) {
			return &counted{Conn: conn, give: sync.OnceFunc(func() { c.give(from, 1) })}, nil
		}
		_ = conn.Close()
	}
}

type counted struct {
	net.Conn
	give func()
}

func (c *counted) Close() error {
	c.give()
	return c.Conn.Close()
}
