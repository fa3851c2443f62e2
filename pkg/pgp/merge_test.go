package pgp

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func TestMergeIsTheUnion(t *testing.T) {
	m, more := freshMaterial(t, noon), freshMaterial(t, noon.Add(day))
	base := func() *forge { return newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon) }
	for _, c := range []struct {
		name string
		a, b *forge
		want []string // kinds of packets, in order
	}{
		{"nothing new", base(), base(), []string{"key", "id", "0x13", "sub", "0x18"}},
		{"less", base(), newForge(t, m.primary).userID("Carol", noon), []string{"key", "id", "0x13", "sub", "0x18"}},
		{"another user id", base(), newForge(t, m.primary).userID("Carola", noon), []string{"key", "id", "0x13", "id", "0x13", "sub", "0x18"}},
		{"another subkey", base(), base().subkey(more.seal, "E", noon.Add(day)), []string{"key", "id", "0x13", "sub", "0x18", "sub", "0x18"}},
		{"a renewal", base(), newForge(t, m.primary).userID("Carol", noon.Add(day)), []string{"key", "id", "0x13", "0x13", "sub", "0x18"}},
		{"a renewed subkey", base(), newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon.Add(day)), []string{"key", "id", "0x13", "sub", "0x18", "0x18"}},
		{"a revocation", base(), base().revoke(noon), []string{"key", "0x20", "id", "0x13", "sub", "0x18"}},
		{"a subkey's revocation", base(), base().revokeSubkey(m.sign, noon), []string{"key", "id", "0x13", "sub", "0x18", "0x28"}},
		{"a user id's revocation", base(), newForge(t, m.primary).userID("Carol", noon).revokeID("Carol", noon), []string{"key", "id", "0x13", "0x30", "sub", "0x18"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := c.a.certificate(), c.b.certificate()
			before := a.Bytes()
			got := must(a.Merge(b))(t)
			if kinds := kindsOf(t, got); !slices.Equal(kinds, c.want) {
				t.Errorf("got %v, want %v", kinds, c.want)
			}
			if !bytes.Equal(a.Bytes(), before) {
				t.Error("the receiver changed")
			}
			if same := len(c.want) == len(frames(t, before)); same != (got == a) {
				t.Errorf("returned itself: %t, although nothing new: %t", got == a, same)
			}
			again := must(got.Merge(b))(t)
			if again != got {
				t.Error("merged twice gives another certificate")
			}
			if !bytes.Equal(must(ParseCertificate(got.Bytes()))(t).Bytes(), got.Bytes()) {
				t.Error("does not parse to itself")
			}
			if updated := must(a.Update(b.Bytes()))(t); !bytes.Equal(updated.Bytes(), got.Bytes()) {
				t.Error("Update differs from Merge")
			}
		})
	}
}

func TestMergeRefusesAnotherPrimaryKey(t *testing.T) {
	_, err := alice().cert.Merge(bob().cert)
	wantError(t, err, ErrOtherKey)
	_, err = alice().cert.Update(bob().cert.Bytes())
	wantError(t, err, ErrOtherKey)
}

// The same key with another date is another key: its material is compared, not
// what it is called.
func TestMergeComparesKeyMaterial(t *testing.T) {
	m := freshMaterial(t, noon)
	a := usual(t, m, noon).certificate()
	redated := packet.NewSignerPrivateKey(noon.Add(day), m.primary.PrivateKey)
	b := newForge(t, redated).userID("Carol", noon.Add(day)).certificate()
	_, err := a.Merge(b)
	wantError(t, err, ErrOtherKey)
}

// A valid revocation stays whatever follows.
func TestRevocationStays(t *testing.T) {
	m := freshMaterial(t, noon)
	revoked := usual(t, m, noon).revoke(noon).certificate()
	unrevoked := usual(t, m, noon).certificate()
	renewed := usual(t, m, noon.Add(day)).certificate()
	for _, c := range []*Certificate{
		must(revoked.Merge(unrevoked))(t),
		must(unrevoked.Merge(revoked))(t),
		must(must(revoked.Merge(unrevoked))(t).Merge(renewed))(t),
		must(revoked.Update(must(unrevoked.Minimal())(t)))(t),
	} {
		wantError(t, c.Usable(noon.Add(2*day)), ErrRevoked)
	}
}

