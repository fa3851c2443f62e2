package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2ps/p2ps/pkg/text"
)

// lineTypes are the lines of JSON, by their kind: what --json=FIELDS can name.
// A test holds them against spec/json/.
func lineTypes() map[string][]any {
	return map[string][]any{
		"block":      {blockLine{}},
		"change":     {change{}, settingChange{}},
		"completion": {completionLine{}},
		"demo":       {demoLine{}},
		"error":      {errorLine{}},
		"file":       {fileLine{}},
		"friend":     {personLine{}},
		"gone":       {goneLine{}},
		"group":      {groupLine{}},
		"help":       {helpLine{}},
		"invite":     {inviteLine{}},
		"key":        {keyLine{}},
		"peer":       {peerLine{}},
		"post":       {postLine{}},
		"problem":    {problemLine{}},
		"pull":       {pullLine{}},
		"request":    {requestLine{}},
		"serve":      {serveLine{}},
		"setting":    {settingLine{}, configPath{}},
		"status":     {statusLine{}},
		"version":    {version{}},
	}
}

// kindsOf are the kinds of line that a command prints. What is not listed prints
// changes alone. A test holds every printed line against it.
func kindsOf(cmd *cobra.Command) []string {
	path := strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
	switch path {
	case "post", "reply", "like", "repost", "edit", "restore", "profile", "sign", "rsvp", "question", "vote", "audience":
		return []string{"post", "change"}
	case "show":
		return []string{"post", "friend"}
	case "save":
		return []string{"file", "change"}
	case "timeline", "thread", "search":
		return []string{"post"}
	case "keygen":
		return []string{"key", "change"}
	case "key show", "key export", "key qr":
		return []string{"key"}
	case "friend list", "friend show":
		return []string{"friend"}
	case "friend address", "follow":
		return []string{"friend", "change"}
	case "friend add", "friend accept": // who can be reached is pulled from at once
		return []string{"friend", "change", "post", "gone", "file", "pull"}
	case "friend requests":
		return []string{"request"}
	case "invite":
		return []string{"invite", "friend", "post", "gone", "file", "pull", "change"}
	case "invite list":
		return []string{"invite"}
	case "group list", "group show":
		return []string{"group"}
	case "block list":
		return []string{"block"}
	case "config list", "config get", "config path":
		return []string{"setting"}
	case "check":
		return []string{"problem"}
	case "status":
		return []string{"status", "problem"}
	case "pull":
		return []string{"post", "gone", "file", "pull", "change"}
	case "nearby":
		return []string{"peer"}
	case "serve":
		return []string{"serve", "change"}
	case "demo", "completion", "version":
		return []string{path}
	case "help":
		return []string{"help"}
	case "":
		return []string{"help", "version"}
	}
	return []string{"change"}
}

// fieldsOf are the fields of a kind, in their order.
func fieldsOf(kind string) []string {
	var names []string
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for f := range t.Fields() {
			if f.Anonymous {
				walk(f.Type)
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, line := range lineTypes()[kind] {
		walk(reflect.TypeOf(line))
	}
	return names
}

// checkFields refuses a field of --json=FIELDS that no line of these kinds has,
// before anything is done.
func (e *env) checkFields(kinds ...string) error {
	if len(e.json.fields) == 0 {
		return nil
	}
	var known []string
	for _, kind := range kinds {
		for _, name := range fieldsOf(kind) {
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	for _, name := range e.json.fields {
		if slices.Contains(known, name) {
			continue
		}
		hint := "the fields are: " + strings.Join(known, ", ")
		if close := nearest(name, known); close != "" {
			hint = "did you mean " + close + "? " + hint
		}
		return usage(hint, "--json: there is no field %q here", text.Clean(name))
	}
	return nil
}
