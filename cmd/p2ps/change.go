package main

// change is what a command prints that changed something other than a post.
type change struct {
	header
	What    string   `json:"what"` // noun and verb, such as group.add
	Name    string   `json:"name,omitempty"`
	Who     string   `json:"who,omitempty"` // a fingerprint
	Group   string   `json:"group,omitempty"`
	ID      string   `json:"id,omitempty"`
	History string   `json:"history,omitempty"` // "all", or the time from which on posts are shown
	Already bool     `json:"already,omitzero"`  // it was so before
	DryRun  bool     `json:"dry_run,omitzero"`  // nothing was done
	To      []string `json:"to,omitempty"`
	Path    string   `json:"path,omitempty"`
}

// changed tells a change: as a line of JSON on stdout, as a sentence on stderr.
func (e *env) changed(c change, format string, args ...any) error {
	c.header, c.DryRun = kind("change"), e.dryRun
	if e.dryRun {
		format = "would be done: " + format
	}
	return e.tell(c, format, args...)
}

// wouldBe tells with --dry-run what is not done, in a sentence of its own.
func (e *env) wouldBe(c change, format string, args ...any) error {
	c.header, c.DryRun = kind("change"), true
	return e.tell(c, format, args...)
}

func (e *env) tell(c change, format string, args ...any) error {
	e.say(format, args...)
	if !e.json.on {
		return nil
	}
	return e.emit(c)
}