// Anybody can add to what is not hashed: such a copy takes no room, and the
// shorter one wins.
func TestMergeIgnoresPaddedCopies(t *testing.T) {
	m := freshMaterial(t, noon)
	plain := usual(t, m, noon).bytes()
	f := frames(t, plain)
	padded := slices.Concat(f[0].raw, f[1].raw, withUnhashed(f[2], make([]byte, 1000)), plain[idEnd(t, plain):])
	a, b := must(ParseCertificate(plain))(t), must(ParseCertificate(padded))(t)
	if len(b.Bytes()) <= len(plain) {
		t.Fatal("not padded")
	}
	if got := must(a.Merge(b))(t); got != a {
		t.Error("took the padded copy")
	}
	if got := must(b.Merge(a))(t); !bytes.Equal(got.Bytes(), plain) {
		t.Error("kept the padded copy")
	}
}

func TestUpdateTakesNewsWithoutUserIDs(t *testing.T) {
	m := freshMaterial(t, noon)
	c := usual(t, m, noon).certificate()
	got := must(c.Update(newForge(t, m.primary).revoke(noon).bytes()))(t)
	wantError(t, got.Usable(noon), ErrRevoked)
}

func TestUpdateVerifiesWhatIsNew(t *testing.T) {
	m := freshMaterial(t, noon)
	in := usual(t, m, noon).bytes()
	c := must(ParseCertificate(in))(t)
	forged := newForge(t, m.primary).userID("Carol", noon.Add(day)).bytes()
	f := frames(t, forged)[2]
	f.body[len(f.body)-1] ^= 1
	if got := must(c.Update(forged))(t); got != c {
		t.Error("took a forged signature")
	}
}

func TestMergeOverTheLimits(t *testing.T) {
	m := freshMaterial(t, noon)
	t.Run("self-signatures: the newest and the oldest stay, and the revocation", func(t *testing.T) {
		a := must(ParseCertificate(selfSignatures(t, m, 200)))(t)
		f := newForge(t, m.primary).revoke(noon.AddDate(-1, 0, 0), reason(packet.KeyRetired)).userID("Carol", noon.Add(day))
		for i := 1; i < 200; i++ {
			f.certify("Carol", noon.Add(day+time.Duration(i)*time.Second))
		}
		got := must(a.Merge(f.certificate()))(t)
		if n := got.signatures(); n != 1+keptOldest+keptNewest {
			t.Errorf("%d signatures", n)
		}
		if len(got.primary.sigs) != 1 {
			t.Error("lost the revocation")
		}
		if newest := got.ids[0].newest().CreationTime; !newest.Equal(noon.Add(day + 199*time.Second)) {
			t.Errorf("newest is of %s", newest)
		}
		if oldest := got.ids[0].sigs[0].CreationTime; !oldest.Equal(noon) {
			t.Errorf("oldest is of %s", oldest)
		}
	})
	t.Run("user ids: the newest stay", func(t *testing.T) {
		f := newForge(t, m.primary)
		for i := range 20 {
			f.userID(fmt.Sprintf("New %d", i), noon.Add(day))
		}
		got := must(must(ParseCertificate(userIDs(t, m, 32)))(t).Merge(f.certificate()))(t)
		if len(got.ids) != maxUserIDs {
			t.Errorf("%d user ids", len(got.ids))
		}
		if id := string(got.ids[31].body); id != "New 19" {
			t.Errorf("last is %q", id)
		}
	})
	t.Run("subkeys: the revoked stay", func(t *testing.T) {
		a := newForge(t, m.primary).userID("Carol", noon).subkey(m.seal, "E", noon).revokeSubkey(m.seal, noon)
		b := newForge(t, m.primary).userID("Carol", noon)
		for range 16 {
			b.subkey(freshMaterial(t, noon).seal, "E", noon.Add(day))
		}
		got := must(a.certificate().Merge(b.certificate()))(t)
		if len(got.subkeys) != maxSubkeys || got.subkeys[0].key.KeyId != m.seal.KeyId {
			t.Errorf("%d subkeys, first %X", len(got.subkeys), got.subkeys[0].key.KeyId)
		}
	})
	t.Run("nothing to drop", func(t *testing.T) {
		f, g := newForge(t, m.primary).userID("Carol", noon), newForge(t, m.primary).userID("Carol", noon)
		for i := range 32 {
			k := freshMaterial(t, noon).seal
			into := []*forge{f, g}[i%2]
			into.subkey(k, "E", noon).revokeSubkey(k, noon)
		}
		_, err := f.certificate().Merge(g.certificate())
		wantError(t, err, ErrLimit)
	})
}

