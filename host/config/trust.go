package config

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// TrustKey is the public key of who signs plugins, written here or in a file.
type TrustKey struct {
	File string `koanf:"file"` // that has it; empty = it is Key

	key   string
	where string // in the config
}

// Key returns the key that is written here: base64 of 32 bytes.
func (k TrustKey) Key() string { return k.key }

// Where returns the place of the key in the config.
func (k TrustKey) Where() string { return k.where }

const trustFix = "write the text that wasmill plugin keygen prints, or {file: PATH} of the .pub file"

// trustKeys fills a list of them. A text, as variables are, has keys with commas between.
func (b *binder) trustKeys(p path, in any, out reflect.Value) {
	if text, ok := in.(string); ok {
		var all []any
		for key := range strings.SplitSeq(text, ",") {
			all = append(all, strings.TrimSpace(key))
		}
		in = all
	}
	b.elements(p, in, out)
}

// trustKey fills a TrustKey.
func (b *binder) trustKey(p path, in any, out reflect.Value) {
	k := out.Addr().Interface().(*TrustKey)
	k.where = b.value(p).where(p)
	text, ok := in.(string)
	if !ok {
		keys, ok := in.(map[string]any)
		if ok {
			b.fields(p, keys, out)
			k.where = b.value(p).where(p)
		} else {
			b.mismatch(p, in, "a public key, or {file: PATH}", trustFix)
		}
		if ok && k.File == "" {
			b.missing(p, "file", trustFix)
		}
		return
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) != ed25519.PublicKeySize || strings.ContainsAny(text, "\r\n") {
		why := fmt.Sprintf("%q is not a public key", shorten(text))
		if strings.Contains(text, "private") {
			why = "it is a private key, which nobody but its owner should have"
		}
		b.fault(p, stream.ConfigValue, why, trustFix)
		return
	}
	k.key = text
}
