package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a line on stderr that tells how far a long command is: only on a
// terminal, and only after 300 ms.
type progress struct {
	bar   *progressbar.ProgressBar
	begin time.Time
	now   func() time.Time
	n     int
}

// quietly is how long a command may be silent.
const quietly = 300 * time.Millisecond

func (e *env) progress(what string) *progress {
	p := &progress{begin: e.now(), now: e.now}
	if !e.err || e.quiet || e.json.on {
		return p
	}
	p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("posts"), progressbar.OptionShowIts(),
		progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return p
}

func (p *progress) step() {
	p.n++
	p.at(p.n)
}

// at says how far it is; several goroutines may.
func (p *progress) at(n int) {
	if p.bar != nil && p.now().Sub(p.begin) > quietly {
		_ = p.bar.Set(n) // a line that is only for the eye
	}
}

// set tells that n are done.
func (p *progress) set(n int) {
	p.n = n - 1
	p.step()
}

// clear makes room for a line of text.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
