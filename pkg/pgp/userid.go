package pgp

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// newestID is the user id to show: not revoked, vouched for most recently; among
// equals the primary one.
func (c *Certificate) newestID() *component {
	var best *component
	for _, id := range c.ids {
		if best == nil || newerID(id, best) {
			best = id
		}
	}
	return best
}

func newerID(a, b *component) bool {
	x, y := a.newest(), b.newest()
	if x == nil || y == nil {
		return y == nil && x != nil
	}
	gone := func(p *component, s *selfSignature) bool { return p.idRevoked(s, endOfTime()) }
	switch {
	case gone(a, x) != gone(b, y):
		return gone(b, y)
	case !x.CreationTime.Equal(y.CreationTime):
		return x.CreationTime.After(y.CreationTime)
	}
	return preferred(x, y)
}

// endOfTime lies after every time that a packet can hold.
func endOfTime() time.Time { return time.Unix(1<<32, 0) }

// splitUserID takes "Name <email>" apart; what has no brackets is an address
// if it looks like one, else a name.
func splitUserID(id string) (name, email string) {
	id = strings.TrimSpace(id)
	if inner, ok := strings.CutSuffix(id, ">"); ok {
		if i := strings.LastIndexByte(inner, '<'); i >= 0 {
			return strings.TrimSpace(inner[:i]), strings.TrimSpace(inner[i+1:])
		}
	}
	if strings.Contains(id, "@") && !strings.ContainsAny(id, " <>") {
		return "", id
	}
	return id, ""
}

// makeUserID is "Name <email>", or the name alone.
func makeUserID(name, email string) (string, error) {
	name = strings.TrimSpace(name)
	if err := checkPrintable("name", name); err != nil {
		return "", err
	}
	id := name
	if email != "" {
		if err := checkPrintable("email", email); err != nil {
			return "", err
		}
		local, domain, ok := strings.Cut(email, "@")
		if !ok || local == "" || domain == "" || strings.ContainsAny(email, " \u00a0") {
			return "", fmt.Errorf("email %q is no address: %w", email, ErrMalformed)
		}
		id += " <" + email + ">"
	}
	if len(id) > maxUserID {
		return "", fmt.Errorf("name and email of %d bytes, at most %d: %w", len(id), maxUserID, ErrLimit)
	}
	return id, nil
}

// checkPrintable refuses what is empty, breaks "Name <email>" apart, or would
// act on a terminal instead of being shown. Joiners stay: Persian and emoji
// cannot be written without them.
func checkPrintable(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s is empty: %w", what, ErrMalformed)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %q is not UTF-8: %w", what, s, ErrMalformed)
	}
	const nonJoiner, joiner = '\u200c', '\u200d'
	for _, r := range s {
		switch {
		case r == '<' || r == '>':
			return fmt.Errorf("%s %q holds %q: %w", what, s, r, ErrMalformed)
		case r == nonJoiner || r == joiner:
		case !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r):
			return fmt.Errorf("%s %q holds a control character: %w", what, s, ErrMalformed)
		}
	}
	return nil
}
