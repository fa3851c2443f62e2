package main

import (
	"context"
	"errors"
	"math"
	"net"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/disk"
	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/peer"
)

// serveLine says where a home is served, as JSON.
type serveLine struct {
	header
	URL         string `json:"url"`
	Fingerprint string `json:"fingerprint"`
	Announce    string `json:"announce,omitempty"` // on the local network, to whom
}

func newServe(e *env) *cobra.Command {
	var ready string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer friends who ask for your posts",
		Long: `Answer friends who ask for your posts, and show everybody the public ones,
until Ctrl-C or SIGTERM; what is being answered then is finished first. Rights
are read from the files at every request, so that friends, groups and blocks
count at once, whichever program changes them.

A friend who comes to pull, and whom you cannot reach, is asked back for what is
new with him: posts, and the files that they name, but none with the setting
no-media and none over max-bytes. What one pull of his does not bring goes on
with his next.

With --announce friends it is announced on the local network, so that those who
hold your key find you there, and others see that somebody is there who uses
p2ps; with everyone, under your name and fingerprint (see p2ps nearby). Nothing
is announced unless you say so.

All that is private is sealed to the one who asked; no https is needed for it.
If a proxy stands before it, name its network with --trusted-proxy.`,
		Example: `  p2ps serve
  p2ps serve --announce friends
  p2ps serve --listen 127.0.0.1:0 --ready-file url`,
		Args: noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, me, err := e.identity()
			if err != nil {
				return err
			}
			s, err := e.settings()
			if err != nil {
				return err
			}
			l, err := e.listen(cmd.Context(), s.Listen)
			if err != nil {
				return err
			}
			defer func() { _ = l.Close() }()
			line := serveLine{kind("serve"), s.Address, string(me.Fingerprint()), ""}
			if e.announces(nearby.Mode(s.Announce), l.Addr()) {
				line.Announce = s.Announce
			}
			if line.URL == "" {
				line.URL = urlOf(l.Addr())
			}
			if e.dryRun {
				return e.wouldBe(change{What: "serve"}, "it would be served at %s", line.URL)
			}
			reached := reachedAt(l.Addr().String())
			if s.Address != "" {
				reached = []string{s.Address}
			}
			limits := peer.Limits{PerAddress: float64(s.RatePerAddress), PerKey: float64(s.RatePerKey), Proxies: s.TrustedProxy}
			h.AskBack(s.pulling())
			return e.serve(cmd.Context(), h, l, limits, line, reached, ready)
		},
	}
	addSettingFlag(cmd.Flags(), "listen", "")
	addSettingFlag(cmd.Flags(), "address", "")
	addSettingFlag(cmd.Flags(), "announce", "")
	completeFlag(cmd, "announce", cobra.FixedCompletions(nearby.Modes(), only))
	addSettingFlag(cmd.Flags(), "trusted-proxy", "")
	cmd.Flags().StringVar(&ready, "ready-file", "", "write the URL to `FILE` when connections are accepted")
	return cmd
}

func (e *env) serve(ctx context.Context, h *home.Home, l net.Listener, limits peer.Limits, line serveLine, reached []string, ready string) error {
	boundMemory()
	if err := h.StartServing(ctx, limits.PerKey); err != nil {
		return err
	}
	done, err := h.Serving(ctx, line.URL, reached...)
	if errors.Is(err, disk.ErrBusy) {
		return fail(exitBusy, "p2ps status says where", "this home is being served already")
	}
	if err != nil {
		return err
	}
	defer done()
	handler, err := peer.Handler(h, limits, e.log)
	if err != nil {
		return err
	}
	if err := e.emit(line, line.URL); err != nil {
		return err
	}
	e.tellReached(reached, line.URL)
	if err := e.writeReady(ready, line.URL); err != nil {
		return err
	}
	go h.KeepLooking(ctx)
	bye := e.announce(ctx, h, nearby.Mode(line.Announce), l.Addr())
	err = peer.Serve(ctx, l, handler, limits, e.log)
	bye()
	if err != nil {
		return err
	}
	e.say("no longer serving")
	return nil
}

// tellReached says where friends reach a server whose URL is one for this machine.
func (e *env) tellReached(reached []string, url string) {
	if len(reached) > 0 && !slices.Contains(reached, url) {
		e.say("friends reach it at %s", strings.Join(reached, " or "))
	}
}

// announces tells whether a server is announced on the local network, and says
// so if it was to be and cannot.
func (e *env) announces(mode nearby.Mode, listening net.Addr) bool {
	if mode == nearby.Off {
		return false
	}
	if !nearby.Reachable(listening) {
		e.warn("note: not announced: %s is not reached from the local network (see --listen)", listening)
		return false
	}
	return true
}

// announce announces the home on the local network until bye is called, which
// comes back when the goodbye is said.
func (e *env) announce(ctx context.Context, h *home.Home, mode nearby.Mode, listening net.Addr) (bye func()) {
	if mode == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.Announce(ctx, mode, listening); err != nil {
			e.log.Warn("not announced on the local network", "error", err)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// servingMemory bounds what serving takes, in bytes. peer.Limits bound what is
// in use, far below; but garbage may be as much again, unless it is collected
// more eagerly when strangers make much of it.
const servingMemory = 200 << 20

// boundMemory sets the limit, unless GOMEMLIMIT has set one.
func boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(servingMemory)
	}
}

func (e *env) writeReady(name, url string) error {
	if name == "" {
		return nil
	}
	root, err := e.openDir(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return root.WriteFile(filepath.Base(name), []byte(url+"\n"), 0o644)
}

// urlOf is how this machine reaches a listener of its own.
func urlOf(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "http://" + a.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// reasonOf leaves out of a network error what the message says already.
func reasonOf(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil && !strings.Contains(op.Err.Error(), "lookup") {
		return op.Err
	}
	return err
}
