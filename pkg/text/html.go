package text

import (
	"html"
	"strings"
)

// FromHTML is the text in HTML: what it says, without marks, comments, scripts
// and styles. Blocks and <br> begin a line, list items a line with "- "; where a
// link leads stands behind it in brackets, unless it says so itself. Nothing is
// fetched, and nothing of it is markup afterwards. It is not clean yet: that is
// Block's.
func FromHTML(s string) string {
	var p page
	for len(s) > 0 {
		before, rest, found := strings.Cut(s, "<")
		p.words(before)
		if !found {
			break
		}
		s = p.mark(rest)
	}
	p.leaveLinks()
	return strings.Trim(p.out.String(), " \n")
}

// A page is HTML being read.
type page struct {
	out   strings.Builder
	last  byte // written last; 0 at the beginning
	gap   bool // a space waits for the word after it
	links []link
	pre   int // depth of <pre>
}

type link struct {
	href string
	at   int // where in out its text begins
}

// words writes text between marks: runs of white space are one space, but in
// <pre>.
func (p *page) words(s string) {
	s = html.UnescapeString(s)
	if p.pre > 0 {
		p.put(s)
		return
	}
	fields := strings.Fields(s)
	if len(fields) == 0 {
		if s != "" {
			p.space()
		}
		return
	}
	if strings.TrimLeft(s, " \t\r\n\f") != s {
		p.space()
	}
	p.put(strings.Join(fields, " "))
	if strings.TrimRight(s, " \t\r\n\f") != s {
		p.space()
	}
}

func (p *page) put(s string) {
	if s != "" {
		if p.gap {
			p.out.WriteByte(' ')
			p.gap = false
		}
		p.out.WriteString(s)
		p.last = s[len(s)-1]
	}
}

func (p *page) space() {
	p.gap = p.last != 0 && p.last != ' ' && p.last != '\n'
}

func (p *page) line() {
	p.gap = false
	if p.last != 0 && p.last != '\n' {
		p.put("\n")
	}
}

// mark reads what follows a "<", and returns what follows the mark.
func (p *page) mark(s string) string {
	switch {
	case strings.HasPrefix(s, "!--"):
		_, rest, _ := strings.Cut(s[3:], "-->")
		return rest
	case s == "" || !isLetter(s[0]) && s[0] != '/' && s[0] != '!' && s[0] != '?':
		p.put("<") // as in 1 < 2
		return s
	}
	tag, rest := cutTag(s)
	closing := strings.HasPrefix(tag, "/")
	name := strings.ToLower(strings.TrimLeft(tag, "/"))
	if i := strings.IndexFunc(name, func(r rune) bool { return r == '/' || r <= ' ' }); i >= 0 {
		name = name[:i]
	}
	switch name {
	case "script", "style", "template", "title", "noscript", "iframe", "object", "svg", "math", "textarea":
		if !closing {
			return after(rest, "</"+name)
		}
	case "br", "p", "div", "ul", "ol", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section", "article", "header", "footer", "dt", "dd", "figure":
		p.line()
	case "li":
		if p.line(); !closing {
			p.put("- ")
		}
	case "pre":
		p.line()
		if closing {
			p.pre = max(0, p.pre-1)
		} else {
			p.pre++
		}
	case "img":
		p.put(attribute(tag, "alt"))
	case "a":
		if p.leaveLinks(); !closing {
			p.links = append(p.links, link{attribute(tag, "href"), p.out.Len()})
		}
	}
	return rest
}

// leaveLinks writes where a link leads whose text has ended.
func (p *page) leaveLinks() {
	for _, l := range p.links {
		if said := p.out.String()[l.at:]; l.href != "" && !strings.Contains(said, l.href) {
			p.gap = false
			p.put(" (" + l.href + ")")
		}
	}
	p.links = nil
}

// cutTag cuts a mark at the ">" that ends it: one in quotes does not.
func cutTag(s string) (tag, rest string) {
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			if before := strings.TrimRight(s[:i], " \t\r\n\f"); strings.HasSuffix(before, "=") {
				quote = c
			}
		case c == '>':
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// attribute is the value of an attribute of a mark.
func attribute(tag, name string) string {
	for rest := tag; ; {
		i := strings.IndexAny(rest, " \t\r\n\f/")
		if i < 0 {
			return ""
		}
		rest = strings.TrimLeft(rest[i:], " \t\r\n\f/")
		if len(rest) < len(name) || !strings.EqualFold(rest[:len(name)], name) {
			if q := strings.IndexAny(rest[:firstSpace(rest)], `"'`); q >= 0 { // over a quoted value
				if end := strings.IndexByte(rest[q+1:], rest[q]); end >= 0 {
					rest = rest[q+1+end:]
				}
			}
			continue
		}
		value, ok := strings.CutPrefix(strings.TrimLeft(rest[len(name):], " \t\r\n\f"), "=")
		if !ok {
			continue
		}
		value = strings.TrimLeft(value, " \t\r\n\f")
		if value != "" && (value[0] == '"' || value[0] == '\'') {
			value, _, _ = strings.Cut(value[1:], value[:1])
			return html.UnescapeString(value)
		}
		return html.UnescapeString(value[:firstSpace(value)])
	}
}

func firstSpace(s string) int {
	if i := strings.IndexAny(s, " \t\r\n\f"); i >= 0 {
		return i
	}
	return len(s)
}

// after is what follows the mark that begins with end, in any case.
func after(s, end string) string {
	for i := 0; i+len(end) <= len(s); i++ {
		if s[i] == '<' && strings.EqualFold(s[i:i+len(end)], end) {
			_, rest := cutTag(s[i+1:])
			return rest
		}
	}
	return ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
