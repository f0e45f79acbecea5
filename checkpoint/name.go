package checkpoint

import (
	"fmt"
	"strings"
)

// Bounds of a name in bytes: what every file system and every store takes, with
// room for the prefix of the store.
const (
	MaxName = 512
	maxPart = 128
)

// CheckObject says what is wrong with the name or the size of an object, by the
// rules of Store: an error here is a mistake of the caller, and the same in
// every store.
func CheckObject(name string, bytes int) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if bytes > MaxObject {
		return fmt.Errorf("object %s: %d bytes are more than the %d that one may have", name, bytes, MaxObject)
	}
	return nil
}

// CheckName says what is wrong with the name of an object.
func CheckName(name string) error {
	if len(name) > MaxName {
		return fmt.Errorf("object %.40q…: the name has %d bytes, more than %d", name, len(name), MaxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if !validPart(part) {
			return fmt.Errorf("object %q: %q is not 1 to %d letters, digits, dots, - and _ that begin with no dot", name, part, maxPart)
		}
	}
	return nil
}

func validPart(part string) bool {
	if part == "" || len(part) > maxPart || part[0] == '.' {
		return false
	}
	for _, c := range []byte(part) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
