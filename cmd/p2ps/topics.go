package main

import (
	"fmt"
	"strings"
)

// A topic is a page of help that is no command's. Where the program has a
// table, the page is made from it.
type topic struct {
	name, about string
	text        func() string
}

func topics() []topic {
	return []topic{
		{"exit-codes", "what a script learns from the exit code", exitTopic},
		{"environment", "variables and settings", environmentTopic},
		{"json", "what --json prints", func() string { return jsonTopic }},
		{"time", "how times are written", func() string { return timeTopic }},
		{"trust", "whose key it is, and how to be sure", func() string { return trustTopic }},
		{"files", "what lies where, and what may be done by hand", func() string { return filesTopic }},
		{"unattended", "from cron, systemd and scripts", func() string { return unattendedTopic }},
	}
}

func topicNames() []string {
	var names []string
	for _, t := range topics() {
		names = append(names, t.name)
	}
	return names
}

func topicList() string {
	var b strings.Builder
	for _, t := range topics() {
		fmt.Fprintf(&b, "    %-12s  %s\n", t.name, t.about)
	}
	return strings.TrimRight(b.String(), "\n")
}

func exitTopic() string {
	var b strings.Builder
	b.WriteString("Exit codes. With --json the last line on stderr of a failure names them too.\n\n")
	for _, row := range exits {
		fmt.Fprintf(&b, "%5d  %-12s %s\n", row.exit, row.name, row.meaning)
	}
	b.WriteString(`
A friend who is away is no failure of a pull without names. Of several friends:
7 if any is untrusted, else 6, else 5.
`)
	return b.String()
}

// variables are those of the environment that are no settings.
var variables = []struct{ name, about string }{
	{"P2PS_HOME", "the home; --home goes before. Else p2ps in the data directory"},
	{"P2PS_PASSPHRASE_FILE", "a file with the passphrase of the primary key, 0600"},
	{"XDG_DATA_HOME", "the data directory, else ~/.local/share"},
	{"VISUAL, EDITOR", "what to write with, if the setting editor is empty"},
	{"PAGER", "for long output, if the setting pager is empty"},
	{"NO_COLOR", "if not empty: no colors"},
	{"CLICOLOR", "0: no colors"},
	{"CLICOLOR_FORCE", "not 0: colors in a pipe too"},
	{"PATH", "p2ps-foo on it runs as p2ps foo"},
}

