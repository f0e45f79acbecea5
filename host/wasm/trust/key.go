package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxKey is the largest file with a key or a signature, in bytes.
const maxKey = 4 << 10

// privatePrefix keeps a private key from being taken for a public one.
const privatePrefix = "wasmill-private-key: "

// PublicKey is what a signature is verified with.
type PublicKey [ed25519.PublicKeySize]byte

// String returns the key in one line.
func (k PublicKey) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// ParsePublic reads a public key.
func ParsePublic(text string) (k PublicKey, err error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, strings.TrimSpace(privatePrefix)) {
		return k, errors.New("it is a private key, which nobody but its owner should have; the public one is in the file beside it that ends in .pub")
	}
	data, err := decode(text, len(k))
	if err != nil {
		return k, fmt.Errorf("it is not a public key: %w", err)
	}
	return PublicKey(data), nil
}

// ReadPublic reads a public key from a file that not everybody can write.
func ReadPublic(path string) (PublicKey, error) {
	data, err := readFile(path, maxKey, everybody)
	if err != nil {
		return PublicKey{}, err
	}
	return ParsePublic(string(data))
}

// PrivateKey is what is signed with. Nothing prints it but Text.
type PrivateKey struct{ seed [ed25519.SeedSize]byte }

// NewPrivate makes a key.
func NewPrivate() (k PrivateKey) {
	rand.Read(k.seed[:]) // which cannot fail
	return k
}

// ParsePrivate reads a private key. The error does not repeat it.
func ParsePrivate(text string) (k PrivateKey, err error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(text), privatePrefix)
	if !ok {
		return k, fmt.Errorf("it is not a private key: it does not begin with %q", privatePrefix)
	}
	data, err := decode(text, len(k.seed))
	if err != nil {
		return k, fmt.Errorf("it is not a private key: %w", err)
	}
	copy(k.seed[:], data)
	return k, nil
}

// ReadPrivate reads a private key from a file that nobody but its owner may read.
func ReadPrivate(path string) (PrivateKey, error) {
	data, err := readFile(path, maxKey, 0o077)
	if err != nil {
		return PrivateKey{}, err
	}
	return ParsePrivate(string(data))
}

// Text returns the key in one line, for the file of its owner.
func (k PrivateKey) Text() string {
	return privatePrefix + base64.StdEncoding.EncodeToString(k.seed[:])
}

// Format implements fmt.Formatter, for all verbs, and shows nothing.
func (PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, "***") }

// Public returns the key that verifies what is signed with this one.
func (k PrivateKey) Public() PublicKey {
	return PublicKey(ed25519.NewKeyFromSeed(k.seed[:]).Public().(ed25519.PublicKey))
}

// decode reads base64 of so many bytes.
func decode(text string, size int) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, errors.New("it has more than one line")
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	if len(data) != size {
		return nil, fmt.Errorf("it has %d bytes instead of %d", len(data), size)
	}
	return data, nil
}
