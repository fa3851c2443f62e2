package pgp

import (
	"bytes"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

const (
	armorPublic = "PGP PUBLIC KEY BLOCK"
	armorSecret = "PGP PRIVATE KEY BLOCK"
)

// dearmor gives the packets of data, which is binary or armored text with
// exactly one block, and the block's type ("" for binary). The text is measured
// before the library sees it: its reader needs 26 s for one line of 4 MiB.
func dearmor(data []byte) (packets []byte, kind string, err error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors begin with it
	if len(data) > 0 && data[0]&0x80 != 0 {
		if len(data) > maxCertificate {
			return nil, "", fmt.Errorf("key of %d bytes, at most %d: %w", len(data), maxCertificate, ErrLimit)
		}
		return data, "", nil
	}
	if len(data) > maxArmored {
		return nil, "", fmt.Errorf("armored key of %d bytes, at most %d: %w", len(data), maxArmored, ErrLimit)
	}
	if err := measureArmor(data); err != nil {
		return nil, "", err
	}
	block, err := armor.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", fmt.Errorf("armor: %w: %w", ErrMalformed, err)
	}
	packets, err = io.ReadAll(block.Body)
	if err != nil {
		return nil, "", fmt.Errorf("armor: %w: %w", ErrMalformed, err)
	}
	if len(packets) > maxCertificate {
		return nil, "", fmt.Errorf("key of %d bytes, at most %d: %w", len(packets), maxCertificate, ErrLimit)
	}
	return packets, block.Type, nil
}

// measureArmor checks that no line is too long, and that there is one block
// with a beginning and an end: the library takes one that is cut off for whole.
func measureArmor(data []byte) error {
	begins, ends := 0, 0
	for line := range bytes.Lines(data) {
		if len(bytes.TrimRight(line, "\r\n")) > maxLine {
			return fmt.Errorf("armor with a line of over %d bytes: %w", maxLine, ErrLimit)
		}
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("-----BEGIN ")) {
			begins++
		}
		if bytes.HasPrefix(line, []byte("-----END ")) && begins == 1 {
			ends++
		}
	}
	switch {
	case begins == 0:
		return fmt.Errorf("neither OpenPGP packets nor armor: %w", ErrMalformed)
	case begins > 1:
		return fmt.Errorf("more than one armored block: %w", ErrMalformed)
	case ends != 1:
		return fmt.Errorf("armor is cut off: %w", ErrMalformed)
	}
	return nil
}

// enarmor gives packets as text, with the checksum that gpg 2.2 likes to see.
func enarmor(kind string, header map[string]string, packets []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.Encode(&out, kind, header)
	if err != nil {
		return nil, fmt.Errorf("armor: %w", err)
	}
	if _, err := w.Write(packets); err != nil {
		return nil, fmt.Errorf("armor: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("armor: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
