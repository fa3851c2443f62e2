package pgp

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// postVectors are whole posts by Carol, whose certificate is a header.
func postVectors(t *testing.T) []vector {
	m := freshMaterial(t, noon)
	plain := usual(t, m, noon).certificate()
	rsaUser := entity(t, packet.PubKeyAlgoRSA, "", false)
	signed := func(c *Certificate, content string) string {
		return fmt.Sprintf(`{"attributedTo":"openpgp4fpr:%s","content":"%s","id":"p2ps:%[1]s/20261122-120000000-k3q5vx2m4f7da","mediaType":"text/plain",`+
			`"published":"2026-11-22T12:00:00Z","revision":1,"type":"Note"}`, c.Fingerprint(), content)
	}
	text := signed(plain, "Walked the whole Teltow canal today.")
	wire := func(text string, sig []byte) []byte {
		return []byte(strings.TrimSuffix(text, "}") + `,"signature":"` + base64.StdEncoding.EncodeToString(sig) + `"}`)
	}
	by := func(edits ...edit) []byte { return wire(text, signWith(t, m.sign, []byte(text), noon, edits...)) }
	good := signWith(t, m.sign, []byte(text), noon)
	at := func(d time.Duration) []byte { return wire(text, signWith(t, m.sign, []byte(text), noon.Add(d))) }
	soft := func(when time.Duration) *Certificate {
		return usual(t, m, noon).revoke(noon.Add(when), reason(packet.KeySuperseded)).certificate()
	}
	spaced := strings.Replace(text, `","`, `", "`, 1)
	reordered := "{" + strings.TrimSuffix(text[strings.Index(text, `"content"`):], "}") + "," + strings.TrimSuffix(text[1:], text[strings.Index(text, `,"content"`):]) + "}"
	rsaText := signed(must(ParseCertificate(serializedPublic(t, rsaUser)))(t), "x")
	add := func(name, rule, expect, why string, c *Certificate, post []byte) vector {
		return vector{name, rule, expect, why, certificateHeader(c), post}
	}
	return []vector{
		add("good", "P19,P20,P21,P22,P23", "accepted", "nothing is wrong", plain, wire(text, good)),
		add("layout", "P19", "accepted", "in any layout the signed bytes are the same", plain, wire(reordered, good)),
		add("not-canonical", "P19", "refused signature", "what is signed is not in RFC 8785 form", plain, wire(spaced, signWith(t, m.sign, []byte(spaced), noon))),
		add("changed", "P19", "refused signature", "a word changed", plain, wire(strings.Replace(text, "whole", "half", 1), good)),
		add("signed-with-bto", "P19", "refused signature", "bto was signed", plain,
			wire(text, signWith(t, m.sign, []byte(`{"attributedTo"`+strings.Replace(text[len(`{"attributedTo"`):], `,"content"`, `,"bto":["family"],"content"`, 1)), noon))),
		add("bto-travelled", "P29,P33", "refused audience", "the private audience came along", plain, []byte(strings.Replace(string(wire(text, good)), `,"content"`, `,"bto":["family"],"content"`, 1))),
		add("public", "P27,P29", "accepted", "to is signed", plain, func() []byte {
			s := strings.Replace(text, `,"type"`, `,"to":["as:Public"],"type"`, 1)
			return wire(s, signWith(t, m.sign, []byte(s), noon))
		}()),
		add("to-added", "P27", "refused signature", "to is signed: nobody else makes a post public", plain, wire(strings.Replace(text, `,"type"`, `,"to":["as:Public"],"type"`, 1), good)),
		add("two-packets", "P20", "refused malformed", "the signature twice", plain, wire(text, append(slices.Clone(good), good...))),
		add("byte-after", "P20", "refused malformed", "a byte after the packet", plain, wire(text, append(slices.Clone(good), 0))),
		add("byte-inside", "P20", "refused malformed", "a byte after the signature's numbers, inside the packet", plain, wire(text, grown(frames(t, good)[0]))),
		add("cut", "P20", "refused malformed", "the packet is cut off", plain, wire(text, good[:len(good)-1])),
		add("marker-before", "P20", "refused malformed", "a marker packet before it", plain, wire(text, append([]byte{0xca, 3, 'P', 'G', 'P'}, good...))),
		add("armored", "P20", "refused malformed", "armored", plain, wire(text, must(enarmor("PGP SIGNATURE", nil, good))(t))),
		add("8-KiB", "P20", "refused member", "a packet of more than 8 KiB", plain, wire(text, withUnhashed(frames(t, good)[0], make([]byte, maxSignature)))),
		add("text-signature", "P21", "refused signature", "type 0x01", plain, by(kind(packet.SigTypeText))),
		add("other-key", "P21", "refused signature", "by the key of another", plain, wire(text, signWith(t, signingSecret(t, mallory()), []byte(text), noon))),
		add("other-key-named", "P21", "refused signature", "by the key of another that calls itself the author's", plain, wire(text, signWith(t, signingSecret(t, mallory()), []byte(text), noon, issuer(m.sign)))),
		add("authentication-key", "P21", "refused signature", "by a subkey that may not sign", plain, wire(text, signWith(t, m.authenticate, []byte(text), noon))),
		add("certifying-key", "P21", "refused signature", "by a primary key that may only certify", plain, wire(text, signWith(t, m.primary, []byte(text), noon))),
		add("another-author", "P13,P26", "refused author", "a good post, but not by whom it is said to be", alice().cert, wire(text, good)),
		add("rsa", "P21", "accepted", "by an RSA key", must(ParseCertificate(serializedPublic(t, rsaUser)))(t), wire(rsaText, signWith(t, rsaUser.PrivateKey, []byte(rsaText), noon))),
		add("no-context", "P22", "refused context", "no notation, as in a mail", plain, by(notations())),
		add("request-context", "P22", "refused context", "made for a request", plain, by(notations("request"))),
		add("two-contexts", "P22", "refused context", "the notation twice", plain, by(notations("post", "post"))),
		add("context-not-hashed", "P22", "refused context", "the notation is not in the hashed area", plain, wire(text, func() []byte {
			return unhashedContext(t, signWith(t, m.sign, []byte(text), noon, notations()))
		}())),
		add("other-notation", "P22", "accepted", "other notations are ignored", plain, by(addNotation("x@example.org", "request"))),
		add("before-the-key", "P23", "refused expired", "signed a second before the key was made", plain, at(-time.Second)),
		add("expired-since", "P23", "accepted", "the key was valid when it signed", usual(t, m, noon, lifetime(day)).certificate(), at(day-time.Second)),
		add("expired-then", "P23", "refused expired", "signed when the key had expired", usual(t, m, noon, lifetime(day)).certificate(), at(day)),
		add("superseded-since", "P23", "accepted", "signed before the key was given up", soft(day), at(day-time.Second)),
		add("superseded-then", "P23", "refused revoked", "signed after the key was given up", soft(day), at(day)),
		add("subkey-retired-then", "P23", "refused revoked", "signed after the subkey was given up",
			newForge(t, m.primary).userID("Carol", noon).subkey(m.sign, "S", noon).revokeSubkey(m.sign, noon.Add(day), reason(packet.KeyRetired)).certificate(), at(day)),
		add("compromised", "P24", "accepted, revoked", "the key is revoked as compromised: kept and marked", usual(t, m, noon).revoke(noon.Add(day), reason(packet.KeyCompromised)).certificate(), at(0)),
		add("revoked-without-reason", "P24", "accepted, revoked", "the key is revoked without a reason, long before: kept and marked", usual(t, m, noon).revoke(noon).certificate(), at(day)),
		add("sha-1", "P25", "refused weak", "SHA-1", plain, by(sha1Hash)),
		add("md5", "P25", "refused weak", "MD5", plain, wire(text, withHash(good, 1))),
		add("ripemd-160", "P25", "refused weak", "RIPEMD-160", plain, wire(text, withHash(good, 3))),
	}
}

