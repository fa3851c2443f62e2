package pgp

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// read reads a certificate and tells what was spent on verifying.
func read(in []byte, known *Certificate) (c *Certificate, work int, err error) {
	r := &certificateReader{c: &Certificate{}, known: known}
	c, err = r.read(bytes.Clone(in))
	return c, r.work, err
}

// secretKey is a primary key of any algorithm.
func secretKey(t *testing.T, algorithm packet.PublicKeyAlgorithm, curve packet.Curve, v6 bool) *packet.PrivateKey {
	return entity(t, algorithm, curve, v6).PrivateKey
}

// signingSubkey is the same, to be bound.
func signingSubkey(t *testing.T, curve packet.Curve) *packet.PrivateKey {
	k := secretKey(t, packet.PubKeyAlgoECDSA, curve, false)
	k.IsSubkey = true
	return k
}

// times are when the vouching signatures of a component were made, in seconds
// after noon.
func times(p *component) (all []int) {
	for _, s := range p.sigs {
		if vouches(s.Signature) {
			all = append(all, int(s.CreationTime.Sub(noon).Seconds()))
		}
	}
	return all
}

func second(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func TestCostlyAlgorithmsAreWeighed(t *testing.T) {
	number := func(bits, e int) *packet.PublicKey {
		return packet.NewRSAPublicKey(noon, &rsa.PublicKey{N: modulus(bits), E: e})
	}
	of := func(algorithm packet.PublicKeyAlgorithm, curve packet.Curve, v6 bool) *packet.PublicKey {
		return &secretKey(t, algorithm, curve, v6).PublicKey
	}
	for _, c := range []struct {
		name string
		key  *packet.PublicKey
		want int
	}{
		{"Ed25519, v4", of(packet.PubKeyAlgoEdDSA, packet.Curve25519, false), 1},
		{"Ed25519, v6", of(packet.PubKeyAlgoEd25519, "", true), 1},
		{"P-256", of(packet.PubKeyAlgoECDSA, packet.CurveNistP256, false), 1},
		{"RSA 2048", number(2048, 65537), 1},
		{"RSA 2049", number(2049, 65537), 3},
		{"RSA 4096", number(4096, 65537), 3},
		{"RSA 4097", number(4097, 65537), 8},
		{"RSA 2048 with a long exponent", number(2048, 65539), 2},
		{"RSA 8192 with a long exponent", number(8192, 65539), 16},
		{"P-384", of(packet.PubKeyAlgoECDSA, packet.CurveNistP384, false), 6},
		{"Ed448", of(packet.PubKeyAlgoEd448, "", true), 6},
		{"ML-DSA-65", of(packet.PubKeyAlgoMldsa65Ed25519, "", true), 6},
		{"ML-DSA-87", of(packet.PubKeyAlgoMldsa87Ed448, "", true), 6},
		{"P-521", of(packet.PubKeyAlgoECDSA, packet.CurveNistP521, false), 8},
		{"SLH-DSA", of(packet.PubKeyAlgoSlhdsaShake128f, "", true), 8},
	} {
		if got := workOfKey(c.key); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCostlyPrimaryKeyIsRefusedUnverified(t *testing.T) {
	for _, curve := range []packet.Curve{packet.CurveBrainpoolP256, packet.CurveBrainpoolP384, packet.CurveBrainpoolP512, packet.CurveSecP256k1} {
		_, work, err := read(serializedPublic(t, entity(t, packet.PubKeyAlgoECDSA, curve, false)), nil)
		wantError(t, err, ErrWeak)
		if work != 0 {
			t.Errorf("%s: spent %d", curve, work)
		}
	}
}

// Neither the primary key's binding nor the subkey's cross-signature in it.
func TestCostlySubkeyIsLeftOutUnverified(t *testing.T) {
	m := freshMaterial(t, noon)
	good := usual(t, m, noon).bytes()
	_, plain, err := read(good, nil)
	wantError(t, err, nil)
	for _, curve := range []packet.Curve{packet.CurveBrainpoolP256, packet.CurveBrainpoolP384, packet.CurveBrainpoolP512, packet.CurveSecP256k1} {
		k := signingSubkey(t, curve)
		bad := newForge(t, m.primary).subkey(k, "S", noon).bind(k, "S", second(1)).bytes()
		c, work, err := read(slices.Concat(good, bad[keyEnd(t, bad):]), nil)
		wantError(t, err, nil)
		if !bytes.Equal(c.Bytes(), good) {
			t.Errorf("%s: it is there", curve)
		}
		if work != plain {
			t.Errorf("%s: spent %d, without it %d", curve, work, plain)
		}
	}
}

// What must be verified is paid, or the certificate refused: at the limit, and
// one above.
func TestCostlyCertificateIsRefused(t *testing.T) {
	m := freshMaterial(t, noon)
	p384 := secretKey(t, packet.PubKeyAlgoECDSA, packet.CurveNistP384, false)
	p521 := secretKey(t, packet.PubKeyAlgoECDSA, packet.CurveNistP521, false)
	sub := signingSubkey(t, packet.CurveNistP384)
	mldsa := secretKey(t, packet.PubKeyAlgoMldsa65Ed25519, "", true)
	ids := func(k *packet.PrivateKey) func(int) []byte {
		return func(n int) []byte { return userIDs(t, material{primary: k}, n) }
	}
	for _, c := range []struct {
		name string
		make func(n int) []byte
		most int
	}{
		{"user ids of P-384", ids(p384), 16},
		{"user ids of P-521", ids(p521), 12},
		{"user ids and a direct signature of ML-DSA", func(n int) []byte {
			f := newForge(t, mldsa).direct(noon)
			for i := 1; i < n; i++ {
				f.userID(fmt.Sprintf("Carol %d", i), noon)
			}
			return f.bytes()
		}, 16},
		{"revocations of P-384", func(n int) []byte {
			f := newForge(t, p384).userID("Carol", noon)
			for i := 1; i < n; i++ {
				f.revoke(second(i))
			}
			return f.bytes()
		}, 16},
		{"self-signatures that do not verify", func(n int) []byte { return forgedSignatures(t, m, n-1) }, 96},
		{"cross-signatures that do not verify", func(n int) []byte { return forgedBindings(t, m, sub, n) }, 13},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, work, err := read(c.make(c.most), nil)
			wantError(t, err, nil)
			if work > maxWork {
				t.Errorf("spent %d", work)
			}
			_, work, err = read(c.make(c.most+1), nil)
			wantError(t, err, ErrLimit)
			if work > maxWork {
				t.Errorf("spent %d before it was refused", work)
			}
		})
	}
}

// Of 200 renewals four are verified: today's and the first.
func TestCostlyHistoryIsLeftOut(t *testing.T) {
	m := freshMaterial(t, noon)
	c, work, err := read(selfSignatures(t, m, 200), nil)
	wantError(t, err, nil)
	if got := times(c.ids[0]); !slices.Equal(got, []int{0, 197, 198, 199}) {
		t.Errorf("kept %v", got)
	}
	if work != 4 {
		t.Errorf("spent %d", work)
	}
}

// The newest of each goes before the history of any; what is no longer paid is
// left out, and the rest reads the same again.
func TestCostlyHistoryYields(t *testing.T) {
	k := secretKey(t, packet.PubKeyAlgoECDSA, packet.CurveNistP384, false)
	f := newForge(t, k)
	for i := range 6 {
		id := fmt.Sprintf("Carol %d", i)
		f.userID(id, noon)
		for n := 1; n < 6; n++ {
			f.certify(id, second(n))
		}
	}
	c, work, err := read(f.bytes(), nil)
	wantError(t, err, nil)
	if work != maxWork {
		t.Errorf("spent %d", work)
	}
	for i, want := range [][]int{{0, 3, 4, 5}, {0, 3, 4, 5}, {0, 3, 4, 5}, {4, 5}, {5}, {5}} {
		if got := times(c.ids[i]); i < 3 && !slices.Equal(got, want) || !slices.Contains(got, 5) {
			t.Errorf("kept %v of user id %d", got, i)
		}
	}
	if again := must(ParseCertificate(c.Bytes()))(t); !bytes.Equal(again.Bytes(), c.Bytes()) {
		t.Error("reads itself otherwise")
	}
}

// Newer ones that do not verify do not hide one that does.
func TestCostlyForgeriesHideNothing(t *testing.T) {
	m := freshMaterial(t, noon)
	c, _, err := read(forgedSignatures(t, m, 95), nil)
	wantError(t, err, nil)
	if got := times(c.ids[0]); !slices.Equal(got, []int{0}) {
		t.Errorf("kept %v", got)
	}
}

// Copies of one signature, padded where it is not hashed, count as one.
func TestCostlyCopiesPushNothingOut(t *testing.T) {
	m := freshMaterial(t, noon)
	plain := selfSignatures(t, m, 4)
	newest := frames(t, plain)[5]
	in := slices.Clone(plain)
	for n := range 9 {
		in = append(in, withUnhashed(newest, make([]byte, 9-n))...)
	}
	c, work, err := read(in, nil)
	wantError(t, err, nil)
	if !bytes.Equal(c.Bytes(), plain) {
		t.Errorf("kept %v in %d bytes, not %d", times(c.ids[0]), len(c.Bytes()), len(plain))
	}
	if work != 4 {
		t.Errorf("spent %d", work)
	}
}

// A revocation counts wherever it stands and whatever is newer.
func TestCostlyHistoryHidesNoRevocation(t *testing.T) {
	m := freshMaterial(t, noon)
	in := slices.Concat(selfSignatures(t, m, 200), frames(t, newForge(t, m.primary).revoke(noon).bytes())[1].raw)
	wantError(t, must(ParseCertificate(in))(t).Usable(second(300)), ErrRevoked)
}

// Sixteen revocations of one thing are kept, and among them those that say all
// that the others say.
func TestCostlyRevocationsAreFew(t *testing.T) {
	m := freshMaterial(t, noon)
	f := newForge(t, m.primary).userID("Carol", noon)
	soft, firm := reason(packet.KeyRetired), reason(packet.KeyCompromised)
	for i := 1; i <= 40; i++ {
		f.revoke(second(i), map[bool]edit{true: firm, false: soft}[i == 30])
	}
	p := f.certificate().primary
	var got []int
	for _, s := range p.sigs {
		got = append(got, int(s.CreationTime.Sub(noon).Seconds()))
	}
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 30, 40}; !slices.Equal(got, want) {
		t.Errorf("kept %v", got)
	}
}

