package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/text"
)

func newDemo(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch two people meet, post and read, in a temporary home",
		Long: `Watch two people, Alice and Bob, meet, post and read each other: real keys,
real processes, real HTTP on this machine, in a temporary directory that is
removed in the end. Each command is shown with what it prints; all of it can
be typed by hand.`,
		Example: `  p2ps demo`,
		Args:    noArguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "p2ps-demo-")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(dir) }()
			d := &demo{e: e, ctx: cmd.Context(), dir: dir}
			defer d.stop()
			return d.play()
		},
	}
}

// demoLine is a step of the demo as JSON: what is shown, or a command and what
// it printed.
type demoLine struct {
	header
	Step    int    `json:"step"`
	Text    string `json:"text"`
	Who     string `json:"who,omitempty"`
	Command string `json:"command,omitempty"`
	Output  string `json:"output,omitempty"`
}

// A demo plays a story with real processes of this very program.
type demo struct {
	e      *env
	ctx    context.Context //nolint:containedctx // a demo lives within one call
	dir    string
	steps  int
	server *exec.Cmd
	err    error // the first failure; nothing is played after it
}

func (d *demo) play() error {
	d.say("Two people, each with a home of his own. A key is all one needs; nobody is asked for an account.")
	d.run("alice", "keygen", "--name", "Alice", "--no-passphrase")
	d.run("bob", "keygen", "--name", "Bob", "--no-passphrase")

	d.say("They give each other their public keys, here as files. To be a friend is to hold somebody's key.")
	d.run("alice", "key", "export", "-o", "alice.asc")
	d.run("bob", "key", "export", "-o", "bob.asc")
	d.run("alice", "friend", "add", "bob.asc")
	d.run("alice", "group", "create", "family")

	d.say("Alice writes: to her friends, to everybody, to a group that Bob is not in, to herself. Each post is one signed text file.")
	d.run("alice", "post", "-m", "Sunday lunch at ours", "--to", "friends")
	d.run("alice", "post", "-m", "Hello, world", "--to", "public")
	d.run("alice", "post", "-m", "Bob's birthday present: a kite", "--to", "family")
	d.run("alice", "post", "-m", "remember the milk", "--to", "me")

	d.say("Alice serves her posts: a process of her own, on this machine, over HTTP.")
	url := d.serve("alice")
	d.run("bob", "friend", "add", "alice.asc", "--address", url)

	d.say("Bob asks for everything that is for him. His request is signed and sealed to Alice, her answer to him. He gets two posts of the four, and both sides agree by a digest that this is all.")
	d.run("bob", "pull")
	d.run("bob", "timeline")

	d.say("Now Bob joins the family, with all that was said in it before.")
	d.run("alice", "group", "add", "family", "Bob", "--history", "all")
	d.run("bob", "pull")
	d.run("bob", "timeline", "--limit", "3")

	d.say("A post can be changed, and taken back: with the next pull Bob's copy goes to his trash.")
	d.run("alice", "delete", d.idOf("alice", "Bob's birthday"))
	d.run("bob", "pull")

	d.say("What is public, any program can read; no key is needed. This is the page that a browser or curl gets:")
	d.page(url)
	d.say("That was all. The homes are removed now. Your own begins with: p2ps keygen --name YOU")
	return d.err
}

func (d *demo) say(words string) {
	if d.err != nil {
		return
	}
	d.steps++
	if d.e.json.on {
		d.err = d.e.emit(demoLine{header: kind("demo"), Step: d.steps, Text: words})
		return
	}
	_, d.err = fmt.Fprintf(d.e.stdout, "\n%s\n", strings.TrimRight(text.Wrap(words, 78, ""), "\n"))
}

// run runs a command as one of the two, and shows it.
func (d *demo) run(who string, args ...string) {
	if d.err != nil {
		return
	}
	var out bytes.Buffer
	c := d.command(who, args...)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		d.err = fmt.Errorf("%s$ p2ps %s: %w\n%s", who, strings.Join(args, " "), err, out.String())
		return
	}
	d.tell(who, args, out.String())
}

func (d *demo) tell(who string, args []string, output string) {
	for i, a := range args {
		if strings.ContainsAny(a, " '") || a == "" {
			args[i] = `"` + a + `"`
		}
	}
	command := "p2ps " + strings.Join(args, " ")
	d.shown(who+"$ "+command, demoLine{Who: who, Command: command, Output: output})
}

func (d *demo) shown(prompt string, l demoLine) {
	d.steps++
	if d.e.json.on {
		l.header, l.Step, l.Text = kind("demo"), d.steps, prompt
		d.err = d.e.emit(l)
		return
	}
	_, d.err = fmt.Fprintf(d.e.stdout, "\n%s\n", d.e.paint(bold, prompt))
	for line := range lines(l.Output) {
		_, _ = fmt.Fprintf(d.e.stdout, "    %s\n", line) // the first failed write is remembered
	}
	if d.err == nil {
		d.err = d.e.stdout.Flush()
	}
}

// page shows Alice's public page.
func (d *demo) page(url string) {
	if d.err != nil {
		return
	}
	client := peer.NewClient(0)
	defer client.Close()
	page, err := client.Posts(d.ctx, url, "", 1<<20)
	if err != nil {
		d.err = err
		return
	}
	body, err := ijson.Indent(page.Body)
	if err != nil {
		d.err = err
		return
	}
	d.shown("anybody$ curl "+url+"/p2ps/v1/posts", demoLine{Who: "anybody", Command: "curl " + url + "/p2ps/v1/posts", Output: string(body)})
}

// command is this program, as one of the two.
func (d *demo) command(who string, args ...string) *exec.Cmd {
	c := d.e.self(d.ctx, args...)
	c.Dir = d.dir
	c.Env = append(c.Env, "P2PS_HOME="+filepath.Join(d.dir, who), "P2PS_TO=friends", "NO_COLOR=1")
	return c
}

// serve starts a server in the background, and returns its URL when it is up.
func (d *demo) serve(who string) string {
	if d.err != nil {
		return ""
	}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--ready-file", "url"}
	d.server = d.command(who, args...)
	var said bytes.Buffer
	d.server.Stderr = &said
	d.server.Cancel = func() error { return d.server.Process.Signal(syscall.SIGTERM) }
	if d.err = d.server.Start(); d.err != nil {
		return ""
	}
	for range 200 {
		if url, err := readText(filepath.Join(d.dir, "url")); err == nil {
			url = strings.TrimSpace(url)
			d.tell(who, append(args[:1:1], "&"), url)
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.err = fmt.Errorf("%s is not being served after 10 s:\n%s", who, said.String())
	return ""
}

func (d *demo) stop() {
	if d.server == nil || d.server.Process == nil {
		return
	}
	if err := d.server.Process.Signal(syscall.SIGTERM); err != nil {
		_ = d.server.Process.Kill()
	}
	_ = d.server.Wait()
}

// idOf finds the id of a post by the beginning of its text.
func (d *demo) idOf(who, beginning string) string {
	if d.err != nil {
		return ""
	}
	out, err := d.command(who, "timeline", "--from", "me").Output()
	for line := range strings.Lines(string(out)) {
		if columns := strings.Split(line, "\t"); len(columns) == 5 && strings.HasPrefix(columns[4], beginning) {
			return columns[0][len(columns[0])-6:]
		}
	}
	d.err = fmt.Errorf("%s has no post that begins with %q: %w", who, beginning, err)
	return ""
}