// announced puts any signature behind a literal that a one-pass signature
// announces.
func announced(t *testing.T, k *packet.PrivateKey, literal, sig []byte) []byte {
	t.Helper()
	s := must(parseSignature(sig))(t)
	ops := &packet.OnePassSignature{Version: 3, SigType: s.SigType, Hash: s.Hash, PubKeyAlgo: k.PubKeyAlgo, KeyId: *s.IssuerKeyId, IsLast: true}
	var out bytes.Buffer
	if err := ops.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	out.Write(appendHeader(nil, tagLiteral, 6+len(literal)))
	out.Write([]byte{'b', 0, 0, 0, 0, 0})
	out.Write(literal)
	out.Write(sig)
	return out.Bytes()
}

// sealedVectors are the flaws that a request and an answer can both have, in
// messages by m, whose certificate is cert, to Bob.
func sealedVectors(t *testing.T, m material, context Context, literal []byte, to, wrong *Secret, extra string) []vector {
	sig := func(at time.Time, edits ...edit) []byte {
		return signWith(t, m.sign, literal, at, append([]edit{notations(string(context))}, edits...)...)
	}
	whole := announced(t, m.sign, literal, sig(noon))
	in := frames(t, whole)
	outside := frames(t, sealed(t, whole, to))
	session, data := outside[0], outside[1]
	say := func(edits ...edit) []byte { return sealed(t, announced(t, m.sign, literal, sig(noon, edits...)), to) }
	then := func(d time.Duration) []byte { return sealed(t, announced(t, m.sign, literal, sig(noon.Add(d))), to) }
	other := map[Context]string{ContextRequest: "answer", ContextAnswer: "request"}[context]
	flipped := slices.Clone(data.raw)
	flipped[len(flipped)-30] ^= 1
	named := slices.Clone(session.raw)
	copy(named[len(session.raw)-session.size+1:], keyID(to.opens[0]))
	gcm := must(encrypt(whole, must(to.cert.encryptionKey(noon))(t), SealOptions{GCM: true}))(t)
	inside := func(packets ...[]byte) []byte { return sealed(t, slices.Concat(packets...), to) }
	stranger := freshMaterial(t, noon)
	add := func(name, rule, expect, why string, input []byte) vector {
		return vector{name, rule, expect, why, extra, input}
	}
	return []vector{
		add("good", "M5,M6,M8,M9,M10,M11,M12", "accepted", "nothing is wrong", inside(whole)),
		add("named", "M8", "accepted", "the recipient's key is named", slices.Concat(named, data.raw)),
		add("in-parts", "M5", "accepted", "partial lengths, as gpg writes them", inside(in[0].raw, []byte{0xcb, 0xe4}, in[1].body[:16], appendHeader(nil, 0, in[1].size-16)[1:], in[1].body[16:], in[2].raw)),
		add("two-session-keys", "M5,M8", "refused malformed", "two recipients", slices.Concat(session.raw, session.raw, data.raw)),
		add("password", "M5", "refused malformed", "a password would open it too", slices.Concat([]byte{0xc3, 13, 4, 9, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96}, session.raw, data.raw)),
		add("no-session-key", "M5", "refused malformed", "no session key", data.raw),
		add("no-integrity", "M5,M6", "refused malformed", "a packet without integrity protection (tag 9)", slices.Concat(session.raw, appendHeader(nil, 9, data.size), data.body)),
		add("marker", "M5", "refused malformed", "a marker packet first", slices.Concat([]byte{0xca, 3, 'P', 'G', 'P'}, session.raw, data.raw)),
		add("byte-after", "M5", "refused malformed", "a byte after the message", slices.Concat(session.raw, data.raw, []byte{0})),
		add("packet-after", "M5", "refused malformed", "a packet after the message", slices.Concat(session.raw, data.raw, []byte{0xd5, 1, 0})),
		add("armored", "M5", "refused malformed", "armored", must(enarmor("PGP MESSAGE", nil, slices.Concat(session.raw, data.raw)))(t)),
		add("not-encrypted", "M5", "refused malformed", "signed, not encrypted", whole),
		add("version-2", "M6", "refused malformed", "SEIPDv2 with GCM, that nobody asked for", gcm),
		add("flipped", "M7", "refused malformed", "a flipped bit", slices.Concat(session.raw, flipped)),
		add("cut", "M7", "refused malformed", "cut off, the length mended", slices.Concat(session.raw, appendHeader(nil, tagSealed, data.size-30), data.body[:data.size-30])),
		add("other-recipient", "M8", "refused recipient", "encrypted to somebody else", sealed(t, whole, wrong)),
		add("compressed", "M5", "refused malformed", "compressed", inside(compressed(whole))),
		add("unsigned", "M5,M9", "refused malformed", "no signature", inside(in[1].raw)),
		add("no-one-pass", "M5", "refused malformed", "no one-pass signature", inside(in[1].raw, in[2].raw)),
		add("signature-first", "M5", "refused malformed", "the signature before the literal, as in old times", inside(in[2].raw, in[1].raw)),
		add("two-signatures", "M5,M9", "refused malformed", "two signatures", inside(in[0].raw, in[0].raw, in[1].raw, in[2].raw, in[2].raw)),
		add("two-literals", "M5", "refused malformed", "two literals", inside(in[0].raw, in[1].raw, in[1].raw, in[2].raw)),
		add("text-literal", "M5", "refused malformed", "a literal in text mode", inside(in[0].raw, appendHeader(nil, tagLiteral, in[1].size), []byte{'t'}, in[1].body[1:], in[2].raw)),
		add("nested", "M5", "refused malformed", "encrypted twice", sealed(t, sealed(t, whole, to), to)),
		add("text-signature", "M9", "refused signature", "type 0x01", say(kind(packet.SigTypeText))),
		add("other-signer", "M9", "refused signature", "signed by another than it is from", inside(announced(t, stranger.sign, literal, signWith(t, stranger.sign, literal, noon, notations(string(context)))))),
		add("authentication-key", "M9", "refused signature", "signed by a subkey that may not", inside(announced(t, m.authenticate, literal, signWith(t, m.authenticate, literal, noon, notations(string(context)))))),
		add("changed", "M9", "refused signature", "another literal than was signed", inside(announced(t, m.sign, append(slices.Clone(literal), ' '), sig(noon)))),
		add("no-context", "M10", "refused context", "no notation", say(notations())),
		add("other-context", "M10", "refused context", "made for the opposite", say(notations(other))),
		add("post-context", "M10", "refused context", "made for a post", say(notations("post"))),
		add("two-contexts", "M10", "refused context", "the notation twice", say(notations(string(context), string(context)))),
		add("other-notation", "M10", "accepted", "other notations are ignored", say(addNotation("x@example.org", "y"))),
		add("60-seconds", "M11", "accepted", "signed 60 seconds after time", then(time.Minute)),
		add("61-seconds", "M11", "refused signature", "signed 61 seconds after time", then(61*time.Second)),
		add("61-seconds-before", "M11", "refused signature", "signed 61 seconds before time", then(-61*time.Second)),
		add("sha-1", "M12", "refused weak", "SHA-1", say(sha1Hash)),
	}
}

