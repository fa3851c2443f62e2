package main

import (
	"fmt"

	"github.com/p2ps/p2ps/pkg/home"
	"github.com/p2ps/p2ps/pkg/keyring"
	"github.com/p2ps/p2ps/pkg/text"
)

// meetings is what status says of people to be.
type meetings struct {
	requests []keyring.FriendRequest
	open     int           // invites
	late     []keyring.Use // who came with an invite that another had used
	h        *home.Home
}

func (e *env) meetings(h *home.Home) (m meetings, err error) {
	m.h = h
	if m.requests, err = h.People().Requests(); err != nil {
		return m, err
	}
	list, err := h.People().Invites()
	for _, i := range list {
		if i.Open(e.now()) {
			m.open++
		}
		m.late = append(m.late, i.Late...)
	}
	return m, err
}

// show writes it before the rest, which ends with what to do next.
func (m meetings) show(e *env) {
	w := func(format string, args ...any) { _, _ = fmt.Fprintf(e.stdout, format+"\n", args...) } // the first failed write is remembered
	if len(m.requests) > 0 {
		w("Wants to be a friend:")
	}
	for _, r := range m.requests {
		note := ""
		if like := m.h.People().Same(r.Name); like != "" {
			note = "\tnot the friend whom you call " + like
		}
		w("  %s\t%s%s", text.Clean(r.Name), r.Fingerprint, note)
	}
	if len(m.late) > 0 {
		w("Came with an invite that was used (p2ps invite list):")
	}
	for _, name := range e.namesOfUses(m.h, m.late) {
		w("  %s", text.Clean(name))
	}
	if m.open > 0 {
		w("%s open", counted(m.open, "invite"))
	}
	if len(m.requests)+len(m.late)+m.open > 0 {
		w("")
	}
}
