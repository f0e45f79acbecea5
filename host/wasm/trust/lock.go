package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLock is the largest lock, in bytes.
const MaxLock = 1 << 20

const ext = ".wasm"

// Lock says which contents plugin files may have.
type Lock struct {
	hashes map[string][]string // by name without .wasm: SHA-256, hex in small letters
}

// ReadLock reads a lock from a file.
func ReadLock(path string) (*Lock, error) {
	data, err := readFile(path, MaxLock, everybody)
	if err != nil {
		return nil, err
	}
	return ParseLock(data)
}

// ParseLock reads a lock. Its error names the line.
func ParseLock(data []byte) (*Lock, error) {
	l := &Lock{hashes: make(map[string][]string)}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		hash, name, err := parseLine(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !slices.Contains(l.hashes[name], hash) {
			l.hashes[name] = append(l.hashes[name], hash)
		}
	}
	return l, nil
}

func parseLine(text string) (hash, name string, err error) {
	const digits = 2 * sha256.Size
	hash, rest := text[:min(digits, len(text))], text[min(digits, len(text)):]
	if _, err := hex.DecodeString(hash); err != nil || len(hash) < digits {
		return "", "", fmt.Errorf("it does not begin with %d hexadecimal digits", digits)
	}
	name, ok := strings.CutPrefix(rest, "  ")
	if !ok {
		if name, ok = strings.CutPrefix(rest, " *"); !ok {
			return "", "", fmt.Errorf("after the digits there are not two spaces and a name")
		}
	}
	name = strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ext)
	if name == "" || name[0] == '.' || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || !unicode.IsPrint(r) }) {
		return "", "", fmt.Errorf("%.60q is not the name of a plugin", name)
	}
	return strings.ToLower(hash), name, nil
}

// Hashes returns the contents that a plugin may have, by name without .wasm: SHA-256, hex.
func (l *Lock) Hashes(name string) []string { return l.hashes[name] }

// Line is the line of a lock for a file, with its SHA-256, hex.
func Line(hash, path string) string { return hash + "  " + path + "\n" }