// old is when Carol's key was made where it has a past.
var old = noon.AddDate(0, -1, 0)

// messageKeys are Carol's certificates that make a message good or bad.
func messageKeys(t *testing.T, m material) []struct {
	name, expect, why string
	cert              *Certificate
} {
	return []struct {
		name, expect, why string
		cert              *Certificate
	}{
		{"expired-key", "refused expired", "the key expired an hour ago", usual(t, m, old, lifetime(noon.Sub(old)-time.Hour)).certificate()},
		{"expires-soon", "accepted", "the key expires in a minute", usual(t, m, old, lifetime(noon.Sub(old)+time.Minute)).certificate()},
		{"revoked-key", "refused revoked", "the key is revoked", usual(t, m, old).revoke(noon.Add(-time.Hour)).certificate()},
		{"revoked-subkey", "refused revoked", "the subkey is revoked",
			newForge(t, m.primary).userID("Carol", old).subkey(m.sign, "S", old).revokeSubkey(m.sign, old).subkey(m.seal, "E", old).certificate()},
	}
}

// requestVectors are requests by Carol to Bob, at noon.
func requestVectors(t *testing.T) []vector {
	bob, mallory := vectorKey(t, "Bob"), vectorKey(t, "Mallory")
	literal := func(c *Certificate) []byte {
		return fmt.Appendf(nil, `{"p2ps":"request/1","kind":"posts","from":"%s","to":"%s","time":"2026-11-22T12:00:00Z","nonce":"9f3c0a517be2486d95d1c0e8a47b2f60","key":"%s"}`,
			c.Fingerprint(), bob.cert.Fingerprint(), base64.StdEncoding.EncodeToString(c.Bytes()))
	}
	const extra = "recipient: bob.asc\nnow: 2026-11-22T12:00:00Z\n"
	m := freshMaterial(t, old)
	plain := usual(t, m, old).certificate()
	all := sealedVectors(t, m, ContextRequest, literal(plain), bob, mallory, extra)
	message := func(from *Certificate, k *packet.PrivateKey, text []byte) []byte {
		return sealed(t, announced(t, k, text, signWith(t, k, text, noon, notations("request"))), bob)
	}
	for _, c := range messageKeys(t, m) {
		all = append(all, vector{c.name, "M12", c.expect, c.why, extra, message(c.cert, m.sign, literal(c.cert))})
	}
	noSeal := newForge(t, m.primary).userID("Carol", old).subkey(m.sign, "S", old).certificate()
	twoKeys := strings.Replace(string(literal(plain)), base64.StdEncoding.EncodeToString(plain.Bytes()),
		base64.StdEncoding.EncodeToString(append(slices.Clone(plain.Bytes()), mallory.cert.Bytes()...)), 1)
	otherKey := strings.Replace(string(literal(plain)), base64.StdEncoding.EncodeToString(plain.Bytes()), base64.StdEncoding.EncodeToString(mallory.cert.Bytes()), 1)
	soon := noon.Add(11 * time.Minute)
	young := freshMaterial(t, soon)
	future := usual(t, young, soon).certificate()
	return append(all,
		vector{"future-key", "M12", "refused expired", "the key was made eleven minutes from now", extra, message(future, young.sign, literal(future))},
		vector{"no-encryption-key", "M21", "refused encryption", "an answer could not be sealed to its key", extra, message(noSeal, m.sign, literal(noSeal))},
		vector{"two-keys", "M2,M17", "refused member", "two certificates in key", extra, message(plain, m.sign, []byte(twoKeys))},
		vector{"other-key", "M17,M21", "refused member", "key is not that of from", extra, message(plain, signingSecret(t, mallory), []byte(otherKey))},
	)
}