// However often a friend comes with other self-signatures, four stay.
func TestCostlyMergeDoesNotGrow(t *testing.T) {
	m := freshMaterial(t, noon)
	all := usual(t, m, noon).certificate()
	for n := 1; n <= 40; n++ {
		f := newForge(t, m.primary).userID("Carol", second(n)).subkey(m.seal, "E", second(n))
		all = must(all.Update(f.bytes()))(t)
	}
	if got, want := times(all.ids[0]), []int{0, 38, 39, 40}; !slices.Equal(got, want) {
		t.Errorf("kept %v of the user id", got)
	}
	if got, want := times(all.subkeys[1]), []int{0, 38, 39, 40}; !slices.Equal(got, want) {
		t.Errorf("kept %v of the subkey", got)
	}
	if again := must(ParseCertificate(all.Bytes()))(t); !bytes.Equal(again.Bytes(), all.Bytes()) {
		t.Error("reads itself otherwise")
	}
}

// Of signatures of one second too, the same stay in whatever order they come.
func TestCostlyMergeComesToRest(t *testing.T) {
	m := freshMaterial(t, noon)
	one := func(from int) *Certificate {
		f := newForge(t, m.primary).userID("Carol", noon, lifetime(time.Duration(from)*time.Hour))
		for n := 1; n < 4; n++ {
			f.certify("Carol", noon, lifetime(time.Duration(from+n)*time.Hour))
		}
		return f.certificate()
	}
	a, b := one(1), one(5)
	ab, ba := must(a.Merge(b))(t), must(b.Merge(a))(t)
	if len(ab.ids[0].sigs) != 4 || len(ab.bytes) != len(ba.bytes) {
		t.Fatalf("%d and %d signatures", len(ab.ids[0].sigs), len(ba.ids[0].sigs))
	}
	for _, s := range ab.ids[0].sigs {
		if !slices.ContainsFunc(ba.ids[0].sigs, func(o *selfSignature) bool { return bytes.Equal(o.raw, s.raw) }) {
			t.Error("the order decides what stays")
		}
	}
	for _, c := range []*Certificate{a, b, ba} {
		if got := must(ab.Merge(c))(t); got != ab {
			t.Error("not at rest")
		}
	}
}

