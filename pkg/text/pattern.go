package text

import (
	"regexp"
	"sync"
)

// A Pattern is a regular expression that is compiled when it is first used: a
// command that lives for a moment uses few of all there are.
type Pattern func() *regexp.Regexp

// NewPattern is a Pattern. If it cannot be compiled, its first use panics.
func NewPattern(expr string) Pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// MatchString tells whether s holds a match.
func (p Pattern) MatchString(s string) bool { return p().MatchString(s) }

// ReplaceAllString is s with by in place of every match.
func (p Pattern) ReplaceAllString(s, by string) string { return p().ReplaceAllString(s, by) }
