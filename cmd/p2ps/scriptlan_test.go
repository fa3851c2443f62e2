package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Machines of a story are network namespaces, joined by cables: nothing of it
// reaches the network of the machine on which the test runs.

// canCable tells whether there can be network namespaces here: on Linux, with
// iproute2, as root with the right to.
var canCable = sync.OnceValue(func() bool {
	name := fmt.Sprintf("p2ps-%d-try", os.Getpid())
	if exec.Command("ip", "netns", "add", name).Run() != nil {
		return false
	}
	defer func() { _ = exec.Command("ip", "netns", "del", name).Run() }()
	return exec.Command("ip", "-n", name, "link", "add", "lan1", "type", "veth", "peer", "name", "lan2").Run() == nil
})

func ip(ts *testscript.TestScript, args ...string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
		ts.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// machine is the namespace of a person, made when first named; it is $NAME_NET.
func machine(ts *testscript.TestScript, name string) (netns string, number int) {
	c := castOf(ts)
	if i := slices.Index(c.machines, name); i >= 0 {
		return ts.Getenv(strings.ToUpper(name) + "_NET"), i + 1
	}
	c.machines = append(c.machines, name)
	netns = fmt.Sprintf("p2ps-%d-%s-%s", os.Getpid(), filepath.Base(filepath.Dir(ts.Getenv("WORK")+"/x")), name)
	ip(ts, "netns", "add", netns)
	ts.Defer(func() { _ = exec.Command("ip", "netns", "del", netns).Run() })
	ip(ts, "-n", netns, "link", "set", "lo", "up")
	ts.Setenv(strings.ToUpper(name)+"_NET", netns)
	return netns, len(c.machines)
}

// cable N ONE OTHER: joins two machines by cable number N: each has interface
// lanN, 10.77.N.I and fd77:N::I, I being 1 for the first machine of the story.
func cable(ts *testscript.TestScript, args []string) {
	n := args[0]
	var nets [2]string
	var numbers [2]int
	for i := range nets {
		nets[i], numbers[i] = machine(ts, args[i+1])
	}
	ip(ts, "link", "add", "lan"+n, "netns", nets[0], "type", "veth", "peer", "name", "lan"+n, "netns", nets[1])
	for i, netns := range nets {
		ip(ts, "-n", netns, "addr", "add", fmt.Sprintf("10.77.%s.%d/24", n, numbers[i]), "dev", "lan"+n)
		ip(ts, "-n", netns, "-6", "addr", "add", fmt.Sprintf("fd77:%s::%d/64", n, numbers[i]), "dev", "lan"+n, "nodad")
		ip(ts, "-n", netns, "link", "set", "lan"+n, "up")
	}
}

// unplug N NAME: takes cable N away from that machine, and the other.
func unplug(ts *testscript.TestScript, args []string) {
	netns, _ := machine(ts, args[1])
	ip(ts, "-n", netns, "link", "del", "lan"+args[0])
}

// inNet makes a command that runs on the machine of a person, if he has one.
func inNet(ts *testscript.TestScript, name string, path string, args ...string) *exec.Cmd {
	if !slices.Contains(castOf(ts).machines, name) {
		return exec.Command(path, args...)
	}
	netns, _ := machine(ts, name)
	return exec.Command("ip", append([]string{"netns", "exec", netns, path}, args...)...)
}

// until REGEX COMMAND...: runs a command until what it prints matches.
func until(ts *testscript.TestScript, args []string) {
	re, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if re.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("it did not print %q in %v (%v)", args[0], patience, err)
		}
	}
}

// background runs a program on the machine of a person until the story ends.
func background(ts *testscript.TestScript, name, out string, env []string, path string, args ...string) {
	cmd := inNet(ts, name, path, args...)
	cmd.Env, cmd.Dir = append(environ(ts, name), env...), ts.Getenv("WORK")
	file := appendTo(ts, ts.MkAbs(out))
	cmd.Stdout, cmd.Stderr = file, file
	startFor(ts, cmd)
}

// eavesdrop NAME FILE: whatever multicast DNS reaches the machine of NAME on its
// cable 1 is kept in FILE, from when this command has ended.
func eavesdrop(ts *testscript.TestScript, args []string) {
	background(ts, args[0], args[1]+".log", nil, program(ts, "p2ps-ear"), "lan1", ts.MkAbs(args[1]))
	await(ts, args[1])
}

func await(ts *testscript.TestScript, file string) {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(file)); err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s is not there after %v", file, patience)
		}
	}
}

// ear is the program behind eavesdrop: p2ps-ear INTERFACE FILE.
func ear() error {
	i, err := net.InterfaceByName(os.Args[1])
	if err != nil {
		return err
	}
	c, err := net.ListenMulticastUDP("udp4", i, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353})
	if err != nil {
		return err
	}
	f, err := os.Create(os.Args[2])
	if err != nil {
		return err
	}
	packet := make([]byte, 1<<16)
	for {
		n, err := c.Read(packet)
		if err != nil {
			return err
		}
		if _, err := f.Write(packet[:n]); err != nil {
			return err
		}
	}
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/></policy></busconfig>
`

// avahi NAME HOST: runs Avahi on the machine of NAME, which calls itself HOST,
// with a bus and a run directory of its own. What it says goes to NAME.avahi.
func avahi(ts *testscript.TestScript, args []string) {
	name, host := args[0], args[1]
	at := ts.MkAbs(ts.Getenv("WORK") + "/" + name)
	bus, err := os.MkdirTemp("", "p2ps-bus") // the path of a socket is short
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(bus) })
	ts.Check(os.WriteFile(at+".dbus.conf", fmt.Appendf(nil, busConfig, bus+"/bus"), 0o600))
	ts.Check(os.WriteFile(at+".avahi.conf", []byte("[server]\nhost-name="+host+"\nuse-ipv4=yes\nuse-ipv6=yes\n"), 0o600))
	address := "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus + "/bus"
	ts.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+bus+"/bus")
	background(ts, name, name+".dbus", nil, "dbus-daemon", "--config-file="+at+".dbus.conf", "--nofork", "--nopidfile")
	await(ts, bus+"/bus")
	run := bus + "/run"
	ts.Check(os.Mkdir(run, 0o755))
	ts.Check(os.MkdirAll("/run/avahi-daemon", 0o755))
	background(ts, name, name+".avahi", []string{address}, "unshare", "--mount", "sh", "-c",
		`mount --bind "$1" /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f "$2"`, "sh", run, at+".avahi.conf")
	await(ts, run+"/pid")
}