// answerVectors are answers by Carol to Bob, to a question of his.
func answerVectors(t *testing.T) []vector {
	bob, mallory := vectorKey(t, "Bob"), vectorKey(t, "Mallory")
	re := hexSum(sha256.Sum256([]byte("a request")))
	digest := hexSum(sha256.Sum256(nil))
	m := freshMaterial(t, old)
	literal := func(c *Certificate) []byte {
		return fmt.Appendf(nil, `{"p2ps":"answer/1","kind":"posts","from":"%s","to":"%s","time":"2026-11-22T12:00:00Z","re":"%s","items":[],"more":false,"count":0,"digest":"%s"}`,
			c.Fingerprint(), bob.cert.Fingerprint(), re, digest)
	}
	extra := func(c *Certificate) string {
		return "asker: bob.asc\nkind: posts\nre: " + re + "\nnow: 2026-11-22T12:00:00Z\n" + certificateHeader(c)
	}
	plain := usual(t, m, old).certificate()
	all := sealedVectors(t, m, ContextAnswer, literal(plain), bob, mallory, extra(plain))
	for _, c := range messageKeys(t, m) {
		text := literal(c.cert)
		all = append(all, vector{c.name, "M12,M27", c.expect, c.why, extra(c.cert), sealed(t, announced(t, m.sign, text, signWith(t, m.sign, text, noon, notations("answer"))), bob)})
	}
	return all
}

