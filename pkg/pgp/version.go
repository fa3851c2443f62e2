package pgp

// UsesGCM tells whether a message is sealed in the way of [SealOptions].GCM
// (SEIPDv2), which gpg does not read: where nobody asked for it, it is refused.
// It is a look at the outside, as in [CheckOuter].
func UsesGCM(message []byte) bool {
	o, err := readOuter(message)
	return err == nil && o.aead
}
