package main

import "testing"

// TestTellReached: what friends need is said where the URL is none for them, and
// only there.
func TestTellReached(t *testing.T) {
	const mine, lan, v6 = "http://127.0.0.1:7117", "http://192.168.1.5:7117", "http://[2001:db8::5]:7117"
	for _, c := range []struct {
		name    string
		reached []string
		url     string
		want    string
	}{
		{"every address", []string{lan, v6}, mine, "friends reach it at " + lan + " or " + v6 + "\n"},
		{"one address", []string{lan}, lan, ""},
		{"this machine alone", []string{mine}, mine, ""},
		{"an address that was given", []string{"https://alice.example"}, "https://alice.example", ""},
		{"none that is known", nil, mine, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tellReached(c.reached, c.url)
			if got := w.errout.String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
