package wire

import (
	"fmt"
	"slices"

	"github.com/p2ps/p2ps/pkg/ijson"
	"github.com/p2ps/p2ps/pkg/text"
)

// Limits of hello and of addresses (spec M24, I8).
const (
	MaxAddresses = 4
	MaxName      = 256 // bytes of the name that somebody gives himself
)

// trustMet is the trust of an answer to hello that says: we met in person.
const trustMet = "verified"

// readAddresses holds the addresses at which somebody is reached to their form,
// http(s)://host[:port], at most four (spec M24). It returns nil if he does not
// say, and an empty list if he is reached nowhere.
func readAddresses(v ijson.Value) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	addresses := []string{}
	if err := ijson.UnmarshalTrusted(v, &addresses); err != nil || v.Kind() != '[' || len(addresses) > MaxAddresses {
		return nil, fmt.Errorf("%w: addresses is not a list of at most %d", ErrInvalid, MaxAddresses)
	}
	for _, a := range addresses {
		if !isAddress(a) {
			return nil, fmt.Errorf("%w: the address %.80q is not like http://host:7117", ErrInvalid, a)
		}
	}
	return addresses, nil
}

// writeAddresses leaves out what is not of that form, and what is too many: one
// odd setting must not make a whole message unreadable.
func writeAddresses(addresses []string) (ijson.Value, error) {
	if addresses == nil {
		return nil, nil
	}
	good := slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !isAddress(a) })
	return ijson.Encode(append([]string{}, good[:min(len(good), MaxAddresses)]...))
}

func isAddress(a string) bool { return addressPattern.MatchString(a) && len(a) <= maxAddress }

// maxAddress is above every name of a host, in bytes.
const maxAddress = 300

var (
	addressPattern = text.NewPattern(`^https?://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	tokenPattern   = text.NewPattern(`^[A-Z2-7]{26}$`)
)

// hello reads what belongs to a hello (spec I8).
func (r *request) hello(q *Question) error {
	var ok bool
	if r.Token != nil {
		if q.Token, ok = ijson.String(r.Token); !ok || !isToken(q.Token) {
			return fmt.Errorf("%w: token is not 26 of A-Z and 2-7", ErrInvalid)
		}
	}
	if q.Name, ok = ijson.String(r.Name); !ok || len(q.Name) > MaxName {
		return fmt.Errorf("%w: name is not a text of at most %d bytes", ErrInvalid, MaxName)
	}
	if q.Addresses == nil {
		return fmt.Errorf("%w: addresses is missing", ErrInvalid)
	}
	return nil
}

// meet writes what a request says of the asker himself.
func (r *request) meet(q Question) (err error) {
	if q.Kind == KindHello {
		r.Name = ijson.Quote(q.Name)
		if q.Token != "" {
			r.Token = ijson.Quote(q.Token)
		}
		if q.Addresses == nil {
			q.Addresses = []string{}
		}
	}
	r.Addresses, err = writeAddresses(q.Addresses)
	return err
}

// hello writes what belongs to an answer to hello.
func (m *answer) hello(a Answer) {
	m.Name = a.Name
	if a.Met {
		m.Trust = trustMet
	}
}

// met reads it (spec I9).
func (m *answer) met(a *Answer) error {
	if len(m.Name) > MaxName {
		return fmt.Errorf("%w: name has more than %d bytes", ErrInvalid, MaxName)
	}
	a.Name, a.Met = m.Name, m.Trust == trustMet
	return nil
}