// What two certificates within the limit hold together may cost more to read.
func TestCostlyMergeStaysReadable(t *testing.T) {
	k := secretKey(t, packet.PubKeyAlgoECDSA, packet.CurveNistP384, false)
	at := func(from, to, sec int) *Certificate {
		f := newForge(t, k)
		for i := from; i < to; i++ {
			f.userID(fmt.Sprintf("Carol %d", i), second(sec))
		}
		return f.certificate()
	}
	got := must(at(0, 10, 1).Merge(at(5, 15, 2)))(t)
	if n := got.work(); n > maxWork {
		t.Errorf("costs %d", n)
	}
	if len(got.ids) != 15 || !slices.Equal(times(got.ids[14]), []int{2}) {
		t.Errorf("%d user ids, the last of %v", len(got.ids), times(got.ids[len(got.ids)-1]))
	}
	if again := must(ParseCertificate(got.Bytes()))(t); !bytes.Equal(again.Bytes(), got.Bytes()) {
		t.Error("reads itself otherwise")
	}
}

// A full certificate has room for the one thing that must be known of it.
func TestCostlyCertificateCanBeRevoked(t *testing.T) {
	k := secretKey(t, packet.PubKeyAlgoECDSA, packet.CurveNistP384, false)
	f := newForge(t, k).userID("Carol", noon).revokeID("Carol", noon)
	for range 7 {
		sub := freshMaterial(t, noon).seal
		f.subkey(sub, "E", noon).revokeSubkey(sub, noon)
	}
	full := f.certificate()
	if full.work() != maxWork {
		t.Fatalf("costs %d", full.work())
	}
	revocation := frames(t, newForge(t, k).revoke(noon).bytes())[1].raw
	got := must(full.Revoke(revocation))(t)
	if !got.primary.revoked() || len(got.subkeys) != 6 {
		t.Errorf("revoked: %t, %d subkeys", got.primary.revoked(), len(got.subkeys))
	}
}

