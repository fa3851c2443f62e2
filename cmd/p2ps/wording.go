package main

import (
	"regexp"
	"strings"
	"sync"
)

// inPlainWords puts a message of the Go libraries into words for whoever does not
// know them. It works on the text, since what went wrong in a pull is kept as
// text. What it does not know stays as it is.
func inPlainWords(message string) string {
	if !foreignWords().MatchString(message) {
		return message
	}
	for _, w := range wordings() {
		message = w.is.ReplaceAllString(message, w.plain)
	}
	fault := fileFault()
	return fault.ReplaceAllStringFunc(message, func(s string) string {
		m := fault.FindStringSubmatch(s)
		return m[1] + ": " + fileFaults[m[2]]
	})
}

// foreignWords are marks of messages that inPlainWords may change: most have none.
var foreignWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`dial tcp|cannot be reached: |json|JSON|strconv\.|\b(?:open|openat|read|lstat|stat|mkdir|mkdirat) |While parsing config|malformed OpenPGP`)
})

// A wording is a pattern of a message, and what is said instead. The particular
// stands before the general.
type wording struct {
	is    *regexp.Regexp
	plain string
}

// wordings are compiled when the first message needs them, which is seldom.
var wordings = sync.OnceValue(func() []wording {
	return []wording{
		{regexp.MustCompile(`: cannot be reached: dial tcp(?: \S+)?: lookup (\S+?)(?: on \S+)?: no such host`), `: there is no host called $1`},
		{regexp.MustCompile(`: cannot be reached: dial tcp(?: \S+)?: lookup (\S+?)(?: on \S+)?: .*`), `: the name $1 could not be looked up`},
		{regexp.MustCompile(`: cannot be reached: dial tcp \S+: (?:connect: )?(?:i/o timeout|connection timed out)`), ` did not answer in time`},
		{regexp.MustCompile(`: cannot be reached: dial tcp(?: \S+)?: (?:connect: )?(?:address )?`), ` did not answer: `},
		{regexp.MustCompile(`: cannot be reached: (?:unexpected )?EOF`), ` broke off before the end`},
		{regexp.MustCompile(`: cannot be reached: (?:read|write) tcp \S+: (?:read: |write: )?`), ` broke off: `},
		{regexp.MustCompile(`: cannot be reached: http: server gave HTTP response to HTTPS client`), `: it speaks http, not https`},
		{regexp.MustCompile(`: cannot be reached: (?:net/http: timeout awaiting response headers|net/http: TLS handshake timeout|context deadline exceeded.*)`), ` did not answer in time`},
		{regexp.MustCompile(`: cannot be reached: (?:net/http: .*|.*malformed (?:HTTP|MIME).*)`), `: what answers there does not speak http`},
		{regexp.MustCompile(`: cannot be reached: (?:tls: failed to verify certificate: )?x509: `), `: its certificate is not good: `},
		{regexp.MustCompile(`: cannot be reached: tls: `), `: it does not speak https: `},
		{regexp.MustCompile(`: cannot be reached: `), `: `},
		{regexp.MustCompile(`dial tcp(?: \S+)?: (?:connect: )?`), ``},
		{regexp.MustCompile(`not valid I-JSON: (?:not valid I-JSON: )*`), `not valid JSON: `},
		{regexp.MustCompile(`(?:not a usable key: )?certificate: neither OpenPGP packets nor armor: malformed OpenPGP data`), `there is no OpenPGP key in it`},
		{regexp.MustCompile(`jsontext: unexpected EOF.*`), `it is cut off`},
		{regexp.MustCompile(`jsontext: duplicate object member name ("[^"]*").*`), `$1 stands there twice`},
		{regexp.MustCompile(`json: (?:cannot|unable to) unmarshal (?:into .* )?(?:JSON )?(\S+)(?: into)? .*within "/?([^"]*)".*`), `"$2" must not be of the kind $1`},
		{regexp.MustCompile(`json: (?:cannot|unable to) unmarshal (?:JSON )?(\S+) into Go .*`), `it must not be of the kind $1`},
		{regexp.MustCompile(`(^|: )(?:jsontext|json): `), `$1`},
		{regexp.MustCompile(` after offset (\d+)`), ` (after byte $1)`},
		{regexp.MustCompile(`strconv\.\w+: parsing ("[^"]*"): value out of range`), `$1 is too large`},
		{regexp.MustCompile(`strconv\.\w+: parsing ("[^"]*"): .*`), `$1 is not a whole number`},
		{regexp.MustCompile(`While parsing config: toml: `), `not TOML: `},
	}
})

// fileFault is what the system says of a file.
var fileFault = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:open|openat|read|lstat|stat|mkdir|mkdirat) ([^\n]+?): (no such file or directory|is a directory|not a directory|permission denied)`)
})

var fileFaults = map[string]string{
	"no such file or directory": "there is no such file or directory",
	"is a directory":            "it is a directory, not a file",
	"not a directory":           "it is no directory",
	"permission denied":         "permission denied",
}

// inOneLine is what is said of a failure where only one line is.
func inOneLine(message string) string { return strings.ReplaceAll(inPlainWords(message), "\n", "; ") }

// withArticle puts a or an before a word.
func withArticle(word string) string {
	if word != "" && strings.ContainsRune("AEIOUaeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}