func certificateVectors(t *testing.T) []vector {
	m := freshMaterial(t, noon)
	good := usual(t, m, noon).bytes()
	kept := func(in []byte) string {
		c := must(ParseCertificate(in))(t)
		return fmt.Sprintf("accepted %s %d", c.Fingerprint(), len(c.Bytes()))
	}
	add := func(name, rule, expect, why string, in []byte) vector { return vector{name, rule, expect, why, "", in} }
	v6 := serializedPublic(t, entity(t, packet.PubKeyAlgoEd25519, "", true))
	rsa := serializedPublic(t, entity(t, packet.PubKeyAlgoRSA, "", false))
	daily := must(vectorKey(t, "Alice").Daily())(t)
	return []vector{
		add("good", "M1,M2", kept(good), "as p2ps makes it", good),
		add("armored", "M2", kept(good), "the same as text", must(ParseCertificate(good))(t).Armor()),
		add("v6", "M1", kept(v6), "version 6", v6),
		add("rsa-2048", "P25", kept(rsa), "RSA of 2,048 bits", rsa),
		add("two", "M2", "refused malformed", "two certificates", append(slices.Clone(good), vectorKey(t, "Bob").cert.Bytes()...)),
		add("two-armored", "M2", "refused malformed", "two armored ones", append(vectorKey(t, "Alice").cert.Armor(), vectorKey(t, "Bob").cert.Armor()...)),
		add("secret", "M2", "refused secret", "a secret key", must(dearmored(daily))(t)),
		add("secret-armored", "M2", "refused secret", "an armored secret key", daily),
		add("cut", "M2", "refused malformed", "cut off", good[:len(good)-1]),
		add("byte-after", "M2", "refused malformed", "a byte after it", append(slices.Clone(good), 0)),
		add("nothing", "M2", "refused malformed", "empty", nil),
		add("others-signatures", "M4", kept(good), "300 signatures by others are left out", slices.Concat(good[:idEnd(t, good)], bytes.Repeat(thirdParty(t, m), 300), good[idEnd(t, good):])),
		add("32-user-ids", "M4", kept(userIDs(t, m, 32)), "32 user ids", userIDs(t, m, 32)),
		add("33-user-ids", "M4", "refused limit", "33 user ids", userIDs(t, m, 33)),
		add("17-subkeys", "M4", "refused limit", "17 subkeys", subkeys(t, m, 17)),
		add("257-signatures", "M4", "refused limit", "257 self-signatures", selfSignatures(t, m, 257)),
		add("64-KiB", "M4", "refused limit", "64 KiB and a byte", append(slices.Clone(good), make([]byte, maxCertificate-len(good)+1)...)),
		add("rsa-1024", "P25,M12", "refused weak", "RSA of 1,024 bits", rsaKey(t, 1024)),
		add("rsa-16384", "P25,M12", "refused weak", "RSA of 16,384 bits", rsaKey(t, 16384)),
		add("dsa", "P25", "refused weak", "DSA", keyOfAlgorithm(17)),
		add("sha-1", "P25,M12", "refused weak", "nothing but a SHA-1 self-signature", newForge(t, m.primary).userID("Carol", noon, sha1Hash).bytes()),
		add("no-user-id", "M2", "refused malformed", "no user id", newForge(t, m.primary).subkey(m.seal, "E", noon).bytes()),
		add("others-user-id", "M4", "refused malformed", "its user id is signed by another alone", foreignID(t, m)),
		add("stolen-subkey", "M4", kept(good), "a signing subkey that does not sign back is left out", slices.Concat(good, stolen(t, m, mallory().secretOf(mallory().cert.subkeys[0])))),
	}
}

