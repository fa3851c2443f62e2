package main

// A style is how a word looks on a terminal (SGR parameters).
type style string

const (
	bold   style = "1"
	faint  style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint colors cleaned text, where colors are wanted.
func (e *env) paint(s style, words string) string {
	if words == "" || !e.colors() {
		return words
	}
	return "\x1b[" + string(s) + "m" + words + "\x1b[0m"
}

// colors says whether stdout is to be colored: as --color or the setting says;
// if that is "auto", on a terminal that NO_COLOR, CLICOLOR=0 or TERM=dumb do
// not forbid. CLICOLOR_FORCE wants them in a pipe too.
func (e *env) colors() bool {
	s, err := e.settings()
	if err != nil || e.json.on {
		return false
	}
	switch s.Color {
	case "always":
		return true
	case "never":
		return false
	}
	switch {
	case e.getenv("NO_COLOR") != "":
		return false
	case e.getenv("CLICOLOR_FORCE") != "" && e.getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return e.out && e.getenv("CLICOLOR") != "0" && e.getenv("TERM") != "dumb"
}