func TestRevoke(t *testing.T) {
	c := alice().Certificate()
	text := must(alice().Revocation(noon))(t)
	got := must(c.Revoke(text))(t)
	wantError(t, got.Usable(noon), ErrRevoked)
	binary := must(dearmored(text))(t)
	wantError(t, must(c.Revoke(binary))(t).Usable(noon), ErrRevoked)
	if again := must(got.Revoke(text))(t); again != got {
		t.Error("revoked twice is another certificate")
	}
	for _, bad := range []struct {
		name string
		in   []byte
		want error
	}{
		{"of another key", must(bob().Revocation(noon))(t), ErrSignature},
		{"a certificate", c.Armor(), ErrMalformed},
		{"two of them", append(slices.Clone(binary), binary...), ErrMalformed},
		{"a post's signature", must(alice().Sign(ContextPost, nil, noon))(t), ErrSignature},
		{"nothing", nil, ErrMalformed},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := c.Revoke(bad.in)
			wantError(t, err, bad.want)
		})
	}
}

func TestMinimal(t *testing.T) {
	m, young := freshMaterial(t, noon), freshMaterial(t, noon.Add(day))
	f := newForge(t, m.primary).revoke(noon.AddDate(1, 0, 0), reason(packet.KeyRetired)).
		userID("Old", noon).userID("Carol", noon).certify("Carol", noon.Add(day)).
		subkey(m.sign, "S", noon).subkey(young.sign, "S", noon.Add(day)).bind(young.sign, "S", noon.Add(2*day)).
		subkey(m.seal, "E", noon).subkey(young.seal, "E", noon.Add(day)).
		subkey(m.authenticate, "A", noon).
		subkey(young.authenticate, "S", noon.Add(day)).revokeSubkey(young.authenticate, noon.Add(day))
	c := f.certificate()
	least := must(ParseCertificate(must(c.Minimal())(t)))(t)
	want := []string{"key", "0x20", "id", "0x13", "sub", "0x18", "sub", "0x18", "sub", "0x18", "0x28"}
	if kinds := kindsOf(t, least); !slices.Equal(kinds, want) {
		t.Errorf("got %v, want %v", kinds, want)
	}
	if least.UserID() != "Carol" || !least.ids[0].sigs[0].CreationTime.Equal(noon.Add(day)) {
		t.Errorf("user id %q of %s", least.UserID(), least.ids[0].sigs[0].CreationTime)
	}
	if k := least.subkeys[0]; k.key.KeyId != young.sign.KeyId || !k.sigs[0].CreationTime.Equal(noon.Add(2*day)) {
		t.Error("not the newest signing subkey with its newest binding")
	}
	if least.subkeys[1].key.KeyId != young.seal.KeyId {
		t.Error("not the newest encryption subkey")
	}
	if got := must(c.Merge(least))(t); got != c {
		t.Error("brings something that the whole lacks")
	}
}

func TestMinimalOver24KiB(t *testing.T) {
	m := freshMaterial(t, noon)
	f := frames(t, newForge(t, m.primary).revoke(noon).bytes())
	in := slices.Concat(f[0].raw, withUnhashed(f[1], make([]byte, 25<<10)), usual(t, m, noon).bytes()[len(f[0].raw):])
	_, err := must(ParseCertificate(in))(t).Minimal()
	wantError(t, err, ErrLimit)
}

// kindsOf names the packets of a certificate.
func kindsOf(t *testing.T, c *Certificate) (kinds []string) {
	for _, f := range frames(t, c.Bytes()) {
		switch f.tag {
		case tagPublicKey:
			kinds = append(kinds, "key")
		case tagPublicSubkey:
			kinds = append(kinds, "sub")
		case tagUserID:
			kinds = append(kinds, "id")
		default:
			kinds = append(kinds, fmt.Sprintf("%#02x", f.body[1]))
		}
	}
	return kinds
}

// withUnhashed adds a private subpacket to the unhashed part of a v4 signature.
func withUnhashed(f frame, data []byte) []byte {
	return withUnhashedSubpacket(f, 100, data)
}

func withUnhashedSubpacket(f frame, kind byte, data []byte) []byte {
	hashed := 6 + int(f.body[4])<<8 + int(f.body[5])
	n := int(f.body[hashed])<<8 + int(f.body[hashed+1])
	sub := slices.Concat([]byte{255, 0, 0, byte((len(data) + 1) >> 8), byte(len(data) + 1), kind}, data)
	n2 := n + len(sub)
	body := slices.Concat(f.body[:hashed], []byte{byte(n2 >> 8), byte(n2)}, f.body[hashed+2:hashed+2+n], sub, f.body[hashed+2+n:])
	return append(appendHeader(nil, f.tag, len(body)), body...)
}