// The key that comes along with each request costs what is new in it.
func TestCostlyUpdateVerifiesNothingTwice(t *testing.T) {
	m := freshMaterial(t, noon)
	in := selfSignatures(t, m, 3)
	for want, news := range [][]byte{in, selfSignatures(t, m, 4)} {
		_, work, err := read(news, must(ParseCertificate(in))(t))
		wantError(t, err, nil)
		if work != want {
			t.Errorf("spent %d on %d new signatures", work, want)
		}
	}
}

// forgedSignatures is a user id with one good signature and n newer ones that do
// not verify.
func forgedSignatures(t *testing.T, m material, n int) []byte {
	in := selfSignatures(t, m, n+1)
	for _, f := range frames(t, in)[3:] {
		f.body[len(f.body)-1] ^= 1
	}
	return in
}

// forgedBindings are n bindings of a signing subkey by the primary key, good
// but for what the subkey signed in them.
func forgedBindings(t *testing.T, m material, k *packet.PrivateKey, n int) []byte {
	f := newForge(t, m.primary).userID("Carol", noon)
	f.key(&k.PublicKey)
	for i := range n {
		s := f.signature(packet.SigTypeSubkeyBinding, second(i), []edit{flags("S")})
		s.EmbeddedSignature = newSignature(packet.SigTypePrimaryKeyBinding, &k.PublicKey, noon)
		f.check(s.EmbeddedSignature.CrossSignKey(&k.PublicKey, &k.PublicKey, k, unsalted()))
		f.check(s.SignKey(&k.PublicKey, f.by, unsalted()))
		f.check(s.Serialize(&f.out))
	}
	return f.bytes()
}
