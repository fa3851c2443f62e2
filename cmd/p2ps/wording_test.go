package main

import (
	"testing"
	"time"
)

func TestInPlainWords(t *testing.T) {
	for said, want := range map[string]string{
		"http://a:1: cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused":                    "http://a:1 did not answer: connection refused",
		"http://a:1: cannot be reached: dial tcp [::1]:1: connect: network is unreachable":                    "http://a:1 did not answer: network is unreachable",
		"http://a.b:1: cannot be reached: dial tcp: lookup a.b on 10.0.0.1:53: no such host":                  "http://a.b:1: there is no host called a.b",
		"http://a.b:1: cannot be reached: dial tcp: lookup a.b on 10.0.0.1:53: server misbehaving":            "http://a.b:1: the name a.b could not be looked up",
		"http://a.b:1: cannot be reached: dial tcp 10.0.0.9:1: i/o timeout":                                   "http://a.b:1 did not answer in time",
		"http://a.b:1: cannot be reached: EOF":                                                                "http://a.b:1 broke off before the end",
		"http://a.b:1: cannot be reached: read tcp 10.0.0.1:5->10.0.0.9:1: read: connection reset by peer":    "http://a.b:1 broke off: connection reset by peer",
		"https://a.b: cannot be reached: http: server gave HTTP response to HTTPS client":                     "https://a.b: it speaks http, not https",
		"http://a.b: cannot be reached: net/http: timeout awaiting response headers":                          "http://a.b did not answer in time",
		`http://a.b: cannot be reached: net/http: HTTP/1.x transport connection broken: malformed HTTP x "y"`: "http://a.b: what answers there does not speak http",
		"https://a.b: cannot be reached: tls: failed to verify certificate: x509: unknown authority":          "https://a.b: its certificate is not good: unknown authority",
		"http://a.b: cannot be reached: what answers there is no p2ps (status 404)":                           "http://a.b: what answers there is no p2ps (status 404)",
		"f, line 1: not valid I-JSON: jsontext: unexpected EOF after offset 26":                               "f, line 1: not valid JSON: it is cut off",
		`f: not valid I-JSON: jsontext: duplicate object member name "to" after offset 9`:                     `f: not valid JSON: "to" stands there twice`,
		"not valid I-JSON: jsontext: invalid character 'h' at start of value":                                 "not valid JSON: invalid character 'h' at start of value",
		`not valid I-JSON: json: cannot unmarshal JSON number into Go string within "/type"`:                  `not valid JSON: "type" must not be of the kind number`,
		`not valid I-JSON: json: unable to unmarshal JSON string into Go []string`:                            `not valid JSON: it must not be of the kind string`,
		`strconv.ParseInt: parsing "x": invalid syntax`:                                                       `"x" is not a whole number`,
		`strconv.ParseInt: parsing "99999999999999999999": value out of range`:                                `"99999999999999999999" is too large`,
		"open nofile.asc: no such file or directory":                                                          "nofile.asc: there is no such file or directory",
		"passphrase: open my file: permission denied":                                                         "passphrase: my file: permission denied",
		"read /tmp: is a directory":            "/tmp: it is a directory, not a file",
		"he said: open the door and read this": "he said: open the door and read this",
		"not a usable key: certificate: neither OpenPGP packets nor armor: malformed OpenPGP data": "there is no OpenPGP key in it",
		"": "",
	} {
		if got := inPlainWords(said); got != want {
			t.Errorf("%q\nbecame %q\nwant   %q", said, got, want)
		}
		if again := inPlainWords(want); again != want {
			t.Errorf("%q became %q once more", want, again)
		}
	}
}

func TestArticle(t *testing.T) {
	for word, want := range map[string]string{"Article": "an Article", "Event": "an Event", "Note": "a Note", "": "a "} {
		if got := withArticle(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestWhenReached(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]string{{}: "never reached", now: "reached just now", now.Add(-72 * time.Hour): "last reached 3d ago"} {
		if got := whenReached(at, now); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}
