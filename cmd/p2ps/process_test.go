//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A process is a command that runs, and what it takes.
type process struct {
	*exec.Cmd
	peak chan int64
}

// A cost is what a process took: processor time, and the most memory, in bytes.
type cost struct {
	cpu  time.Duration
	peak int64
}

// start starts a command that is to be measured. Its memory is looked at while it
// runs: what the system tells of it in the end may be that of who started it.
func start(b *testing.B, c *exec.Cmd) process {
	b.Helper()
	must(b, c.Start())
	p := process{c, make(chan int64, 1)}
	go func() {
		most := int64(0)
		for now := peakMemory(c.Process); now > 0; now = peakMemory(c.Process) {
			most = now
			time.Sleep(5 * time.Millisecond)
		}
		p.peak <- most
	}()
	return p
}

// wait waits for its end, which must be a good one.
func (p process) wait(b *testing.B) cost {
	b.Helper()
	must(b, p.Wait())
	return cost{p.ProcessState.UserTime() + p.ProcessState.SystemTime(), <-p.peak}
}

// peakMemory of a process, in bytes; 0 if it runs no more.
func peakMemory(p *os.Process) (peak int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	_, _ = fmt.Sscan(string(line), &peak)
	return peak << 10
}

func (u cost) add(other cost) cost { return cost{u.cpu + other.cpu, max(u.peak, other.peak)} }

func (u cost) milliseconds(n int) float64 { return float64(u.cpu.Microseconds()) / 1000 / float64(n) }
func (u cost) microseconds(n int) float64 { return float64(u.cpu.Microseconds()) / float64(n) }
func (u cost) mebibytes() float64         { return float64(u.peak) / (1 << 20) }
