package main

import "github.com/p2ps/p2ps/pkg/keyring"

// friendLine is a friend, or somebody followed, as JSON.
type friendLine struct {
	header
	Fingerprint string   `json:"fingerprint"`
	Name        string   `json:"name"`
	Trust       string   `json:"trust"`
	Addresses   []string `json:"addresses"`
	Groups      []string `json:"groups"`
	Muted       bool     `json:"muted"`
	Follow      bool     `json:"follow,omitzero"`
}

func friendLineOf(p keyring.Person) friendLine {
	return friendLine{kind("friend"), string(p.Fingerprint), p.Name, string(p.Trust), append([]string{}, p.Addresses...),
		append([]string{}, p.Groups...), p.Muted, p.Follow}
}
