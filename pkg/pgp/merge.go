package pgp

import (
	"bytes"
	"fmt"
	"slices"
)

// Merge gives what c and other hold together: user ids, subkeys,
// self-signatures and revocations, c's first. It returns c itself if other
// brings nothing new. A revocation once known stays, whatever follows.
// Of the other self-signatures of a component the newest three and the oldest
// stay.
//
// ErrOtherKey unless the primary keys are equal byte for byte. Over the limits
// of [ParseCertificate] the oldest self-signatures that newer ones replace are
// dropped, then the oldest user ids and unrevoked subkeys, and of a revoked key
// all subkeys; ErrLimit if that is not enough.
func (c *Certificate) Merge(other *Certificate) (*Certificate, error) {
	if !bytes.Equal(c.primary.body, other.primary.body) {
		return nil, fmt.Errorf("key %s in place of %s: %w", other.Fingerprint(), c.Fingerprint(), ErrOtherKey)
	}
	if bytes.Equal(c.bytes, other.bytes) {
		return c, nil
	}
	merged := &Certificate{
		primary: union(c.primary, other.primary),
		ids:     unions(c.ids, other.ids),
		subkeys: unions(c.subkeys, other.subkeys),
	}
	if bytes.Equal(merged.assembled().bytes, c.bytes) {
		return c, nil
	}
	merged.prune()
	if err := merged.measure(); err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", c.Fingerprint(), err)
	}
	if bytes.Equal(merged.bytes, c.bytes) {
		return c, nil
	}
	return merged, nil
}

// Update is Merge with the certificate in data, but verifies only signatures
// that c does not hold. Data may lack user ids, as what keyservers give often does.
func (c *Certificate) Update(data []byte) (*Certificate, error) {
	other, err := parseCertificate(data, c)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return c.Merge(other)
}

// Holds tells whether every packet of data, a binary certificate, stands in c as
// it is: then to merge it with c gives c.
func (c *Certificate) Holds(data []byte) bool {
	mine := map[string]bool{}
	for rest := c.bytes; len(rest) > 0; {
		f, after, err := nextFrame(rest)
		if err != nil {
			return false
		}
		mine[string(f.raw)], rest = true, after
	}
	for len(data) > 0 {
		f, after, err := nextFrame(data)
		if err != nil || !mine[string(f.raw)] {
			return false
		}
		data = after
	}
	return true
}

// Revoke gives c with a revocation certificate, as [Secret.Revocation] and gpg
// make it: armored or binary, nothing but the primary key's own revocation.
func (c *Certificate) Revoke(revocation []byte) (*Certificate, error) {
	packets, kind, err := dearmor(revocation)
	if err == nil && kind != "" && kind != armorPublic {
		err = fmt.Errorf("a %s: %w", kind, ErrMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("revocation certificate: %w", err)
	}
	r := &certificateReader{c: &Certificate{primary: bare(c.primary)}}
	r.about = r.c.primary
	f, rest, err := nextFrame(packets)
	if err != nil || len(rest) != 0 || f.tag != tagSignature || f.partial() {
		return nil, fmt.Errorf("revocation certificate: not one signature: %w", ErrMalformed)
	}
	if err := r.signature(f); err != nil {
		return nil, err
	}
	if err := r.settle(); err != nil {
		return nil, err
	}
	if len(r.c.primary.sigs) != 1 || !revokes(r.c.primary.sigs[0].Signature) {
		return nil, fmt.Errorf("revocation certificate: not of key %s: %w", c.Fingerprint(), ErrSignature)
	}
	return c.Merge(r.c)
}

// bare is the component without signatures.
func bare(p *component) *component {
	return &component{tag: p.tag, body: p.body, raw: p.raw, key: p.key, ed25519: p.ed25519}
}

// union is one component with the signatures of both, as far as they are kept.
func union(a, b *component) *component {
	p := bare(a)
	p.sigs = slices.Clone(a.sigs)
	for _, s := range b.sigs {
		p.add(s)
	}
	p.trim()
	return p
}

func unions(a, b []*component) []*component {
	var all []*component
	for _, p := range a {
		all = append(all, union(p, bare(p)))
	}
	for _, p := range b {
		i := slices.IndexFunc(all, func(have *component) bool { return bytes.Equal(have.body, p.body) })
		if i < 0 {
			all = append(all, union(p, bare(p)))
			continue
		}
		all[i] = union(all[i], p)
	}
	return all
}
