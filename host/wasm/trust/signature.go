package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// SignatureExt is what the name of a signature has more than that of its file.
const SignatureExt = ".sig"

// MaxSignature is the largest file with a signature, in bytes.
const MaxSignature = maxKey

// prefix is what is signed before the hash of a file, so that a signature for another
// purpose is none of a plugin.
const prefix = "wasmill plugin signature v1\n"

// Signature is one of a plugin file.
type Signature [ed25519.SignatureSize]byte

// Sign signs the SHA-256 of a file.
func Sign(k PrivateKey, hash [sha256.Size]byte) Signature {
	return Signature(ed25519.Sign(ed25519.NewKeyFromSeed(k.seed[:]), signed(hash)))
}

func signed(hash [sha256.Size]byte) []byte { return append([]byte(prefix), hash[:]...) }

// ParseSignature reads a signature.
func ParseSignature(text string) (s Signature, err error) {
	data, err := decode(strings.TrimSpace(text), len(s))
	if err != nil {
		return s, fmt.Errorf("it is not a signature: %w", err)
	}
	return Signature(data), nil
}

// String returns the signature in one line.
func (s Signature) String() string { return base64.StdEncoding.EncodeToString(s[:]) }

// By returns which of some keys has signed the SHA-256 of a file; false = none has.
func (s Signature) By(keys []PublicKey, hash [sha256.Size]byte) (PublicKey, bool) {
	for _, k := range keys {
		if ed25519.Verify(k[:], signed(hash), s[:]) {
			return k, true
		}
	}
	return PublicKey{}, false
}
