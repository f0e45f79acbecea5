package config

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// maxName keeps names usable as file names, labels and parts of host names.
const maxName = 63

// name checks the name in a map at p: a letter, then letters, digits, - and _,
// all of them small.
func (b *binder) name(p path, name string, keys map[string]any) {
	switch {
	case name == "" && empty(keys["name"]):
		b.missing(p, "name", "write name: and a short word")
	case name != slug(name) && !b.about(p.key("name")):
		fix := "use small letters, digits, - and _, and start with a letter"
		if s := slug(name); s != "" {
			fix = "write " + s
		}
		b.fault(p.key("name"), stream.ConfigValue, fmt.Sprintf("%q is not a name of at most %d small letters, digits, - and _ that starts with a letter", shorten(name), maxName), fix)
	}
}

// slug returns the valid name that is most like a text; a name is its own slug.
func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r == ' ', r == '.', r == '/':
			return '-'
		}
		return -1
	}, s)
	s = strings.TrimLeft(s, "0123456789-_")
	return s[:min(len(s), maxName)]
}

// empty says that a key is not there or has nothing that counts.
func empty(v any) bool { return v == nil || v == "" }