// mergeVectors are certificates that come to one that is held.
func mergeVectors(t *testing.T) []vector {
	m, young := freshMaterial(t, old), freshMaterial(t, old)
	f := usual(t, m, old)
	held := f.certificate()
	revoked := usual(t, m, old).revoke(noon.Add(-time.Hour)).certificate()
	add := func(name, expect, why string, held *Certificate, came []byte) vector {
		return vector{name, "M3", expect, why, certificateHeader(held), came}
	}
	return []vector{
		add("same", "merged, nothing new", "the same certificate", held, held.Bytes()),
		add("renewed", "merged", "with a new subkey", held, newForge(t, m.primary).userID("Carol", old).subkey(young.sign, "S", noon.Add(-time.Hour)).bytes()),
		add("revocation", "merged, revoked", "a revocation comes", held, revoked.Bytes()),
		add("old-copy", "merged, revoked", "an old copy comes after the revocation", revoked, held.Bytes()),
		add("vouched-anew", "merged, revoked", "a new self-signature does not undo a revocation", revoked, newForge(t, m.primary).userID("Carol", noon.Add(-time.Minute)).bytes()),
		add("other", "refused other-key", "somebody else's", held, vectorKey(t, "Alice").cert.Bytes()),
		add("same-name", "refused other-key", "of the same name, with another primary key", held, usual(t, young, old).bytes()),
	}
}