func environmentTopic() string {
	var b strings.Builder
	b.WriteString(`Each setting has a variable. What counts is the flag of that name, else the
variable, else config.toml in the home, else the default (p2ps config list). A
list is written with commas; an empty variable counts as none.

`)
	for _, s := range settingTable() {
		fmt.Fprintf(&b, "    %s\n        %s: %s", s.env(), s.name, s.says())
		if s.value != "" {
			fmt.Fprintf(&b, " (%s)", s.value)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\nOther variables:\n\n")
	for _, v := range variables {
		fmt.Fprintf(&b, "    %s\n        %s\n", v.name, v.about)
	}
	return b.String()
}

const jsonTopic = `Every command takes --json and prints JSON Lines on stdout: one object a line,
none for nothing. Each has "kind" and "v":1. Within v 1 fields are only added;
one that has no value is absent, never null. Times are RFC 3339 in UTC, sizes
are bytes, durations end in _ms. Control characters and bidirectional controls
are always escaped.

    --json              all fields
    --json=id,path      only these, in this order, after kind and v

A field that no line of the command has is exit code 2, which names those there
are, before anything is done.

Of help, --help and completion the text is a member of one line. Only the bytes
of show --raw and --signature are never JSON.

A post stands as it was signed in "post" of its line:

    p2ps timeline --json | jq -r 'select(.post.type=="Note") | .post.content'

The last line on stderr of a failure is an object too:

    {"kind":"error","v":1,"code":"locked","exit":4,"message":"...","hint":"..."}

"code" and "exit" are those of p2ps help exit-codes.
`

const timeTopic = `Where a flag takes a time, it is written in one of these ways:

    2026-11-22            the beginning of that day, where you are
    2026-11-22T18:30      that minute, where you are
    2026-11-22T18:30:00Z  RFC 3339, with its zone
    90m  1d  1d12h  2w    so long before now

What is still to come (--expires, --closes) is so long after now: 2d. --end of an
event may be how long it lasts, and --start and --end as dates are whole days. An
event keeps the zone it was thought in (--timezone, else yours), and is shown in it.

Where it takes how long (--timeout, --wait): 30s, 5m, 1h30m.

Posts and JSON hold times in UTC. On a terminal they are shown as how long ago.
A time in a post is what its writer's clock said, and is only shown: the order
of a feed and what was pulled already never depend on it.
`

const trustTopic = `A person is an OpenPGP key, and his name on the wire is its fingerprint. How sure
you can be that a key is his is one of

    unknown    it came from somewhere, and nobody vouched for it
    pinned     you added it yourself: another key in its place is refused
    verified   you met in person, or compared the fingerprint

It stands beside the name in p2ps friend list, and beside the author of what you
read on a terminal, unless he is verified.

An invite (p2ps invite) holds the fingerprint of who made it, and a token. What
comes over the net is held against that fingerprint, so nobody on the way can
put another key in its place. But whoever gets the link first is the guest, and
whoever can change the link can put his own in: by mail or chat it makes a key
pinned, not more. If p2ps says that an invite was used before by another key,
somebody else had it: remove whom it made your friend, and meet another way.

In one room use p2ps invite --in-person and have the other take the link from
your screen: then both are verified at once. Whoever adds such a link at a
terminal is asked whether it was so; in a script its owner is believed.

A key from a file, from a peer's address, by a card or by a friend request is
never verified by itself either, nor is one that was announced on the local
network (p2ps nearby), where anybody can say that he is anybody. Compare the
fingerprint on the phone: each reads his own to the other, as it stands in p2ps
key show.

    p2ps friend verify WHO               # shows both, asks what you hear
    p2ps friend verify WHO FINGERPRINT
    p2ps friend verify WHO --scan IMAGE  # of the QR code of p2ps key qr

A friend in whose place another key answers is a hard stop (exit code 7), not a
warning: nothing is asked of him any more. Do not retry: ask him. What settles
it is p2ps friend verify, if his key is as it was; p2ps friend address, if he is
somewhere else now; or p2ps friend remove, and a new invite, if he has a new key.

Strangers who know where you are can ask to be friends (p2ps friend requests).
The names that they give themselves prove nothing: if a friend of yours is
called so, by another key, that is said.

What nobody can promise: recall of a post that was pulled already, or that a
reader does not pass on what he read. He can also prove that you wrote it.
`

const filesTopic = `The home (--home, P2PS_HOME) is made of plain files, and they are the truth.

    key/          your keys; 0600, and nobody else's business
    friends/      FPR.asc and FPR.json of each friend
    follows/      of public feeds that you read
    groups/       a directory for each group, with its members' keys
    blocked/      a file for each who is blocked; its name is enough
    feed/         your posts, one a file: 2026/11/ID.json
    feeds/        what you pulled from each friend, likewise
    attachments/  by SHA-256
    history/      texts that an edit replaced
    trash/        what was withdrawn or deleted, until p2ps gc empties it
    config.toml   settings
    state/        of this machine alone
    cache/        the index; may be deleted at any time

cp of a friend's key into a group's directory makes a member, rm ends it. It
shows no older posts; p2ps group add --history all does.

A post made, edited or removed by hand in feed/ is a draft: p2ps status lists it,
nobody is given it and nobody is told, until p2ps sign.

To keep several machines of yours equal, copy everything but state and cache
with any tool.
`

const unattendedTopic = `p2ps asks questions on a terminal only. Elsewhere, and with --no-input, what
would be asked is exit code 2, or 4 for a passphrase; -y answers yes. Daily
commands need no passphrase: only those that need the primary key do
(P2PS_PASSPHRASE_FILE).

    */15 * * * *  p2ps pull -q

prints nothing if all is well, a friend is away or another pull still runs, and
two never run at once. Each new post once, for a pipe:

    p2ps pull --json | jq -r 'select(.kind=="post") | .post.content'

To serve from a script, wait for the file that serve writes once it accepts
connections; it holds the address:

    p2ps serve --listen 127.0.0.1:0 --ready-file url &

SIGTERM ends it in order.
`
